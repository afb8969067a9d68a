#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <lrid/identify/feature_table.hpp>
#include <lrid/learn/calibration.hpp>
#include <lrid/learn/classifier.hpp>
#include <lrid/learn/conformal.hpp>
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
  /// [networks, classes] logits of the mean probabilities ([rows, classes]) of a network's layers, a linear
  /// opinion pool (Stone 1961): a layer that is wrong and sure of it can't veto the others. They are
  /// calibrated with a temperature of their own, since the layers of a network are not independent.
  [[nodiscard]] learn::Matrix pooled_logits(const learn::Matrix& probabilities) const;
};

/// [networks] classes; empty if the layers of a network differ in class (as when the target is the layer
/// position). `labels`: of the grouped rows.
std::vector<int> network_labels(const Networks& networks, const std::vector<int>& labels);

/// The kind of network that a sample is from: its architecture and task, "KNet4|cifar10".
std::string kind_of(const Metadata& metadata, std::int64_t row);

/// Calibration for networks of the training networks' kinds, fitted to samples that the inner folds held out.
struct KnownKinds {
  std::set<std::string> names;  ///< as kind_of() says
  learn::Calibration samples, networks;
  learn::Conformal sample_sets, network_sets;
};

/// Calibration for networks of other kinds, fitted to the same samples and to such as are farther from those
/// trained on: the layers of each position while that was left out of training, and the networks of each
/// architecture (task) likewise where that leaves at least three.
struct NewKinds {
  learn::DistanceCalibration samples, networks;
  learn::Conformal sets;  ///< of samples
  /// Mean log distances of the networks of each architecture and of each task, while that was left out; empty
  /// where all are of one kind. Networks of new kinds are as typical as they are among these.
  learn::NoveltyReference left_out;
  double typical_distance = 1;  ///< median of the samples held out by the inner folds; distances are in this
  double farthest = 0;          ///< the largest mean log distance of a network that was held out
};

/// Reference samples against which unknown ones are recognised.
struct KnownSamples {
  learn::FloatMatrix features;  ///< of the training samples, learn::compressed() and rounded(), no position
  learn::NoveltyReference samples;   ///< distances of training samples, while held out
  learn::NoveltyReference networks;  ///< mean log distances of training networks, while held out, by class
};

/// Calibrated probabilities of samples and of the networks they belong to.
struct Probabilities {
  learn::Matrix samples;   ///< [n, classes]
  learn::Matrix networks;  ///< [networks, classes]
};

/// An identifier's predictions for samples and for the networks they belong to.
struct Judgement {
  Networks networks;
  std::vector<bool> is_known_kind;  ///< [networks] which calibration applies
  Probabilities probabilities;
  Probabilities p_values;                  ///< learn::Conformal, likewise
  std::vector<double> distance;            ///< [n] to the nearest training sample; empty without KnownSamples
  std::vector<double> typicality;          ///< [n]; likewise
  std::vector<double> network_distance;    ///< [networks] mean log distance; likewise
  std::vector<double> network_typicality;  ///< [networks]; likewise
};

/// A fitted classifier with everything needed to judge new samples.
struct Identifier {
  std::vector<std::string> classes;
  FeatureLayout layout;
  learn::Scaler scaler;
  std::unique_ptr<learn::Model> model;
  bool scores_are_probabilities = false;
  std::optional<learn::MarginScaling>
      margins;  ///< for scores that are no probabilities, if they are calibrated
  KnownKinds known_kinds;
  std::optional<NewKinds> new_kinds;
  std::optional<KnownSamples> known;

  /// [n, classes] logits of standardised samples, to be calibrated.
  [[nodiscard]] learn::Matrix logits(const learn::Samples& standardised) const;
  /// Calibrated probabilities of standardised samples; all but the samples as in the judgement of them, or of
  /// samples they were made from.
  [[nodiscard]] Probabilities probabilities(const learn::Samples& standardised,
                                            const Judgement& judgement) const;
  /// Judges `rows` of a table with this layout. Networks are judged as of a new kind, if the identifier can,
  /// where architecture and task are not those of training networks, typicality (among networks of the class
  /// that they seem to be of) is at most `refuse`, or all rows' networks of one kind are together less
  /// typical than all but a fraction `refuse` of as many training networks: these of another data set or
  /// schedule.
  [[nodiscard]] Judgement judge(const FeatureTable& table, const Rows& rows, double refuse = 0) const;
};

/// How often sets of classes hold the right one, and how many they hold on average.
struct SetFigures {
  double coverage = 0, size = 0;
  std::vector<int> held{};  ///< [n] 1 where the set holds the class, else 0
};
/// `p_values`: [n, classes]; `labels`: [n].
SetFigures set_figures(const learn::Matrix& p_values, const std::vector<int>& labels, double confidence);

/// Input of fit_identifier().
struct Training {
  const FeatureTable& table;
  const Target& target;
  const Rows& rows;
  const std::vector<int>& inner;  ///< [rows] inner fold that holds the sample out
  int inner_folds;
  std::string calibration = "temperature";
  bool with_known = false;      ///< also set Identifier::known, which takes distances between all samples
  bool with_new_kinds = false;  ///< also set Identifier::new_kinds and known, which takes a few more fits
  std::optional<learn::Setting> setting = {};  ///< the only one to consider, in place of the grid
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
