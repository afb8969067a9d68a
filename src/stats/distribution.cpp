#include <cmath>
#include <limits>

#include <lrid/stats/distribution.hpp>

#include "set_fold.hpp"

namespace lrid::stats {

/// One set of each type at a time.
struct Scratch::Buffers {
  SetFold<float> single;
  SetFold<double> wide;
  std::vector<float> single_sample;
  std::vector<double> wide_sample;
};

Scratch::Scratch() : buffers_(std::make_unique<Buffers>()) {}
Scratch::~Scratch() = default;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Distribution describe(std::span<const float> values, Scratch& scratch) {
  return describe_with(scratch.buffers().single, values, scratch.buffers().single_sample);
}
Distribution describe(std::span<const double> values, Scratch& scratch) {
  return describe_with(scratch.buffers().wide, values, scratch.buffers().wide_sample);
}

std::array<double, 3> layer_change_statistics(std::span<const double> g) {
  if (g.empty()) return {nan, nan, nan};
  std::array<double, 3> sums{};
  for (const double value : g) {
    sums[0] += value;
    sums[1] += std::abs(value);
    sums[2] += value * value;
  }
  for (double& sum : sums) sum /= static_cast<double>(g.size());
  return sums;
}

}  // namespace lrid::stats
