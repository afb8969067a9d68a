// The inner loops over values, in Highway: compiled once for each vector unit, the widest that the machine
// has is chosen when the program runs. Sums have eight lanes on all of them and nothing is contracted
// (-ffp-contract=off), so the bits are the same everywhere.
#include "kernels.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include <hwy/contrib/sort/vqsort.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels.cpp"
// Leaves out targets whose vector size is unknown at compile time, or that gain nothing over the next
// smaller.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "formulas-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lrid::stats::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Float64 lanes of sums: at most eight to a vector, `parts` vectors make eight.
using Wide = hn::CappedTag<double, lane_count>;
constexpr std::size_t wide_lanes = hn::MaxLanes(Wide());
constexpr std::size_t parts = lane_count / wide_lanes;
using WideVector = hn::Vec<Wide>;

template <class T>
using Tag = hn::CappedTag<T, 64 / sizeof(T)>;
template <class T>
constexpr std::size_t lanes_of = hn::MaxLanes(Tag<T>());

HWY_INLINE WideVector load_wide(const double* p) {
  return hn::LoadU(Wide(), p);
}
HWY_INLINE WideVector load_wide(const float* p) {
  return hn::PromoteTo(Wide(), hn::LoadU(hn::Rebind<float, Wide>(), p));
}

/// Eight sums-of-something: `Sums` in each part, and what a block adds to the totals in memory.
template <class Sums, std::size_t count>
struct Parts {
  Sums part[parts];

  HWY_INLINE Parts() {
    for (Sums& sums : part)
      for (std::size_t i = 0; i < count; ++i) sums.sum[i] = hn::Zero(Wide());
  }
  HWY_INLINE void add_to(double (*totals)[lane_count]) const {
    for (std::size_t k = 0; k < parts; ++k)
      for (std::size_t i = 0; i < count; ++i) {
        double* const total = totals[i] + k * wide_lanes;
        hn::StoreU(hn::LoadU(Wide(), total) + part[k].sum[i], Wide(), total);
      }
  }
};

/// Calls `body(pointer, index, count)` for eight values at a time; the last, incomplete eight come from a
/// copy filled up with zeros.
template <class T, class Body>
HWY_INLINE void for_eights(const T* values, std::size_t n, const Body& body) {
  std::size_t i = 0;
  for (; i + lane_count <= n; i += lane_count) body(values + i, i, lane_count);
  if (i == n) return;
  T tail[lane_count] = {};
  std::memcpy(tail, values + i, (n - i) * sizeof(T));
  body(tail, i, n - i);
}

/// The same for whole vectors of T, with the mask of those that are there.
template <class T, class Body>
HWY_INLINE void for_vectors(const T* values, std::size_t n, const Body& body) {
  constexpr Tag<T> d;
  constexpr std::size_t lanes = lanes_of<T>;
  const auto all = hn::FirstN(d, lanes);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) body(hn::LoadU(d, values + i), all);
  if (i == n) return;
  T tail[lanes] = {};
  std::memcpy(tail, values + i, (n - i) * sizeof(T));
  body(hn::LoadU(d, tail), hn::FirstN(d, n - i));
}

/// Writes the lanes of the mask and returns how many; what lies behind them is overwritten.
template <class T, class V, class M>
HWY_INLINE std::size_t store_masked(V v, M mask, T* out) {
  constexpr Tag<T> d;
  hn::StoreU(hn::Compress(v, mask), d, out);
  return hn::CountTrue(d, mask);
}

template <class T>
void extremes(const T* values, std::size_t n, T& low, T& high) {
  constexpr Tag<T> d;
  auto least = hn::Set(d, values[0]), most = least;
  for_vectors(values, n, [&](auto v, auto mask) HWY_ATTR {
    v = hn::IfThenElse(mask, v, least);
    least = hn::Min(least, v);
    most = hn::Max(most, hn::IfThenElse(mask, v, most));
  });
  T lowest[lanes_of<T>], highest[lanes_of<T>];
  hn::StoreU(least, d, lowest);
  hn::StoreU(most, d, highest);
  low = *std::min_element(lowest, lowest + lanes_of<T>);
  high = *std::max_element(highest, highest + lanes_of<T>);
}

