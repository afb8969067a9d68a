#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <lrid/io/hdf5.hpp>

namespace lrid::io {

/// A recording file (`format = "lrid-recording"`): activity, and where known weights, measured anywhere.
/// Opens and validates it; data is read point by point, so that a recording may be larger than memory. int16
/// data are multiplied by the dataset's attribute `scale`; everything comes as float64.
class Recording {
 public:
  /// One group of `/layers`.
  struct Layer {
    std::string id, name;
    std::int64_t stimuli = 0, units = 0;  ///< 0 where no activations were recorded
    std::int64_t weights = 0;             ///< entries of the kernel; 0 where unknown
    std::int64_t layer_change_stimuli = 0;
  };

  /// InputError for another format, no layers, layers that disagree on T, an `axes` attribute that does not
  /// name time, stimuli and units once each, or an element type other than float32, float64 and int16.
  explicit Recording(const std::filesystem::path& path);

  /// By the attribute `order` where every layer has one, else by id.
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  [[nodiscard]] std::int64_t points() const { return points_; }

  /// [stimuli, units] at point t.
  [[nodiscard]] std::vector<double> activations(std::size_t layer, std::int64_t t) const;
  /// All entries of the kernel at point t, as one row-major run.
  [[nodiscard]] std::vector<double> weights(std::size_t layer, std::int64_t t) const;
  /// The layer-wise change g of each stimulus at point t, [stimuli].
  [[nodiscard]] std::vector<double> layer_change(std::size_t layer, std::int64_t t) const;

 private:
  struct Axes {
    std::array<std::size_t, 3> place{0, 1, 2};  ///< dimension of time, of stimuli, of units
  };
  [[nodiscard]] hdf5::Dataset dataset(std::size_t layer, const char* name) const;
  std::int64_t add_array(const hdf5::Dataset& data, std::size_t time_axis);

  hdf5::InputFile file_;
  std::vector<Layer> layers_;
  std::vector<Axes> axes_;  ///< of each layer's activations
  std::int64_t points_ = -1;
};

}  // namespace lrid::io
