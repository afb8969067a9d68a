#include <cmath>
#include <set>

#include <lrid/core/error.hpp>

#include "experiments.hpp"

namespace lrid::classify {

namespace {

/// What identification must be compared with: the networks' final accuracy as the only feature ("which rule
/// learned better"); every trajectory scaled to unit norm, or to its own range, so that only its shape is
/// left (Nayebi et al. 2020, §4); labels that mean nothing, which must give chance.
class Controls : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("controls", controls_,
                Accepts::one_of({"final_accuracy", "unit_norm", "unit_range", "shuffled_labels"}),
                "which of them");
    if (controls_.empty()) options.fail("controls", "is empty: expected at least one");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const std::string& control : controls_)
      for (const SplitKind kind : study.split_kinds()) {
        if (control == "final_accuracy") {
          result.push_back(final_accuracy(study, kind));
          continue;
        }
        for (const std::string& measure : study.protocol().measures)
          result.push_back(control == "shuffled_labels" ? shuffled_labels(study, kind, measure)
                                                        : shapes_alone(study, kind, control, measure));
      }
    return result;
  }

 private:
  static Condition shapes_alone(Study& study, SplitKind kind, const std::string& control,
                                const std::string& measure) {
    const FeatureTable& table = *study.table(measure);
    return Condition::on({{"control", control}, {"measure", measure}, {"split", name_of(kind)}},
                         std::make_shared<FeatureTable>(control == "unit_norm" ? table.with_unit_norm()
                                                                               : table.with_unit_range()),
                         study.target(), study.plan(kind, study.pool(), study.pool(), *study.target()));
  }

  static Condition final_accuracy(Study& study, SplitKind kind) {
    const std::vector<double>& accuracy = study.data().meta.final_accuracy;
    std::set<std::string> tasks_without;  // SimCLR networks have no accuracy
    for (const std::int64_t row : study.pool_rows())
      if (!std::isfinite(accuracy[static_cast<std::size_t>(row)]))
        tasks_without.insert(study.metadata()->column("task")[static_cast<std::size_t>(row)]);
    Filter filter = study.pool();
    if (!tasks_without.empty()) filter = filter.without("task", {tasks_without.begin(), tasks_without.end()});
    const auto table =
        std::make_shared<FeatureTable>(FeatureTable::of_scalar("final_accuracy", accuracy, study.metadata()));
    return Condition::on({{"control", std::string("final_accuracy")},
                          {"measure", std::string("final_accuracy")},
                          {"split", name_of(kind)}},
                         table, study.target(), study.plan(kind, filter, filter, *study.target()));
  }

  /// Labels are permuted among samples, or, for network splits, among the networks of an architecture and
  /// task: each null hypothesis is that of its split.
  static Condition shuffled_labels(Study& study, SplitKind kind, const std::string& measure) {
    auto target = std::make_shared<Target>(*study.target());
    const Metadata& metadata = *study.metadata();
    const Key key =
        Key(static_cast<std::uint64_t>(study.protocol().seed), "shuffled labels").with(name_of(kind));
    std::map<std::string, std::map<std::string, Rows>> units;  // stratum → unit → its rows
    for (const std::int64_t row : study.pool_rows()) {
      const auto r = static_cast<std::size_t>(row);
      if (kind == SplitKind::sample)
        units[""][std::to_string(row)].push_back(row);
      else
        units[metadata.column("architecture")[r] + "|" + metadata.column("task")[r]]
             [metadata.column("network")[r]]
                 .push_back(row);
    }
    for (const auto& [stratum, members] : units) {
      std::vector<int> labels;
      for (const auto& [name, rows] : members)
        labels.push_back(study.target()->labels[static_cast<std::size_t>(rows.front())]);
      shuffle(labels, key.with(stratum));
      std::size_t i = 0;
      for (const auto& [name, rows] : members) {
        for (const std::int64_t row : rows) target->labels[static_cast<std::size_t>(row)] = labels[i];
        ++i;
      }
    }
    return Condition::on(
        {{"control", std::string("shuffled_labels")}, {"measure", measure}, {"split", name_of(kind)}},
        study.table(measure), target, study.plan(kind, study.pool(), study.pool(), *target));
  }

  std::vector<std::string> controls_ = {"final_accuracy", "unit_norm", "unit_range", "shuffled_labels"};
};

}  // namespace

std::unique_ptr<Experiment> make_controls() {
  return std::make_unique<Controls>();
}

}  // namespace lrid::classify
