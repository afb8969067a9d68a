#include "hinge.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/hinge.cpp"
#include "targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace lrid::learn::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

namespace {

using Tag = hn::CappedTag<double, 4>;
using Vector = hn::Vec<Tag>;
constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Tag()));

HWY_INLINE double sum_of(Vector v) {
  return hn::GetLane(hn::SumOfLanes(Tag(), v));
}

/// `together` problems on rows begin … end, two rows at a time: a row's values are loaded once for all
/// problems, and the weights, which stay in the nearest cache, once for both rows.
template <int together>
HWY_INLINE void hinge_rows(const HingeBatch& batch, std::int64_t first, std::int64_t begin, std::int64_t end,
                           double* loss, double* sums) {
  constexpr Tag d;
  const std::int64_t width = batch.width;
  for (std::int64_t i = begin; i < end; i += 2) {
    const bool pair = i + 1 < end;
    const double* row0 = batch.x + i * batch.stride;
    const double* row1 = pair ? row0 + batch.stride : row0;
    Vector dot0[together], dot1[together];
    for (int k = 0; k < together; ++k) dot0[k] = dot1[k] = hn::Zero(d);
    for (std::int64_t j = 0; j < width; j += lanes) {
      const Vector x0 = hn::LoadU(d, row0 + j), x1 = hn::LoadU(d, row1 + j);
      for (int k = 0; k < together; ++k) {
        const Vector w = hn::LoadU(d, batch.weights[first + k] + j);
        dot0[k] = hn::MulAdd(x0, w, dot0[k]);
        dot1[k] = hn::MulAdd(x1, w, dot1[k]);
      }
    }
    for (int k = 0; k < together; ++k) {
      const int positive = batch.positive[first + k];
      const double y0 = batch.labels[i] == positive ? 1 : -1;
      const double y1 = pair && batch.labels[i + 1] == positive ? 1 : -1;
      const double output0 = sum_of(dot0[k]), output1 = sum_of(dot1[k]);
      double slack0 = 1 - y0 * output0, slack1 = pair ? 1 - y1 * output1 : 0;
      batch.outputs[first + k][i] = output0;
      if (pair) batch.outputs[first + k][i + 1] = output1;
      if (slack0 <= 0) slack0 = 0;
      if (slack1 <= 0) slack1 = 0;
      if (slack0 == 0 && slack1 == 0) continue;
      loss[first + k] += slack0 * slack0 + slack1 * slack1;
      double* sum = sums + (first + k) * width;
      if (slack0 == 0 || slack1 == 0) {
        const double* row = slack0 == 0 ? row1 : row0;
        const Vector a = hn::Set(d, slack0 == 0 ? y1 * slack1 : y0 * slack0);
        for (std::int64_t j = 0; j < width; j += lanes)
          hn::StoreU(hn::MulAdd(a, hn::LoadU(d, row + j), hn::LoadU(d, sum + j)), d, sum + j);
      } else {
        const Vector a0 = hn::Set(d, y0 * slack0), a1 = hn::Set(d, y1 * slack1);
        for (std::int64_t j = 0; j < width; j += lanes)
          hn::StoreU(hn::MulAdd(a0, hn::LoadU(d, row0 + j),
                                hn::MulAdd(a1, hn::LoadU(d, row1 + j), hn::LoadU(d, sum + j))),
                     d, sum + j);
      }
    }
  }
}

}  // namespace

void pass(const HingeBatch& batch, std::int64_t begin, std::int64_t end, double* loss, double* sums) {
  for (std::int64_t k = 0; k < batch.count; ++k) loss[k] = 0;
  for (std::int64_t j = 0; j < batch.count * batch.width; ++j) sums[j] = 0;
  std::int64_t first = 0;
  for (; first + 4 <= batch.count; first += 4) hinge_rows<4>(batch, first, begin, end, loss, sums);
  if (batch.count - first == 3) hinge_rows<3>(batch, first, begin, end, loss, sums);
  if (batch.count - first == 2) hinge_rows<2>(batch, first, begin, end, loss, sums);
  if (batch.count - first == 1) hinge_rows<1>(batch, first, begin, end, loss, sums);
}

HingeLine line(std::int64_t n, const double* y, const double* from, const double* to, double t) {
  constexpr Tag d;
  const Vector zero = hn::Zero(d), one = hn::Set(d, 1.0), step = hn::Set(d, t);
  Vector loss = zero, slope = zero, curvature = zero;
  const auto add = [&](Vector sign, Vector o0, Vector o1) HWY_ATTR {
    const Vector change = hn::Mul(sign, hn::Sub(o1, o0));
    const Vector slack = hn::Max(zero, hn::NegMulAdd(step, change, hn::NegMulAdd(sign, o0, one)));
    loss = hn::MulAdd(slack, slack, loss);
    slope = hn::MulAdd(slack, change, slope);
    curvature = hn::Add(curvature, hn::IfThenElseZero(hn::Gt(slack, zero), hn::Mul(change, change)));
  };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) add(hn::LoadU(d, y + i), hn::LoadU(d, from + i), hn::LoadU(d, to + i));
  if (i < n) {  // fill up with rows that lie beyond the margin and add nothing
    double sign[lanes], o0[lanes], o1[lanes];
    for (std::int64_t k = 0; k < lanes; ++k) {
      sign[k] = i + k < n ? y[i + k] : 1;
      o0[k] = i + k < n ? from[i + k] : 2;
      o1[k] = i + k < n ? to[i + k] : 2;
    }
    add(hn::LoadU(d, sign), hn::LoadU(d, o0), hn::LoadU(d, o1));
  }
  return {sum_of(loss), -2 * sum_of(slope), 2 * sum_of(curvature)};
}

}  // namespace lrid::learn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lrid::learn {

HWY_EXPORT(pass);
HWY_EXPORT(line);

void hinge_pass(const HingeBatch& batch, std::int64_t begin, std::int64_t end, double* loss, double* sums) {
  HWY_DYNAMIC_DISPATCH(pass)(batch, begin, end, loss, sums);
}

HingeLine hinge_line(std::int64_t n, const double* y, const double* from, const double* to, double t) {
  return HWY_DYNAMIC_DISPATCH(line)(n, y, from, to, t);
}

}  // namespace lrid::learn

#endif
