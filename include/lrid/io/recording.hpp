#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <lrid/io/hdf5.hpp>

namespace lrid::io {

/// A recording file (`format = "lrid-recording"`): activity, and where known weights, measured anywhere.
/// Opens and validates it; data is read block by block, so that a recording may be larger than memory.
class Recording {
 public:
  /// One group of `/layers`.
  struct Layer {
    std::string id, name;
    std::int64_t stimuli = 0, units = 0;  ///< 0 where no activations were recorded
    std::int64_t weights = 0;             ///< entries of the kernel; 0 where unknown
    std::int64_t layer_change_stimuli = 0;
    std::string position;    ///< as the file says it (layer_position_of()); empty where it says nothing
    std::string type, axes;  ///< of the activations, e.g. "int16", "time,stimuli,units"
  };

  /// A part that is read at once: some stimuli at some points, all units.
  struct Block {
    std::int64_t point = 0, points = 0, stimulus = 0, stimuli = 0;
  };

  /// float32 as it is stored; float64, and int16 times the dataset's attribute `scale`.
  using Values = std::variant<std::vector<float>, std::vector<double>>;

  /// InputError for another format, no layers, two layers of one name, layers that disagree on T, an `axes`
  /// attribute that does not name time, stimuli and units once each, an element type other than float32,
  /// float64 and int16, an int16 array without a usable `scale`, a layer change of other stimuli, a position
  /// that is none.
  explicit Recording(const std::filesystem::path& path);

  /// By the attribute `order` where every layer has one, else by id.
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  [[nodiscard]] std::int64_t points() const { return points_; }
  [[nodiscard]] const hdf5::Group& root() const { return file_.root(); }

  /// The activations of a layer, open for reading.
  class Activations {
   public:
    /// All activations, each once, and the stimuli of a point in ascending order.
    [[nodiscard]] const std::vector<Block>& blocks() const { return blocks_; }
    /// Reads [points, stimuli, units] into `values`, whose memory is used again.
    void read(const Block& block, Values& values) const;

   private:
    friend class Recording;
    hdf5::Dataset data_;
    std::array<std::size_t, 3> place_;
    std::vector<Block> blocks_;
    Activations(hdf5::Dataset data, const std::array<std::size_t, 3>& place, std::vector<Block> blocks)
        : data_(std::move(data)), place_(place), blocks_(std::move(blocks)) {}
  };
  /// In blocks of about `bytes`: whole chunks, up to eight times as much where chunks are large. Still larger
  /// ones are read in parts and stay in memory meanwhile, so that each is inflated once; only where the
  /// chunks of all units at one time take more than a quarter of the machine's memory does every eighth of
  /// the memory's worth of values take a pass over them.
  [[nodiscard]] Activations activations(std::size_t layer, std::int64_t bytes = 32 << 20) const;
  /// All entries of the kernel at point t, as one row-major run.
  void weights(std::size_t layer, std::int64_t t, Values& values) const;
  /// The layer-wise change g of each stimulus at point t, [stimuli].
  [[nodiscard]] std::vector<double> layer_change(std::size_t layer, std::int64_t t) const;

 private:
  struct Axes {
    std::array<std::size_t, 3> place{0, 1, 2};  ///< dimension of time, of stimuli, of units
  };
  [[nodiscard]] hdf5::Dataset dataset(std::size_t layer, const char* name, std::size_t cache_bytes = 0) const;
  void add_activations(const hdf5::Dataset& data, std::size_t layer);
  std::int64_t add_array(const hdf5::Dataset& data, std::size_t time_axis);

  hdf5::InputFile file_;
  std::vector<Layer> layers_;
  std::vector<Axes> axes_;  ///< of each layer's activations
  std::int64_t points_ = -1;
};

std::vector<double> to_float64(const Recording::Values& values);

/// Activity to be written as a recording.
struct Activity {
  struct Layer {
    std::string name;
    std::string position = {};  ///< layer_position_of(); empty: unknown
    /// [units], where they came from; all unsigned, or all signed.
    std::vector<std::variant<std::int64_t, std::uint64_t>> unit_ids;
    std::vector<double> values;  ///< [points, stimuli, units]; NaN where a unit was not measured
  };
  std::vector<Layer> layers;
  std::int64_t points = 0, stimuli = 0;
  std::vector<std::string> stimulus_names;        ///< [stimuli]; empty: they have none
  std::map<std::string, std::string> provenance;  ///< root attributes
};

/// Writes whole or not at all; equal content gives equal bytes. Besides what a recording has, `unit_ids` in
/// each layer and `/stimulus_names`.
void write_recording(const std::filesystem::path& path, const Activity& activity);

}  // namespace lrid::io
