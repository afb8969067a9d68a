#pragma once

#include <cstdint>
#include <span>

namespace lrid::stats {

enum class ElementType { f32, f64, f16, bf16 };

/// Device that holds a view's data.
struct Device {
  enum class Kind { cpu, cuda } kind = Kind::cpu;
  int index = 0;
  bool operator==(const Device&) const = default;
};

/// Values to take statistics of: `rows` sets of `columns` values. Row r, column c is element
/// r·row_stride + c of `data`: columns are dense, rows may be further apart. Owns nothing.
struct View {
  const void* data = nullptr;
  ElementType type = ElementType::f32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t row_stride = 0;  ///< in elements
  Device device{};

  /// One set of float32 (float64) values on the host.
  static View of(std::span<const float> values) {
    return host(values.data(), ElementType::f32, 1, values.size());
  }
  static View of(std::span<const double> values) {
    return host(values.data(), ElementType::f64, 1, values.size());
  }
  /// `rows` sets of equal size, one behind the other.
  static View of(std::span<const float> values, std::int64_t rows) {
    return host(values.data(), ElementType::f32, rows, values.size());
  }
  static View of(std::span<const double> values, std::int64_t rows) {
    return host(values.data(), ElementType::f64, rows, values.size());
  }

 private:
  static View host(const void* data, ElementType type, std::int64_t rows, std::size_t size) {
    const std::int64_t columns = rows == 0 ? 0 : static_cast<std::int64_t>(size) / rows;
    return {data, type, rows, columns, columns, {}};
  }
};

/// How units lie in memory. The canonical order of units is that of a contiguous tensor: (…, channel,
/// position), positions row by row. In channels-last tensors the position is the slower one:
/// (…, position, channel). For an activation [C, H, W]: channels C, positions H·W; for a kernel
/// [O, I, kh, kw]: channels I, positions kh·kw.
struct UnitOrder {
  std::int64_t channels = 1;  ///< 1 (or positions = 1): memory order is canonical
  std::int64_t positions = 1;

  static UnitOrder canonical() { return {}; }
  static UnitOrder channels_last(std::int64_t channels, std::int64_t positions) {
    return {channels, positions};
  }

  [[nodiscard]] std::int64_t memory_index(std::int64_t canonical) const {
    const std::int64_t size = channels * positions, inner = canonical % size;
    return canonical - inner + inner % positions * channels + inner / positions;
  }
  [[nodiscard]] std::int64_t canonical_index(std::int64_t memory) const {
    const std::int64_t size = channels * positions, inner = memory % size;
    return memory - inner + inner % channels * positions + inner / channels;
  }
};

}  // namespace lrid::stats
