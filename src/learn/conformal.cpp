#include <algorithm>
#include <cmath>

#include <lrid/core/index.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/learn/conformal.hpp>

namespace lrid::learn {

namespace {

/// Standard deviation, in log distance, of the weights of held-out samples about as far as a sample.
constexpr double bandwidth = 0.25;

/// The q-quantile, interpolated.
double quantile(const std::vector<double>& ascending, double q) {
  const double at = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(at), above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] + (at - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

}  // namespace

Conformal::Conformal(std::vector<double> scores, std::vector<double> log_distances,
                     std::vector<double> weights)
    : scores_(std::move(scores)), log_distances_(std::move(log_distances)), weights_(std::move(weights)) {
  if (scores_.empty()) return;
  std::vector<double> ascending = log_distances_;
  std::ranges::sort(ascending);
  low_ = quantile(ascending, 0.1);
  high_ = quantile(ascending, 0.9);
}

Matrix Conformal::p_values(const Matrix& probabilities, const std::vector<double>& log_distances) const {
  constexpr double rounding = 1e-12;
  Matrix result(probabilities.rows(), probabilities.cols());
  parallel_each(to_size(probabilities.rows()), [&](std::size_t i) {
    const double at = std::clamp(log_distances[i], low_, high_);
    double all = 1, all_near = 1;
    std::vector<double> more(to_size(probabilities.cols()), 1), more_near = more;
    for (std::size_t j = 0; j < scores_.size(); ++j) {
      const double offset = (log_distances_[j] - at) / bandwidth;
      const double near = weights_[j] * std::exp(-0.5 * offset * offset);
      all += weights_[j];
      all_near += near;
      for (std::size_t c = 0; c < more.size(); ++c) {
        if (scores_[j] < 1 - probabilities(to_index(i), to_index(c)) - rounding) continue;
        more[c] += weights_[j];
        more_near[c] += near;
      }
    }
    for (std::size_t c = 0; c < more.size(); ++c)
      result(to_index(i), to_index(c)) = std::max(more[c] / all, more_near[c] / all_near);
  });
  return result;
}

double Conformal::farthest() const {
  return log_distances_.empty() ? 0 : *std::ranges::max_element(log_distances_);
}

void Conformal::save(io::hdf5::Group& group) const {
  group.write("scores", scores_);
  group.write("log_distances", log_distances_);
  group.write("weights", weights_);
}

Conformal Conformal::load(const io::hdf5::Group& group) {
  auto scores = group.dataset("scores").read<double>({-1});
  auto log_distances = group.dataset("log_distances").read<double>({std::ssize(scores)});
  auto weights = group.dataset("weights").read<double>({std::ssize(scores)});
  return {std::move(scores), std::move(log_distances), std::move(weights)};
}

std::vector<std::size_t> conformal_set(const Eigen::Ref<const Eigen::RowVectorXd>& p_values,
                                       double confidence) {
  std::vector<std::size_t> set;
  for (Eigen::Index c = 0; c < p_values.size(); ++c)
    if (p_values(c) > 1 - confidence) set.push_back(to_size(c));
  if (set.empty()) set.push_back(to_size(std::ranges::max_element(p_values) - p_values.begin()));
  return set;
}

}  // namespace lrid::learn
