#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/identify/identifier.hpp>

namespace lrid::identify {

/// The file `lrid-classify fit` writes: an identifier and its provenance.
struct FittedFile {
  Identifier identifier;
  std::string classifier;  ///< name in learn::classifiers()
  std::string target;      ///< the metadata column it identifies
  double refuse = 0.05;    ///< fraction of known samples that may be refused as none of the classes

  std::string setting;  ///< the chosen hyperparameters, as JSON
  double inner_accuracy = 0;
  std::int64_t samples = 0, networks = 0;
  std::string dataset_sha256, pool;  ///< training data and the filter applied to it
  std::string config;                ///< the full resolved configuration, TOML
  std::string software;              ///< version that wrote the file; set when writing
};

/// Says, for the log, why `refuse` can never act: a network's typicality is at least 1/(known networks + 1).
/// Empty if it can.
std::string why_none_is_refused(const FittedFile& fitted);

/// Writes a file of `format = "lrid-model"` with a checksum over its content, whole or not at all. Equal
/// content gives equal bytes.
void write_fitted(const std::filesystem::path& path, const FittedFile& fitted);
/// Throws InputError naming the file for another format or version, a wrong checksum, and missing or
/// inconsistent content.
FittedFile read_fitted(const std::filesystem::path& path);

}  // namespace lrid::identify
