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

/// Samples that belong together: the layers of each network.
struct Networks {
  std::vector<std::string> names;                 ///< [networks] in order of first appearance
  std::vector<std::vector<std::size_t>> members;  ///< [networks] indices into the rows it was made of

  static Networks of(const Metadata& metadata, const Rows& rows);
  /// Of every network the mean over its members; `values`: [rows].
  [[nodiscard]] std::vector<double> mean(const std::vector<double>& values) const;
  /// Logits of every network, [networks, classes]: the mean of its layers' log probabilities, a logarithmic
  /// opinion pool (Genest & Zidek 1986). A softmax with a temperature of its own makes the verdict of it:
  /// layers of a network are no independent witnesses.
  [[nodiscard]] learn::Matrix pooled_logits(const learn::Matrix& probabilities) const;
};

/// What was learned of known samples in order to tell unknown ones.
struct KnownSamples {
  learn::FloatMatrix features;       ///< `compressed` features of the training samples
  learn::NoveltyReference samples;   ///< of training samples while they were held out
  learn::NoveltyReference networks;  ///< of whole networks while they were held out
};

/// Samples and the networks they make up as an identifier sees them.
struct Judgement {
  learn::Matrix probabilities;  ///< [n, classes], calibrated
  Networks networks;
  learn::Matrix network_probabilities;                    ///< [networks, classes], calibrated
  std::vector<double> uncertainty, distance, typicality;  ///< [n]; empty without KnownSamples
  std::vector<double> network_uncertainty, network_distance, network_typicality;  ///< [networks]; likewise
};

/// A classifier fitted to samples, with all that it takes to judge others.
struct Identifier {
  std::vector<std::string> classes;
  FeatureLayout layout;
  learn::Scaler scaler;
  std::unique_ptr<learn::Model> model;
  bool scores_are_probabilities = false;
  learn::Calibration samples, networks;
  std::optional<KnownSamples> known;

  /// Calibrated probabilities of standardised samples, [n, classes].
  [[nodiscard]] learn::Matrix probabilities(const learn::Samples& standardised) const;
  /// `rows` of a table with this layout.
  [[nodiscard]] Judgement judge(const FeatureTable& table, const Rows& rows) const;
};

/// What an identifier is fitted to.
struct Training {
  const FeatureTable& table;
  const Target& target;
  const Rows& rows;
  const std::vector<int>& inner;  ///< [rows] the inner fold in which the sample validates
  int inner_folds;
  std::string calibration = "temperature";
  bool with_known = false;  ///< also learn to tell unknown samples (costs distances between all samples)
};

struct FittedIdentifier {
  Identifier identifier;
  learn::Setting chosen;      ///< best mean accuracy over the inner folds; the first of equals
  double inner_accuracy = 0;  ///< that accuracy
  std::map<std::string, double> importances;  ///< FeatureLayout::group_name() → sum over its columns
  std::int64_t computed = 0, coinciding = 0, skipped = 0;  ///< points of the grid, in the first inner fold
};

/// The inner folds choose a setting, and on the samples they hold out probabilities are calibrated; the
/// chosen setting is fitted to all rows. A scaler is fitted inside each fold. Inner folds run in parallel.
/// InputError if the data admits no setting of the grid; Interrupted between folds.
FittedIdentifier fit_identifier(const learn::Classifier& classifier, const Training& training, Key key);

}  // namespace lrid::identify
