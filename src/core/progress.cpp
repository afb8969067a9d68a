#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <mutex>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lrid/core/progress.hpp>

#include "terminal.hpp"

namespace lrid {

namespace {

using Clock = std::chrono::steady_clock;
std::atomic<bool> silenced{false};

constexpr std::chrono::milliseconds terminal_interval{200};
constexpr std::chrono::seconds line_interval{30};
/// A command that fails at its start says why in one line, not after lines of progress.
constexpr std::chrono::seconds quiet_start{5};

}  // namespace

std::string format_duration(double seconds) {
  const auto total = std::llround(seconds);
  if (total >= 3600) return fmt::format("{} h {:02} min", total / 3600, total % 3600 / 60);
  if (total >= 60) return fmt::format("{} min {:02} s", total / 60, total % 60);
  return fmt::format("{} s", total);
}

struct Progress::State {
  std::mutex mutex;
  std::string what, unit, note;
  double total, done = 0, skipped = 0;
  Clock::time_point start = Clock::now(), last_drawn{};
  Clock::duration quiet{};
  bool on_terminal = ::isatty(STDERR_FILENO) == 1, finished = false;

  [[nodiscard]] std::string line() const {
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    const double worked = done - skipped;
    const double share = total > 0 ? std::min(1.0, done / total) : 1.0;
    std::string text = fmt::format("{} {:3.0f} %  {:.0f}/{:.0f} {}  {}", what, 100 * share, done, total, unit,
                                   format_duration(elapsed));
    if (worked > 0 && done < total && elapsed > 1)
      text += fmt::format(", {} left", format_duration(elapsed * (total - done) / worked));
    if (!note.empty()) text += "  " + note;
    return text;
  }

  void draw(bool now) {
    if (silenced || finished) return;
    const auto time = Clock::now();
    if (!on_terminal && time - start < quiet) return;
    if (!now && time - last_drawn <
                    (on_terminal ? Clock::duration(terminal_interval) : Clock::duration(line_interval)))
      return;
    last_drawn = time;
    if (on_terminal)
      terminal::show_status(line());
    else
      terminal::print_line(line());
  }
};

Progress::Progress(std::string what, double total, std::string unit)
    : Progress(std::move(what), total, std::move(unit), quiet_start) {}

Progress::Progress(std::string what, double total, std::string unit, std::chrono::milliseconds quiet)
    : state_(std::make_unique<State>()) {
  state_->what = std::move(what);
  state_->unit = std::move(unit);
  state_->total = total;
  state_->quiet = quiet;
  state_->last_drawn = state_->on_terminal ? Clock::time_point{} : Clock::now();
}

Progress::~Progress() {
  finish();
}

void Progress::advance(double amount) {
  const std::lock_guard lock(state_->mutex);
  state_->done += amount;
  state_->draw(false);
}

void Progress::skip(double amount) {
  const std::lock_guard lock(state_->mutex);
  state_->done += amount;
  state_->skipped += amount;
  state_->draw(false);
}

void Progress::add_total(double amount) {
  const std::lock_guard lock(state_->mutex);
  state_->total += amount;
}

void Progress::note(std::string text) {
  const std::lock_guard lock(state_->mutex);
  state_->note = std::move(text);
  state_->draw(false);
}

void Progress::finish() {
  const std::lock_guard lock(state_->mutex);
  if (state_->finished) return;
  state_->draw(true);
  state_->finished = true;
  if (!silenced && state_->on_terminal) terminal::keep_status();
}

void Progress::silence() {
  silenced = true;
}

}  // namespace lrid
