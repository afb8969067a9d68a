#pragma once

#include <cstdint>

namespace lrid::learn {

// Splits of a tree's node are scored by Σ_c L_c²/L + Σ_c R_c²/R with L_c and R_c the weight of class c on the
// left and on the right; to maximise it is to minimise Gini impurity.

inline constexpr int split_lanes = 8;    ///< features searched side by side
inline constexpr int split_bins = 256;   ///< of a histogram
inline constexpr int split_classes = 4;  ///< at most

/// The best split of each of some features: its score and the position of the last key on the left, −1 if the
/// feature is constant.
struct LaneSplits {
  float score[split_lanes];
  std::int32_t position[split_lanes];
};
/// `keys`: [count, split_lanes], each composed of rank (16 bits), weight (12) and class (4), aligned to 32
/// bytes; sorted by lane on return. `totals`: [split_classes] weight of each class.
void find_lane_splits(std::uint32_t* keys, int count, const std::uint32_t* totals, LaneSplits* result);

/// The best score at a histogram's bin boundaries, and a bound on the score of any split within a bin.
struct BinScores {
  float top, potential;
};
/// `histogram`: [split_bins] weights of the classes, 16 bits each, class 0 lowest.
BinScores scan_bins(const std::uint64_t* histogram, const std::uint32_t* totals);

/// Tells for each bin, [split_bins], whether the boundary after it scores at least `least`, and whether a
/// split within it may. Returns bit 0 set if any boundary does, and bit 1 if any bin may.
int find_bins(const std::uint64_t* histogram, const std::uint32_t* totals, float least, bool* boundary,
              bool* inside);

}  // namespace lrid::learn
