#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>

namespace lrid::identify {

/// The options all experiments share: what is identified, from which features, and how samples are split.
struct Protocol {
  std::string experiment = "separability";
  std::vector<std::string> classifiers = {"svm", "forest", "mlp"};
  std::int64_t seed = 0;
  std::int64_t splits = 10;
  std::int64_t inner_folds = 5;
  std::vector<std::string> split = {"sample", "network"};
  std::string target = "learning_rule";
  std::vector<std::string> measures = {"all", "weight", "activation", "layer_change"};
  std::string transform = "none";  ///< in transforms()
  bool position = true;            ///< whether the layer position is a feature
  /// Accepted values per metadata column, as text; an empty list accepts every value.
  std::map<std::string, std::vector<std::string>> only;
  std::string calibration = "temperature";
  double refuse = 0.05;
  double confidence = 0.9;

  /// Declares every option and reads its value. Throws InputError for a value out of range.
  void declare(Options& options);
};

}  // namespace lrid::identify
