#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <lrid/io/dataset.hpp>
#include <lrid/learn/samples.hpp>

namespace lrid::identify {

using learn::Rows;

/// What is known of each sample besides its statistics, as text columns: architecture, task, dataset,
/// learning_rule, layer, network, layer_position ("early", "middle", "deep"), batch_size, model_seed,
/// dataset_seed ("none" or the number), noise, unit_fraction; setting (batch size and seed settings together,
/// such as "b32_mnone_d0"), supervision ("supervised" or "self-supervised", by task).
class Metadata {
 public:
  explicit Metadata(const io::SampleMeta& meta);

  [[nodiscard]] std::int64_t samples() const { return samples_; }
  [[nodiscard]] static const std::vector<std::string>& column_names();
  /// [N]. InputError listing the known columns if there is none of that name.
  [[nodiscard]] const std::vector<std::string>& column(const std::string& name) const;
  /// The values that occur among `rows`, in natural order (numbers by size).
  [[nodiscard]] std::vector<std::string> values(const std::string& name, const Rows& rows) const;

 private:
  std::map<std::string, std::vector<std::string>> columns_;
  std::int64_t samples_;
};

/// A predicate over the metadata: a sample passes if each named column has one of the accepted values and
/// none of the refused ones. An empty filter passes everything.
class Filter {
 public:
  Filter() = default;
  [[nodiscard]] Filter only(const std::string& column, std::vector<std::string> values) const;
  [[nodiscard]] Filter without(const std::string& column, std::vector<std::string> values) const;

  [[nodiscard]] Rows rows(const Metadata& metadata) const;
  /// "architecture is KNet4 or KNet5, task is not wsn"; "everything" for the empty filter. Long lists are
  /// counted.
  [[nodiscard]] std::string describe() const;

 private:
  struct Term {
    std::string column;
    std::vector<std::string> values;
    bool accept;
  };
  std::vector<Term> terms_;
};

/// What is to be identified: classes in natural order and the class of every sample of the dataset.
struct Target {
  std::string column;                ///< e.g. "learning_rule"
  std::vector<std::string> classes;  ///< names
  std::vector<int> labels;           ///< [N] index into classes; −1 for samples outside the pool

  [[nodiscard]] std::vector<int> labels_of(const Rows& rows) const;
  /// The classes that occur among `pool`. InputError if there are fewer than two.
  static Target of(const Metadata& metadata, const std::string& column, const Rows& pool);
};

}  // namespace lrid::identify
