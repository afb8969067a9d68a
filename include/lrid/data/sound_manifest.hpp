#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lrid::data {

/// Sound files with labels, in the order of the manifest. Labels are numbered by name, bytewise.
struct WordManifest {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> word_names, speaker_names;
  std::vector<std::int64_t> words, speakers;
};
struct NoiseManifest {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> class_names;
  std::vector<std::vector<std::int64_t>> classes;  ///< of each file
};

/// Reads a CSV file (RFC 4180, with or without a byte-order mark) whose lines are "path,word,speaker". A
/// first line that holds these words, in any case and order, is a heading: it says where the columns are, and
/// others beside them are ignored. Paths are relative to the manifest's folder. InputError naming file and
/// line.
WordManifest read_word_manifest(const std::filesystem::path& file);
/// The same with lines "path,class" or, of several classes, "path,class;class".
NoiseManifest read_noise_manifest(const std::filesystem::path& file);

/// Removes the sounds for which `bad` is true, then the words, speakers and classes that no sound is left of;
/// returns the names of these. InputError naming `file` if fewer than two words, or no noise, are left.
std::vector<std::string> leave_out(const std::vector<bool>& bad, const std::filesystem::path& file,
                                   WordManifest& manifest);
std::vector<std::string> leave_out(const std::vector<bool>& bad, const std::filesystem::path& file,
                                   NoiseManifest& manifest);

}  // namespace lrid::data
