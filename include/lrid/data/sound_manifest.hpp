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

/// A CSV file (RFC 4180) whose lines are "path,word,speaker"; a first line of these very words is passed
/// over. Paths are relative to the manifest's folder. InputError naming file and line.
WordManifest read_word_manifest(const std::filesystem::path& file);
/// The same with lines "path,class" or, of several classes, "path,class;class".
NoiseManifest read_noise_manifest(const std::filesystem::path& file);

}  // namespace lrid::data
