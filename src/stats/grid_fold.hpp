#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <lrid/core/random.hpp>
#include <lrid/stats/imperfection.hpp>
#include <lrid/stats/layer_fold.hpp>
#include <lrid/stats/view.hpp>

#include "set_fold.hpp"

namespace lrid::stats {

/// How the cells of a grid see sets of one kind: the units of a layer, or the entries of its kernel.
class GridPlan {
 public:
  /// Cells that see the same units, with more or less noise.
  struct Sight {
    std::uint64_t seed;
    UnitSubset units;
    std::vector<std::size_t> cells;
    std::vector<std::uint32_t> sample;            ///< memory indices of units to sample
    std::vector<std::uint32_t> sample_canonical;  ///< their canonical indices
  };

  GridPlan(std::int64_t n, const UnitOrder& order, const std::vector<Imperfection>& cells);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const UnitOrder& order() const { return order_; }
  [[nodiscard]] const std::vector<Imperfection>& cells() const { return cells_; }
  [[nodiscard]] const std::vector<Sight>& sights() const { return sights_; }  ///< by seed

 private:
  std::int64_t size_;
  UnitOrder order_;
  std::vector<Imperfection> cells_;
  std::vector<Sight> sights_;
};

/// One row of a view on the host, block by block, as values of type T: double for float64, float for the
/// rest.
template <class T>
class Row {
 public:
  Row(const View& view, std::int64_t row);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T operator[](std::size_t i) const;
  /// `buffer`: room for them where they have to be converted.
  [[nodiscard]] std::span<const T> block(std::size_t begin, std::size_t count, std::vector<T>& buffer) const;

 private:
  [[nodiscard]] bool narrow() const { return type_ == ElementType::f16 || type_ == ElementType::bf16; }
  void widen(std::size_t begin, std::size_t count, float* out) const;

  const void* data_;
  ElementType type_;
  std::size_t size_;
};

/// Sees sets through all cells of a grid in one pass: noise on every value, then only the units that are
/// seen. Noise is keyed by the canonical index, so neither the memory order nor what else is kept or measured
/// changes a value. One per thread; keeps its memory.
template <class T>
class GridFold {
 public:
  /// The key of a set's noise for cells with this seed.
  using NoiseKey = std::function<Key(std::uint64_t seed)>;
  /// Called for each block of the row, once, with its place.
  using OnBlock = std::function<void(std::span<const T> block, std::size_t begin)>;

  /// Writes the statistics of one set as each cell sees it.
  void measure(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key, Missing missing,
               const OnBlock& on_block, std::span<Distribution> results);

 private:
  void start(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key);
  void pass(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key, const OnBlock& on_block);
  void measure_present(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key,
                       std::span<Distribution> results);

  std::vector<SetFold<T>> folds_;  ///< of each cell
  std::vector<T> block_, seen_, noisy_, sample_;
  std::vector<float> noise_, seen_noise_;
  SelectionBuffers<T> buffers_;
};

extern template class Row<float>;
extern template class Row<double>;
extern template class GridFold<float>;
extern template class GridFold<double>;

}  // namespace lrid::stats
