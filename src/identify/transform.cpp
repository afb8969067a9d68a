#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include <lrid/core/index.hpp>
#include <lrid/identify/transform.hpp>

namespace lrid::identify {

namespace {

using Values = std::vector<double>;

void same(const Values& x, std::span<double> features) {
  std::ranges::copy(x, features.begin());
}

/// The trajectory divided by its Euclidean norm; 0 if that is 0.
void shape(const Values& x, std::span<double> features) {
  const double largest = std::abs(*std::ranges::max_element(x, {}, [](double v) { return std::abs(v); }));
  double squares = 0;  // of x / largest, which can't overflow
  for (const double v : x) squares += largest > 0 ? (v / largest) * (v / largest) : 0;
  for (std::size_t t = 0; t < x.size(); ++t)
    features[t] = largest > 0 ? x[t] / largest / std::sqrt(squares) : 0;
}

/// r_t = (x_{t+1} − x_t) / (|x_t| + |x_{t+1}|), in [−1, 1]; 0 if both are 0. Where the sign stays, r = tanh(½
/// Δ log|x|); a change of sign gives ±1. Scaling x leaves it unchanged.
void increments(const Values& x, std::span<double> features) {
  constexpr double rounding = 0x1p-22;  // no float32 observable is more exact
  for (std::size_t t = 0; t + 1 < x.size(); ++t) {
    const double size = std::abs(x[t]) + std::abs(x[t + 1]);
    const double r = size > 0 ? (x[t + 1] - x[t]) / size : 0;
    features[t] = std::abs(r) < rounding ? 0 : r;
  }
}

/// Δ log max(|x|, 10⁻⁶ max|x|); 0 if the trajectory is 0.
void log_increments(const Values& x, std::span<double> features) {
  double floor = 0;
  for (const double v : x) floor = std::max(floor, 1e-6 * std::abs(v));
  for (std::size_t t = 0; t + 1 < x.size(); ++t)
    features[t] =
        floor > 0 ? std::log(std::max(std::abs(x[t + 1]), floor) / std::max(std::abs(x[t]), floor)) : 0;
}

/// How much it changes, whenever: the relative increments in ascending order.
void sorted(const Values& x, std::span<double> features) {
  increments(x, features);
  std::ranges::sort(features);
}

/// When it changes, however much: the relative increments divided by the largest; 0 if all are 0.
void profile(const Values& x, std::span<double> features) {
  increments(x, features);
  double largest = 0;
  for (const double r : features) largest = std::max(largest, std::abs(r));
  if (largest > 0)
    for (double& r : features) r /= largest;
}

/// The part of the whole path Σ|r| that is done by each point; straight if there is none.
void path(const Values& x, std::span<double> features) {
  increments(x, features);
  double sum = 0;
  for (double& r : features) r = sum += std::abs(r);
  for (std::size_t t = 0; t < features.size(); ++t)
    features[t] =
        sum > 0 ? features[t] / sum : static_cast<double>(t + 1) / static_cast<double>(features.size());
}

/// The rank of each relative increment among those of the trajectory, from 0 to 1; equal ones share their
/// mean rank.
void rank(const Values& x, std::span<double> features) {
  Values r(features.size());
  increments(x, r);
  Values ascending = r;
  std::ranges::sort(ascending);
  const double last = std::max<double>(1, static_cast<double>(r.size()) - 1);
  for (std::size_t t = 0; t < r.size(); ++t) {
    const auto [low, high] = std::equal_range(ascending.begin(), ascending.end(), r[t]);
    features[t] =
        (static_cast<double>(low - ascending.begin()) + static_cast<double>(high - ascending.begin()) - 1) /
        2 / last;
  }
}

}  // namespace

void Transform::apply(std::span<const float> trajectory, std::span<float> features) const {
  if (!std::ranges::all_of(trajectory, [](float v) { return std::isfinite(v); })) {
    std::ranges::fill(features, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  const Values x(trajectory.begin(), trajectory.end());
  Values values(x.size() - to_size(fewer()));
  for (std::size_t s = 0; s < series.size(); ++s) {
    series[s].compute(x, values);
    std::ranges::transform(values, features.begin() + to_index(s * values.size()),
                           [](double v) { return static_cast<float>(v); });
  }
}

const Registry<Transform>& transforms() {
  static const Registry<Transform> registry(
      "transform",
      {{"none", "the observables as they are, as in the study", {{"", 0, same}}},
       {"log_increments", "increments of log|observable| between points", {{"", 1, log_increments}}, true},
       {"increments", "increments relative to the observable's size", {{"", 1, increments}}, true},
       {"shape", "trajectories of unit norm", {{"", 0, shape}}, true},
       {"rank", "ranks of the relative increments along the trajectory", {{"", 1, rank}}, true},
       {"sorted", "the relative increments in ascending order: how much it changes", {{"", 1, sorted}}, true},
       {"profile",
        "the relative increments divided by the largest: when it changes",
        {{"", 1, profile}},
        true},
       {"log_increments_sorted",
        "log increments, and relative ones in ascending order",
        {{"log", 1, log_increments}, {"sorted", 1, sorted}},
        true},
       {"path_sorted",
        "the part of the path done by each point, and the relative increments in ascending order",
        {{"path", 1, path}, {"sorted", 1, sorted}},
        true},
       {"profile_sorted",
        "when it changes and how much: profile and sorted side by side",
        {{"profile", 1, profile}, {"sorted", 1, sorted}},
        true}});
  return registry;
}

}  // namespace lrid::identify