template <bool scaled, class T>
HWY_INLINE void add_powers_scaled(const T* values, std::size_t n, double scale, PowerTotals& totals) {
  constexpr Wide d;
  Parts<PowerSums<WideVector>, PowerSums<WideVector>::count> sums;
  const auto factor = hn::Set(d, scale);
  for_eights(values, n, [&](const T* p, std::size_t, std::size_t) HWY_ATTR {
    for (std::size_t k = 0; k < parts; ++k) {
      auto v = load_wide(p + k * wide_lanes);
      if constexpr (scaled) v = v * factor;
      sums.part[k].add(v, hn::Abs(v));
    }
  });
  sums.add_to(totals.sum);
}

template <class T>
void add_powers(const T* values, std::size_t n, double scale, PowerTotals& totals) {
  if (n == 0) return;
  if (scale == 1)
    add_powers_scaled<false>(values, n, scale, totals);
  else
    add_powers_scaled<true>(values, n, scale, totals);
  T low, high;
  extremes(values, n, low, high);
  totals.low = std::min(totals.low, static_cast<double>(low) * scale);
  totals.high = std::max(totals.high, static_cast<double>(high) * scale);
}

template <class T>
void add_central(const T* values, std::size_t n, double scale, const Centres& centres,
                 CentralTotals& totals) {
  using Sums = CentralSums<WideVector>;
  constexpr Wide d;
  Parts<Sums, Sums::count> sums;
  const auto factor = hn::Set(d, scale);
  const auto raw = hn::Set(d, centres.raw), absolute = hn::Set(d, centres.absolute),
             square = hn::Set(d, centres.square);
  for_eights(values, n, [&](const T* p, std::size_t, std::size_t count) HWY_ATTR {
    for (std::size_t k = 0; k < parts; ++k) {
      // Zeros that fill up the last eight are at a distance from the centre, too: not counted.
      const auto there =
          hn::FirstN(d, count > k * wide_lanes ? std::min(count - k * wide_lanes, wide_lanes) : 0);
      const auto v = load_wide(p + k * wide_lanes) * factor;
      sums.part[k].add(Sums::raw, hn::IfThenElseZero(there, v - raw));
      sums.part[k].add(Sums::absolute, hn::IfThenElseZero(there, hn::Abs(v) - absolute));
      sums.part[k].add(Sums::square, hn::IfThenElseZero(there, v * v - square));
    }
  });
  sums.add_to(totals.sum);
}

template <bool with_absolute, class T>
HWY_INLINE std::size_t collect_from(const T* values, std::size_t n, const Brackets<T>& brackets, Above& above,
                                    T* list) {
  constexpr Tag<T> d;
  const auto low0 = hn::Set(d, brackets.raw[0].low), high0 = hn::Set(d, brackets.raw[0].high);
  const auto low1 = hn::Set(d, brackets.raw[1].low), high1 = hn::Set(d, brackets.raw[1].high);
  const auto low2 = hn::Set(d, brackets.absolute[0].low), high2 = hn::Set(d, brackets.absolute[0].high);
  const auto low3 = hn::Set(d, brackets.absolute[1].low), high3 = hn::Set(d, brackets.absolute[1].high);
  std::size_t count0 = 0, count1 = 0, count2 = 0, count3 = 0;
  T* out = list;
  for_vectors(values, n, [&](auto v, auto there) HWY_ATTR {
    const auto above0 = hn::And(hn::Gt(v, low0), there), above1 = hn::And(hn::Gt(v, low1), there);
    count0 += hn::CountTrue(d, above0);
    count1 += hn::CountTrue(d, above1);
    auto wanted = hn::Or(hn::And(above0, hn::Lt(v, high0)), hn::And(above1, hn::Lt(v, high1)));
    if constexpr (with_absolute) {
      const auto a = hn::Abs(v);
      const auto above2 = hn::And(hn::Gt(a, low2), there), above3 = hn::And(hn::Gt(a, low3), there);
      count2 += hn::CountTrue(d, above2);
      count3 += hn::CountTrue(d, above3);
      wanted = hn::Or(wanted, hn::Or(hn::And(above2, hn::Lt(a, high2)), hn::And(above3, hn::Lt(a, high3))));
    }
    out += store_masked(v, wanted, out);
  });
  above.count[0] += count0;
  above.count[1] += count1;
  above.count[2] += count2;
  above.count[3] += count3;
  return static_cast<std::size_t>(out - list);
}

