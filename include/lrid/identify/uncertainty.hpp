#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <lrid/io/results.hpp>

namespace lrid::identify {

/// How one network did in one split: the mean of a score over those of its layers that were tested.
struct NetworkScore {
  std::string network;
  std::int64_t stratum = 0;  ///< its class; the design fixes how many networks of each are tested
  double layers = 0;         ///< number of its layers tested
  double mean = 0;           ///< such as the share of them that were identified correctly
};

/// The networks that every split tested.
struct NetworkScores {
  std::vector<std::vector<NetworkScore>> splits;
  /// The share of networks that two splits have in common: k/N where each tests k of N. 1 where all splits
  /// test the same networks: a network's scores are then averaged over the splits, which count as one.
  double overlap = 1;
};

/// The scores of tested networks: `right` [split][i] of the layers of each, or its verdict (1 or 0).
NetworkScores layer_scores(const io::TestedNetworks& tested,
                           const std::vector<std::vector<std::int64_t>>& right);
NetworkScores verdict_scores(const io::TestedNetworks& tested,
                             const std::vector<std::vector<std::int64_t>>& right);
/// The scores of a row's layers, or of its verdicts on whole networks; nothing for results of an earlier
/// version, which hold no networks, and for verdicts that were not given.
std::optional<NetworkScores> layer_scores(const io::ResultRow& row);
std::optional<NetworkScores> verdict_scores(const io::ResultRow& row);

using Interval = std::array<double, 2>;  ///< low, high

/// A mean score and how far it may be from that of other networks of the same kinds.
///
/// Within a split, the variance is that over networks, each with all of its layers, stratified by class:
/// V_s = Σ_c k_c/(k_c−1) Σ_v (n_v (x_v − x̄_c))² / N². Over J splits that share a fraction f of their
/// networks, V = mean_s V_s · (f + (1−f)/J), the corrected variance of Nadeau & Bengio (2003, Machine
/// Learning 52, 239) with the variance taken from the networks rather than from the few splits.
struct NetworkMean {
  double mean = 0, variance = 0;
  std::int64_t networks = 0, layers = 0;  ///< distinct ones
  double degrees_of_freedom = 1;          ///< networks − classes, at least 1

  /// The 95 % interval of a mean of values in 0…1: Wilson's at the effective number of observations
  /// n = A(1−A)/V, with t instead of z (Franco et al. 2019, J. Surv. Stat. Methodol. 7, 334).
  [[nodiscard]] Interval interval() const;
  /// One-sided p-value of "no better than chance", by the same statistic.
  [[nodiscard]] double p_above(double chance) const;

 private:
  [[nodiscard]] double effective_number() const;
};
/// Nothing if fewer than two networks were tested.
std::optional<NetworkMean> mean_over_networks(const NetworkScores& scores);

/// The figure with `interval` over networks and, given the chance level, `p`; unchanged without scores.
io::Figure with_uncertainty(io::Figure figure, const std::optional<NetworkScores>& scores,
                            std::optional<double> chance = std::nullopt);

/// The variance of a mean over `splits` splits that share a fraction `overlap` of their networks, in that of
/// one: f + (1−f)/J (NetworkMean).
inline double variance_factor(double overlap, double splits) {
  return overlap + (1 - overlap) / splits;
}

/// One split's statistic with each of its networks left out in turn, by stratum. Networks of a stratum are
/// exchangeable: one class's, or the known and the unknown ones of an AUROC.
struct LeaveOneOut {
  std::vector<std::vector<double>> strata;  ///< [stratum][network]
};
/// Variance over networks of a statistic that is no mean, such as d′ or AUROC, by the stratified jackknife
/// (Efron & Stein 1981, Ann. Statist. 9, 586), Σ_c (k_c−1)/k_c Σ_v (θ_−v − θ̄_c)², over splits as
/// NetworkMean's. `overlap`: [stratum] the share of its networks that two splits have in common. NaN where a
/// stratum has one network in every split.
double jackknife_variance(const std::vector<LeaveOneOut>& splits, const std::vector<double>& overlap);
/// 95 % interval of a statistic of this variance, by Student's t.
Interval t_interval(double value, double variance, double degrees_of_freedom);

/// How much higher one mean is than another.
struct Difference {
  double mean = 0;
  Interval interval{};  ///< 95 %
  double p = 1;         ///< two-sided
  std::int64_t networks = 0;
  bool paired = true;
};
/// The difference a − b, network by network where both tested the same ones (in the same splits if they
/// share them; else one side's mean over its splits is set against the splits of the side whose splits
/// overlap less), with the variance of NetworkMean and Student's t. Without variance, an exact sign test over
/// networks. If fewer than two networks are in both, the means are compared as independent ones. Nothing
/// without two networks on either side.
std::optional<Difference> difference(const NetworkScores& a, const NetworkScores& b);

/// p-values corrected for their number (Holm 1979, Scand. J. Statist. 6, 65), in the same order.
std::vector<double> holm(const std::vector<double>& p);

}  // namespace lrid::identify
