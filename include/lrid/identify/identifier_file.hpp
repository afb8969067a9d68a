#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/identify/identifier.hpp>

namespace lrid::identify {

/// What `lrid-classify fit` saves: an identifier and how it came about.
struct FittedFile {
  Identifier identifier;
  std::string classifier;  ///< its name in the registry
  std::string target;      ///< the metadata column it identifies
  double refuse = 0.05;    ///< share of known samples that may be refused as none of these

  // Training summary.
  std::string setting;  ///< the chosen hyperparameters, as JSON
  double inner_accuracy = 0;
  std::int64_t samples = 0, networks = 0;
  std::string dataset_sha256, pool;  ///< the data, and which samples of it
  std::string config;                ///< the full resolved configuration, TOML
  std::string software;              ///< of the file that was read; filled in when writing
};

/// `format = "lrid-model"`, with a checksum over all content. Whole or not at all; equal content, equal
/// bytes.
void write_fitted(const std::filesystem::path& path, const FittedFile& fitted);
/// InputError naming the file for another format or version, a checksum that does not match, and anything
/// missing or inconsistent.
FittedFile read_fitted(const std::filesystem::path& path);

}  // namespace lrid::identify
