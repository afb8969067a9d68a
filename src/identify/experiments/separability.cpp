#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// Nayebi et al. 2020, §4: all observables, then each measure alone; optionally also within early, middle
/// and deep layers.
class Separability : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("per_position", per_position_, Accepts::anything(),
                "also train and test within early, middle and deep layers");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds()) {
      const auto plan = study.plan(kind, study.pool(), study.pool(), *study.target());
      for (const std::string& measure : study.protocol().measures) {
        result.push_back(Condition::on({{key::measure, measure}, {key::split, name_of(kind)}},
                                       study.table(measure), study.target(), plan));
      }
      if (!per_position_) continue;
      for (const std::string& name : study.metadata()->values("layer_position", study.pool_rows())) {
        const std::int64_t position = name == "early" ? 0 : name == "middle" ? 1 : 2;
        const Filter filter = study.pool().only("layer_position", {name});
        const auto within = study.plan(kind, filter, filter, *study.target());
        for (const std::string& measure : study.protocol().measures) {
          result.push_back(
              Condition::on({{key::measure, measure}, {key::split, name_of(kind)}, {key::position, position}},
                            study.table(measure), study.target(), within));
        }
      }
    }
    return result;
  }

 private:
  bool per_position_ = false;
};

}  // namespace

std::unique_ptr<Experiment> make_separability() {
  return std::make_unique<Separability>();
}

}  // namespace lrid::identify
