#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <utility>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/feature_table.hpp>
#include <lrid/identify/transform.hpp>
#include <lrid/io/results.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::identify {

std::string FeatureLayout::column_name(std::int64_t column) const {
  static const char* const positions[] = {"position_early", "position_middle", "position_deep"};
  if (column < position_columns()) return positions[column];
  const std::int64_t continuous = column - position_columns();
  const std::string& name = series[to_size(continuous / points) % series.size()];
  return fmt::format("{}{}{}@{}", observables[to_size(continuous / columns_each())], name.empty() ? "" : ".",
                     name, continuous % points);
}

std::string FeatureLayout::group_name(std::int64_t column) const {
  if (column < position_columns()) return "layer_position";
  return observables[to_size((column - position_columns()) / columns_each())];
}

std::int64_t FeatureLayout::trajectory_points() const {
  return transform.empty() ? points : points + transforms().at(transform).fewer();
}

FeatureTable FeatureTable::of_observables(const io::Dataset& data, std::shared_ptr<const Metadata> metadata,
                                          const std::vector<std::string>& observables) {
  FeatureTable table{.layout = {.observables = observables, .points = data.points},
                     .x = {},
                     .metadata = std::move(metadata)};
  const FeatureLayout& layout = table.layout;
  table.x = learn::FloatMatrix::Zero(data.samples, layout.columns());
  const auto k_data = std::ssize(data.observable_names);
  for (std::int64_t n = 0; n < data.samples; ++n)
    if (const std::uint8_t position = data.meta.layer_position[to_size(n)];
        position < layout.position_columns())
      table.x(n, position) = 1.0F;
  for (std::int64_t k = 0; k < layout.channels(); ++k) {
    const std::string& name = observables[to_size(k)];
    const auto found = std::ranges::find(data.observable_names, name);
    if (found == data.observable_names.end())
      bad_input("dataset lacks the observable {}: expected all of {}", name, join(observables, ", "));
    const std::int64_t source = found - data.observable_names.begin();
    for (std::int64_t n = 0; n < data.samples; ++n)
      for (std::int64_t t = 0; t < data.points; ++t)
        table.x(n, layout.position_columns() + k * data.points + t) =
            data.x[to_size((n * data.points + t) * k_data + source)];
  }
  return table;
}

FeatureTable FeatureTable::of_scalar(const std::string& name, const std::vector<double>& values,
                                     std::shared_ptr<const Metadata> metadata) {
  FeatureTable table{.layout = {.observables = {name}, .points = 1, .with_position = false, .transform = ""},
                     .x = learn::FloatMatrix(std::ssize(values), 1),
                     .metadata = std::move(metadata)};
  for (std::size_t n = 0; n < values.size(); ++n) table.x(to_index(n), 0) = static_cast<float>(values[n]);
  return table;
}

namespace {

/// Applies `change(trajectory)` to every sample and observable.
template <class Change>
FeatureTable with_changed_trajectories(FeatureTable table, const Change& change) {
  const FeatureLayout& layout = table.layout;
  for (Eigen::Index row = 0; row < table.x.rows(); ++row)
    for (std::int64_t k = 0; k < layout.channels(); ++k)
      change(table.x.row(row).segment(layout.position_columns() + k * layout.points, layout.points));
  return table;
}

}  // namespace

FeatureTable FeatureTable::at_points(const std::vector<std::int64_t>& points) const {
  FeatureTable table{.layout = layout, .x = {}, .metadata = metadata};
  table.layout.points = std::ssize(points);
  table.x.resize(x.rows(), table.layout.columns());
  table.x.leftCols(layout.position_columns()) = x.leftCols(layout.position_columns());
  for (std::int64_t k = 0; k < layout.channels(); ++k)
    for (std::int64_t t = 0; t < table.layout.points; ++t)
      table.x.col(layout.position_columns() + k * table.layout.points + t) =
          x.col(layout.position_columns() + k * layout.points + points[to_size(t)]);
  return table;
}

FeatureTable FeatureTable::interpolated(std::int64_t points) const {
  FeatureTable table{.layout = layout, .x = {}, .metadata = metadata};
  table.layout.points = points;
  table.x.resize(x.rows(), table.layout.columns());
  table.x.leftCols(layout.position_columns()) = x.leftCols(layout.position_columns());
  for (std::int64_t t = 0; t < points; ++t) {
    const double at = points == 1 ? 0
                                  : static_cast<double>(t) * static_cast<double>(layout.points - 1) /
                                        static_cast<double>(points - 1);
    const auto before = std::min(static_cast<std::int64_t>(at), std::max<std::int64_t>(layout.points - 2, 0)),
               after = std::min(before + 1, layout.points - 1);
    const auto weight = static_cast<float>(at - static_cast<double>(before));
    for (std::int64_t k = 0; k < layout.channels(); ++k) {
      const std::int64_t first = layout.position_columns() + k * layout.points;
      table.x.col(layout.position_columns() + k * points + t) =
          (1 - weight) * x.col(first + before) + weight * x.col(first + after);
    }
  }
  return table;
}

FeatureTable FeatureTable::with_unit_norm() const {
  return with_changed_trajectories(*this, [](auto trajectory) {
    const double norm = trajectory.template cast<double>().norm();  // squares of floats overflow
    if (norm > 0) trajectory = (trajectory.template cast<double>() / norm).template cast<float>();
  });
}

