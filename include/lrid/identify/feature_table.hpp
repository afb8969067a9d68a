#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lrid/identify/metadata.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/learn/samples.hpp>
#include <lrid/learn/scaler.hpp>

namespace lrid::identify {

/// The columns of a sample's row: a one-hot code of the layer position (3 columns, if it is a feature), then
/// for each observable in turn the series that its transform makes of the trajectory, one after the other.
struct FeatureLayout {
  std::vector<std::string> observables;  ///< [K]
  std::int64_t points = 0;               ///< of each series; T without a transform
  bool with_position = true;
  std::string transform = "none";          ///< in transforms(); empty for values that are no trajectories
  std::vector<std::string> series = {""};  ///< names of the transform's series

  [[nodiscard]] std::int64_t channels() const {
    return static_cast<std::int64_t>(observables.size() * series.size());
  }
  /// Number of columns of an observable, which lie side by side.
  [[nodiscard]] std::int64_t columns_each() const {
    return static_cast<std::int64_t>(series.size()) * points;
  }
  /// T, the number of points of the trajectories that the transform takes.
  [[nodiscard]] std::int64_t trajectory_points() const;
  [[nodiscard]] std::int64_t position_columns() const { return with_position ? 3 : 0; }
  [[nodiscard]] std::int64_t continuous_columns() const { return channels() * points; }
  [[nodiscard]] std::int64_t columns() const { return position_columns() + continuous_columns(); }
  /// "position_early", "weightabs_median@3", "weightabs_median.sorted@3".
  [[nodiscard]] std::string column_name(std::int64_t column) const;
  /// The feature group of a column: "layer_position" or its observable.
  [[nodiscard]] std::string group_name(std::int64_t column) const;
  /// The same layout without names, for classifiers.
  [[nodiscard]] learn::Layout columns_only() const {
    return {.constants = position_columns(), .channels = channels(), .points = points};
  }
};

/// The features of every sample of a dataset, not standardised. Rows are the dataset's, so that a row number
/// means the same sample in every table and split plan.
struct FeatureTable {
  FeatureLayout layout;
  learn::FloatMatrix x;  ///< [N, layout.columns()]
  std::shared_ptr<const Metadata> metadata;

  /// Features from the named observables and the layer position. Throws InputError if the dataset lacks an
  /// observable.
  static FeatureTable of_observables(const io::Dataset& data, std::shared_ptr<const Metadata> metadata,
                                     const std::vector<std::string>& observables);
  /// One value per sample as the only feature: a trajectory of one point.
  static FeatureTable of_scalar(const std::string& name, const std::vector<double>& values,
                                std::shared_ptr<const Metadata> metadata);

  /// The table restricted to these points of every trajectory.
  [[nodiscard]] FeatureTable at_points(const std::vector<std::int64_t>& points) const;
  /// The table resampled to `points` from first to last, by linear interpolation.
  [[nodiscard]] FeatureTable interpolated(std::int64_t points) const;
  /// The table with every trajectory (of one sample and observable) divided by its Euclidean norm, or mapped
  /// from its range to 0–1, which leaves its shape without its scale. All-zero, respectively constant, ones
  /// become 0.
  [[nodiscard]] FeatureTable with_unit_norm() const;
  [[nodiscard]] FeatureTable with_unit_range() const;

  /// The table with the trajectories transformed (transforms()). Throws InputError if they have too few
  /// points, std::logic_error if they are transformed already.
  [[nodiscard]] FeatureTable transformed(const std::string& transform) const;
  /// The table without the layer position.
  [[nodiscard]] FeatureTable without_position() const;

  /// Throws InputError naming `file`, sample and feature if a feature of `rows` is not finite.
  void require_finite(const Rows& rows, const std::string& file) const;
  /// Describes, as one line for the log, features in which a few of `rows` lie a thousand times farther from
  /// the median than all others: they decide how the feature is scaled, and hide the rest. Empty if there are
  /// none.
  [[nodiscard]] std::string outliers(const Rows& rows, const std::string& file) const;
};

/// Names of the admissible observables of a measure (io::measure_name), or of all of them for "all", in the
/// order of stats::observables(). Empty for other names.
std::vector<std::string> observables_of_measure(const std::string& measure);
/// The names observables_of_measure() accepts.
const std::vector<std::string>& measure_names();

/// Fits a scaler to `rows`.
learn::Scaler fit_scaler(const FeatureTable& table, const Rows& rows);
/// Standardises `rows` for a classifier, without labels or with those of `target`.
learn::Samples standardise(const learn::Scaler& scaler, const FeatureTable& table, const Rows& rows);
learn::Samples standardise(const learn::Scaler& scaler, const FeatureTable& table, const Rows& rows,
                           const Target& target);

}  // namespace lrid::identify
