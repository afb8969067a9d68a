#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lrid/identify/evaluate.hpp>

namespace lrid::identify {

/// What a folder of cells says of the run that they belong to, so that others can put them together.
struct CellOrigin {
  std::string version;         ///< of the program that computed them
  std::string config;          ///< the full resolved configuration, TOML
  std::filesystem::path data;  ///< dataset file, absolute
  std::string dataset_sha256;
  std::size_t shards = 1;  ///< into how many the cells were divided, as the last process was told

  /// What all cells of the run share.
  [[nodiscard]] std::string identity() const { return version + "\n" + dataset_sha256 + "\n" + config; }
};

/// The origin that `CellStore::store_origin` left in a folder. InputError naming the folder if it holds none.
CellOrigin read_origin(const std::filesystem::path& folder);

/// Finished cells of a run, a small file each, so that an interrupted run goes on where it was. A cell is
/// found again only under the same identity: program version, dataset, configuration, condition, classifier,
/// split.
class CellStore {
 public:
  /// Cells are looked for in all `folders` and stored in the first, which is made when there is something to
  /// store; without folders nothing is kept. `run_identity` is whatever all cells of the run share.
  CellStore(std::vector<std::filesystem::path> folders, std::string run_identity);

  /// Nothing if the cell is not there, or not whole.
  [[nodiscard]] std::optional<CellResult> find(const std::string& cell) const;
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
