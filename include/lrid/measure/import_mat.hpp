#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include <lrid/io/recording.hpp>

namespace lrid::measure {

/// What is taken out of a MATLAB file.
struct MatImport {
  /// Variables with activity, each a layer: "VARIABLE" or "LAYER=VARIABLE"; fields of structures as s.field.
  std::vector<std::string> activations;
  /// The variables' dimensions in MATLAB's order: units, stimuli and time, each once.
  std::string axes = "units,stimuli,time";
};

/// Responses from variables of a MATLAB file of version 7.3 (which is HDF5). Dimensions of one element that
/// MATLAB drops at the end count as there. Units keep their places, from 1, as ids. Throws InputError naming
/// the file and the variable where one is missing, not numeric, complex, of other dimensions than `axes`
/// says, or of other stimuli or times than the one before.
io::Activity import_mat(const std::filesystem::path& path, const MatImport& import);

/// Prints the numeric variables with their sizes as MATLAB shows them, and what else there is.
void list_mat(const std::filesystem::path& path, std::ostream& out);

}  // namespace lrid::measure
