#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <lrid/identify/course.hpp>
#include <lrid/identify/identifier.hpp>
#include <lrid/identify/range.hpp>
#include <lrid/identify/uncertainty.hpp>

namespace lrid::identify {

/// How a sample was measured: "all units, no noise", "50 units, noise 0.1 standard deviations".
std::string measurement_of(const io::SampleMeta& meta, std::size_t row);

/// How an identifier fitted without the networks of an architecture (task) judges these: layers, then whole
/// networks. Figures of these are NaN where their layers differ in class.
struct LeftOutKind {
  std::string column, value;  ///< "architecture", "KNet4"
  std::int64_t samples = 0, networks = 0;
  double accuracy = 0, calibration_error = 0, coverage = 0, set_size = 0;
  double network_accuracy = 0, network_coverage = 0, network_set_size = 0;
  double refused = 0;  ///< fraction of networks whose typicality is at most `refuse`
  /// 95 % intervals of the accuracies over networks, and p-values against chance; NaN where there are none.
  Interval interval{}, network_interval{};
  double p = 0, network_p = 0;
};

/// "without architecture KNet4: 0.71 [0.65, 0.77] of 192 layers and 0.77 [0.62, 0.87] of 48 networks right,
/// ECE 0.08; sets at 90 % hold the class of 0.95 of the layers (mean size 2.1) and 1.00 of the networks
/// (2.2); 0.02 untypical".
std::string describe(const LeftOutKind& kind, double confidence);

/// The mean accuracy, over kinds left out, of a fixed forest on features so transformed.
struct TransformTrial {
  std::string transform;
  double accuracy = 0;
};

/// The file `lrid-classify fit` writes: an identifier and its provenance.
struct FittedFile {
  Identifier identifier;
  /// The same classifier without the layer position, for networks whose layers' positions are unknown.
  /// Nothing if the identifier does not use it.
  std::optional<Identifier> without_position;
  std::string classifier;   ///< name in learn::classifiers()
  std::string target;       ///< the metadata column it identifies
  double refuse = 0.05;     ///< fraction of known samples that may be refused as none of the classes
  double confidence = 0.9;  ///< of the sets of classes

  std::vector<std::string> measures;   ///< those of the observables, by io::measure_name
  std::vector<std::string> measured;   ///< how, as measurement_of() says
  std::vector<LeftOutKind> left_out;   ///< empty where all networks are of one kind
  std::vector<TransformTrial> trials;  ///< empty where the transform was not chosen by trials
  Ranges ranges;                       ///< of the training networks
  /// [classes][K] of the training layers; empty in files of before.
  std::vector<std::vector<Course>> courses = {};
  std::map<std::string, double>
      least_change;  ///< of a training network, by measure (ChangeTest::Measure::change)

  std::string setting;  ///< the chosen hyperparameters, as JSON
  double inner_accuracy = 0;
  std::int64_t samples = 0, networks = 0;
  std::string dataset_sha256, pool;  ///< training data and the filter applied to it
  std::string config;                ///< the full resolved configuration, TOML
  std::string software;              ///< version that wrote the file; set when writing
};

/// How the kinds left out were judged, as results that a report shows: a row for each.
io::Results left_out_results(const FittedFile& fitted);

/// Says, for the log, why `refuse` can never act: a network's typicality is at least 1/(known networks + 1).
/// Empty if it can.
std::string why_none_is_refused(const FittedFile& fitted);

/// Writes a file of `format = "lrid-model"` with a checksum over its content, whole or not at all. Equal
/// content gives equal bytes.
void write_fitted(const std::filesystem::path& path, const FittedFile& fitted);
/// Whether the file is HDF5, as model files are and results are not.
bool is_model_file(const std::filesystem::path& path);
/// Throws InputError naming the file for another format or version, a wrong checksum, and missing or
/// inconsistent content.
FittedFile read_fitted(const std::filesystem::path& path);

}  // namespace lrid::identify
