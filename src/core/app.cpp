#include <algorithm>
#include <exception>
#include <new>
#include <thread>

#include <sched.h>

#include <lrid/core/app.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>

#include "terminal.hpp"

namespace lrid {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
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
