#pragma once

#include <cstdint>
#include <vector>

#include <lrid/io/results.hpp>
#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// [actual][predicted] counts.
using Confusion = std::vector<std::vector<std::int64_t>>;

/// `actual` and `predicted` are class indices in [0, classes).
Confusion confusion_matrix(const std::vector<int>& actual, const std::vector<int>& predicted, int classes);
/// Fraction of correct predictions.
double accuracy(const Confusion& confusion);
double accuracy(const std::vector<int>& predicted, const std::vector<int>& labels);
/// (sensitivity + specificity) / 2 of each class; NaN for a class without samples.
std::vector<double> balanced_accuracy(const Confusion& confusion);
/// d′ = Z(hit rate) − Z(false alarm rate) of each class, with log-linear rates (hits + ½)/(samples + 1),
/// which are never 0 or 1 (Hautus 1995, Behav. Res. Methods 27, 46); NaN if it, or all others, have no
/// samples.
std::vector<double> d_prime(const Confusion& confusion);

using io::ReliabilityBin;

/// Bins predictions by confidence into `bins` equal intervals. `probabilities`: [n, classes].
std::vector<ReliabilityBin> reliability(const Matrix& probabilities, const std::vector<int>& labels,
                                        int bins = 10);
/// Expected calibration error: the mean over samples of |accuracy − mean confidence| in their bin (Guo et al.
/// 2017, eq. 3).
double calibration_error(const std::vector<ReliabilityBin>& bins);
/// Mean of −log p over samples, p being the probability of the true class.
double log_loss(const Matrix& probabilities, const std::vector<int>& labels);
/// Area under the ROC curve: the probability that a score of `positive` exceeds one of `negative`, ties
/// counting half; NaN if either is empty.
double auroc(const std::vector<double>& negative, const std::vector<double>& positive);

}  // namespace lrid::learn
