#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "dense.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/product.cpp"
#include "targets.hpp"

// Products are computed in tiles that stay in registers, from blocks that stay in the caches (Goto and van de
// Geijn 2008, "Anatomy of high-performance matrix multiplication"). Every element of a result is one chain of
// multiply-adds along `inner`, cut into equal parts of about `depth`, whatever the width of vectors and the
// place of the element: all units that round a multiply-add once give the same bits. SSE4 rounds twice.

HWY_BEFORE_NAMESPACE();
namespace lrid::learn::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

namespace {

template <class Scalar>
using Tag = hn::ScalableTag<Scalar>;
template <class Scalar>
constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Tag<Scalar>()));

// A tile has tile_rows rows and two vectors of columns.
constexpr std::int64_t tile_rows = 6;
template <class Scalar>
constexpr std::int64_t tile_columns = 2 * lanes<Scalar>;
// A block of b has about depth × block_columns elements, one of a block_rows × depth.
constexpr std::int64_t depth = 192, most_depth = depth + depth / 2;
constexpr std::int64_t block_rows = 32 * tile_rows, block_columns = 512;

/// Element (i, j) at data[i · row + j · column].
template <class Scalar>
struct Strided {
  Scalar* data;
  std::int64_t row, column;
  [[nodiscard]] Strided at(std::int64_t i, std::int64_t j) const {
    return {data + i * row + j * column, row, column};
  }
  [[nodiscard]] Scalar& operator()(std::int64_t i, std::int64_t j) const {
    return data[i * row + j * column];
  }
};

/// What becomes of the sum that belongs to an element of the result: keep · result + scale · sum.
template <class Scalar>
struct Update {
  Scalar keep, scale;
  bool upper_only;  ///< only elements (i, j) with j ≥ i
};

/// Copies [inner, columns] of b, panel by panel of `width` columns, the last one filled up with zeros.
template <class Scalar>
void pack(Strided<const Scalar> b, std::int64_t inner, std::int64_t columns, std::int64_t width, Scalar* to) {
  for (std::int64_t first = 0; first < columns; first += width) {
    const std::int64_t count = std::min(width, columns - first);
    for (std::int64_t k = 0; k < inner; ++k, to += width) {
      const Scalar* from = &b(k, first);
      if (b.column == 1 && count == width)
        std::copy_n(from, width, to);
      else
        for (std::int64_t j = 0; j < width; ++j) to[j] = j < count ? from[j * b.column] : 0;
    }
  }
}

/// Computes sums[r, :] = Σ_k rows[r][k · step] · panel[k, :], `vectors` vectors wide.
template <int vectors, class Scalar>
HWY_INLINE void sum_tile(std::int64_t inner, const Scalar* const (&rows)[tile_rows], std::int64_t step,
                         const Scalar* HWY_RESTRICT panel, Scalar* HWY_RESTRICT sums) {
  constexpr Tag<Scalar> d;
  constexpr std::int64_t width = lanes<Scalar>;
  hn::Vec<Tag<Scalar>> sum[tile_rows][vectors];
  for (auto& row : sum)
    for (auto& vector : row) vector = hn::Zero(d);
  for (std::int64_t k = 0; k < inner; ++k, panel += tile_columns<Scalar>) {
    hn::Vec<Tag<Scalar>> b[vectors];
    for (int v = 0; v < vectors; ++v) b[v] = hn::Load(d, panel + v * width);
    for (std::int64_t r = 0; r < tile_rows; ++r) {
      const auto a = hn::Set(d, rows[r][k * step]);
      for (int v = 0; v < vectors; ++v) sum[r][v] = hn::MulAdd(a, b[v], sum[r][v]);
    }
  }
  for (std::int64_t r = 0; r < tile_rows; ++r)
    for (int v = 0; v < vectors; ++v) hn::Store(sum[r][v], d, sums + r * tile_columns<Scalar> + v * width);
}

/// Updates the leading [height, width] of the result by a tile's sums. `diagonal`: its row less its column in
/// the whole result.
template <class Scalar>
HWY_INLINE void store_tile(const Scalar* HWY_RESTRICT sums, std::int64_t height, std::int64_t width,
                           const Update<Scalar>& update, std::int64_t diagonal, Strided<Scalar> result) {
  for (std::int64_t r = 0; r < height; ++r, sums += tile_columns<Scalar>) {
    std::int64_t j = update.upper_only ? std::clamp<std::int64_t>(diagonal + r, 0, width) : 0;
    const auto store = [&](auto tag, std::int64_t at) HWY_ATTR {
      Scalar* const to = &result(r, at);
      auto value = hn::Mul(hn::Set(tag, update.scale), hn::LoadU(tag, sums + at));
      if (update.keep != 0) value = hn::MulAdd(hn::Set(tag, update.keep), hn::LoadU(tag, to), value);
      hn::StoreU(value, tag, to);
    };
    if (result.column == 1)
      for (; j + lanes<Scalar> <= width; j += lanes<Scalar>) store(Tag<Scalar>(), j);
    for (; j < width; ++j) store(hn::CappedTag<Scalar, 1>(), j);
  }
}

/// A block of a: row r of the tile that begins at row i is data[i · tile + r · row + k · step].
template <class Scalar>
struct Rows {
  const Scalar* data;
  std::int64_t tile, row, step;
};

