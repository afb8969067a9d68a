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

/// How the measurements of a grid sample sets of one kind: the units of a layer, or the entries of its
/// kernel.
class GridPlan {
 public:
  /// Measurements of the same units, with more or less noise.
  struct Subset {
    std::uint64_t seed;  ///< of the noise
    UnitSubset units;
    std::vector<std::size_t> measurements;
    std::vector<std::uint32_t> sample;            ///< memory indices of units to sample
    std::vector<std::uint32_t> sample_canonical;  ///< their canonical indices
  };

  GridPlan(std::int64_t n, const UnitOrder& order, const std::vector<Imperfection>& measurements);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const UnitOrder& order() const { return order_; }
  [[nodiscard]] const std::vector<Imperfection>& measurements() const { return measurements_; }
  [[nodiscard]] const std::vector<Subset>& subsets() const { return subsets_; }  ///< by seed
  /// Whether any noise is relative to the set's standard deviation.
  [[nodiscard]] bool relative() const { return relative_; }

 private:
  std::int64_t size_;
  UnitOrder order_;
  std::vector<Imperfection> measurements_;
  std::vector<Subset> subsets_;
  bool relative_ = false;
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

/// Sees sets through all measurements of a grid in one pass: noise on every value, then only the units that
/// are seen. Noise is keyed by the canonical index, so neither the memory order nor what else is kept or
/// measured changes a value. One per thread; keeps its memory.
template <class T>
class GridFold {
 public:
  /// The key of a set's noise for measurements with this seed.
  using NoiseKey = std::function<Key(std::uint64_t seed)>;
  /// Called for each block of the row, once, with its place.
  using OnBlock = std::function<void(std::span<const T> block, std::size_t begin)>;

  /// Writes the statistics of one set as each measurement sees it.
  void measure(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key, Missing missing,
               const OnBlock& on_block, std::span<Distribution> results);

 private:
  [[nodiscard]] double noise_sd(const Imperfection& measurement) const;
  void start(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key);
  void pass(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key, const OnBlock& on_block);
  void measure_present(const GridPlan& plan, const Row<T>& row, const NoiseKey& noise_key,
                       std::span<Distribution> results);

  std::vector<SetFold<T>> folds_;  ///< of each measurement
  double set_sd_ = 1;              ///< of the set, where relative noise needs it
  std::vector<T> block_, seen_, noisy_, sample_;
  std::vector<float> noise_, seen_noise_;
  SelectionBuffers<T> buffers_;
};

extern template class Row<float>;
extern template class Row<double>;
extern template class GridFold<float>;
extern template class GridFold<double>;

}  // namespace lrid::stats
