#pragma once

#include <stdexcept>
#include <streambuf>
#include <string_view>

namespace lrid {

/// A failure to write to stdout.
class StdoutError : public std::runtime_error {
 public:
  /// `reason` is an errno, or 0 if unknown.
  explicit StdoutError(int reason);
  [[nodiscard]] bool reader_is_gone() const { return reader_is_gone_; }

 private:
  bool reader_is_gone_;
};

/// While it lives, std::cout throws StdoutError at the first byte that it cannot write, and shares the buffer
/// of the C stream stdout, so that output by both stays in order.
class CheckedStdout final : private std::streambuf {
 public:
  CheckedStdout();
  ~CheckedStdout() override;
  CheckedStdout(const CheckedStdout&) = delete;
  CheckedStdout& operator=(const CheckedStdout&) = delete;

 private:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* bytes, std::streamsize count) override;
  int sync() override;

  std::streambuf* const before_;
};

/// Flushes the C stream stdout; throws StdoutError if any of the program's output was lost.
void flush_stdout();
/// Writes bytes to stdout and flushes it.
void write_to_stdout(std::string_view bytes);

/// Ends the process silently by SIGPIPE, as other filters end when their reader goes away.
[[noreturn]] void end_by_broken_pipe();

/// Opens descriptors 0, 1 and 2 if the caller closed them, so that no output file gets their number and
/// receives our messages. Writing to them still fails.
void occupy_standard_descriptors();

}  // namespace lrid
