#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lrid/identify/feature_table.hpp>
#include <lrid/learn/calibration.hpp>
#include <lrid/learn/classifier.hpp>
#include <lrid/learn/novelty.hpp>
#include <lrid/learn/scaler.hpp>

namespace lrid::identify {

/// Rows grouped by network.
struct Networks {
  std::vector<std::string> names;                 ///< [networks] by first appearance
  std::vector<std::vector<std::size_t>> members;  ///< [networks] indices into the grouped rows

  static Networks of(const Metadata& metadata, const Rows& rows);
  /// [networks] means over the members of each; `values`: [rows].
  [[nodiscard]] std::vector<double> mean(const std::vector<double>& values) const;
  /// [networks, classes] logits: the mean log probabilities of a network's layers, a logarithmic opinion pool
  /// (Genest & Zidek 1986). They are calibrated with their own temperature, since the layers of a network are
  /// not independent. `probabilities`: [rows, classes].
  [[nodiscard]] learn::Matrix pooled_logits(const learn::Matrix& probabilities) const;
};

/// Reference samples against which unknown ones are recognised.
struct KnownSamples {
  learn::FloatMatrix features;       ///< learn::compressed() features of the training samples
  learn::NoveltyReference samples;   ///< training samples, while held out
  learn::NoveltyReference networks;  ///< training networks, while held out
};

/// An identifier's predictions for samples and for the networks they belong to.
struct Judgement {
  learn::Matrix probabilities;  ///< [n, classes], calibrated
  Networks networks;
  learn::Matrix network_probabilities;                    ///< [networks, classes], calibrated
  std::vector<double> uncertainty, distance, typicality;  ///< [n]; empty without KnownSamples
  std::vector<double> network_uncertainty, network_distance, network_typicality;  ///< [networks]; likewise
};

/// A fitted classifier with everything needed to judge new samples.
struct Identifier {
  std::vector<std::string> classes;
  FeatureLayout layout;
  learn::Scaler scaler;
  std::unique_ptr<learn::Model> model;
  bool scores_are_probabilities = false;
  learn::Calibration samples, networks;
  std::optional<KnownSamples> known;

  /// [n, classes] calibrated probabilities of standardised samples.
  [[nodiscard]] learn::Matrix probabilities(const learn::Samples& standardised) const;
  /// Judges `rows` of a table with this layout.
  [[nodiscard]] Judgement judge(const FeatureTable& table, const Rows& rows) const;
};

/// Input of fit_identifier().
struct Training {
  const FeatureTable& table;
  const Target& target;
  const Rows& rows;
  const std::vector<int>& inner;  ///< [rows] inner fold that holds the sample out
  int inner_folds;
  std::string calibration = "temperature";
  bool with_known = false;  ///< also set Identifier::known, which takes distances between all samples
};

struct FittedIdentifier {
  Identifier identifier;
  learn::Setting chosen;                      ///< the most accurate over the inner folds; the first of equals
  double inner_accuracy = 0;                  ///< its mean accuracy there
  std::map<std::string, double> importances;  ///< FeatureLayout::group_name() → sum over its columns
  std::int64_t computed = 0, coinciding = 0, skipped = 0;  ///< grid points, in the first inner fold
};

/// Selects a setting by the inner folds, calibrates probabilities on the samples they hold out, and fits the
/// setting to all rows. Every fold fits its own scaler; folds run in parallel. Throws InputError if the data
/// admit no point of the grid, and Interrupted between folds.
FittedIdentifier fit_identifier(const learn::Classifier& classifier, const Training& training, Key key);

}  // namespace lrid::identify
