#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <lrid/core/error.hpp>

namespace lrid {

/// The options of every lrid command.
struct CommonOptions {
  std::string log_level = "info";
  int threads = 0;  ///< 0: all cores
  bool quiet = false;

  /// Sets up logging, interrupts and progress. Throws InputError for a bad value.
  void apply();
};

/// Runs the body of a `main` and returns the process's exit code. An exception becomes one line on stderr,
/// and so does a failure to write to stdout (exit code 1), unless its reader went away: then SIGPIPE ends the
/// process, as it ends other filters.
int run_app(const std::string& program, const std::function<void()>& body);

/// Returns the number of cores that this process may use.
int available_cores();
/// Returns the number of threads asked for, or available_cores() for 0.
int threads_or_all(std::int64_t asked);

/// Returns this machine's name, "" if it has none.
std::string host_name();

/// One of the shares that work is split into: `index` of `count`, from 0.
struct Shard {
  std::int64_t index = 0, count = 1;
};
/// Parses "I/N" of the option --shard; InputError unless 0 ≤ I < N.
Shard parse_shard(const std::string& text);

}  // namespace lrid
