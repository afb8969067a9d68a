#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate.hpp"

namespace lrid::identify {

/// The run that a folder of cells belongs to, so that `gather` can assemble its results.
struct CellOrigin {
  std::string version;         ///< of the program that computed the cells
  std::string config;          ///< the full resolved configuration, TOML
  std::filesystem::path data;  ///< dataset file, absolute
  std::string dataset_sha256;
  std::size_t shards = 1;  ///< number of shards, as given to the last process

  /// A text that identifies the run; shared by all its cells.
  [[nodiscard]] std::string identity() const { return version + "\n" + dataset_sha256 + "\n" + config; }
};

/// Reads what CellStore::store_origin() wrote. Throws InputError naming the folder if there is none, or a
/// damaged one.
CellOrigin read_origin(const std::filesystem::path& folder);

/// Finished cells of a run, one small file each, so that an interrupted run resumes. A cell is found only
/// under the same program version, dataset, configuration, condition, classifier and split.
class CellStore {
 public:
  /// Looks cells up in all `folders` and stores them in the first, which is created on the first store;
  /// without folders nothing is kept. `run_identity`: CellOrigin::identity().
  CellStore(std::vector<std::filesystem::path> folders, std::string run_identity);

  /// The stored result; nothing if there is none or it is damaged.
  [[nodiscard]] std::optional<CellResult> find(const std::string& cell) const;
  /// Throws WorkError if the file cannot be written; store_origin() likewise.
  void store(const std::string& cell, const CellResult& result) const;
  void store_origin(const CellOrigin& origin) const;
  /// Removes all cells from the first folder, and the folder unless it holds other files.
  void clear() const;

 private:
  [[nodiscard]] std::string file_name_of(const std::string& cell) const;
  void write(const std::string& file_name, std::string_view text) const;
  std::vector<std::filesystem::path> folders_;
  std::string run_identity_;
};

}  // namespace lrid::identify