template <class T>
std::size_t collect(const T* values, std::size_t n, const Brackets<T>& brackets, bool with_absolute,
                    Above& above, T* list) {
  return with_absolute ? collect_from<true>(values, n, brackets, above, list)
                       : collect_from<false>(values, n, brackets, above, list);
}

template <class T>
std::size_t extract(const T* values, std::size_t n, const Bracket<T>& bracket, bool absolute, T* out) {
  constexpr Tag<T> d;
  const auto low = hn::Set(d, bracket.low), high = hn::Set(d, bracket.high);
  // |v| where asked for: the sign bit is cleared, or nothing is.
  const auto sign = hn::Set(d, absolute ? T(-0.0) : T(0));
  const T* const begin = out;
  for_vectors(values, n, [&](auto v, auto there) HWY_ATTR {
    v = hn::AndNot(sign, v);
    out += store_masked(v, hn::And(hn::And(hn::Gt(v, low), hn::Lt(v, high)), there), out);
  });
  return static_cast<std::size_t>(out - begin);
}

HWY_INLINE auto truncate(hn::Vec<Tag<float>> v) {
  return hn::ConvertTo(hn::RebindToSigned<Tag<float>>(), v);
}
HWY_INLINE auto truncate(hn::Vec<Tag<double>> v) {
  return hn::DemoteTo(hn::Rebind<std::int32_t, Tag<double>>(), v);
}

template <class T>
void count_bins(const T* values, std::size_t n, T low, T scale, std::uint32_t* histogram) {
  constexpr Tag<T> d;
  constexpr hn::Rebind<std::int32_t, Tag<T>> di;
  const auto from = hn::Set(d, low), factor = hn::Set(d, scale);
  for_vectors(values, n, [&](auto v, auto there) HWY_ATTR {
    std::int32_t bins[lanes_of<T>];
    hn::StoreU(truncate((v - from) * factor), di, bins);
    const std::size_t count = hn::CountTrue(d, there);
    for (std::size_t i = 0; i < count; ++i) ++histogram[bins[i]];
  });
}

template <class T>
std::size_t keep_bin(T* values, std::size_t n, T low, T scale, std::uint32_t bin) {
  constexpr Tag<T> d;
  const auto from = hn::Set(d, low), factor = hn::Set(d, scale);
  const auto first = hn::Set(d, static_cast<T>(bin)), next = hn::Set(d, static_cast<T>(bin + 1));
  T* out = values;  // never ahead of what is read: the list has room for a vector more
  for_vectors(values, n, [&](auto v, auto there) HWY_ATTR {
    const auto at = (v - from) * factor;
    out += store_masked(v, hn::And(hn::And(hn::Ge(at, first), hn::Lt(at, next)), there), out);
  });
  return static_cast<std::size_t>(out - values);
}

template <class T>
void add_where_positive(const T* values, const double* weights, std::size_t n, double* lanes) {
  constexpr Wide d;
  WideVector sum[parts];
  for (auto& part : sum) part = hn::Zero(d);
  for_eights(values, n, [&](const T* p, std::size_t i, std::size_t count) HWY_ATTR {
    double few[lane_count] = {};
    const double* w = weights + i;
    if (count < lane_count) {  // weights end with the values
      std::memcpy(few, w, count * sizeof(double));
      w = few;
    }
    for (std::size_t k = 0; k < parts; ++k) {
      const auto positive = hn::Gt(load_wide(p + k * wide_lanes), hn::Zero(d));
      sum[k] = sum[k] + hn::IfThenElseZero(positive, hn::LoadU(d, w + k * wide_lanes));
    }
  });
  for (std::size_t k = 0; k < parts; ++k) {
    double* const total = lanes + k * wide_lanes;
    hn::StoreU(hn::LoadU(d, total) + sum[k], d, total);
  }
}

