#pragma once

#include <cstdint>
#include <vector>

#include <lrid/classify/feature_table.hpp>
#include <lrid/io/results.hpp>

namespace lrid::classify {

/// [actual][predicted] counts.
using Confusion = std::vector<std::vector<std::int64_t>>;

/// `actual` and `predicted` are class indices in [0, classes).
Confusion confusion_matrix(const std::vector<int>& actual, const std::vector<int>& predicted, int classes);
double accuracy(const Confusion& confusion);
/// Which share of the predictions is right.
double share_right(const std::vector<int>& predicted, const std::vector<int>& labels);
/// Per class (sensitivity + specificity) / 2; NaN for a class without samples.
std::vector<double> balanced_accuracy(const Confusion& confusion);
/// Per class d′ = Z(true positive rate) − Z(false alarm rate), each Z clipped to ±5; NaN for a class without
/// samples. Green & Swets 1966.
std::vector<double> d_prime(const Confusion& confusion);

/// Predictions sorted into `bins` equal intervals by how sure they were, the probability of the predicted
/// class. `probabilities`: [n, classes].
std::vector<io::ReliabilityBin> reliability(const Matrix& probabilities, const std::vector<int>& labels,
                                            int bins = 10);
/// Expected calibration error: the mean over samples of |share right − mean confidence| of their bin (Guo et
/// al. 2017, eq. 3).
double calibration_error(const std::vector<io::ReliabilityBin>& bins);
/// Mean of −log p of the true class.
double log_loss(const Matrix& probabilities, const std::vector<int>& labels);
/// Area under the ROC curve: how often a score of `positive` exceeds one of `negative`, ties counting half;
/// NaN if either is empty.
double auroc(const std::vector<double>& negative, const std::vector<double>& positive);

/// Inverse of the standard normal distribution function, relative error about 1e-16 (Wichura 1988, AS 241).
/// ∓infinity at 0 and 1.
double normal_quantile(double p);

}  // namespace lrid::classify
