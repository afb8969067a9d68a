// The formulas of sums and noise, written once: Highway's kernels include this file once for each vector unit
// (V: a vector), CUDA kernels and plain code once (V: double or float). No formula here may be contracted
// into fused multiply-adds, so that every unit and device gives the same bits for the same order of
// additions.
#if defined(LRID_STATS_FORMULAS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef LRID_STATS_FORMULAS_INL_HPP
#undef LRID_STATS_FORMULAS_INL_HPP
#else
#define LRID_STATS_FORMULAS_INL_HPP
#endif

#ifdef HWY_NAMESPACE
#define LRID_UNIT HWY_NAMESPACE
#define LRID_FORMULA HWY_INLINE
#define LRID_LAMBDA HWY_ATTR
HWY_BEFORE_NAMESPACE();
#else
#define LRID_UNIT plain
#define LRID_LAMBDA
#ifdef __CUDACC__
#define LRID_FORMULA __host__ __device__ inline
#else
#define LRID_FORMULA inline
#endif
#endif

namespace lrid::stats::LRID_UNIT {

/// Sums of powers of the values and of their absolute values: with the even ones in common, all that the
/// moments of v, |v| and v² up to the fourth are made of.
template <class V>
struct PowerSums {
  enum { p1, p2, p3, p4, p6, p8, a1, a3, count };
  V sum[count];

  LRID_FORMULA void add(V v, V absolute) {
    const V square = v * v;
    const V fourth = square * square;
    sum[p1] = sum[p1] + v;
    sum[p2] = sum[p2] + square;
    sum[p3] = sum[p3] + square * v;
    sum[p4] = sum[p4] + fourth;
    sum[p6] = sum[p6] + fourth * square;
    sum[p8] = sum[p8] + fourth * fourth;
    sum[a1] = sum[a1] + absolute;
    sum[a3] = sum[a3] + square * absolute;
  }
  LRID_FORMULA void merge(const PowerSums& other) {
    for (int i = 0; i < count; ++i) sum[i] = sum[i] + other.sum[i];
  }
};

/// Sums of the first four powers of the distance of v, |v| and v² from a centre each.
template <class V>
struct CentralSums {
  enum { raw = 0, absolute = 4, square = 8, count = 12 };
  V sum[count];

  /// `function`: raw, absolute or square; d: distance from its centre.
  LRID_FORMULA void add(int function, V d) {
    const V d2 = d * d;
    sum[function] = sum[function] + d;
    sum[function + 1] = sum[function + 1] + d2;
    sum[function + 2] = sum[function + 2] + d2 * d;
    sum[function + 3] = sum[function + 3] + d2 * d2;
  }
  LRID_FORMULA void merge(const CentralSums& other) {
    for (int i = 0; i < count; ++i) sum[i] = sum[i] + other.sum[i];
  }
};

/// A standard normal number from 32 random bits (in the upper half of Key::bits), by inversion: the lower 31
/// bits k give the tail's probability p = (k + ½)·2⁻³², the upper one the sign. With x = 1 − 2p and
/// w = −log₂(4p(1−p)), the quantile is x·P(√(w + 5)), as erf⁻¹(x)/x is smooth in w and grows like √w
/// (Giles 2010, "Approximating the erfinv function"); P is a polynomial of degree 11, fitted to a relative
/// error of 2·10⁻⁶. Values reach ±6.3.
///
/// `Ops` has the types F (float) and I (32-bit integer) and the operations that are not arithmetic.
template <class Ops>
LRID_FORMULA typename Ops::F normal_of_bits(const Ops& ops, typename Ops::I bits) {
  using F = typename Ops::F;
  using I = typename Ops::I;
  const I sign = ops.and_(bits, ops.integer(static_cast<int>(0x80000000U)));
  const I k = ops.and_(bits, ops.integer(0x7FFFFFFF));
  const F p = (ops.to_float(k) + ops.real(0.5F)) * ops.real(0x1p-32F);
  const F y = ops.real(4.0F) * p * (ops.real(1.0F) - p);

  // log₂ y: exponent, and a polynomial on [√½, √2). Polynomials as sums of products in pairs (Estrin's
  // scheme): their operations wait for each other less than Horner's.
  const auto pair = [&](F at, float constant, float linear)
                        LRID_LAMBDA { return ops.real(constant) + ops.real(linear) * at; };
  const I shifted = ops.subtract(ops.as_bits(y), ops.integer(0x3F3504F3));
  const I exponent = ops.shift_right_23(shifted);
  const F m = ops.as_float(ops.subtract(ops.as_bits(y), ops.shift_left_23(exponent)));
  const F f = m - ops.real(1.0F);
  const F f2 = f * f;
  const F q =
      (pair(f, 1.442696452140808F, -0.7213640213012695F) +
       pair(f, 0.4806291460990906F, -0.35935065150260925F) * f2) +
      (pair(f, 0.29563361406326294F, -0.2695062756538391F) + ops.real(0.17212873697280884F) * f2) * (f2 * f2);
  const F w_plus_5 = ops.real(5.0F) - (ops.to_float(exponent) + q * f);

  const F t = ops.square_root(w_plus_5) - ops.real(4.1201165992055095F);
  const F t2 = t * t;
  const F t4 = t2 * t2;
  const F low = pair(t, 3.838191509246826F, 1.4005024433135986F) +
                pair(t, -0.05311243236064911F, 0.007676726207137108F) * t2;
  const F middle = pair(t, 0.004341421648859978F, -0.00629943422973156F) +
                   pair(t, 0.0044945962727069855F, -0.0009031551307998598F) * t2;
  const F high = pair(t, -0.0008567608892917633F, 0.0003924853226635605F) +
                 pair(t, 5.135187166160904e-05F, -3.458108039922081e-05F) * t2;
  const F z = (low + middle * t4) + high * (t4 * t4);
  const F x = ops.real(1.0F) - (p + p);
  return ops.as_float(ops.xor_(ops.as_bits(x * z), sign));
}

}  // namespace lrid::stats::LRID_UNIT

#ifdef HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
#undef LRID_UNIT
#undef LRID_FORMULA
#undef LRID_LAMBDA

#endif
