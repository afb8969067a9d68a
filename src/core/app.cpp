#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>
#include <thread>

#include <sched.h>
#include <unistd.h>

#include <lrid/core/app.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>

#include "standard_output.hpp"
#include "terminal.hpp"

namespace lrid {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

int threads_or_all(std::int64_t asked) {
  return asked > 0 ? static_cast<int>(asked) : available_cores();
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

Shard parse_shard(const std::string& text) {
  const std::vector<std::string> parts = split(text, '/');
  const auto is_number = [](const std::string& part) {
    return !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
  };
  if (parts.size() == 2 && is_number(parts[0]) && is_number(parts[1]))
    if (const Shard shard{std::stoll(parts[0]), std::stoll(parts[1])}; shard.index < shard.count)
      return shard;
  bad_input("--shard {}: expected I/N with 0 ≤ I < N", text);
}

void CommonOptions::apply() {
  set_up_logging(quiet ? "error" : log_level);
  if (quiet) Progress::silence();
  if (threads < 0) bad_input("--threads {}: expected a number ≥ 0", threads);
  catch_interrupts();
}

namespace {

/// Makes writes past a limit or to a closed pipe fail with an error instead of a signal, which would leave
/// temporary files behind.
void ignore_signals_of_writes() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

/// Runs `work` and reports what it throws in one line.
ExitCode guarded(const std::string& program, const std::function<void()>& work) {
  const auto complain = [&](const std::string& message) {
    std::string line = message;
    std::ranges::replace(line, '\n', ' ');
    terminal::print_line(program + ": " + line);
  };
  const auto stdout_failed = [&](const StdoutError& error) {
    if (error.reader_is_gone()) end_by_broken_pipe();
    complain(error.what());
    return ExitCode::failed;
  };
  try {
    work();
    return ExitCode::done;
  } catch (const StdoutError& error) {
    return stdout_failed(error);
  } catch (const Interrupted& interrupted) {
    complain(interrupted.what());
    return ExitCode::interrupted;
  } catch (const InputError& error) {
    complain(error.what());
    return ExitCode::bad_input;
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0) return stdout_failed(StdoutError(error.code().value()));  // fmt::print's
    complain(error.what());
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return ExitCode::failed;
}

}  // namespace

int run_app(const std::string& program, const std::function<void()>& body) {
  occupy_standard_descriptors();
  ignore_signals_of_writes();
  const CheckedStdout checked;
  const ExitCode code = guarded(program, [&] {
    set_up_logging("info");  // to stderr, from the first line on: results go to stdout
    body();
    flush_stdout();
  });
  return static_cast<int>(code);
}

}  // namespace lrid