FeatureTable FeatureTable::with_unit_range() const {
  return with_changed_trajectories(*this, [](auto trajectory) {
    const double low = trajectory.minCoeff(), range = trajectory.maxCoeff() - low;
    if (range > 0)
      trajectory = ((trajectory.template cast<double>().array() - low) / range).template cast<float>();
    else
      trajectory.setZero();
  });
}

FeatureTable FeatureTable::transformed(const std::string& name) const {
  const Transform& transform = transforms().at(name);
  if (layout.transform != transforms().entries().front().name)
    throw std::logic_error("FeatureTable::transformed: the trajectories are transformed already");
  if (layout.points <= transform.fewer())
    bad_input("features.transform {}: trajectories of {}: expected at least {}", name,
              counted(layout.points, "point"), transform.fewer() + 1);
  FeatureTable table{.layout = layout, .x = {}, .metadata = metadata};
  table.layout.transform = name;
  table.layout.points = layout.points - transform.fewer();
  table.layout.series.clear();
  for (const Series& series : transform.series) table.layout.series.push_back(series.name);
  table.x.resize(x.rows(), table.layout.columns());
  const std::int64_t first = layout.position_columns(), width = table.layout.columns_each();
  table.x.leftCols(first) = x.leftCols(first);
  for (Eigen::Index row = 0; row < x.rows(); ++row)
    for (std::int64_t k = 0; k < std::ssize(layout.observables); ++k)
      transform.apply({x.row(row).data() + first + k * layout.points, to_size(layout.points)},
                      {table.x.row(row).data() + first + k * width, to_size(width)});
  return table;
}

FeatureTable FeatureTable::without_position() const {
  FeatureTable table{.layout = layout, .x = x.rightCols(layout.continuous_columns()), .metadata = metadata};
  table.layout.with_position = false;
  return table;
}

void FeatureTable::require_finite(const Rows& rows, const std::string& file) const {
  for (const std::int64_t row : rows)
    for (std::int64_t c = 0; c < layout.columns(); ++c)
      if (!std::isfinite(x(row, c)))
        bad_input("{}: sample {} (layer {} of {}): {} is {}: expected a finite number", file, row,
                  metadata->column("layer")[to_size(row)], metadata->column("network")[to_size(row)],
                  layout.column_name(c), x(row, c));
}

std::string FeatureTable::outliers(const Rows& rows, const std::string& file) const {
  constexpr double far = 1e3;
  const std::size_t n = rows.size(), most = std::max<std::size_t>(1, n / 100);
  if (n < 4) return "";
  std::string first;
  std::int64_t features = 0;
  std::vector<double> values(n);
  for (std::int64_t c = layout.position_columns(); c < layout.columns(); ++c) {
    for (std::size_t i = 0; i < n; ++i) values[i] = x(rows[i], c);
    std::ranges::nth_element(values, values.begin() + std::ssize(values) / 2);
    const double median = values[n / 2];
    std::vector<std::pair<double, std::size_t>> distances(n);
    for (std::size_t i = 0; i < n; ++i) distances[i] = {std::abs(x(rows[i], c) - median), i};
    std::ranges::partial_sort(distances, distances.begin() + static_cast<std::ptrdiff_t>(most) + 1,
                              std::greater<>());
    bool found = false;
    for (std::size_t k = 0; k < most; ++k)
      found = found || (distances[k + 1].first > 0 && distances[k].first > far * distances[k + 1].first);
    if (!found) continue;
    if (features++ > 0) continue;
    const std::int64_t row = rows[distances.front().second];
    first = fmt::format("sample {} (layer {} of {}) has {} = {:g}, where the median is {:g}", row,
                        metadata->column("layer")[to_size(row)], metadata->column("network")[to_size(row)],
                        layout.column_name(c), x(row, c), median);
  }
  if (features == 0) return "";
  return fmt::format(
      "{}: {}{}: values this far from all others decide how a feature is scaled, so that linear classifiers "
      "see "
      "little else; expected none, [filter] leaves samples out",
      file, first, features == 1 ? "" : fmt::format("; likewise {}", counted(features - 1, "other feature")));
}

std::vector<std::string> observables_of_measure(const std::string& measure) {
  const auto wanted = [&](const stats::Observable& observable) {
    if (measure == io::measure_name::all) return true;
    switch (observable.measure) {
      case stats::Measure::weight:
        return measure == io::measure_name::weight;
      case stats::Measure::activation:
        return measure == io::measure_name::activation;
      case stats::Measure::layer_change:
        return measure == io::measure_name::layer_change;
    }
    return false;
  };
  std::vector<std::string> names;
  for (const stats::Observable& observable : stats::observables())
    if (observable.admissible && wanted(observable)) names.push_back(observable.name);
  return names;
}

const std::vector<std::string>& measure_names() {
  static const std::vector<std::string> names = {io::measure_name::all, io::measure_name::weight,
                                                 io::measure_name::activation,
                                                 io::measure_name::layer_change};
  return names;
}

learn::Scaler fit_scaler(const FeatureTable& table, const Rows& rows) {
  return {table.x, table.layout.columns_only(), rows};
}

learn::Samples standardise(const learn::Scaler& scaler, const FeatureTable& table, const Rows& rows) {
  return scaler.apply(table.x, table.layout.columns_only(), rows);
}

learn::Samples standardise(const learn::Scaler& scaler, const FeatureTable& table, const Rows& rows,
                           const Target& target) {
  learn::Samples samples = standardise(scaler, table, rows);
  samples.labels = target.labels_of(rows);
  samples.classes = static_cast<int>(target.classes.size());
  return samples;
}

}  // namespace lrid::identify
