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
/// learned better"); trajectories scaled to unit norm or to their own range, which leaves only their shape,
/// and their scale alone (Nayebi et al. 2020, §4); and shuffled labels, which must give chance.
class Controls : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("controls", controls_,
                Accepts::one_of({name::final_accuracy, name::unit_norm, name::unit_range, name::scale_only,
                                 name::shuffled_labels}),
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
          result.push_back(control == name::shuffled_labels
                               ? shuffled_labels(study, kind, measure)
                               : changed_features(study, kind, control, measure));
      }
    return result;
  }

 private:
  static Condition changed_features(Study& study, SplitKind kind, const std::string& control,
                                    const std::string& measure) {
    const FeatureTable& table = *study.table(measure);
    return Condition::on(
        {{key::control, control}, {key::measure, measure}, {key::split, name_of(kind)}},
        std::make_shared<FeatureTable>(control == name::unit_norm    ? table.with_unit_norm()
                                       : control == name::unit_range ? table.with_unit_range()
                                                                     : scale_only(table)),
        study.target(), study.plan(kind, study.pool(), study.pool(), *study.target()));
  }

  /// The table with four values in place of each trajectory, which leave its scale without its shape:
  /// Euclidean norm, mean over time, first and last value.
  static FeatureTable scale_only(const FeatureTable& table) {
    FeatureTable scales{.layout = table.layout, .x = {}, .metadata = table.metadata};
    scales.layout.points = 4;
    scales.layout.transform = "";  // no trajectory is left to transform
    const std::int64_t constants = table.layout.position_columns();
    scales.x.resize(table.x.rows(), scales.layout.columns());
    scales.x.leftCols(constants) = table.x.leftCols(constants);
    for (Eigen::Index row = 0; row < table.x.rows(); ++row)
      for (std::int64_t k = 0; k < table.layout.channels(); ++k) {
        const auto trajectory =
            table.x.row(row).segment(constants + k * table.layout.points, table.layout.points).cast<double>();
        scales.x.row(row).segment(constants + 4 * k, 4) =
            Eigen::RowVector4d(trajectory.norm(), trajectory.mean(), trajectory(0),
                               trajectory(table.layout.points - 1))
                .cast<float>();
      }
    return scales;
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

  /// Permutes the labels of networks once, so that all splits test the same null hypothesis on the same
  /// networks: how often their intervals miss chance shows whether the intervals are wide enough. Split by
  /// sample, networks are on both sides and can be recognised, which alone exceeds chance.
  static Condition shuffled_labels(Study& study, SplitKind kind, const std::string& measure) {
    const Key seed(static_cast<std::uint64_t>(study.protocol().seed), "shuffled labels");
    auto target = std::make_shared<Target>(*study.target());
    for (const auto& [stratum, units] : exchangeable(study)) {
      std::vector<int> labels;
      for (const Rows& unit : units) labels.push_back(label_of(study, unit.front()));
      shuffle(labels, seed.with(stratum));
      for (std::size_t i = 0; i < units.size(); ++i)
        for (const std::int64_t row : units[i]) target->labels[to_size(row)] = labels[i];
    }
    return Condition::on({{key::control, std::string(name::shuffled_labels)},
                          {key::measure, measure},
                          {key::split, name_of(kind)}},
                         study.table(measure), target, study.plan(kind, study.pool(), study.pool(), *target));
  }

  static int label_of(const Study& study, std::int64_t row) { return study.target()->labels[to_size(row)]; }

  /// Strata within which labels are permuted, as lists of units that keep a common label: networks, within
  /// architecture × task unless these determine the class; if the layers of a network differ in class, as
  /// when the target is the layer position, they are permuted within it.
  static std::map<std::string, std::vector<Rows>> exchangeable(const Study& study) {
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
    if (!whole) {
      for (const auto& [network, rows] : networks)
        for (const std::int64_t row : rows) result[network].push_back({row});
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
                                        name::scale_only, name::shuffled_labels};
};

}  // namespace

std::unique_ptr<Experiment> make_controls() {
  return std::make_unique<Controls>();
}

}  // namespace lrid::identify