/// result = keep · result + scale · a · b for blocks of a and, packed, of b. `diagonal`: see store_tile.
template <class Scalar>
HWY_INLINE void multiply_block(std::int64_t n, std::int64_t inner, std::int64_t m, Rows<Scalar> a,
                               const Scalar* b, const Update<Scalar>& update, std::int64_t diagonal,
                               Strided<Scalar> result) {
  HWY_ALIGN Scalar sums[tile_rows * tile_columns<Scalar>];
  for (std::int64_t j = 0; j < m; j += tile_columns<Scalar>, b += inner * tile_columns<Scalar>) {
    const std::int64_t width = std::min(tile_columns<Scalar>, m - j);
    for (std::int64_t i = 0; i < n; i += tile_rows) {
      if (update.upper_only && j + width <= diagonal + i) break;
      const std::int64_t height = std::min(tile_rows, n - i);
      const Scalar* rows[tile_rows];
      for (std::int64_t r = 0; r < tile_rows; ++r)
        rows[r] = a.data + i * a.tile + std::min(r, height - 1) * a.row;
      if (width > lanes<Scalar>)
        sum_tile<2>(inner, rows, a.step, b, sums);
      else
        sum_tile<1>(inner, rows, a.step, b, sums);
      store_tile(sums, height, width, update, diagonal + i - j, result.at(i, j));
    }
  }
}

/// Memory for packed blocks, kept from call to call.
template <class Scalar>
Scalar* scratch() {
  constexpr std::size_t alignment = 64;
  constexpr auto size = static_cast<std::size_t>(most_depth * (block_rows + block_columns));
  thread_local std::vector<Scalar> memory(size + alignment / sizeof(Scalar));
  void* begin = memory.data();
  std::size_t room = memory.size() * sizeof(Scalar);
  return static_cast<Scalar*>(std::align(alignment, size * sizeof(Scalar), begin, room));
}

template <class Scalar>
void multiply_all(std::int64_t n, std::int64_t inner, std::int64_t m, Strided<const Scalar> a,
                  Strided<const Scalar> b, Update<Scalar> update, Strided<Scalar> result) {
  // Rows of a are read as they are, vectors along rows of b: both stand well in memory for bᵀ · aᵀ, too.
  if (a.column != 1 && b.column != 1 && !update.upper_only) {
    std::swap(n, m);
    a = std::exchange(b, {a.data, a.column, a.row});
    std::swap(a.row, a.column);
    std::swap(result.row, result.column);
  }
  Scalar* const packed_b = scratch<Scalar>();
  Scalar* const packed_a = packed_b + most_depth * block_columns;
  const std::int64_t parts = std::max<std::int64_t>(1, (inner + depth / 2) / depth);
  const std::int64_t step = std::max<std::int64_t>(1, (inner + parts - 1) / parts);
  const Scalar keep = update.keep;
  for (std::int64_t j = 0; j < m; j += block_columns)
    for (std::int64_t k = 0; k == 0 || k < inner; k += step) {
      const std::int64_t columns = std::min(block_columns, m - j), part = std::min(step, inner - k);
      update.keep = k == 0 ? keep : 1;
      pack(b.at(k, j), part, columns, tile_columns<Scalar>, packed_b);
      for (std::int64_t i = 0; i < n; i += block_rows) {
        const std::int64_t rows = std::min(block_rows, n - i);
        if (update.upper_only && j + columns <= i) break;
        const Strided<const Scalar> block = a.at(i, k);
        Rows<Scalar> left{block.data, block.row, block.row, 1};
        if (a.column != 1) {
          pack(Strided<const Scalar>{block.data, block.column, block.row}, part, rows, tile_rows, packed_a);
          left = {packed_a, part, 1, tile_rows};
        }
        multiply_block(rows, part, columns, left, packed_b, update, i - j, result.at(i, j));
      }
    }
}

template <class Scalar>
Strided<const Scalar> strided(Factor<Scalar> factor) {
  return factor.transposed ? Strided<const Scalar>{factor.data, 1, factor.stride}
                           : Strided<const Scalar>{factor.data, factor.stride, 1};
}

}  // namespace

void multiply_doubles(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<double> a, Factor<double> b,
                      double keep, double* result, std::int64_t stride) {
  multiply_all<double>(n, inner, m, strided(a), strided(b), {keep, 1, false}, {result, stride, 1});
}

void multiply_floats(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<float> a, Factor<float> b,
                     float keep, float* result, std::int64_t stride) {
  multiply_all<float>(n, inner, m, strided(a), strided(b), {keep, 1, false}, {result, stride, 1});
}

void add_gram_upper(std::int64_t n, std::int64_t d, const double* x, std::int64_t stride, double sign,
                    double* gram, std::int64_t gram_stride) {
  multiply_all<double>(d, n, d, {x, 1, stride}, {x, stride, 1}, {1, sign, true}, {gram, gram_stride, 1});
}

}  // namespace lrid::learn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lrid::learn {

HWY_EXPORT(multiply_doubles);
HWY_EXPORT(multiply_floats);
HWY_EXPORT(add_gram_upper);

void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<double> a, Factor<double> b,
              double keep, double* result, std::int64_t result_stride) {
  HWY_DYNAMIC_DISPATCH(multiply_doubles)(n, inner, m, a, b, keep, result, result_stride);
}

void multiply(std::int64_t n, std::int64_t inner, std::int64_t m, Factor<float> a, Factor<float> b,
              float keep, float* result, std::int64_t result_stride) {
  HWY_DYNAMIC_DISPATCH(multiply_floats)(n, inner, m, a, b, keep, result, result_stride);
}

void add_gram(std::int64_t n, std::int64_t d, const double* x, std::int64_t stride, double sign, double* gram,
              std::int64_t gram_stride) {
  // The lower triangle by columns is the upper one by rows.
  HWY_DYNAMIC_DISPATCH(add_gram_upper)(n, d, x, stride, sign, gram, gram_stride);
}

}  // namespace lrid::learn

#endif
