#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// What if the rule is none of the known ones? Each class is left out in turn: trained on the others, tested
/// on others of these, and presented with all samples of the unknown one, which should be refused.
class NoneOfThese : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("unknown", unknown_, Accepts::anything(),
                "the classes that are left out in turn; empty: all");
  }

  std::vector<Condition> conditions(Study& study) const override {
    const std::vector<std::string>& classes = study.target()->classes;
    if (classes.size() < 3)
      bad_input("none-of-these: {} classes ({}): expected at least three, two of which stay known",
                classes.size(), join(classes, ", "));
    for (const std::string& name : unknown_)
      if (std::ranges::find(classes, name) == classes.end())
        bad_input("unknown: no sample has {} {}: expected {}", study.target()->column, name,
                  expected_one_of(classes, name));
    std::vector<Condition> result;
    const std::string& column = study.target()->column;
    for (const SplitKind kind : study.split_kinds())
      for (const std::string& name : unknown_.empty() ? classes : unknown_) {
        const Filter known = study.pool().without(column, {name});
        const auto target =
            std::make_shared<Target>(Target::of(*study.metadata(), column, known.rows(*study.metadata())));
        const auto plan = study.plan(kind, known, known, *target);
        for (const std::string& measure : study.protocol().measures) {
          Condition condition =
              Condition::on({{key::measure, measure}, {key::split, name_of(kind)}, {key::unknown, name}},
                            study.table(measure), target, plan);
          condition.unknown = study.pool().only(column, {name}).rows(*study.metadata());
          result.push_back(std::move(condition));
        }
      }
    return result;
  }

 private:
  std::vector<std::string> unknown_;
};

}  // namespace

std::unique_ptr<Experiment> make_none_of_these() {
  return std::make_unique<NoneOfThese>();
}

}  // namespace lrid::identify
