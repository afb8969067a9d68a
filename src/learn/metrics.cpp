#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/math/distributions/normal.hpp>

#include <lrid/core/index.hpp>
#include <lrid/learn/metrics.hpp>

namespace lrid::learn {

namespace {

struct ClassCounts {
  double actual = 0, others = 0, hits = 0, false_alarms = 0;
};

ClassCounts counts_of(const Confusion& confusion, std::size_t c) {
  ClassCounts counts;
  for (std::size_t actual = 0; actual < confusion.size(); ++actual)
    for (std::size_t predicted = 0; predicted < confusion.size(); ++predicted) {
      const auto n = static_cast<double>(confusion[actual][predicted]);
      (actual == c ? counts.actual : counts.others) += n;
      if (predicted == c) (actual == c ? counts.hits : counts.false_alarms) += n;
    }
  return counts;
}

}  // namespace

Confusion confusion_matrix(const std::vector<int>& actual, const std::vector<int>& predicted, int classes) {
  const auto k = to_size(classes);
  Confusion confusion(k, std::vector<std::int64_t>(k, 0));
  for (std::size_t i = 0; i < actual.size(); ++i) ++confusion[to_size(actual[i])][to_size(predicted[i])];
  return confusion;
}

double accuracy(const Confusion& confusion) {
  std::int64_t correct = 0, all = 0;
  for (std::size_t a = 0; a < confusion.size(); ++a)
    for (std::size_t p = 0; p < confusion.size(); ++p) {
      all += confusion[a][p];
      if (a == p) correct += confusion[a][p];
    }
  return static_cast<double>(correct) / static_cast<double>(all);
}

std::vector<double> balanced_accuracy(const Confusion& confusion) {
  std::vector<double> result;
  for (std::size_t c = 0; c < confusion.size(); ++c) {
    const ClassCounts n = counts_of(confusion, c);
    result.push_back((n.hits / n.actual + 1.0 - n.false_alarms / n.others) / 2.0);
  }
  return result;
}

std::vector<double> d_prime(const Confusion& confusion) {
  const auto z = [](double count, double all) {
    return boost::math::quantile(boost::math::normal(), (count + 0.5) / (all + 1));
  };
  std::vector<double> result;
  for (std::size_t c = 0; c < confusion.size(); ++c) {
    const ClassCounts n = counts_of(confusion, c);
    result.push_back(n.actual == 0 || n.others == 0 ? std::numeric_limits<double>::quiet_NaN()
                                                    : z(n.hits, n.actual) - z(n.false_alarms, n.others));
  }
  return result;
}

std::vector<ReliabilityBin> reliability(const Matrix& probabilities, const std::vector<int>& labels,
                                        int bins) {
  std::vector<ReliabilityBin> result(to_size(bins));
  for (Eigen::Index i = 0; i < probabilities.rows(); ++i) {
    Eigen::Index predicted = 0;
    const double confidence = probabilities.row(i).maxCoeff(&predicted);
    ReliabilityBin& bin = result[to_size(std::clamp(static_cast<int>(confidence * bins), 0, bins - 1))];
    ++bin.count;
    bin.confidence += confidence;
    bin.right += predicted == labels[to_size(i)] ? 1 : 0;
  }
  return result;
}

double calibration_error(const std::vector<ReliabilityBin>& bins) {
  double error = 0, count = 0;
  for (const ReliabilityBin& bin : bins) {
    error += std::abs(bin.right - bin.confidence);
    count += bin.count;
  }
  return error / count;
}

double log_loss(const Matrix& probabilities, const std::vector<int>& labels) {
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum -= std::log(probabilities(to_index(i), labels[i]));
  return sum / static_cast<double>(labels.size());
}

double accuracy(const std::vector<int>& predicted, const std::vector<int>& labels) {
  std::size_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) correct += predicted[i] == labels[i] ? 1U : 0U;
  return static_cast<double>(correct) / static_cast<double>(labels.size());
}

double auroc(const std::vector<double>& negative, const std::vector<double>& positive) {
  std::vector<double> sorted = negative;
  std::ranges::sort(sorted);
  double won = 0;
  for (const double score : positive) {
    const auto [below, above] = std::equal_range(sorted.begin(), sorted.end(), score);
    won += static_cast<double>(below - sorted.begin()) + static_cast<double>(above - below) / 2;
  }
  return won / (static_cast<double>(negative.size()) * static_cast<double>(positive.size()));
}

}  // namespace lrid::learn
