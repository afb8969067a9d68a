#include <cmath>
#include <limits>

#include <lrid/stats/distribution.hpp>

#include "set_fold.hpp"

namespace lrid::stats {

namespace {

template <class T>
struct BuffersOf {
  SetFold<T> fold;
  std::vector<T> sample;
  SelectionBuffers<T> selection;

  Distribution describe(std::span<const T> values) { return describe_with(fold, values, sample, selection); }
};

}  // namespace

struct Scratch::Buffers {
  BuffersOf<float> single;
  BuffersOf<double> wide;
};

Scratch::Scratch() : buffers_(std::make_unique<Buffers>()) {}
Scratch::~Scratch() = default;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Distribution describe(std::span<const float> values, Scratch& scratch) {
  return scratch.buffers().single.describe(values);
}
Distribution describe(std::span<const double> values, Scratch& scratch) {
  return scratch.buffers().wide.describe(values);
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
