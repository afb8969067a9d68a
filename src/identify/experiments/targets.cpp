#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// What else do the observables give away? One metadata column after the other is what is to be identified.
class Targets : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("targets", targets_, Accepts::one_of(Metadata::column_names()),
                "metadata columns to identify; those of which all samples have the same value are left out");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const std::string& column : targets_) {
      if (study.metadata()->values(column, study.pool_rows()).size() < 2) {
        study.note("all samples have the same " + column + ": left out");
        continue;
      }
      const auto target = std::make_shared<Target>(Target::of(*study.metadata(), column, study.pool_rows()));
      for (const SplitKind kind : study.split_kinds()) {
        const auto plan = study.plan(kind, study.pool(), study.pool(), *target);
        for (const std::string& measure : study.protocol().measures)
          result.push_back(
              Condition::on({{key::measure, measure}, {key::split, name_of(kind)}, {key::target, column}},
                            study.table(measure), target, plan));
      }
    }
    if (result.empty())
      bad_input("targets: all samples have the same {}: expected a column with at least two values",
                join(targets_, ", "));
    return result;
  }

 private:
  std::vector<std::string> targets_ = {"learning_rule", "task", "supervision", "architecture", "batch_size"};
};

}  // namespace

std::unique_ptr<Experiment> make_targets() {
  return std::make_unique<Targets>();
}

}  // namespace lrid::identify
