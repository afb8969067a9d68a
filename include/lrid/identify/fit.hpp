#pragma once

#include <filesystem>

#include <lrid/core/options.hpp>
#include <lrid/identify/identifier_file.hpp>

namespace lrid::identify {

struct FitRequest {
  Config config;               ///< as for `run`; the experiment's options are ignored
  std::filesystem::path data;  ///< dataset file
  std::filesystem::path out;   ///< model file
};

/// Fits a classifier to all samples that pass the filters, balanced by class, and saves it. Features are the
/// observables of all `features.measures` together; inner folds are by network if `split` names it. Of
/// several classifiers, keeps the one most accurate over the inner folds. Throws InputError for a fault in
/// configuration or data.
FittedFile fit(const FitRequest& request);

/// A one-line summary of the fit.
std::string describe(const FittedFile& fitted);

}  // namespace lrid::identify
