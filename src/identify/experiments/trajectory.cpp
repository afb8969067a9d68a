#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// Some points of a trajectory, as many as every `every`-th.
struct Portion {
  std::string name;  ///< "first 25 %", "every 4th"
  std::vector<std::int64_t> points;
};

/// The first, the middle and the last 1/every of the points, and every `every`-th: the same number each, so
/// that one can be trained on and another tested.
std::vector<Portion> portions(std::int64_t points, std::int64_t every) {
  const std::int64_t count = (points + every - 1) / every;
  std::vector<Portion> result;
  for (const auto& [name, first] :
       {std::pair{"first", std::int64_t{0}}, {"middle", (points - count) / 2}, {"last", points - count}}) {
    result.push_back({fmt::format("{} {:.3g} %", name, 100.0 / static_cast<double>(every)), {}});
    for (std::int64_t i = 0; i < count; ++i) result.back().points.push_back(first + i);
  }
  result.push_back({fmt::format("every {}{}", every, every == 2 ? "nd" : every == 3 ? "rd" : "th"), {}});
  for (std::int64_t t = 0; t < points; t += every) result.back().points.push_back(t);
  return result;
}

/// Nayebi et al. 2020, §5: is the whole trajectory needed? Only the beginning, the middle or the end of it,
/// or sparse samples all along, on both train and test; and trained on one of these, tested on the others.
class Trajectory : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("every", every_, Accepts::at_least(2),
                "every k-th point of the trajectory, and contiguous runs of as many points; for each k");
    options.add("across", across_, Accepts::anything(),
                "also train on one of the portions and test on the others of the same size");
    if (every_.empty()) options.fail("every", "is empty: expected at least one number");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    const std::string everything = "all";
    for (const SplitKind kind : study.split_kinds()) {
      const auto plan = study.plan(kind, study.pool(), study.pool(), *study.target());
      for (const std::string& measure : study.protocol().measures) {
        const auto table = study.table(measure);
        const Labels labels = {{key::measure, measure}, {key::split, name_of(kind)}};
        Condition whole = Condition::on(labels, table, study.target(), plan);
        whole.labels[key::train_points] = everything;
        whole.tests.front().labels[key::test_points] = everything;
        result.push_back(std::move(whole));
        for (const std::int64_t every : every_) {
          if (every > table->layout.points)
            bad_input("every: {} is more than a trajectory of {} has: expected at most as many", every,
                      counted(table->layout.points, "point"));
          const std::vector<Portion> all = portions(table->layout.points, every);
          std::vector<Test> tests;
          for (const Portion& portion : all)
            tests.push_back({{{key::test_points, portion.name}},
                             std::make_shared<FeatureTable>(table->at_points(portion.points))});
          for (std::size_t p = 0; p < all.size(); ++p) {
            Condition condition{labels, tests[p].table, study.target(), plan,
                                across_ ? tests : std::vector<Test>{tests[p]}};
            condition.labels[key::train_points] = all[p].name;
            result.push_back(std::move(condition));
          }
        }
      }
    }
    return result;
  }

 private:
  std::vector<std::int64_t> every_ = {2, 4, 10};
  bool across_ = true;
};

}  // namespace

std::unique_ptr<Experiment> make_trajectory() {
  return std::make_unique<Trajectory>();
}

}  // namespace lrid::identify
