#pragma once

#include "kernels.hpp"

// NOLINTNEXTLINE(google-build-namespaces): every target has its own
namespace lrid::learn::LRID_TARGET {

// Eight features side by side.
using Keys = std::uint32_t __attribute__((vector_size(32)));
using Floats = float __attribute__((vector_size(32)));
using Integers = std::int32_t __attribute__((vector_size(32)));
static_assert(sizeof(Keys) == SplitKernels::lanes * sizeof(std::uint32_t));

inline void order(Keys& first, Keys& second) {
  const Keys a = first, b = second;
  first = a < b ? a : b;
  second = a < b ? b : a;
}

// Bitonic merging (Batcher 1968) in the form that always puts the larger key behind: what would lie beyond
// the end is larger than all keys and never moves, so any number of keys is sorted without padding.
inline void sort_lanes(Keys* keys, int count) {
  for (int size = 2; size / 2 < count; size *= 2) {
    for (int block = 0; block < count; block += size) {
      const int first = block + size > count ? block + size - count : 0;  // the partner is among the keys
      for (int i = first; i < size / 2; ++i) order(keys[block + i], keys[block + size - 1 - i]);
    }
    for (int apart = size / 4; apart > 0; apart /= 2)
      for (int block = 0; block + apart < count; block += 2 * apart) {
        const int most = count - block - apart < apart ? count - block - apart : apart;
        for (int i = block; i < block + most; ++i) order(keys[i], keys[i + apart]);
      }
  }
}

inline void lane_splits(std::uint32_t* values, int count, const std::uint32_t* totals, LaneSplits* result) {
  Keys* keys = reinterpret_cast<Keys*>(values);
  sort_lanes(keys, count);
  constexpr int classes = SplitKernels::classes;
  Floats left[classes], right[classes];
  for (int c = 0; c < classes; ++c) {
    left[c] = Floats{};
    right[c] = Floats{} + static_cast<float>(totals[c]);
  }
  Floats best = Floats{} - 1.0F;
  Integers position = Integers{} - 1;
  for (int i = 0; i + 1 < count; ++i) {
    const Keys key = keys[i];
    const Floats weight = __builtin_convertvector(reinterpret_cast<Integers>((key >> 4) & 0xFFFU), Floats);
    const Keys label = key & 0xFU;
    Floats left_total{}, left_squares{}, right_total{}, right_squares{};
    for (int c = 0; c < classes; ++c) {
      const Floats moved = label == static_cast<std::uint32_t>(c) ? weight : Floats{};
      left[c] += moved;
      right[c] -= moved;
      left_total += left[c];
      right_total += right[c];
      left_squares += left[c] * left[c];
      right_squares += right[c] * right[c];
    }
    const Floats score = left_squares / left_total + right_squares / right_total;
    const Keys differs = (key ^ keys[i + 1]) >> 16;
    const Integers better = (reinterpret_cast<Integers>(differs) != 0) & (score > best);
    best = better ? score : best;
    position = better ? Integers{} + i : position;
  }
  for (int lane = 0; lane < SplitKernels::lanes; ++lane) {
    result->score[lane] = best[lane];
    result->position[lane] = position[lane];
  }
}

// A histogram's running sums, and the scores of its boundaries: scores[b] is the one before bin b.
struct BinSums {
  static constexpr int bins = SplitKernels::bins, classes = SplitKernels::classes,
                       lanes = SplitKernels::lanes;
  alignas(32) std::int32_t left[classes][bins];  // up to and with the bin
  alignas(32) float scores[bins + lanes], weights[bins + lanes];

  BinSums(const std::uint64_t* histogram, const std::uint32_t* totals) {
    std::uint64_t sum = 0;
    for (int b = 0; b < bins; ++b) {
      sum += histogram[b];
      for (int c = 0; c < classes; ++c) left[c][b] = static_cast<std::int32_t>(sum >> (16 * c) & 0xFFFFU);
    }
    float squares = 0, total = 0;
    for (int c = 0; c < classes; ++c) {
      squares += static_cast<float>(totals[c]) * static_cast<float>(totals[c]);
      total += static_cast<float>(totals[c]);
    }
    scores[0] = squares / total;
    weights[0] = 0;
    for (int b = 0; b < bins; b += lanes) {
      Floats side[classes], total_left, score;
      for (int c = 0; c < classes; ++c) load(left[c] + b, side[c]);
      rate(side, totals, total_left, score);
      __builtin_memcpy(scores + b + 1, &score, sizeof score);
      __builtin_memcpy(weights + b + 1, &total_left, sizeof total_left);
    }
  }

