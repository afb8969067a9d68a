#include "split.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/split.cpp"
#include "targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace lrid::learn::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

namespace {

using Tag = hn::CappedTag<std::uint32_t, split_lanes>;
using FloatTag = hn::RebindToFloat<Tag>;
using IntegerTag = hn::RebindToSigned<Tag>;
using Keys = hn::Vec<Tag>;
using Floats = hn::Vec<FloatTag>;
constexpr auto lanes = static_cast<int>(hn::MaxLanes(Tag()));

HWY_INLINE void order(std::uint32_t* first, std::uint32_t* second) {
  constexpr Tag d;
  const Keys a = hn::Load(d, first), b = hn::Load(d, second);
  hn::Store(hn::Min(a, b), d, first);
  hn::Store(hn::Max(a, b), d, second);
}

/// Sorts the keys of some lanes by bitonic merging (Batcher 1968) in the form that always puts the larger key
/// second: keys missing at the end would be larger than all others and never move, so that any number is
/// sorted without padding.
HWY_INLINE void sort_lanes(std::uint32_t* keys, int count) {
  const auto key = [&](int i) HWY_ATTR { return keys + std::ptrdiff_t{i} * split_lanes; };
  for (int size = 2; size / 2 < count; size *= 2) {
    for (int block = 0; block < count; block += size) {
      const int first = block + size > count ? block + size - count : 0;  // from where the partner exists
      for (int i = first; i < size / 2; ++i) order(key(block + i), key(block + size - 1 - i));
    }
    for (int apart = size / 4; apart > 0; apart /= 2)
      for (int block = 0; block + apart < count; block += 2 * apart) {
        const int most = std::min(count - block - apart, apart);
        for (int i = block; i < block + most; ++i) order(key(i), key(i + apart));
      }
  }
}

HWY_INLINE void lane_splits_of(std::uint32_t* keys, int count, const std::uint32_t* totals, float* scores,
                               std::int32_t* positions) {
  constexpr Tag d;
  constexpr FloatTag df;
  constexpr IntegerTag di;
  sort_lanes(keys, count);
  Floats left[split_classes], right[split_classes];
  for (int c = 0; c < split_classes; ++c) {
    left[c] = hn::Zero(df);
    right[c] = hn::Set(df, static_cast<float>(totals[c]));
  }
  Floats best = hn::Set(df, -1.0F);
  auto position = hn::Set(di, -1);
  Keys next = hn::Load(d, keys);
  for (int i = 0; i + 1 < count; ++i) {
    const Keys key = next;
    next = hn::Load(d, keys + std::ptrdiff_t{i + 1} * split_lanes);
    const Floats weight =
        hn::ConvertTo(df, hn::BitCast(di, hn::And(hn::ShiftRight<4>(key), hn::Set(d, 0xFFFU))));
    const Keys label = hn::And(key, hn::Set(d, 0xFU));
    Floats left_total = hn::Zero(df), right_total = hn::Zero(df);
    Floats left_squares = hn::Zero(df), right_squares = hn::Zero(df);
    for (int c = 0; c < split_classes; ++c) {
      const auto is_class = hn::RebindMask(df, hn::Eq(label, hn::Set(d, static_cast<std::uint32_t>(c))));
      const Floats moved = hn::IfThenElseZero(is_class, weight);
      left[c] = hn::Add(left[c], moved);
      right[c] = hn::Sub(right[c], moved);
      left_total = hn::Add(left_total, left[c]);
      right_total = hn::Add(right_total, right[c]);
      left_squares = hn::MulAdd(left[c], left[c], left_squares);
      right_squares = hn::MulAdd(right[c], right[c], right_squares);
    }
    const Floats score = hn::Add(hn::Div(left_squares, left_total), hn::Div(right_squares, right_total));
    const auto differs = hn::RebindMask(df, hn::Ne(hn::ShiftRight<16>(hn::Xor(key, next)), hn::Zero(d)));
    const auto better = hn::And(differs, hn::Gt(score, best));
    best = hn::IfThenElse(better, score, best);
    position = hn::IfThenElse(hn::RebindMask(di, better), hn::Set(di, i), position);
  }
  hn::StoreU(best, df, scores);
  hn::StoreU(position, di, positions);
}

/// The running sums of a histogram's classes, and the scores of its boundaries.
class BinSums {
 public:
  HWY_INLINE BinSums(const std::uint64_t* histogram, const std::uint32_t* totals) : totals_(totals) {
    constexpr FloatTag df;
    std::uint64_t sum = 0;
    for (int c = 0; c < split_classes; ++c) before_[c][0] = 0;
    for (int b = 0; b < split_bins; ++b) {
      sum += histogram[b];
      for (int c = 0; c < split_classes; ++c)
        before_[c][b + 1] = static_cast<std::int32_t>(sum >> (16 * c) & 0xFFFFU);
    }
    float squares = 0, total = 0;
    for (int c = 0; c < split_classes; ++c) {
      squares += static_cast<float>(totals[c]) * static_cast<float>(totals[c]);
      total += static_cast<float>(totals[c]);
    }
    scores_[0] = squares / total;
    weights_[0] = 0;
    for (int b = 0; b < split_bins; b += lanes) {
      Floats left[split_classes], total_left;
      for (int c = 0; c < split_classes; ++c) left[c] = load(before_[c] + b + 1);
      hn::StoreU(score(left, total_left), df, scores_ + b + 1);
      hn::StoreU(total_left, df, weights_ + b + 1);
    }
  }

  /// Scores of the boundaries after bins b, b + 1, …
  [[nodiscard]] HWY_INLINE Floats after(int b) const { return hn::LoadU(FloatTag(), scores_ + b + 1); }