template <class T>
std::size_t compress(const T* values, const std::uint8_t* bits, std::size_t n, T* out) {
  constexpr Tag<T> d;
  constexpr std::size_t lanes = lanes_of<T>, step = std::max<std::size_t>(lanes, 8);
  const T* const begin = out;
  T tail[step] = {};
  for (std::size_t i = 0; i < n; i += step, bits += step / 8) {
    const T* p = values + i;
    std::uint8_t here[8] = {};
    std::memcpy(here, bits, step / 8);
    if (i + step > n) {
      std::memcpy(tail, p, (n - i) * sizeof(T));
      p = tail;
    }
    for (std::size_t k = 0; k < step; k += lanes) {
      std::uint8_t mask[8] = {here[0], here[1]};
      if constexpr (lanes < 8) mask[0] = static_cast<std::uint8_t>(here[0] >> k & ((1U << lanes) - 1));
      out += store_masked(hn::LoadU(d, p + k), hn::LoadMaskBits(d, mask), out);
    }
  }
  return static_cast<std::size_t>(out - begin);
}

/// sd·noise in T, added to the value.
template <class T>
void add_noise(const T* values, const float* noise, double sd, std::size_t n, T* out) {
  constexpr Tag<T> d;
  constexpr std::size_t lanes = lanes_of<T>;
  const auto factor = hn::Set(d, static_cast<T>(sd));
  const auto load_noise = [&](const float* p) HWY_ATTR {
    if constexpr (sizeof(T) == sizeof(float))
      return hn::LoadU(d, p);
    else
      return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, Tag<double>>(), p));
  };
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::LoadU(d, values + i) + factor * load_noise(noise + i), d, out + i);
  for (; i < n; ++i) out[i] = values[i] + static_cast<T>(sd) * static_cast<T>(noise[i]);
}

struct FloatOps {
  using DF = Tag<float>;
  using DI = hn::RebindToSigned<DF>;
  using F = hn::Vec<DF>;
  using I = hn::Vec<DI>;
  HWY_INLINE F real(float v) const { return hn::Set(DF(), v); }
  HWY_INLINE I integer(int v) const { return hn::Set(DI(), v); }
  HWY_INLINE F to_float(I v) const { return hn::ConvertTo(DF(), v); }
  HWY_INLINE F as_float(I v) const { return hn::BitCast(DF(), v); }
  HWY_INLINE I as_bits(F v) const { return hn::BitCast(DI(), v); }
  HWY_INLINE I and_(I a, I b) const { return hn::And(a, b); }
  HWY_INLINE I xor_(I a, I b) const { return hn::Xor(a, b); }
  HWY_INLINE I subtract(I a, I b) const { return a - b; }
  HWY_INLINE I shift_right_23(I v) const { return hn::ShiftRight<23>(v); }
  HWY_INLINE I shift_left_23(I v) const { return hn::ShiftLeft<23>(v); }
  HWY_INLINE F square_root(F v) const { return hn::Sqrt(v); }
};

using D64 = hn::CappedTag<std::uint64_t, 8>;
constexpr std::size_t lanes64 = hn::MaxLanes(D64());

/// mix64 of core/random.hpp.
HWY_INLINE hn::Vec<D64> mix(hn::Vec<D64> z) {
  constexpr D64 d;
  z = hn::Xor(z, hn::ShiftRight<30>(z)) * hn::Set(d, 0xBF58476D1CE4E5B9ULL);
  z = hn::Xor(z, hn::ShiftRight<27>(z)) * hn::Set(d, 0x94D049BB133111EBULL);
  return hn::Xor(z, hn::ShiftRight<31>(z));
}

/// The upper halves of elements i, i + 1, …, one for each lane of a vector of floats. `state(i)`: what
/// Key::bits mixes for those of half a vector.
template <class State>
HWY_INLINE auto upper_bits(const State& state, std::size_t i) {
  constexpr hn::RebindToSigned<Tag<float>> d;
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(d, static_cast<std::int32_t>(hn::GetLane(mix(state(i))) >> 32));
#else
  return hn::ConcatOdd(d, hn::BitCast(d, mix(state(i + lanes64))), hn::BitCast(d, mix(state(i))));
#endif
}

