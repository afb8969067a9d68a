#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace lrid::testing {

/// 200 images, batches of 20, 3 epochs: 30 steps. One thread: the same bits whatever the machine's cores.
inline const std::string tiny =
    "epochs = 3\npoints = 6\nbatch_size = 20\n[data]\nfolder = \"cifar10-sample\"\ntraining_samples = 200\n"
    "[probe]\nsize = 16\n[validation]\nsamples = 40\n[compute]\ndevice = \"cpu\"\nthreads = 1\n"
    "[checkpoint]\nstate_seconds = 0\n";

/// The command line of a command of lrid-train; those that read data get the images that come with lrid.
std::string lrid_train(const std::string& command, const std::string& arguments = {});

/// Writes a configuration; its path.
std::string write(const std::filesystem::path& path, const std::string& text);

/// Hashes of the trajectory files of a folder, by name.
std::map<std::string, std::string> hashes(const std::filesystem::path& folder);

/// What is in a folder besides trajectories, logs and configurations.
std::vector<std::string> leftovers(const std::filesystem::path& folder);

/// Starts a command in the background, its output into `log` ("": nowhere); its process.
pid_t start(const std::string& command, const std::filesystem::path& log = {});
/// Waits for its end: its exit code, or 128 + signal.
int wait_for(pid_t child);

/// Starts a command, waits until `moment` says so (or it has ended), sends a signal, and waits for the end.
int run_and_signal(const std::string& command, const std::function<bool()>& moment, int signal_number);

}  // namespace lrid::testing
