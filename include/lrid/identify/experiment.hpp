#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <lrid/core/options.hpp>
#include <lrid/core/registry.hpp>
#include <lrid/identify/feature_table.hpp>
#include <lrid/identify/split_plan.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/results.hpp>

namespace lrid::identify {

/// The options that all experiments share: who is identified from what, and how the splits are made.
struct Protocol {
  std::string experiment = "separability";
  std::vector<std::string> classifiers = {"svm", "forest", "mlp"};
  std::int64_t seed = 0;
  std::int64_t splits = 10;
  std::int64_t inner_folds = 5;
  std::vector<std::string> split = {"sample", "network"};
  std::string target = "learning_rule";
  std::vector<std::string> measures = {"all", "weight", "activation", "layer_change"};
  /// Accepted values per metadata column, as text; columns with an empty list are unrestricted.
  std::map<std::string, std::vector<std::string>> only;
  std::string calibration = "temperature";
  double refuse = 0.05;

  /// Declares and reads all of it.
  void declare(Options& options);
};

using Labels = std::map<std::string, io::ConditionValue>;  ///< formats.md, "results.json": `condition`

/// What a fitted classifier is tested on: the test rows of the split, in a table of the training table's
/// layout.
struct Test {
  Labels labels;  ///< beyond the condition's own
  std::shared_ptr<const FeatureTable> table;
};

/// Which features, which labels, which splits: one row of the results for each classifier and test.
struct Condition {
  Labels labels;
  std::shared_ptr<const FeatureTable> train;
  std::shared_ptr<const Target> target;
  std::shared_ptr<const SplitPlan> plan;
  std::vector<Test> tests;  ///< at least one
  Rows unknown = {};        ///< samples of none of the classes, presented besides the test rows
  /// [split] where the labels differ from split to split; their classes are the target's. Else empty.
  std::vector<std::shared_ptr<const Target>> target_of_split = {};

  /// How often each observable is permuted among the test samples, to see what it matters; 0: never.
  int permutations = 0;

  [[nodiscard]] const Target& target_at(std::size_t split) const {
    return target_of_split.empty() ? *target : *target_of_split[split];
  }

  /// Tested on the table that it is trained on.
  static Condition on(Labels labels, const std::shared_ptr<const FeatureTable>& table,
                      std::shared_ptr<const Target> target, std::shared_ptr<const SplitPlan> plan) {
    return {std::move(labels), table, std::move(target), std::move(plan), {{{}, table}}};
  }
};

/// A dataset under a protocol: what experiments make their conditions from.
class Study {
 public:
  /// `file` names the dataset in error messages. InputError if the filters leave nothing, or one class.
  /// Networks that are equal in all statistics count as one, so that no grouped split has them on both sides.
  Study(const Protocol& protocol, const io::Dataset& data, std::string file);

  [[nodiscard]] const Protocol& protocol() const { return protocol_; }
  [[nodiscard]] const io::Dataset& data() const { return data_; }
  [[nodiscard]] const std::shared_ptr<const Metadata>& metadata() const { return metadata_; }
  [[nodiscard]] const std::shared_ptr<const Target>& target() const { return target_; }
  /// What the protocol's filters let through; experiments narrow it down.
  [[nodiscard]] const Filter& pool() const { return pool_; }
  [[nodiscard]] const Rows& pool_rows() const { return pool_rows_; }

  /// The split kinds of the protocol.
  [[nodiscard]] std::vector<SplitKind> split_kinds() const;
  /// Features of a measure ("all", "weight", ...), the pool's checked to be finite. Built once.
  [[nodiscard]] std::shared_ptr<const FeatureTable> table(const std::string& measure);
  /// Features of these observables.
  [[nodiscard]] std::shared_ptr<const FeatureTable> table_of(
      const std::vector<std::string>& observables) const;
  /// Splits that depend on the seed, the kind, the filters and the labels only: conditions that differ in
  /// features share them and can be compared split by split.
  [[nodiscard]] std::shared_ptr<const SplitPlan> plan(SplitKind kind, const Filter& train, const Filter& test,
                                                      const Target& target) const;
  /// The same of the pool for labels that differ from split to split: [split] of the protocol's number.
  [[nodiscard]] std::shared_ptr<const SplitPlan> plan(
      SplitKind kind, const std::vector<std::shared_ptr<const Target>>& target_of_split) const;

  /// A line for the reader of the report.
  void note(std::string line) { notes_.push_back(std::move(line)); }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  [[nodiscard]] SplitRequest request(SplitKind kind, const Filter& train, const Filter& test) const;
  [[nodiscard]] Key plan_key(const SplitRequest& request) const;

  Protocol protocol_;
  const io::Dataset& data_;
  std::string file_;
  std::vector<std::string> notes_;
  std::shared_ptr<const Metadata> metadata_;  // equal networks under one name
  std::shared_ptr<const Target> target_;
  Filter pool_;
  Rows pool_rows_;
  std::map<std::string, std::shared_ptr<const FeatureTable>> tables_;
};

/// The metadata of a dataset in which networks that are equal in all statistics of all layers have one name;
/// what was renamed is noted.
io::SampleMeta with_equal_networks_merged(const io::Dataset& data, std::vector<std::string>& notes);

/// An experiment builds conditions; it trains nothing.
class Experiment {
 public:
  virtual ~Experiment() = default;
  /// Declares (and reads) what it needs beyond the protocol.
  virtual void declare(Options& options) = 0;
  [[nodiscard]] virtual std::vector<Condition> conditions(Study& study) const = 0;
};

struct ExperimentEntry {
  std::string name, summary;
  std::unique_ptr<Experiment> (*make)();
  bool imperfect = false;  ///< takes imperfectly measured samples unless a filter says otherwise
};
const Registry<ExperimentEntry>& experiments();

}  // namespace lrid::identify
