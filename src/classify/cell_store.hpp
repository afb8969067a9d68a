#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <lrid/classify/evaluate.hpp>

namespace lrid::classify {

/// Finished cells of a run, a small file each, so that an interrupted run goes on where it was. A cell is
/// found again only under the same identity: program version, dataset, configuration, condition, classifier,
/// split.
class CellStore {
 public:
  /// `folder` is made when the first cell is stored. `run_identity` is whatever all cells of the run share.
  CellStore(std::filesystem::path folder, std::string run_identity);

  /// Nothing if the cell is not there, or not whole.
  [[nodiscard]] std::optional<CellResult> find(const std::string& cell) const;
  void store(const std::string& cell, const CellResult& result) const;
  /// Removes the folder with all cells in it.
  void clear() const;

 private:
  [[nodiscard]] std::filesystem::path path_of(const std::string& cell) const;
  std::filesystem::path folder_;
  std::string run_identity_;
};

}  // namespace lrid::classify
