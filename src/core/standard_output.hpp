#pragma once

#include <stdexcept>
#include <streambuf>
#include <string_view>

namespace lrid {

/// stdout does not take what is written to it.
class StdoutError : public std::runtime_error {
 public:
  /// `reason` is an errno, 0 where it is not known.
  explicit StdoutError(int reason);
  [[nodiscard]] bool reader_is_gone() const { return reader_is_gone_; }

 private:
  bool reader_is_gone_;
};

/// While it lives, std::cout throws StdoutError at the first byte that stdout does not take, and keeps its
/// place among what is written to the C stream stdout.
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

/// Writes out what the C stream stdout holds; StdoutError if any byte of the program's output was lost.
void flush_stdout();
/// Writes bytes behind what stdout holds, past its buffer.
void write_to_stdout(std::string_view bytes);

/// Ends the process as other filters end when nobody reads on: by SIGPIPE, without a word.
[[noreturn]] void end_by_broken_pipe();

/// Opens descriptors 0, 1 and 2 where the caller closed them, so that no file takes their number and none of
/// our messages lands in it. They take no bytes: writing fails as it would have.
void occupy_standard_descriptors();

}  // namespace lrid
