#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <lrid/identify/feature_table.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/results.hpp>

#include "protocol.hpp"
#include "split_plan.hpp"

namespace lrid::identify {

using Labels = std::map<std::string, io::ConditionValue>;  ///< by io::condition_key

/// Features to test a fitted classifier on: those of the split's test rows, in the training table's layout.
struct Test {
  Labels labels;  ///< in addition to the condition's
  std::shared_ptr<const FeatureTable> table;
};

/// Features, classes and splits to train and test on. Gives one row of the results for each classifier and
/// test.
struct Condition {
  Labels labels;
  std::shared_ptr<const FeatureTable> train;
  std::shared_ptr<const Target> target;
  std::shared_ptr<const SplitPlan> plan;
  std::vector<Test> tests;  ///< at least one
  Rows unknown = {};        ///< samples of no known class, tested in addition to the test rows
  /// How often each feature group is permuted among the test samples to measure its importance.
  int permutations = 0;

  /// A condition that is tested on the table it is trained on.
  static Condition on(Labels labels, const std::shared_ptr<const FeatureTable>& table,
                      std::shared_ptr<const Target> target, std::shared_ptr<const SplitPlan> plan) {
    return {std::move(labels), table, std::move(target), std::move(plan), {{{}, table}}};
  }
};

/// A dataset under a protocol, from which experiments build their conditions.
class Study {
 public:
  /// `file` names the dataset in error messages. Networks with identical statistics are merged into one, so
  /// that no split by network has them on both sides. Throws InputError if the filters leave no samples or
  /// one class.
  Study(const Protocol& protocol, const io::Dataset& data, std::string file);

  [[nodiscard]] const Protocol& protocol() const { return protocol_; }
  [[nodiscard]] const io::Dataset& data() const { return data_; }
  [[nodiscard]] const std::shared_ptr<const Metadata>& metadata() const { return metadata_; }
  [[nodiscard]] const std::shared_ptr<const Target>& target() const { return target_; }
  /// The protocol's filters; experiments add their own.
  [[nodiscard]] const Filter& pool() const { return pool_; }
  [[nodiscard]] const Rows& pool_rows() const { return pool_rows_; }

  /// The protocol's kinds of split.
  [[nodiscard]] std::vector<SplitKind> split_kinds() const;
  /// Features of a measure (io::measure_name), cached. Throws InputError if one of the pool's is not finite.
  [[nodiscard]] std::shared_ptr<const FeatureTable> table(const std::string& measure);
  /// Features of the named observables. Throws InputError as table() does.
  [[nodiscard]] std::shared_ptr<const FeatureTable> table_of(
      const std::vector<std::string>& observables) const;
  /// Splits that depend on seed, kind, labels and the names of the networks on either side only: conditions
  /// that test the same networks share them, whatever is known of these, and can be compared split by split.
  [[nodiscard]] std::shared_ptr<const SplitPlan> plan(SplitKind kind, const Filter& train, const Filter& test,
                                                      const Target& target) const;

  /// Adds a line to the results' notes.
  void note(std::string line) { notes_.push_back(std::move(line)); }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  [[nodiscard]] SplitRequest request(SplitKind kind, const Filter& train, const Filter& test) const;
  [[nodiscard]] Key plan_key(const SplitRequest& request) const;

  Protocol protocol_;
  const io::Dataset& data_;
  std::string file_;
  std::vector<std::string> notes_;
  std::shared_ptr<const Metadata> metadata_;  // identical networks under one name
  std::shared_ptr<const Target> target_;
  Filter pool_;
  Rows pool_rows_;
  std::map<std::string, std::shared_ptr<const FeatureTable>> tables_;  // by measure
};

/// Applies the protocol's `features.transform` and `features.position` to the tables of all conditions,
/// except those that an experiment transformed itself and values that are no trajectories. Throws InputError
/// for trajectories that are too short.
void apply_transform(const Protocol& protocol, std::vector<Condition>& conditions);

/// The dataset's metadata, with one name for all networks whose statistics are equal in every layer. Appends
/// a note that lists the renamed ones.
io::SampleMeta with_equal_networks_merged(const io::Dataset& data, std::vector<std::string>& notes);

}  // namespace lrid::identify
