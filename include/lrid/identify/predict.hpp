#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/identify/identifier_file.hpp>

namespace lrid::identify {

/// What was found out about a layer.
struct LayerVerdict {
  std::string layer, position;
  std::vector<double> probabilities;  ///< [classes], calibrated
  double typicality = 0;              ///< NoveltyReference::typicality
};

/// What was found out about a network, or whatever was recorded from.
struct NetworkVerdict {
  std::string network;
  std::size_t verdict = 0;            ///< the likeliest class
  std::vector<double> probabilities;  ///< [classes], calibrated, of all layers together
  double typicality = 0;
  bool none_of_these = false;  ///< so untypical that it is refused
  std::vector<LayerVerdict> layers;
  /// Of each observable, by how much the verdict's probability falls when it is replaced by its mean over the
  /// training samples; what spoke most for the verdict first.
  std::vector<std::pair<std::string, double>> observables;
};

struct FilePrediction {
  std::string file;
  std::vector<NetworkVerdict> networks;
};

/// Applies a fitted identifier to the layers in a dataset, a trajectory file or a recording's observables.
/// InputError naming the file if features are missing or not finite (all of them are named), or if the number
/// of points differs and `interpolate` is off (linearly in time, if it is on).
FilePrediction predict(const FittedFile& fitted, const std::filesystem::path& file, bool interpolate);

/// A line for each network: its verdict, the probabilities, its typicality; with `layers` also the
/// observables that speak most for the verdict, and a table of the layers.
std::string predictions_text(const FittedFile& fitted, const std::vector<FilePrediction>& files,
                             bool layers = false);
/// `format = "lrid-predictions"`; a refused verdict is null.
std::string predictions_json(const FittedFile& fitted, const std::vector<FilePrediction>& files);

}  // namespace lrid::identify
