#include <algorithm>
#include <map>

#include <lrid/stats/observable.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// The admissible observables in groups that share a function ("raw"), a statistic ("median"), or alone.
std::vector<std::pair<std::string, std::vector<std::string>>> groups(const std::string& grouping) {
  std::vector<std::pair<std::string, std::vector<std::string>>> result;
  for (const stats::Observable& observable : stats::observables()) {
    if (!observable.admissible) continue;
    std::string name = observable.name;
    if (grouping == "function")
      name = observable.function == stats::Function::raw        ? "raw"
             : observable.function == stats::Function::absolute ? "abs"
                                                                : "sq";
    else if (grouping == "statistic")
      name = name.substr(name.find('_') + 1);
    const auto found = std::ranges::find(result, name, [](const auto& group) { return group.first; });
    if (found == result.end())
      result.emplace_back(name, std::vector{observable.name});
    else
      found->second.push_back(observable.name);
  }
  return result;
}

/// Which observables carry the decision? Importances where a classifier has them, from all observables; what
/// is lost where one is permuted among the test samples; and how far each group of observables gets alone.
class Importances : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("alone", alone_, Accepts::one_of({"measure", "function", "statistic", "observable"}),
                "groupings of which each group is also tried alone");
    options.add("permutations", permutations_, Accepts::between(0, 1000),
                "times that each observable, and each measure, is permuted among the test samples");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    const std::string all = "all";
    for (const SplitKind kind : study.split_kinds()) {
      const auto plan = study.plan(kind, study.pool(), study.pool(), *study.target());
      const auto add = [&](const std::string& measure, const auto& table, const std::string& observables) {
        Labels labels = {{key::measure, measure}, {key::split, name_of(kind)}};
        if (!observables.empty()) labels[key::observables] = observables;
        result.push_back(Condition::on(std::move(labels), table, study.target(), plan));
      };
      add(all, study.table(all), "");
      result.back().permutations = static_cast<int>(permutations_);
      for (const std::string& grouping : alone_)
        if (grouping == "measure") {
          for (const std::string& measure : measure_names())
            if (measure != all) add(measure, study.table(measure), "");
        } else {
          for (const auto& [name, observables] : groups(grouping))
            add(all, study.table_of(observables), name);
        }
    }
    return result;
  }

 private:
  std::int64_t permutations_ = 5;
  std::vector<std::string> alone_ = {"measure", "function", "statistic"};
};

}  // namespace

std::unique_ptr<Experiment> make_importances() {
  return std::make_unique<Importances>();
}

}  // namespace lrid::identify
