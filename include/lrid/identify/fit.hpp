#pragma once

#include <filesystem>

#include <lrid/core/options.hpp>
#include <lrid/identify/identifier_file.hpp>

namespace lrid::identify {

struct FitRequest {
  Config config;               ///< as for `run`; the experiment is not asked for
  std::filesystem::path data;  ///< dataset file
  std::filesystem::path out;   ///< model file
};

/// Fits a classifier to all samples that the filters let through, as many of each class, and saves it: from
/// the observables of all `features.measures` together; inner folds by network if `split` names it. Of
/// several classifiers the one is kept that did best in the inner folds. InputError for what is wrong with
/// configuration or data.
FittedFile fit(const FitRequest& request);

/// What was fitted, in a few lines of plain text.
std::string describe(const FittedFile& fitted);

}  // namespace lrid::identify