  // One unit of weight that changes side changes each of the two sums by at most 1, so no split inside a bin
  // can score more than this. 0 for bins that hold one unit at most.
  void rough_bound(int b, Floats& bound) const {
    Floats before, after, from, to;
    __builtin_memcpy(&before, scores + b, sizeof before);
    __builtin_memcpy(&after, scores + b + 1, sizeof after);
    __builtin_memcpy(&from, weights + b, sizeof from);
    __builtin_memcpy(&to, weights + b + 1, sizeof to);
    const Floats weight = to - from;
    bound = weight > Floats{} + 1.5F ? (before + after) * 0.5F + weight : Floats{};
  }

  // The score is a convex function of the classes' weights on the left, so inside a bin it is at most what it
  // is in a corner of the box between the bin's two ends.
  void bound(int b, const std::uint32_t* totals, Floats& most) const {
    Floats first[classes], last[classes];
    for (int c = 0; c < classes; ++c) {
      load(left[c] + b, last[c]);
      Integers before{};
      if (b > 0)
        __builtin_memcpy(&before, left[c] + b - 1, sizeof before);
      else
        __builtin_memcpy(reinterpret_cast<std::int32_t*>(&before) + 1, left[c],
                         sizeof before - sizeof(std::int32_t));
      first[c] = __builtin_convertvector(before, Floats);
    }
    most = Floats{};
    for (unsigned corner = 0; corner < 1U << classes; ++corner) {
      Floats side[classes], total_left, score;
      for (int c = 0; c < classes; ++c) side[c] = (corner >> c & 1U) != 0 ? last[c] : first[c];
      rate(side, totals, total_left, score);
      most = score > most ? score : most;
    }
  }

 private:
  static void load(const std::int32_t* from, Floats& to) {
    Integers values;
    __builtin_memcpy(&values, from, sizeof values);
    to = __builtin_convertvector(values, Floats);
  }
  static void rate(const Floats* side, const std::uint32_t* totals, Floats& total_left, Floats& score) {
    Floats left_squares{}, right_total{}, right_squares{};
    total_left = Floats{};
    for (int c = 0; c < classes; ++c) {
      const Floats right = static_cast<float>(totals[c]) - side[c];
      total_left += side[c];
      right_total += right;
      left_squares += side[c] * side[c];
      right_squares += right * right;
    }
    const Floats one = Floats{} + 1.0F;
    score = left_squares / (total_left > one ? total_left : one) +
            right_squares / (right_total > one ? right_total : one);
  }
};

inline BinScores scan_bins(const std::uint64_t* histogram, const std::uint32_t* totals) {
  const BinSums sums(histogram, totals);
  Floats top{}, potential{};
  for (int b = 0; b < BinSums::bins; b += BinSums::lanes) {
    Floats score, bound;
    __builtin_memcpy(&score, sums.scores + b + 1, sizeof score);
    sums.rough_bound(b, bound);
    top = score > top ? score : top;
    potential = bound > potential ? bound : potential;
  }
  BinScores result{0, 0};
  for (int lane = 0; lane < BinSums::lanes; ++lane) {
    if (top[lane] > result.top) result.top = top[lane];
    if (potential[lane] > result.potential) result.potential = potential[lane];
  }
  return result;
}

inline int find_bins(const std::uint64_t* histogram, const std::uint32_t* totals, float least, bool* boundary,
                     bool* inside) {
  const BinSums sums(histogram, totals);
  int found = 0;
  for (int b = 0; b < BinSums::bins; b += BinSums::lanes) {
    Floats rough, bound{};
    sums.rough_bound(b, rough);
    const Integers hopeful = rough >= least;
    bool any = false;
    for (int lane = 0; lane < BinSums::lanes; ++lane) any |= hopeful[lane] != 0;
    if (any) {
      sums.bound(b, totals, bound);
      bound = hopeful ? bound : Floats{};
    }
    for (int lane = 0; lane < BinSums::lanes; ++lane) {
      boundary[b + lane] = sums.scores[b + lane + 1] >= least;
      inside[b + lane] = bound[lane] >= least;
      if (boundary[b + lane]) found |= 1;
      if (inside[b + lane]) found |= 2;
    }
  }
  return found;
}

constexpr SplitKernels split_kernels = {
    .lane_splits = lane_splits, .scan_bins = scan_bins, .find_bins = find_bins};

}  // namespace lrid::learn::LRID_TARGET
