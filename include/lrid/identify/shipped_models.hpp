#pragma once

#include <filesystem>
#include <vector>

#include <lrid/identify/identifier_file.hpp>
#include <lrid/identify/predict.hpp>

namespace lrid::identify {

/// The model files that come with lrid, by name: those in the folder LRID_MODELS (environment), else those
/// beside the running program, in an installation or a clone. Empty if there are none.
std::vector<std::filesystem::path> shipped_models();

/// What a model says of files, and the model.
struct BestVerdict {
  std::filesystem::path model;
  FittedFile fitted;
  std::vector<FilePrediction> files;
};

/// Judges the files by the model that uses most of the observables they hold; of several that use as many, by
/// the one whose training networks they are most like (fewest networks with NetworkVerdict::unlike). As
/// predict(), throws InputError if none of the models fits all of the files, or if there are no models.
BestVerdict predict_by_best(const std::vector<std::filesystem::path>& models,
                            const std::vector<std::filesystem::path>& files, bool interpolate);

}  // namespace lrid::identify
