#include <cmath>
#include <set>

#include <lrid/core/error.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

std::int64_t mean_training_networks(const SplitPlan& plan, const Metadata& metadata) {
  const std::vector<std::string>& network = metadata.column("network");
  std::size_t sum = 0;
  for (const Split& split : plan.splits) {
    std::set<std::string> names;
    for (const std::int64_t row : split.train) names.insert(network[static_cast<std::size_t>(row)]);
    sum += names.size();
  }
  return std::llround(static_cast<double>(sum) / static_cast<double>(plan.splits.size()));
}

/// How many networks does it take? Trained on growing shares of the training networks, tested on the same
/// test part.
class LearningCurve : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("shares", shares_, Accepts{.low = 0, .high = 1, .low_open = true},
                "of the training networks; those too small for the inner folds are left out");
    if (shares_.empty()) options.fail("shares", "is empty: expected at least one number");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds()) {
      const auto whole = study.plan(kind, study.pool(), study.pool(), *study.target());
      const Key key =
          Key(static_cast<std::uint64_t>(study.protocol().seed), "learning curve").with(name_of(kind));
      std::set<std::int64_t> seen;
      for (const double share : shares_) {
        std::shared_ptr<const SplitPlan> plan;
        try {
          plan = std::make_shared<SplitPlan>(
              whole->with_fewer_networks(share, *study.metadata(), *study.target(), key));
        } catch (const InputError& too_few) {
          study.note(fmt::format("learning curve: share {} by {} left out: {}", share, name_of(kind),
                                 too_few.what()));
          continue;
        }
        const std::int64_t networks = mean_training_networks(*plan, *study.metadata());
        if (!seen.insert(networks).second) continue;
        for (const std::string& measure : study.protocol().measures)
          result.push_back(Condition::on(
              {{key::measure, measure}, {key::split, name_of(kind)}, {key::train_networks, networks}},
              study.table(measure), study.target(), plan));
      }
    }
    if (result.empty())
      bad_input("shares: none leaves enough networks for {} inner folds: expected larger ones",
                study.protocol().inner_folds);
    return result;
  }

 private:
  std::vector<double> shares_ = {0.1, 0.2, 0.35, 0.5, 0.75, 1.0};
};

}  // namespace

std::unique_ptr<Experiment> make_learning_curve() {
  return std::make_unique<LearningCurve>();
}

}  // namespace lrid::identify
