#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include <lrid/core/index.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/learn/novelty.hpp>

namespace lrid::learn {

std::vector<double> entropies(const Matrix& probabilities) {
  std::vector<double> result;
  for (const auto& row : probabilities.rowwise()) {
    double entropy = 0;
    for (const double p : row)
      if (p > 0) entropy -= p * std::log(p);
    result.push_back(entropy);
  }
  return result;
}

FloatMatrix compressed(const Matrix& standardised) {
  return standardised.unaryExpr([](double value) { return std::asinh(value); }).cast<float>();
}

FloatMatrix rounded(const FloatMatrix& features) {
  constexpr std::uint32_t dropped = 0xFFFF;
  return features.unaryExpr([](float value) {
    return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + dropped / 2 + 1) & ~dropped);
  });
}

std::vector<double> nearest_distances(const FloatMatrix& known, const FloatMatrix& samples) {
  constexpr std::int64_t block =
      256;  // of rows; fixed, so that results do not depend on the number of threads
  const Eigen::VectorXf known_squares = known.rowwise().squaredNorm();
  std::vector<double> result(to_size(samples.rows()));
  parallel_each(to_size((samples.rows() + block - 1) / block), [&](std::size_t b) {
    const std::int64_t first = to_index(b) * block, rows = std::min(block, samples.rows() - first);
    const FloatMatrix products = samples.middleRows(first, rows) * known.transpose();
    for (std::int64_t i = 0; i < rows; ++i) {
      Eigen::Index nearest = 0;
      (known_squares.transpose() - 2 * products.row(i)).minCoeff(&nearest);
      // Computed directly, since the difference of large squares is inexact for near neighbours.
      result[to_size(first + i)] = (samples.row(first + i) - known.row(nearest)).cast<double>().norm();
    }
  });
  return result;
}

namespace {
constexpr std::size_t least_of_class = 19;
}  // namespace

NoveltyReference::NoveltyReference(std::vector<double> distance, std::vector<int> classes)
    : distance_(std::move(distance)), ascending_(distance_), classes_(std::move(classes)) {
  std::ranges::sort(ascending_);
  for (std::size_t i = 0; i < classes_.size(); ++i) ascending_of_class_[classes_[i]].push_back(distance_[i]);
  std::erase_if(ascending_of_class_, [](const auto& one) { return one.second.size() < least_of_class; });
  for (auto& [name, distances] : ascending_of_class_) std::ranges::sort(distances);
}

std::vector<double> NoveltyReference::typicality(const std::vector<double>& distance,
                                                 const std::vector<int>& classes) const {
  const auto p_value = [](const std::vector<double>& known, double value) {
    const auto as_far = static_cast<double>(known.end() - std::ranges::lower_bound(known, value));
    return (1 + as_far) / (1 + static_cast<double>(known.size()));
  };
  std::vector<double> result;
  for (std::size_t i = 0; i < distance.size(); ++i) {
    result.push_back(p_value(ascending_, distance[i]));
    if (classes.empty()) continue;
    if (const auto own = ascending_of_class_.find(classes[i]); own != ascending_of_class_.end())
      result.back() = std::max(result.back(), p_value(own->second, distance[i]));
  }
  return result;
}

}  // namespace lrid::learn
