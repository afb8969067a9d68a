#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <lrid/core/error.hpp>

namespace lrid {

/// The options that every lrid command has.
struct CommonOptions {
  std::string log_level = "info";
  int threads = 0;  ///< 0: all cores
  bool quiet = false;

  /// Sets up logging, interrupts and progress; resolves `threads`.
  void apply();
};

/// Declares them on a CLI11 (sub)command; a template so that the core needs no CLI11.
template <class App>
void add_common_options(App& app, CommonOptions& common) {
  app.add_option("--log-level", common.log_level, "trace, debug, info, warn, error or off")
      ->capture_default_str();
  app.add_option("--threads", common.threads, "worker threads, 0: all cores")->capture_default_str();
  app.add_flag("--quiet", common.quiet, "errors only, no progress");
}

/// Runs the body of a `main`; the process's exit code. An exception becomes one line on stderr, and so does
/// output that stdout does not take (exit code 1), unless its reader went away: then SIGPIPE ends the process
/// as it ends other filters.
int run_app(const std::string& program, const std::function<void()>& body);

/// Cores this process may use.
int available_cores();
/// The number of threads asked for; all cores where it is 0.
int threads_or_all(std::int64_t asked);

/// This machine's name, "" if it has none.
std::string host_name();

/// "I/N" of the option --shard, 0 ≤ I < N.
struct Shard {
  std::int64_t index = 0, count = 1;
};
Shard parse_shard(const std::string& text);

}  // namespace lrid
