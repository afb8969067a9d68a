#include <algorithm>
#include <cmath>
#include <numeric>

#include <lrid/core/index.hpp>
#include <lrid/identify/change.hpp>
#include <lrid/identify/feature_table.hpp>
#include <lrid/identify/transform.hpp>

namespace lrid::identify {

namespace {

constexpr double level = 0.01;
constexpr int orders = 999;
/// Of fewer points, the most regular order is too probable for the level, shared by three measures.
constexpr std::int64_t least_points = 7;

/// Ranks over time less their mean, ties sharing their mean rank.
std::vector<double> centred_ranks(const std::vector<double>& values) {
  std::vector<double> ascending = values, result;
  std::ranges::sort(ascending);
  for (const double value : values) {
    const auto [low, high] = std::equal_range(ascending.begin(), ascending.end(), value);
    result.push_back(static_cast<double>((low - ascending.begin()) + (high - ascending.begin())) / 2 -
                     static_cast<double>(values.size()) / 2);
  }
  return result;
}

/// log max(|x|, 10⁻⁶ max|x|) to six decimals, so that rounding is no change.
std::vector<double> rounded_logs(std::span<const float> trajectory) {
  double largest = 0;
  for (const float value : trajectory) largest = std::max(largest, std::abs(static_cast<double>(value)));
  std::vector<double> result(trajectory.size(), 0.0);
  if (largest == 0) return result;
  for (std::size_t t = 0; t < trajectory.size(); ++t)
    result[t] =
        std::round(1e6 * std::log(std::max(std::abs(static_cast<double>(trajectory[t])), 1e-6 * largest))) /
        1e6;
  return result;
}

double ratio(const std::vector<std::vector<double>>& ranks, const std::vector<std::int64_t>& order) {
  double sum = 0;
  for (const std::vector<double>& of_trajectory : ranks)
    for (std::size_t t = 0; t + 1 < order.size(); ++t) {
      const double step = of_trajectory[to_size(order[t + 1])] - of_trajectory[to_size(order[t])];
      sum += step * step;
    }
  return sum;
}

ChangeTest::Measure test_measure(const std::vector<std::vector<float>>& trajectories, Key key) {
  ChangeTest::Measure result;
  std::vector<std::vector<double>> ranks;
  std::vector<double> changes;
  const Transform& increments = transforms().at("increments");
  for (const std::vector<float>& trajectory : trajectories) {
    std::vector<float> steps(trajectory.size() - 1);
    increments.apply(trajectory, steps);
    double change = 0;
    for (const float step : steps) change += std::abs(static_cast<double>(step));
    changes.push_back(change);
    std::vector<double> rank = centred_ranks(rounded_logs(trajectory));
    double squares = 0;
    for (const double r : rank) squares += r * r;
    if (squares == 0) continue;
    for (double& r : rank) r /= std::sqrt(squares);
    ranks.push_back(std::move(rank));
  }
  if (!changes.empty()) {
    std::ranges::nth_element(changes, changes.begin() + std::ssize(changes) / 2);
    result.change = changes[changes.size() / 2];
  }
  if (ranks.empty()) return result;
  const std::int64_t points = std::ssize(ranks.front());
  std::vector<std::int64_t> in_time(to_size(points));
  std::iota(in_time.begin(), in_time.end(), std::int64_t{0});
  const double observed = ratio(ranks, in_time);
  int as_regular = 1;
  for (int i = 0; i < orders; ++i)
    if (ratio(ranks, permutation(points, key.with(static_cast<std::uint64_t>(i)))) <= observed * (1 + 1e-12))
      ++as_regular;
  result.p = static_cast<double>(as_regular) / (orders + 1);
  return result;
}

}  // namespace

Key change_key(const std::string& network) {
  return Key(0, "change over time").with(network);
}

bool ChangeTest::finds_none() const {
  if (!enough_points || measures.empty()) return false;
  return std::ranges::none_of(measures, [&](const auto& measure) {
    return measure.second.p <= level / static_cast<double>(measures.size());
  });
}

ChangeTest test_change(const io::Dataset& data, const Rows& rows, const std::vector<std::string>& measures,
                       Key key) {
  ChangeTest result;
  result.enough_points = data.points >= least_points;
  if (data.points < 2) return result;
  const std::size_t k_data = data.observable_names.size();
  for (const std::string& measure : measures) {
    std::vector<std::vector<float>> trajectories;
    for (const std::string& name : observables_of_measure(measure)) {
      const auto found = std::ranges::find(data.observable_names, name);
      if (found == data.observable_names.end()) continue;
      const auto k = to_size(found - data.observable_names.begin());
      for (const std::int64_t row : rows) {
        std::vector<float> trajectory;
        for (std::size_t t = 0; t < to_size(data.points); ++t)
          trajectory.push_back(data.x[(to_size(row) * to_size(data.points) + t) * k_data + k]);
        if (std::ranges::all_of(trajectory, [](float v) { return std::isfinite(v); }))
          trajectories.push_back(std::move(trajectory));
      }
    }
    if (!trajectories.empty()) result.measures[measure] = test_measure(trajectories, key.with(measure));
  }
  return result;
}

}  // namespace lrid::identify
