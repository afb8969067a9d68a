#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <lrid/io/layer_position.hpp>

namespace lrid::io {

/// Statistics of a recording (`format = "lrid-observables"`), with how it was measured.
struct Observables {
  std::vector<std::string> observable_names;  ///< [K]
  std::vector<std::string> layers;            ///< [L]
  /// [L] 0 early, 1 middle, 2 deep, or unknown_position; empty when writing: all unknown.
  std::vector<std::uint8_t> layer_position = {};
  std::int64_t points = 0;    ///< T
  std::vector<float> values;  ///< [T, L, K], row-major; NaN where a measure is absent
  double unit_fraction = 1, noise = 0;
  std::int64_t units = 0;               ///< seen units where they were counted (the fraction is NaN), else 0
  std::string noise_unit = "absolute";  ///< or "relative", to each layer's standard deviation
  std::int64_t seed = 0;
  std::string software;  ///< of the file that was read; filled in when writing
};

/// Writes whole or not at all; equal content gives equal bytes.
void write_observables(const std::filesystem::path& path, const Observables& observables);
/// InputError naming the file for anything missing, truncated, of another format or inconsistent.
Observables read_observables(const std::filesystem::path& path);

}  // namespace lrid::io
