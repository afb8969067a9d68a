#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/learn/classifier.hpp>

#include "experiments/experiments.hpp"

namespace lrid::identify {

struct NamedClassifier {
  std::string name;
  std::unique_ptr<learn::Classifier> classifier;
};

/// A configuration, parsed: protocol, classifiers and experiment. Throws InputError for a fault in it.
struct Setup {
  explicit Setup(Config config) : options(std::move(config)) {
    protocol.declare(options);
    for (const learn::ClassifierEntry& entry : learn::classifiers().entries()) {
      std::unique_ptr<learn::Classifier> classifier = entry.make();
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
  std::vector<NamedClassifier> classifiers;  // in the order of learn::classifiers()
  std::unique_ptr<Experiment> experiment;
};

}  // namespace lrid::identify
