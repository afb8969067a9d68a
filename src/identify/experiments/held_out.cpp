#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// Nayebi et al. 2020, §4: does what was learned on some "animals" (architectures) or "curricula" (tasks)
/// hold for others? Every value of a metadata column is left out of training in turn, and tested on.
class HeldOut : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("hold_out", column_, Accepts::one_of(Metadata::column_names()),
                "the metadata column whose values are left out in turn");
    options.add("hold_out_values", values_, Accepts::anything(), "only these values of it; empty: all");
  }

  std::vector<Condition> conditions(Study& study) const override {
    if (column_ == study.protocol().target)
      bad_input("hold_out: {} is also the target: expected another column", column_);
    const std::vector<std::string> known = study.metadata()->values(column_, study.pool_rows());
    if (known.size() < 2)
      bad_input("hold_out: all samples have the same {}: expected at least two to leave one out", column_);
    for (const std::string& value : values_)
      if (std::ranges::find(known, value) == known.end())
        bad_input("hold_out_values: no sample has {} {}: expected {}", column_, value,
                  expected_one_of(known, value));

    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds())
      for (const std::string& value : values_.empty() ? known : values_) {
        const auto plan = study.plan(kind, study.pool().without(column_, {value}),
                                     study.pool().only(column_, {value}), *study.target());
        for (const std::string& measure : study.protocol().measures) {
          result.push_back(
              Condition::on({{key::measure, measure}, {key::split, name_of(kind)}, {key::held_out, value}},
                            study.table(measure), study.target(), plan));
        }
      }
    return result;
  }

 private:
  std::string column_ = "architecture";
  std::vector<std::string> values_;
};

}  // namespace

std::unique_ptr<Experiment> make_held_out() {
  return std::make_unique<HeldOut>();
}

}  // namespace lrid::identify
