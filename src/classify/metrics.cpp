#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <lrid/classify/metrics.hpp>

namespace lrid::classify {

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

double polynomial(const std::array<double, 8>& c, double x) {
  double value = 0;
  for (std::size_t i = c.size(); i-- > 0;) value = value * x + c[i];
  return value;
}

}  // namespace

Confusion confusion_matrix(const std::vector<int>& actual, const std::vector<int>& predicted, int classes) {
  const auto k = static_cast<std::size_t>(classes);
  Confusion confusion(k, std::vector<std::int64_t>(k, 0));
  for (std::size_t i = 0; i < actual.size(); ++i)
    ++confusion[static_cast<std::size_t>(actual[i])][static_cast<std::size_t>(predicted[i])];
  return confusion;
}

double accuracy(const Confusion& confusion) {
  std::int64_t right = 0, all = 0;
  for (std::size_t a = 0; a < confusion.size(); ++a)
    for (std::size_t p = 0; p < confusion.size(); ++p) {
      all += confusion[a][p];
      if (a == p) right += confusion[a][p];
    }
  return static_cast<double>(right) / static_cast<double>(all);
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
  const auto z = [](double rate) {
    return std::isnan(rate) ? rate : std::clamp(normal_quantile(rate), -5.0, 5.0);
  };
  std::vector<double> result;
  for (std::size_t c = 0; c < confusion.size(); ++c) {
    const ClassCounts n = counts_of(confusion, c);
    result.push_back(z(n.hits / n.actual) - z(n.false_alarms / n.others));
  }
  return result;
}

std::vector<io::ReliabilityBin> reliability(const Matrix& probabilities, const std::vector<int>& labels,
                                            int bins) {
  std::vector<io::ReliabilityBin> result(static_cast<std::size_t>(bins));
  for (Eigen::Index i = 0; i < probabilities.rows(); ++i) {
    Eigen::Index predicted = 0;
    const double confidence = probabilities.row(i).maxCoeff(&predicted);
    io::ReliabilityBin& bin =
        result[static_cast<std::size_t>(std::clamp(static_cast<int>(confidence * bins), 0, bins - 1))];
    ++bin.count;
    bin.confidence += confidence;
    bin.right += predicted == labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return result;
}

double calibration_error(const std::vector<io::ReliabilityBin>& bins) {
  double error = 0, count = 0;
  for (const io::ReliabilityBin& bin : bins) {
    error += std::abs(bin.right - bin.confidence);
    count += bin.count;
  }
  return error / count;
}

double log_loss(const Matrix& probabilities, const std::vector<int>& labels) {
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    sum -= std::log(probabilities(static_cast<Eigen::Index>(i), labels[i]));
  return sum / static_cast<double>(labels.size());
}

double share_right(const std::vector<int>& predicted, const std::vector<int>& labels) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1U : 0U;
  return static_cast<double>(right) / static_cast<double>(labels.size());
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

double normal_quantile(double p) {
  // Coefficients of AS 241, PPND16: numerator and denominator near the centre, in the tail, far in the tail.
  static constexpr std::array<double, 8> a = {
      3.3871328727963666080,    1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
      4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr std::array<double, 8> b = {1.0,
                                              4.2313330701600911252e+1,
                                              6.8718700749205790830e+2,
                                              5.3941960214247511077e+3,
                                              2.1213794301586595867e+4,
                                              3.9307895800092710610e+4,
                                              2.8729085735721942674e+4,
                                              5.2264952788528545610e+3};
  static constexpr std::array<double, 8> c = {1.42343711074968357734,    4.63033784615654529590,
                                              5.76949722146069140550,    3.64784832476320460504,
                                              1.27045825245236838258,    2.41780725177450611770e-1,
                                              2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array<double, 8> d = {1.0,
                                              2.05319162663775882187,
                                              1.67638483018380384940,
                                              6.89767334985100004550e-1,
                                              1.48103976427480074590e-1,
                                              1.51986665636164571966e-2,
                                              5.47593808499534494600e-4,
                                              1.05075007164441684324e-9};
  static constexpr std::array<double, 8> e = {6.65790464350110377720,    5.46378491116411436990,
                                              1.78482653991729133580,    2.96560571828504891230e-1,
                                              2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                              2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array<double, 8> f = {1.0,
                                              5.99832206555887937690e-1,
                                              1.36929880922735805310e-1,
                                              1.48753612908506148525e-2,
                                              7.86869131145613259100e-4,
                                              1.84631831751005468180e-5,
                                              1.42151175831644588870e-7,
                                              2.04426310338993978564e-15};
  if (p <= 0) return -std::numeric_limits<double>::infinity();
  if (p >= 1) return std::numeric_limits<double>::infinity();
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  double r = std::sqrt(-std::log(q < 0 ? p : 1.0 - p));
  r = r <= 5.0 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
               : polynomial(e, r - 5.0) / polynomial(f, r - 5.0);
  return q < 0 ? -r : r;
}

}  // namespace lrid::classify
