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

/// How a sample's features lie in a row: the layer position as a one-hot of 3 (if it is a feature), then
/// observable by observable, each its T points.
struct FeatureLayout {
  std::vector<std::string> observables;  ///< [K]
  std::int64_t points = 0;               ///< T
  bool with_position = true;

  [[nodiscard]] std::int64_t channels() const { return static_cast<std::int64_t>(observables.size()); }
  [[nodiscard]] std::int64_t position_columns() const { return with_position ? 3 : 0; }
  [[nodiscard]] std::int64_t continuous_columns() const { return channels() * points; }
  [[nodiscard]] std::int64_t columns() const { return position_columns() + continuous_columns(); }
  /// "position_early", "weightabs_median@3".
  [[nodiscard]] std::string column_name(std::int64_t column) const;
  /// The feature that a column belongs to: "layer_position" or its observable.
  [[nodiscard]] std::string group_name(std::int64_t column) const;
  /// The same for classifiers, who know nothing of names.
  [[nodiscard]] learn::Layout columns_only() const {
    return {.constants = position_columns(), .channels = channels(), .points = points};
  }
};

/// The features of every sample of a dataset, not standardised; rows are the dataset's own, so a row number
/// means the same sample in every table, plan and results file.
struct FeatureTable {
  FeatureLayout layout;
  learn::FloatMatrix x;  ///< [N, layout.columns()]
  std::shared_ptr<const Metadata> metadata;

  /// The named observables (columns of the dataset) with the layer position.
  /// InputError for an observable that the dataset lacks.
  static FeatureTable of_observables(const io::Dataset& data, std::shared_ptr<const Metadata> metadata,
                                     const std::vector<std::string>& observables);
  /// One number per sample as the only feature, as a trajectory of one point.
  static FeatureTable of_scalar(const std::string& name, const std::vector<double>& values,
                                std::shared_ptr<const Metadata> metadata);

  /// The same at some points of the trajectory only.
  [[nodiscard]] FeatureTable at_points(const std::vector<std::int64_t>& points) const;
  /// The same with another number of points from beginning to end, linear between the ones there are.
  [[nodiscard]] FeatureTable interpolated(std::int64_t points) const;
  /// Every trajectory (of one sample and observable) divided by its Euclidean norm, or mapped from its own
  /// range to 0–1: its shape without its scale. Trajectories of zeros, or constant ones, become 0.
  [[nodiscard]] FeatureTable with_unit_norm() const;
  [[nodiscard]] FeatureTable with_unit_range() const;

  /// InputError naming sample and feature if a feature of `rows` is not finite. `file` is for the message.
  void require_finite(const Rows& rows, const std::string& file) const;
};

/// The names of the admissible observables of a measure ("weight", "activation", "layer_change"), or of all
/// ("all"), in the order of stats::observables().
std::vector<std::string> observables_of_measure(const std::string& measure);
/// The names that observables_of_measure() takes.
const std::vector<std::string>& measure_names();

/// A scaler fitted to `rows`.
learn::Scaler fit_scaler(const FeatureTable& table, const Rows& rows);
/// `rows` as classifiers see them, without labels; with their labels from `target`.
learn::Samples standardise(const learn::Scaler& scaler, const FeatureTable& table, const Rows& rows);
learn::Samples standardise(const learn::Scaler& scaler, const FeatureTable& table, const Rows& rows,
                           const Target& target);

}  // namespace lrid::identify
