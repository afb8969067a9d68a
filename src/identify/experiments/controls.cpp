#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <lrid/core/error.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// What identification must be compared with: the networks' final accuracy as the only feature ("which rule
/// learned better"); every trajectory scaled to unit norm, or to its own range, so that only its shape is
/// left (Nayebi et al. 2020, §4); labels that mean nothing, which must give chance.
class Controls : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("controls", controls_,
                Accepts::one_of({io::control_name::final_accuracy, io::control_name::unit_norm,
                                 io::control_name::unit_range, io::control_name::shuffled_labels}),
                "which of them");
    if (controls_.empty()) options.fail("controls", "is empty: expected at least one");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const std::string& control : controls_)
      for (const SplitKind kind : study.split_kinds()) {
        if (control == io::control_name::final_accuracy) {
          result.push_back(final_accuracy(study, kind));
          continue;
        }
        for (const std::string& measure : study.protocol().measures)
          result.push_back(control == io::control_name::shuffled_labels
                               ? shuffled_labels(study, kind, measure)
                               : shapes_alone(study, kind, control, measure));
      }
    return result;
  }

 private:
  static Condition shapes_alone(Study& study, SplitKind kind, const std::string& control,
                                const std::string& measure) {
    const FeatureTable& table = *study.table(measure);
    return Condition::on(
        {{key::control, control}, {key::measure, measure}, {key::split, name_of(kind)}},
        std::make_shared<FeatureTable>(control == io::control_name::unit_norm ? table.with_unit_norm()
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
    return Condition::on({{key::control, std::string(io::control_name::final_accuracy)},
                          {key::measure, std::string(io::measure_name::final_accuracy)},
                          {key::split, name_of(kind)}},
                         table, study.target(), study.plan(kind, filter, filter, *study.target()));
  }

  /// Labels are permuted anew for every split, so that splits are independent draws from the null hypothesis
  /// and their s.e.m. says how far from chance they may be.
  static Condition shuffled_labels(Study& study, SplitKind kind, const std::string& measure) {
    const std::map<std::string, std::vector<Rows>> strata = exchangeable(study, kind);
    const Key key =
        Key(static_cast<std::uint64_t>(study.protocol().seed), "shuffled labels").with(name_of(kind));
    std::vector<std::shared_ptr<const Target>> target_of_split;
    for (std::uint64_t split = 0; split < static_cast<std::uint64_t>(study.protocol().splits); ++split) {
      auto target = std::make_shared<Target>(*study.target());
      for (const auto& [stratum, units] : strata) {
        std::vector<int> labels;
        for (const Rows& unit : units) labels.push_back(label_of(study, unit.front()));
        shuffle(labels, key.with(split).with(stratum));
        for (std::size_t i = 0; i < units.size(); ++i)
          for (const std::int64_t row : units[i]) target->labels[static_cast<std::size_t>(row)] = labels[i];
      }
      target_of_split.push_back(std::move(target));
    }
    Condition condition =
        Condition::on({{key::control, std::string(io::control_name::shuffled_labels)},
                       {key::measure, measure},
                       {key::split, name_of(kind)}},
                      study.table(measure), study.target(), study.plan(kind, target_of_split));
    condition.target_of_split = std::move(target_of_split);
    return condition;
  }

  static int label_of(const Study& study, std::int64_t row) {
    return study.target()->labels[static_cast<std::size_t>(row)];
  }

  /// Samples that keep one label among them, in strata within which labels change places: each sample, or,
  /// for network splits, each network, within its architecture and task (unless these tell the class). Where
  /// layers of one network differ in class, as with the layer's position as the target, they change places
  /// within it.
  static std::map<std::string, std::vector<Rows>> exchangeable(const Study& study, SplitKind kind) {
    const Metadata& metadata = *study.metadata();
    std::map<std::string, Rows> networks;
    for (const std::int64_t row : study.pool_rows())
      networks[metadata.column("network")[static_cast<std::size_t>(row)]].push_back(row);
    const bool whole = std::ranges::all_of(networks, [&](const auto& network) {
      return std::ranges::all_of(network.second, [&](std::int64_t row) {
        return label_of(study, row) == label_of(study, network.second.front());
      });
    });
    std::map<std::string, std::vector<Rows>> result;
    if (kind == SplitKind::sample || !whole) {
      for (const auto& [name, rows] : networks)
        for (const std::int64_t row : rows) result[kind == SplitKind::sample ? "" : name].push_back({row});
      return result;
    }
    std::vector<Rows> all;
    bool told = true;
    for (const auto& [name, rows] : networks) {
      const auto r = static_cast<std::size_t>(rows.front());
      std::vector<Rows>& stratum =
          result[metadata.column("architecture")[r] + "|" + metadata.column("task")[r]];
      told &= stratum.empty() || label_of(study, stratum.front().front()) == label_of(study, rows.front());
      stratum.push_back(rows);
      all.push_back(rows);
    }
    return told ? std::map<std::string, std::vector<Rows>>{{"", all}} : result;
  }

  std::vector<std::string> controls_ = {io::control_name::final_accuracy, io::control_name::unit_norm,
                                        io::control_name::unit_range, io::control_name::shuffled_labels};
};

}  // namespace

std::unique_ptr<Experiment> make_controls() {
  return std::make_unique<Controls>();
}

}  // namespace lrid::identify
