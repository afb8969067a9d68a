#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <thread>

#include <sched.h>
#include <unistd.h>

#include <lrid/core/app.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>

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

int run_app(const std::string& program, const std::function<void()>& body) {
  const auto complain = [&](const std::string& message) {
    std::string line = message;
    std::ranges::replace(line, '\n', ' ');
    terminal::print_line(program + ": " + line);
  };
  try {
    set_up_logging("info");  // to stderr also of programs without options: results go to stdout
    body();
    return static_cast<int>(ExitCode::done);
  } catch (const Interrupted& interrupted) {
    complain(interrupted.what());
    return static_cast<int>(ExitCode::interrupted);
  } catch (const InputError& error) {
    complain(error.what());
    return static_cast<int>(ExitCode::bad_input);
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return static_cast<int>(ExitCode::failed);
}

}  // namespace lrid
