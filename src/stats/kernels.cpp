// The inner loops over values. They are written with four explicit lanes (GCC and Clang vector extensions),
// so that the order of additions, and with it every bit, is the same for SSE2, AVX2 and NEON; the compiler
// makes one copy for each of the vector units named in LRID_CLONES and the right one is chosen when the
// program starts. Compiled with -ffp-contract=off.
#include "kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

// Sanitizers instrument the resolver that chooses, which runs before they are ready.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LRID_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define LRID_CLONES
#endif
#define LRID_INLINE [[gnu::always_inline]] inline

namespace lrid::stats {

namespace {

constexpr std::size_t lane_count = 4;
constexpr std::size_t block = 2048;  // additions run over blocks first: the rounding error grows by the block

using Lanes = double __attribute__((vector_size(32)));
using FloatLanes = float __attribute__((vector_size(16)));

LRID_INLINE void load(const float* p, Lanes& out) {
  FloatLanes narrow;
  std::memcpy(&narrow, p, sizeof narrow);
  out = __builtin_convertvector(narrow, Lanes);
}
LRID_INLINE void load(const double* p, Lanes& out) {
  std::memcpy(&out, p, sizeof out);
}

/// One accumulator of four lanes whose blocks are added up in `total`.
struct Sum {
  Lanes lanes{};
  double total = 0;

  LRID_INLINE void end_block() {
    total += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    lanes = Lanes{};
  }
};

/// Runs `body(pointer, index, count)` for four values at a time and `end_block` after every block. The last
/// `count` values may be fewer than four: then the pointer is to a copy filled up with `padding`, which
/// `body` must not count.
template <class T, class Body, class EndBlock>
LRID_INLINE void for_lanes(const T* values, std::size_t n, T padding, const Body& body,
                           const EndBlock& end_block) {
  for (std::size_t start = 0; start < n; start += block) {
    const std::size_t end = std::min(n, start + block);
    std::size_t i = start;
    for (; i + lane_count <= end; i += lane_count) body(values + i, i, lane_count);
    if (i < end) {
      T tail[lane_count];
      for (std::size_t k = 0; k < lane_count; ++k) tail[k] = i + k < end ? values[i + k] : padding;
      body(tail, i, end - i);
    }
    end_block();
  }
}

template <class T>
LRID_INLINE Overview overview_of(const T* values, std::size_t n, double scale) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Sum sum, sum_abs, sum_square;
  Lanes low = Lanes{} + infinity, high = Lanes{} - infinity;
  // A padding of 0 adds nothing to the sums; the extremes of the tail are looked at one by one.
  for_lanes(
      values, n, T(0),
      [&](const T* p, std::size_t, std::size_t count) __attribute__((always_inline)) {
        Lanes v;
        load(p, v);
        v *= scale;
        const Lanes a = v < 0 ? -v : v;
        sum.lanes += v;
        sum_abs.lanes += a;
        sum_square.lanes += v * v;
        if (count == lane_count) {
          low = v < low ? v : low;
          high = v > high ? v : high;
        } else {
          for (std::size_t k = 0; k < count; ++k) {
            low[k] = v[k] < low[k] ? v[k] : low[k];
            high[k] = v[k] > high[k] ? v[k] : high[k];
          }
        }
      },
      [&] {
        sum.end_block();
        sum_abs.end_block();
        sum_square.end_block();
      });
  const auto least = [](const Lanes& v) { return std::min(std::min(v[0], v[1]), std::min(v[2], v[3])); };
  return {sum.total, sum_abs.total, sum_square.total, least(low), -least(-high)};
}

/// Four sums of powers of the distance from a centre.
struct PowerSums {
  Sum first, second, third, fourth;

  LRID_INLINE void add(const Lanes& d) {
    const Lanes square = d * d;
    first.lanes += d;
    second.lanes += square;
    third.lanes += square * d;
    fourth.lanes += square * square;
  }
  LRID_INLINE void end_block() {
    first.end_block();
    second.end_block();
    third.end_block();
    fourth.end_block();
  }
  [[nodiscard]] Moments mean(std::size_t n) const {
    const auto count = static_cast<double>(n);
    return {first.total / count, second.total / count, third.total / count, fourth.total / count};
  }
};

template <bool with_absolute, class T>
LRID_INLINE AllMoments moments_of(const T* values, std::size_t n, double scale, const Centres& centres) {
  const double centre = centres.raw, centre_abs = centres.absolute, centre_square = centres.square;
  PowerSums raw, absolute, square;
  for_lanes(
      values, n, T(0),
      [&](const T* p, std::size_t, std::size_t count) __attribute__((always_inline)) {
        Lanes v;
        load(p, v);
        v *= scale;
        Lanes d = v - centre, da = (v < 0 ? -v : v) - centre_abs, ds = v * v - centre_square;
        if (count < lane_count)
          for (std::size_t k = count; k < lane_count; ++k) d[k] = da[k] = ds[k] = 0;  // what is padded
        raw.add(d);
        if constexpr (with_absolute) absolute.add(da);
        square.add(ds);
      },
      [&] {
        raw.end_block();
        if constexpr (with_absolute) absolute.end_block();
        square.end_block();
      });
  return {raw.mean(n), absolute.mean(n), square.mean(n)};
}

template <class T>
LRID_INLINE double sum_where_positive_of(const T* values, const double* weights, std::size_t n) {
  Sum sum;
  for_lanes(
      values, n, T(0),  // 0 is not positive: what is padded does not count
      [&](const T* p, std::size_t i, std::size_t count) __attribute__((always_inline)) {
        Lanes v, w{};
        load(p, v);
        if (count == lane_count)
          load(weights + i, w);
        else
          for (std::size_t k = 0; k < count; ++k) w[k] = weights[i + k];
        sum.lanes += v > 0 ? w : Lanes{};
      },
      [&] { sum.end_block(); });
  return sum.total;
}

}  // namespace

LRID_CLONES Overview overview(const float* values, std::size_t n, double scale) {
  return overview_of(values, n, scale);
}
LRID_CLONES Overview overview(const double* values, std::size_t n, double scale) {
  return overview_of(values, n, scale);
}
LRID_CLONES AllMoments moments(const float* values, std::size_t n, double scale, const Centres& centres,
                               bool with_absolute) {
  return with_absolute ? moments_of<true>(values, n, scale, centres)
                       : moments_of<false>(values, n, scale, centres);
}
LRID_CLONES AllMoments moments(const double* values, std::size_t n, double scale, const Centres& centres,
                               bool with_absolute) {
  return with_absolute ? moments_of<true>(values, n, scale, centres)
                       : moments_of<false>(values, n, scale, centres);
}
LRID_CLONES double sum_where_positive(const float* values, const double* weights, std::size_t n) {
  return sum_where_positive_of(values, weights, n);
}
LRID_CLONES double sum_where_positive(const double* values, const double* weights, std::size_t n) {
  return sum_where_positive_of(values, weights, n);
}

}  // namespace lrid::stats
