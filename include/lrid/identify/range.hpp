#pragma once

#include <map>
#include <string>
#include <vector>

#include <lrid/identify/metadata.hpp>
#include <lrid/io/dataset.hpp>

namespace lrid::identify {

/// How large a network's statistics are, as log₁₀, by quantity: the size of weights, of activations and of
/// the layer change (medians over layers and points), and the numbers of weights and of units. Quantities
/// whose observables are absent, not finite or 0 are left out.
std::map<std::string, double> scales_of(const io::Dataset& data, const Rows& rows,
                                        const std::vector<std::string>& measures);

/// Least and largest of the training networks, by quantity.
struct Range {
  double low = 0, high = 0;
};
using Ranges = std::map<std::string, Range>;
/// Widens the ranges to hold these scales.
void widen(Ranges& ranges, const std::map<std::string, double>& scales);

/// A quantity outside of the training networks' range by more than a quarter, in words: "activations 40 ×
/// below the range of the training networks".
struct Outside {
  std::string quantity, text;
};
std::vector<Outside> outside(const Ranges& ranges, const std::map<std::string, double>& scales);

}  // namespace lrid::identify
