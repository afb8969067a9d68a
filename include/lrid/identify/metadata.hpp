#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <lrid/io/dataset.hpp>
#include <lrid/learn/samples.hpp>

namespace lrid::identify {

using learn::Rows;

/// The metadata of each sample as columns of text: architecture, task, dataset, learning_rule, layer,
/// network, layer_position ("early", "middle", "deep"), batch_size, model_seed, dataset_seed ("none" or the
/// number), noise, noise_unit, unit_fraction ("nan" where units were counted), units (0 where they were not),
/// setting (batch size and seeds combined, such as "b32_mnone_d0"), and supervision ("supervised" or
/// "self-supervised", derived from the task).
class Metadata {
 public:
  explicit Metadata(const io::SampleMeta& meta);

  [[nodiscard]] std::int64_t samples() const { return samples_; }
  [[nodiscard]] static const std::vector<std::string>& column_names();
  /// [N] values. Throws InputError listing the columns if there is none of that name.
  [[nodiscard]] const std::vector<std::string>& column(const std::string& name) const;
  /// Distinct values among `rows`, in natural order (numbers by size, positions from early to deep).
  [[nodiscard]] std::vector<std::string> values(const std::string& name, const Rows& rows) const;

 private:
  std::map<std::string, std::vector<std::string>> columns_;
  std::int64_t samples_;
};

/// A predicate over the metadata: a sample passes if every column named has an accepted value and no rejected
/// one. An empty filter passes everything.
class Filter {
 public:
  Filter() = default;
  [[nodiscard]] Filter only(const std::string& column, std::vector<std::string> values) const;
  [[nodiscard]] Filter without(const std::string& column, std::vector<std::string> values) const;

  [[nodiscard]] Rows rows(const Metadata& metadata) const;
  /// "architecture is KNet4 or KNet5, task is not wsn"; "everything" for the empty filter. Gives only the
  /// length of long lists.
  [[nodiscard]] std::string describe() const;

 private:
  struct Term {
    std::string column;
    std::vector<std::string> values;
    bool accept;
  };
  std::vector<Term> terms_;
};

/// The classes to identify, in natural order, and the class of every sample of the dataset.
struct Target {
  std::string column;                ///< e.g. "learning_rule"
  std::vector<std::string> classes;  ///< their names
  std::vector<int> labels;           ///< [N] index into classes; −1 for samples outside the pool

  [[nodiscard]] std::vector<int> labels_of(const Rows& rows) const;
  /// The classes among `pool`. Throws InputError if there are fewer than two.
  static Target of(const Metadata& metadata, const std::string& column, const Rows& pool);
};

}  // namespace lrid::identify
