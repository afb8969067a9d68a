#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <lrid/core/index.hpp>
#include <lrid/identify/uncertainty.hpp>

namespace lrid::identify {

namespace {

using Scores = std::vector<NetworkScore>;

double quantile_975(double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), 0.975);
}

/// P(T > t).
double upper_tail(double t, double degrees_of_freedom) {
  return boost::math::cdf(boost::math::complement(boost::math::students_t(degrees_of_freedom), t));
}

/// Each network once, with its mean over all layers tested in any split. Its number of layers is the mean
/// over the splits.
Scores averaged(const std::vector<Scores>& splits) {
  struct Sum {
    std::int64_t stratum = 0;
    double layers = 0, score = 0;
  };
  std::map<std::string, Sum> sums;
  for (const Scores& split : splits)
    for (const NetworkScore& score : split) {
      Sum& sum = sums[score.network];
      sum.stratum = score.stratum;
      sum.layers += score.layers;
      sum.score += score.layers * score.mean;
    }
  Scores result;
  for (const auto& [network, sum] : sums)
    result.push_back(
        {network, sum.stratum, sum.layers / static_cast<double>(splits.size()), sum.score / sum.layers});
  return result;
}

/// The splits that count: those that test anything; one where all test the same networks.
std::vector<Scores> counting(const NetworkScores& scores) {
  std::vector<Scores> splits;
  for (const Scores& split : scores.splits)
    if (!split.empty()) splits.push_back(split);
  if (scores.overlap >= 1 && splits.size() > 1) return {averaged(splits)};
  return splits;
}

double weighted_mean(const Scores& split) {
  double layers = 0, sum = 0;
  for (const NetworkScore& score : split) {
    layers += score.layers;
    sum += score.layers * score.mean;
  }
  return sum / layers;
}

/// Variance of weighted_mean() over networks, stratified by class, or not where a class has one network only;
/// NaN for a single network.
double variance_over_networks(const Scores& split) {
  std::map<std::int64_t, Scores> strata;
  for (const NetworkScore& score : split) strata[score.stratum].push_back(score);
  if (std::ranges::any_of(strata, [](const auto& stratum) { return stratum.second.size() < 2; }))
    strata = {{0, split}};
  double layers = 0, squares = 0;
  for (const auto& [label, members] : strata) {
    const auto k = static_cast<double>(members.size());
    if (k < 2) return std::numeric_limits<double>::quiet_NaN();
    const double mean = weighted_mean(members);
    double within = 0;
    for (const NetworkScore& score : members) {
      layers += score.layers;
      within += std::pow(score.layers * (score.mean - mean), 2);
    }
    squares += k / (k - 1) * within;
  }
  return squares / (layers * layers);
}

/// The scores of `kept`, split by split, less those of the same network in `other`; `other` has one split, or
/// as many as `kept`.
std::vector<Scores> subtracted(const std::vector<Scores>& kept, const std::vector<Scores>& other) {
  std::vector<Scores> differences;
  std::map<std::string, double> means;
  for (std::size_t s = 0; s < kept.size(); ++s) {
    if (s < other.size()) {
      means.clear();
      for (const NetworkScore& score : other[s]) means[score.network] = score.mean;
    }
    Scores split;
    for (const NetworkScore& score : kept[s])
      if (const auto found = means.find(score.network); found != means.end())
        split.push_back({score.network, score.stratum, score.layers, score.mean - found->second});
    if (!split.empty()) differences.push_back(std::move(split));
  }
  return differences;
}

bool same_networks(const std::vector<Scores>& a, const std::vector<Scores>& b) {
  return std::ranges::equal(a, b, [](const Scores& one, const Scores& other) {
    return std::ranges::equal(one, other, {}, &NetworkScore::network, &NetworkScore::network);
  });
}

/// Two-sided exact p-value of as many positive and negative values if both signs are equally likely.
double sign_test(const Scores& differences) {
  const auto positive = std::ranges::count_if(differences, [](const auto&one) { return one.mean > 0; }),
             negative = std::ranges::count_if(differences, [](const auto&one) { return one.mean < 0; });
  if (positive + negative == 0) return 1;
  const boost::math::binomial coin(static_cast<double>(positive + negative), 0.5);
  return std::min(1.0, 2 * boost::math::cdf(coin, static_cast<double>(std::min(positive, negative))));
}

NetworkScores scores_of(const io::TestedNetworks& tested,
                        const std::vector<std::vector<std::int64_t>>& correct, bool by_layer) {
  NetworkScores scores{.splits = {}, .overlap = tested.overlap};
  for (std::size_t s = 0; s < correct.size(); ++s) {
    Scores& split = scores.splits.emplace_back();
    for (std::size_t i = 0; i < correct[s].size(); ++i) {
      const std::size_t network = to_size(tested.network[s][i]);
      const double layers = by_layer ? static_cast<double>(tested.layers[s][i]) : 1;
      split.push_back({tested.names[network], tested.labels[network], layers,
                       static_cast<double>(correct[s][i]) / layers});
    }
  }
  return scores;
}

}  // namespace

NetworkScores layer_scores(const io::TestedNetworks& tested,
                           const std::vector<std::vector<std::int64_t>>& right) {
  return scores_of(tested, right, true);
}

NetworkScores verdict_scores(const io::TestedNetworks& tested,
                             const std::vector<std::vector<std::int64_t>>& right) {
  return scores_of(tested, right, false);
}

std::optional<NetworkScores> layer_scores(const io::ResultRow& row) {
  if (row.tested == nullptr || row.correct.empty()) return std::nullopt;
  return layer_scores(*row.tested, row.correct);
}

