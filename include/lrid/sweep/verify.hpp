#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrid/train/run_config.hpp>
#include <lrid/train/training_callback.hpp>

namespace lrid::sweep {

/// What a look at all of a run's file has found.
struct Verdict {
  std::filesystem::path file;
  std::string fault;          ///< "" if it is complete, finite and of this configuration
  std::string software;       ///< the versions that made it
  std::string config_sha256;  ///< of the configuration it was made with, as its attribute `config`
};

/// Reads every result of a sweep, with progress. A file that is missing or cannot be read has that as its
/// fault.
std::vector<Verdict> verify(const std::vector<train::RunPlan>& plans,
                            const train::MakeCallback& make_callback);

/// A line for each file with a fault, how many are sound, and which versions made how many of them.
std::string to_text(const std::vector<Verdict>& verdicts);
/// `{"networks": …, "sound": …, "runs": [{"file", "fault", "software", "config_sha256"}]}`, fault null where
/// sound.
std::string to_json(const std::vector<Verdict>& verdicts);

}  // namespace lrid::sweep