  /// A unit of weight that changes side changes each of the two sums by at most 1, so no split within a bin
  /// can score more than this. 0 for bins that hold at most one unit.
  [[nodiscard]] HWY_INLINE Floats rough_bound(int b) const {
    constexpr FloatTag df;
    const Floats weight = hn::Sub(hn::LoadU(df, weights_ + b + 1), hn::LoadU(df, weights_ + b));
    const Floats ends = hn::Add(hn::LoadU(df, scores_ + b), after(b));
    return hn::IfThenElseZero(hn::Gt(weight, hn::Set(df, 1.5F)), hn::MulAdd(ends, hn::Set(df, 0.5F), weight));
  }

  /// The score is a convex function of the classes' weights on the left, so within a bin it is at most its
  /// value at a corner of the box between the bin's two ends.
  [[nodiscard]] HWY_INLINE Floats bound(int b) const {
    Floats first[split_classes], last[split_classes];
    for (int c = 0; c < split_classes; ++c) {
      first[c] = load(before_[c] + b);
      last[c] = load(before_[c] + b + 1);
    }
    Floats most = hn::Zero(FloatTag());
    for (unsigned corner = 0; corner < 1U << split_classes; ++corner) {
      Floats side[split_classes], total_left;
      for (unsigned c = 0; c < split_classes; ++c) side[c] = (corner >> c & 1U) != 0 ? last[c] : first[c];
      most = hn::Max(score(side, total_left), most);
    }
    return most;
  }

 private:
  static HWY_INLINE Floats load(const std::int32_t* from) {
    return hn::ConvertTo(FloatTag(), hn::LoadU(IntegerTag(), from));
  }

  /// The score with these weights of the classes on the left; sets their sum.
  HWY_INLINE Floats score(const Floats* left, Floats& total_left) const {
    constexpr FloatTag df;
    Floats left_squares = hn::Zero(df), right_total = hn::Zero(df), right_squares = hn::Zero(df);
    total_left = hn::Zero(df);
    for (int c = 0; c < split_classes; ++c) {
      const Floats right = hn::Sub(hn::Set(df, static_cast<float>(totals_[c])), left[c]);
      total_left = hn::Add(total_left, left[c]);
      right_total = hn::Add(right_total, right);
      left_squares = hn::MulAdd(left[c], left[c], left_squares);
      right_squares = hn::MulAdd(right, right, right_squares);
    }
    const Floats one = hn::Set(df, 1.0F);
    return hn::Add(hn::Div(left_squares, hn::Max(total_left, one)),
                   hn::Div(right_squares, hn::Max(right_total, one)));
  }

  const std::uint32_t* totals_;
  std::int32_t before_[split_classes][split_bins + 1];      // weights of the classes in the bins before
  float scores_[split_bins + 1], weights_[split_bins + 1];  // of the boundary before a bin, on its left
};

}  // namespace

void lane_splits(std::uint32_t* keys, int count, const std::uint32_t* totals, LaneSplits* result) {
  for (int lane = 0; lane < split_lanes; lane += lanes)
    lane_splits_of(keys + lane, count, totals, result->score + lane, result->position + lane);
}

BinScores scan(const std::uint64_t* histogram, const std::uint32_t* totals) {
  constexpr FloatTag df;
  const BinSums sums(histogram, totals);
  Floats top = hn::Zero(df), potential = hn::Zero(df);
  for (int b = 0; b < split_bins; b += lanes) {
    top = hn::Max(sums.after(b), top);
    potential = hn::Max(sums.rough_bound(b), potential);
  }
  return {hn::GetLane(hn::MaxOfLanes(df, top)), hn::GetLane(hn::MaxOfLanes(df, potential))};
}

int find(const std::uint64_t* histogram, const std::uint32_t* totals, float least, bool* boundary,
         bool* inside) {
  constexpr FloatTag df;
  const BinSums sums(histogram, totals);
  const Floats enough = hn::Set(df, least);
  int found = 0;
  for (int b = 0; b < split_bins; b += lanes) {
    const auto hopeful = hn::Ge(sums.rough_bound(b), enough);
    Floats bound = hn::Zero(df);
    if (!hn::AllFalse(df, hopeful)) bound = hn::IfThenElseZero(hopeful, sums.bound(b));
    float scores[lanes], bounds[lanes];
    hn::StoreU(sums.after(b), df, scores);
    hn::StoreU(bound, df, bounds);
    for (int lane = 0; lane < lanes; ++lane) {
      boundary[b + lane] = scores[lane] >= least;
      inside[b + lane] = bounds[lane] >= least;
      if (boundary[b + lane]) found |= 1;
      if (inside[b + lane]) found |= 2;
    }
  }
  return found;
}

}  // namespace lrid::learn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lrid::learn {

HWY_EXPORT(lane_splits);
HWY_EXPORT(scan);
HWY_EXPORT(find);

void find_lane_splits(std::uint32_t* keys, int count, const std::uint32_t* totals, LaneSplits* result) {
  HWY_DYNAMIC_DISPATCH(lane_splits)(keys, count, totals, result);
}

BinScores scan_bins(const std::uint64_t* histogram, const std::uint32_t* totals) {
  return HWY_DYNAMIC_DISPATCH(scan)(histogram, totals);
}

int find_bins(const std::uint64_t* histogram, const std::uint32_t* totals, float least, bool* boundary,
              bool* inside) {
  return HWY_DYNAMIC_DISPATCH(find)(histogram, totals, least, boundary, inside);
}

}  // namespace lrid::learn

#endif
