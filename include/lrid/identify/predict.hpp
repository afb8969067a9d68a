#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/identify/identifier_file.hpp>

namespace lrid::identify {

/// The verdict on a layer.
struct LayerVerdict {
  std::string layer, position;        ///< the position is empty where the file says none
  std::vector<double> probabilities;  ///< [classes], calibrated
  std::vector<std::size_t> set;       ///< classes that can't be excluded at the model's confidence
  double typicality = 0;              ///< NoveltyReference::typicality
};

/// The verdict on a network, or on the animal or area a recording is from.
struct NetworkVerdict {
  std::string network;
  bool is_known_kind = false;  ///< whether it is judged as networks of the training networks' kinds are
  /// Whether others of its architecture and task in the file are like the training networks, so that neither
  /// data nor training can be what makes this one unlike them.
  bool in_typical_company = false;
  std::size_t verdict = 0;            ///< the most probable class
  std::vector<double> probabilities;  ///< [classes], calibrated, from all layers
  std::vector<std::size_t> set;       ///< classes that can't be excluded at the model's confidence
  double typicality = 0;
  bool no_change = false;      ///< refused: its statistics don't change over time
  bool none_of_these = false;  ///< refused: too atypical of the known classes, though like the training data
  bool out_of_range = false;   ///< refused: of another scale, and the features are not free of scale
  std::vector<std::string> unlike;  ///< in what it is unlike the training data
  std::vector<std::string> remarks;
  std::vector<std::string> new_in;  ///< columns of LeftOutKind by which its kind is new
  std::vector<LayerVerdict> layers;
  /// Observables with the drop in the verdict's probability when each is replaced by its mean over the
  /// training samples, largest first.
  std::vector<std::pair<std::string, double>> observables;
  std::vector<Course> courses;  ///< of `observables`, means over layers

  [[nodiscard]] bool is_refused() const { return no_change || none_of_these || out_of_range; }
};

struct FilePrediction {
  std::string file;
  std::vector<NetworkVerdict> networks;
  bool is_recording = false;  ///< a file of observables: one network, whatever it is a recording of
  std::int64_t points = 0;
  std::vector<std::string> absent{};  ///< measures of which it holds nothing, by io::measure_name
};

/// Applies a fitted identifier to every layer of a dataset, trajectory or observables file. With
/// `interpolate`, trajectories of another length are resampled linearly in time. Throws InputError naming the
/// file and all features that are missing or not finite, or if the number of points differs without
/// `interpolate`. Where a layer's position is unknown, the model's identifier without positions judges.
FilePrediction predict(const FittedFile& fitted, const std::filesystem::path& file, bool interpolate);

/// The verdict in words: "Trained by Adam. FA, IA and SGDM are excluded at 90 %."
std::string sentence(const FittedFile& fitted, const NetworkVerdict& network);

/// A line for each network: its sentence(), the probabilities, its typicality; last, where kinds are new, how
/// the model did on kinds left out; with `layers` also the observables that speak most for the verdict, and a
/// table of the layers. Of a recording: the sentence, what can't be excluded, what speaks for the verdict,
/// how typical it is, what was missing and what would help, in words; then the table of its layers.
std::string predictions_text(const FittedFile& fitted, const std::vector<FilePrediction>& files,
                             bool layers = false);
/// `format = "lrid-predictions"`; a refused verdict is null. `model`: the file that `fitted` was read from.
std::string predictions_json(const FittedFile& fitted, const std::vector<FilePrediction>& files,
                             const std::filesystem::path& model = {});

}  // namespace lrid::identify
