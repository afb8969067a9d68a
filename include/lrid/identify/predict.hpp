#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/identify/identifier_file.hpp>

namespace lrid::identify {

/// The verdict on a layer.
struct LayerVerdict {
  std::string layer, position;
  std::vector<double> probabilities;  ///< [classes], calibrated
  double typicality = 0;              ///< NoveltyReference::typicality
};

/// The verdict on a network, or on the animal or area a recording is from.
struct NetworkVerdict {
  std::string network;
  std::size_t verdict = 0;            ///< the most probable class
  std::vector<double> probabilities;  ///< [classes], calibrated, from all layers
  double typicality = 0;
  bool none_of_these = false;  ///< refused: too atypical of the known classes
  std::vector<LayerVerdict> layers;
  /// Observables with the drop in the verdict's probability when each is replaced by its mean over the
  /// training samples, largest first.
  std::vector<std::pair<std::string, double>> observables;
};

struct FilePrediction {
  std::string file;
  std::vector<NetworkVerdict> networks;
};

/// Applies a fitted identifier to every layer of a dataset, trajectory or observables file. With
/// `interpolate`, trajectories of another length are resampled linearly in time. Throws InputError naming the
/// file and all features that are missing or not finite, or if the number of points differs without
/// `interpolate`.
FilePrediction predict(const FittedFile& fitted, const std::filesystem::path& file, bool interpolate);

/// A line for each network: its verdict, the probabilities, its typicality; with `layers` also the
/// observables that speak most for the verdict, and a table of the layers.
std::string predictions_text(const FittedFile& fitted, const std::vector<FilePrediction>& files,
                             bool layers = false);
/// `format = "lrid-predictions"`; a refused verdict is null.
std::string predictions_json(const FittedFile& fitted, const std::vector<FilePrediction>& files);

}  // namespace lrid::identify
