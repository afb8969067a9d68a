#pragma once

#include <cstdint>
#include <vector>

namespace lrid::classify {

/// [actual][predicted] counts.
using Confusion = std::vector<std::vector<std::int64_t>>;

/// `actual` and `predicted` are class indices in [0, classes).
Confusion confusion_matrix(const std::vector<int>& actual, const std::vector<int>& predicted, int classes);
double accuracy(const Confusion& confusion);
/// Per class (sensitivity + specificity) / 2; NaN for a class without samples.
std::vector<double> balanced_accuracy(const Confusion& confusion);
/// Per class d′ = Z(true positive rate) − Z(false alarm rate), each Z clipped to ±5; NaN for a class without
/// samples. Green & Swets 1966.
std::vector<double> d_prime(const Confusion& confusion);

/// Inverse of the standard normal distribution function, relative error about 1e-16 (Wichura 1988, AS 241).
/// ∓infinity at 0 and 1.
double normal_quantile(double p);

}  // namespace lrid::classify
