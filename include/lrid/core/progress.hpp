#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace lrid {

/// Reports the progress of a long command on stderr: one line kept up to date on a terminal; elsewhere a line
/// every 30 s and none in the first 5 s. Shows done/total, a note, and the time left (from the rate so
/// far). Thread-safe. Silent after `Progress::silence()` (--quiet).
class Progress {
 public:
  /// `what` names the activity ("training"); `total` is the amount of work in `unit` ("steps").
  Progress(std::string what, double total, std::string unit);
  /// Sets how long it stays silent where stderr is not a terminal.
  Progress(std::string what, double total, std::string unit, std::chrono::milliseconds quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Adds finished work; `skip` adds work that was done before and says nothing about speed.
  void advance(double amount = 1.0);
  void skip(double amount);
  /// Enlarges (or shrinks) the total.
  void add_total(double amount);
  /// Sets the text behind the numbers, e.g. "KNet4 fa · loss 1.53".
  void note(std::string text);
  /// Draws the last state and ends the line; also done by the destructor.
  void finish();

  static void silence();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Returns "1 h 02 min", "3 min 20 s" or "12 s".
std::string format_duration(double seconds);

}  // namespace lrid
