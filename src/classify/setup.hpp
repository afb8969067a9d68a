#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <lrid/classify/classifier.hpp>
#include <lrid/classify/experiment.hpp>
#include <lrid/core/options.hpp>

namespace lrid::classify {

struct NamedClassifier {
  std::string name;
  std::unique_ptr<Classifier> classifier;
};

/// Everything that a configuration says.
struct Setup {
  explicit Setup(Config config) : options(std::move(config)) {
    protocol.declare(options);
    for (const ClassifierEntry& entry : classify::classifiers().entries()) {
      std::unique_ptr<Classifier> classifier = entry.make();
      classifier->declare(options);
      const bool wanted = std::ranges::find(protocol.classifiers, entry.name) != protocol.classifiers.end();
      if (wanted) classifiers.push_back({entry.name, std::move(classifier)});
    }
    experiment = experiments().at(protocol.experiment).make();
    experiment->declare(options);
    options.finish();
  }

  Options options;
  Protocol protocol;
  std::vector<NamedClassifier> classifiers;  // in the registry's order
  std::unique_ptr<Experiment> experiment;
};

}  // namespace lrid::classify
