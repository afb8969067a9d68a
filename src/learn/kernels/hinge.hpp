#pragma once

#include <Eigen/Core>

#include "kernels.hpp"

// NOLINTNEXTLINE(google-build-namespaces): every target has its own
namespace lrid::learn::LRID_TARGET {

// `together` problems at once on rows begin … end: two rows at a time, so that a row's values are loaded once
// for all problems and the weights (in the nearest cache) once for both rows.
template <int together>
void hinge_rows(const HingeBatch& batch, std::int64_t first, std::int64_t begin, std::int64_t end,
                double* loss, double* sums) {
  using Pack = Eigen::Array4d;
  using ConstPack = Eigen::Map<const Pack>;
  const std::int64_t width = batch.width;
  for (std::int64_t i = begin; i < end; i += 2) {
    const bool pair = i + 1 < end;
    const double* row0 = batch.x + i * batch.stride;
    const double* row1 = pair ? row0 + batch.stride : row0;
    Pack dot0[together], dot1[together];
    for (int k = 0; k < together; ++k) {
      dot0[k].setZero();
      dot1[k].setZero();
    }
    for (std::int64_t j = 0; j < width; j += 4) {
      const Pack x0 = ConstPack(row0 + j), x1 = ConstPack(row1 + j);
      for (int k = 0; k < together; ++k) {
        const Pack w = ConstPack(batch.weights[first + k] + j);
        dot0[k] += x0 * w;
        dot1[k] += x1 * w;
      }
    }
    for (int k = 0; k < together; ++k) {
      const int positive = batch.positive[first + k];
      const double y0 = batch.labels[i] == positive ? 1 : -1;
      const double y1 = pair && batch.labels[i + 1] == positive ? 1 : -1;
      const double output0 = dot0[k].sum(), output1 = dot1[k].sum();
      double slack0 = 1 - y0 * output0, slack1 = pair ? 1 - y1 * output1 : 0;
      batch.outputs[first + k][i] = output0;
      if (pair) batch.outputs[first + k][i + 1] = output1;
      if (slack0 <= 0) slack0 = 0;
      if (slack1 <= 0) slack1 = 0;
      if (slack0 == 0 && slack1 == 0) continue;
      loss[first + k] += slack0 * slack0 + slack1 * slack1;
      double* sum = sums + (first + k) * width;
      const double a0 = y0 * slack0, a1 = y1 * slack1;
      if (slack0 == 0 || slack1 == 0) {
        const double* row = slack0 == 0 ? row1 : row0;
        const double a = slack0 == 0 ? a1 : a0;
        for (std::int64_t j = 0; j < width; j += 4) Eigen::Map<Pack>(sum + j) += a * ConstPack(row + j);
      } else {
        for (std::int64_t j = 0; j < width; j += 4)
          Eigen::Map<Pack>(sum + j) += a0 * ConstPack(row0 + j) + a1 * ConstPack(row1 + j);
      }
    }
  }
}

inline void hinge_pass(const HingeBatch& batch, std::int64_t begin, std::int64_t end, double* loss,
                       double* sums) {
  for (std::int64_t k = 0; k < batch.count; ++k) loss[k] = 0;
  for (std::int64_t j = 0; j < batch.count * batch.width; ++j) sums[j] = 0;
  std::int64_t first = 0;
  for (; first + 4 <= batch.count; first += 4) hinge_rows<4>(batch, first, begin, end, loss, sums);
  if (batch.count - first == 3) hinge_rows<3>(batch, first, begin, end, loss, sums);
  if (batch.count - first == 2) hinge_rows<2>(batch, first, begin, end, loss, sums);
  if (batch.count - first == 1) hinge_rows<1>(batch, first, begin, end, loss, sums);
}

inline HingeLine hinge_line(std::int64_t n, const double* y, const double* from, const double* to, double t) {
  const auto at = [&](const auto& sign, const auto& o0, const auto& o1) {
    const auto change = (sign * (o1 - o0)).eval();
    const auto slack = (1 - sign * o0 - t * change).max(0.0).eval();
    return HingeLine{slack.square().sum(), -2 * (slack * change).sum(),
                     2 * (slack > 0).select(change.square(), 0.0).sum()};
  };
  HingeLine line{0, 0, 0};
  constexpr std::int64_t piece = 64;
  std::int64_t i = 0;
  for (; i < n; i += piece) {
    HingeLine part;
    if (i + piece <= n) {
      using Piece = Eigen::Map<const Eigen::Array<double, piece, 1>>;
      part = at(Piece(y + i), Piece(from + i), Piece(to + i));
    } else {
      using Piece = Eigen::Map<const Eigen::Array<double, Eigen::Dynamic, 1, 0, piece, 1>>;
      part = at(Piece(y + i, n - i), Piece(from + i, n - i), Piece(to + i, n - i));
    }
    line.loss += part.loss;
    line.slope += part.slope;
    line.curvature += part.curvature;
  }
  return line;
}

constexpr HingeKernels hinge_kernels = {.pass = hinge_pass, .line = hinge_line};

}  // namespace lrid::learn::LRID_TARGET