template <class State>
HWY_INLINE void normals_from(std::size_t n, const State& state, float* out) {
  constexpr Tag<float> d;
  constexpr std::size_t lanes = lanes_of<float>;
  for (std::size_t i = 0; i < n; i += lanes) {
    const auto z = normal_of_bits(FloatOps(), upper_bits(state, i));
    if (i + lanes <= n) {
      hn::StoreU(z, d, out + i);
    } else {
      float few[lanes];
      hn::StoreU(z, d, few);
      std::memcpy(out + i, few, (n - i) * sizeof(float));
    }
  }
}

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;

void normals(std::uint64_t key, const UnitOrder& order, std::size_t begin, std::size_t n, float* out) {
  constexpr D64 d;
  const bool canonical = order.channels == 1 || order.positions == 1;
  const auto channels = static_cast<std::size_t>(order.channels);
  // Along the channels of a position, canonical indices are equally far apart.
  const std::uint64_t step = (canonical ? 1 : static_cast<std::uint64_t>(order.positions)) * golden;
  const auto ramp = hn::Iota(d, 0) * hn::Set(d, step);
  for (std::size_t i = 0; i < n;) {
    const std::size_t run = canonical ? n : std::min(n - i, channels - (begin + i) % channels);
    const auto first =
        static_cast<std::uint64_t>(order.canonical_index(static_cast<std::int64_t>(begin + i)));
    const std::uint64_t start = key + (first + 1) * golden;  // all of this wraps
    normals_from(
        run, [&](std::size_t k) HWY_ATTR { return ramp + hn::Set(d, start + k * step); }, out + i);
    i += run;
  }
}

void normals_of(std::uint64_t key, const std::uint32_t* elements, std::size_t n, float* out) {
  constexpr D64 d;
  const auto start = hn::Set(d, key + golden);
  normals_from(
      n,
      [&](std::size_t i) HWY_ATTR {
        std::uint64_t few[lanes64] = {};
        for (std::size_t k = 0; k < lanes64 && i + k < n; ++k) few[k] = elements[i + k];
        return start + hn::LoadU(d, few) * hn::Set(d, golden);
      },
      out);
}

void widen_half(const std::uint16_t* values, std::size_t n, float* out) {
  constexpr Tag<float> d;
  constexpr hn::Rebind<hwy::float16_t, Tag<float>> half;
  constexpr std::size_t lanes = lanes_of<float>;
  const auto load = [&](const std::uint16_t* p) HWY_ATTR {
    return hn::PromoteTo(d, hn::BitCast(half, hn::LoadU(hn::RebindToUnsigned<decltype(half)>(), p)));
  };
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(load(values + i), d, out + i);
  if (i == n) return;
  std::uint16_t tail[lanes] = {};
  float few[lanes];
  std::memcpy(tail, values + i, (n - i) * sizeof(*values));
  hn::StoreU(load(tail), d, few);
  std::memcpy(out + i, few, (n - i) * sizeof(float));
}

void widen_brain(const std::uint16_t* values, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t bits = std::uint32_t{values[i]} << 16;
    std::memcpy(out + i, &bits, sizeof bits);
  }
}

template <class T>
constexpr Kernels<T> kernels_of{add_powers<T>, add_central<T>, collect<T>,  extract<T>,
                                extremes<T>,   count_bins<T>,  keep_bin<T>, add_where_positive<T>,
                                compress<T>,   add_noise<T>};

const KernelTable* table() {
  static constexpr KernelTable all{kernels_of<float>, kernels_of<double>, normals,
                                   normals_of,        widen_half,         widen_brain};
  return &all;
}

}  // namespace lrid::stats::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lrid::stats {

namespace {

HWY_EXPORT(table);

/// Working memory of its own for each thread.
template <class T>
void sort_ascending(T* values, std::size_t n) {
  thread_local const hwy::Sorter sorter;
  sorter(values, n, hwy::SortAscending());
}

}  // namespace

const KernelTable& kernel_table() {
  return *HWY_DYNAMIC_DISPATCH(table)();
}

void sort_few(float* values, std::size_t n) {
  sort_ascending(values, n);
}
void sort_few(double* values, std::size_t n) {
  sort_ascending(values, n);
}

}  // namespace lrid::stats

#endif
