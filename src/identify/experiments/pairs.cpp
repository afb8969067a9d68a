#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// Which classes are hard to tell apart? Every pair of them, without the others.
class Pairs : public Experiment {
 public:
  void declare(Options& /*options*/) override {}

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    const std::vector<std::string>& classes = study.target()->classes;
    const std::string& column = study.target()->column;
    for (const SplitKind kind : study.split_kinds())
      for (std::size_t a = 0; a < classes.size(); ++a)
        for (std::size_t b = a + 1; b < classes.size(); ++b) {
          const Filter both = study.pool().only(column, {classes[a], classes[b]});
          const auto target =
              std::make_shared<Target>(Target::of(*study.metadata(), column, both.rows(*study.metadata())));
          const auto plan = study.plan(kind, both, both, *target);
          for (const std::string& measure : study.protocol().measures)
            result.push_back(Condition::on({{key::measure, measure},
                                            {key::split, name_of(kind)},
                                            {key::pair, classes[a] + " / " + classes[b]}},
                                           study.table(measure), target, plan));
        }
    return result;
  }
};

}  // namespace

std::unique_ptr<Experiment> make_pairs() {
  return std::make_unique<Pairs>();
}

}  // namespace lrid::identify