std::optional<NetworkScores> verdict_scores(const io::ResultRow& row) {
  if (row.tested == nullptr || row.network_correct.empty()) return std::nullopt;
  return verdict_scores(*row.tested, row.network_correct);
}

double NetworkMean::effective_number() const {
  const double spread = mean * (1 - mean);
  if (variance <= 0 || spread <= 0) return static_cast<double>(networks);
  return std::min(spread / variance, static_cast<double>(layers));
}

Interval NetworkMean::interval() const {
  const double n = effective_number(), q = quantile_975(degrees_of_freedom);
  const double centre = (mean + q * q / (2 * n)) / (1 + q * q / n);
  const double half =
      q / (1 + q * q / n) * std::sqrt(std::max(0.0, mean * (1 - mean)) / n + q * q / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double NetworkMean::p_above(double chance) const {
  return upper_tail((mean - chance) / std::sqrt(chance * (1 - chance) / effective_number()),
                    degrees_of_freedom);
}

namespace {

/// Mean and variance over these splits, which share a fraction `overlap` of their networks.
std::optional<NetworkMean> mean_of(const std::vector<Scores>& splits, double overlap) {
  std::map<std::string, double> layers;  // network → most layers in any split
  std::set<std::int64_t> strata;
  double sum = 0, variances = 0, usable = 0;
  for (const Scores& split : splits) {
    for (const NetworkScore& score : split) {
      layers[score.network] = std::max(layers[score.network], score.layers);
      strata.insert(score.stratum);
    }
    sum += weighted_mean(split);
    if (const double variance = variance_over_networks(split); std::isfinite(variance)) {
      variances += variance;
      ++usable;
    }
  }
  if (layers.size() < 2 || usable == 0) return std::nullopt;
  const auto count = static_cast<double>(splits.size());
  NetworkMean result{.mean = sum / count,
                     .variance = variances / usable * variance_factor(overlap, count),
                     .networks = std::ssize(layers)};
  double all = 0;
  for (const auto& [network, number] : layers) all += number;
  result.layers = std::llround(std::max(all, static_cast<double>(result.networks)));
  result.degrees_of_freedom = std::max(1.0, static_cast<double>(std::ssize(layers) - std::ssize(strata)));
  return result;
}

}  // namespace

std::optional<NetworkMean> mean_over_networks(const NetworkScores& scores) {
  return mean_of(counting(scores), scores.overlap);
}

io::Figure with_uncertainty(io::Figure figure, const std::optional<NetworkScores>& scores,
                            std::optional<double> chance) {
  const auto mean = scores ? mean_over_networks(*scores) : std::nullopt;
  if (!mean || !std::isfinite(figure.mean)) return figure;
  figure.interval = mean->interval();
  if (chance) figure.p = mean->p_above(*chance);
  return figure;
}

double jackknife_variance(const std::vector<LeaveOneOut>& splits, const std::vector<double>& overlap) {
  double variance = 0;
  for (std::size_t c = 0; c < overlap.size(); ++c) {
    double sum = 0, usable = 0;
    for (const LeaveOneOut& split : splits) {
      const std::vector<double>& without = split.strata[c];
      const auto k = static_cast<double>(without.size());
      if (k < 2) continue;
      const double mean = std::accumulate(without.begin(), without.end(), 0.0) / k;
      double squares = 0;
      for (const double value : without) squares += std::pow(value - mean, 2);
      sum += (k - 1) / k * squares;
      ++usable;
    }
    if (usable == 0) return std::numeric_limits<double>::quiet_NaN();
    variance += sum / usable * variance_factor(overlap[c], usable);
  }
  return variance;
}

Interval t_interval(double value, double variance, double degrees_of_freedom) {
  const double half = quantile_975(std::max(1.0, degrees_of_freedom)) * std::sqrt(variance);
  return {value - half, value + half};
}

std::optional<Difference> difference(const NetworkScores& a, const NetworkScores& b) {
  const std::vector<Scores> of_a = counting(a), of_b = counting(b);
  std::vector<Scores> pairs;
  double overlap = std::min(a.overlap, b.overlap), sign = 1;
  if (same_networks(of_a, of_b)) {
    pairs = subtracted(of_a, of_b);
  } else if (a.overlap <= b.overlap) {
    pairs = subtracted(of_a, {averaged(of_b)});
  } else {
    pairs = subtracted(of_b, {averaged(of_a)});
    sign = -1;
  }
  Difference result;
  double variance = 0, degrees_of_freedom = 1;
  if (const auto mean = mean_of(pairs, overlap)) {
    result.mean = sign * mean->mean;
    result.networks = mean->networks;
    variance = mean->variance;
    degrees_of_freedom = mean->degrees_of_freedom;
  } else {
    const auto one = mean_of(of_a, a.overlap), other = mean_of(of_b, b.overlap);
    if (!one || !other) return std::nullopt;
    result.paired = false;
    result.mean = one->mean - other->mean;
    result.networks = one->networks + other->networks;
    variance = one->variance + other->variance;
    degrees_of_freedom = std::min(one->degrees_of_freedom, other->degrees_of_freedom);
  }
  result.interval = t_interval(result.mean, variance, degrees_of_freedom);
  if (variance > 0)
    result.p = 2 * upper_tail(std::abs(result.mean) / std::sqrt(variance), degrees_of_freedom);
  else
    result.p = result.paired ? sign_test(averaged(pairs)) : 1;
  return result;
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> corrected(p.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(p.size() - rank) * p[order[rank]]));
    corrected[order[rank]] = largest;
  }
  return corrected;
}

}  // namespace lrid::identify
