#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

namespace key = io::condition_key;
namespace name = io::control_name;

/// Baselines to compare identification with: the networks' final accuracy as the only feature ("which rule
/// learned better"); trajectories scaled to unit norm or to their own range, which leaves only their shape
/// (Nayebi et al. 2020, §4); and shuffled labels, which must give chance.
class Controls : public Experiment {
 public:
  void declare(Options& options) override {
    options.add(
        "controls", controls_,
        Accepts::one_of({name::final_accuracy, name::unit_norm, name::unit_range, name::shuffled_labels}),
        "the controls to run");
    if (controls_.empty()) options.fail("controls", "is empty: expected at least one");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const std::string& control : controls_)
      for (const SplitKind kind : study.split_kinds()) {
        if (control == name::final_accuracy) {
          result.push_back(final_accuracy(study, kind));
          continue;
        }
        for (const std::string& measure : study.protocol().measures)
          result.push_back(control == name::shuffled_labels ? shuffled_labels(study, kind, measure)
                                                            : shapes_alone(study, kind, control, measure));
      }
    return result;
  }

 private:
  static Condition shapes_alone(Study& study, SplitKind kind, const std::string& control,
                                const std::string& measure) {
    const FeatureTable& table = *study.table(measure);
    return Condition::on({{key::control, control}, {key::measure, measure}, {key::split, name_of(kind)}},
                         std::make_shared<FeatureTable>(control == name::unit_norm ? table.with_unit_norm()
                                                                                   : table.with_unit_range()),
                         study.target(), study.plan(kind, study.pool(), study.pool(), *study.target()));
  }

  static Condition final_accuracy(Study& study, SplitKind kind) {
    const std::vector<double>& accuracy = study.data().meta.final_accuracy;
    std::set<std::string> tasks_without;  // SimCLR networks have no accuracy
    for (const std::int64_t row : study.pool_rows())
      if (!std::isfinite(accuracy[to_size(row)]))
        tasks_without.insert(study.metadata()->column("task")[to_size(row)]);
    Filter filter = study.pool();
    if (!tasks_without.empty()) filter = filter.without("task", {tasks_without.begin(), tasks_without.end()});
    const auto table = std::make_shared<FeatureTable>(
        FeatureTable::of_scalar(name::final_accuracy, accuracy, study.metadata()));
    return Condition::on({{key::control, std::string(name::final_accuracy)},
                          {key::measure, std::string(io::measure_name::final_accuracy)},
                          {key::split, name_of(kind)}},
                         table, study.target(), study.plan(kind, filter, filter, *study.target()));
  }

  /// Permutes labels anew for every split, so that splits are independent draws under the null hypothesis and
  /// their s.e.m. tells how far from chance the mean may be.
  static Condition shuffled_labels(Study& study, SplitKind kind, const std::string& measure) {
    const std::map<std::string, std::vector<Rows>> strata = exchangeable(study, kind);
    const Key seed =
        Key(static_cast<std::uint64_t>(study.protocol().seed), "shuffled labels").with(name_of(kind));
    std::vector<std::shared_ptr<const Target>> target_of_split;
    for (std::size_t split = 0; split < to_size(study.protocol().splits); ++split) {
      auto target = std::make_shared<Target>(*study.target());
      for (const auto& [stratum, units] : strata) {
        std::vector<int> labels;
        for (const Rows& unit : units) labels.push_back(label_of(study, unit.front()));
        shuffle(labels, seed.with(split).with(stratum));
        for (std::size_t i = 0; i < units.size(); ++i)
          for (const std::int64_t row : units[i]) target->labels[to_size(row)] = labels[i];
      }
      target_of_split.push_back(std::move(target));
    }
    Condition condition =
        Condition::on({{key::control, std::string(name::shuffled_labels)},
                       {key::measure, measure},
                       {key::split, name_of(kind)}},
                      study.table(measure), study.target(), study.plan(kind, target_of_split));
    condition.target_of_split = std::move(target_of_split);
    return condition;
  }

  static int label_of(const Study& study, std::int64_t row) { return study.target()->labels[to_size(row)]; }

  /// Strata within which labels are permuted, as lists of units that keep a common label. For splits by
  /// sample, all samples form one stratum. For splits by network, units are networks, within strata of
  /// architecture × task (unless these determine the class); if the layers of a network differ in class, as
  /// when the target is the layer position, they are permuted within it.
  static std::map<std::string, std::vector<Rows>> exchangeable(const Study& study, SplitKind kind) {
    const Metadata& metadata = *study.metadata();
    std::map<std::string, Rows> networks;
    for (const std::int64_t row : study.pool_rows())
      networks[metadata.column("network")[to_size(row)]].push_back(row);
    const bool whole = std::ranges::all_of(networks, [&](const auto& network) {
      return std::ranges::all_of(network.second, [&](std::int64_t row) {
        return label_of(study, row) == label_of(study, network.second.front());
      });
    });
    std::map<std::string, std::vector<Rows>> result;
    if (kind == SplitKind::sample || !whole) {
      for (const auto& [network, rows] : networks)
        for (const std::int64_t row : rows) result[kind == SplitKind::sample ? "" : network].push_back({row});
      return result;
    }
    std::vector<Rows> all;
    bool determined = true;  // the class, by architecture and task
    for (const auto& [network, rows] : networks) {
      const std::size_t r = to_size(rows.front());
      std::vector<Rows>& stratum =
          result[metadata.column("architecture")[r] + "|" + metadata.column("task")[r]];
      determined &=
          stratum.empty() || label_of(study, stratum.front().front()) == label_of(study, rows.front());
      stratum.push_back(rows);
      all.push_back(rows);
    }
    return determined ? std::map<std::string, std::vector<Rows>>{{"", all}} : result;
  }

  std::vector<std::string> controls_ = {name::final_accuracy, name::unit_norm, name::unit_range,
                                        name::shuffled_labels};
};

}  // namespace

std::unique_ptr<Experiment> make_controls() {
  return std::make_unique<Controls>();
}

}  // namespace lrid::identify
