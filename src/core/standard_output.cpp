#include "standard_output.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <lrid/core/error.hpp>

#include "blocking.hpp"

namespace lrid {

namespace {

/// Of a pipe or socket.
bool has_no_reader(int descriptor) {
  pollfd query{.fd = descriptor, .events = 0, .revents = 0};
  return ::poll(&query, 1, 0) == 1 && (query.revents & POLLERR) != 0;
}

}  // namespace

StdoutError::StdoutError(int reason)
    : std::runtime_error(fmt::format("stdout: cannot write all of the output{}{}", reason != 0 ? ": " : "",
                                     reason != 0 ? std::strerror(reason) : "")),
      reader_is_gone_(reason == EPIPE || has_no_reader(STDOUT_FILENO)) {}

CheckedStdout::CheckedStdout() : before_(std::cout.rdbuf(this)) {
  std::cout.exceptions(std::ios::badbit);  // the StdoutError passes through the stream
}

CheckedStdout::~CheckedStdout() {
  std::cout.exceptions(std::ios::goodbit);
  std::cout.rdbuf(before_);
}

CheckedStdout::int_type CheckedStdout::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  xsputn(&byte, 1);
  return c;
}

std::streamsize CheckedStdout::xsputn(const char* bytes, std::streamsize count) {
  const EndsAtOnce nothing_to_save;
  if (std::fwrite(bytes, 1, static_cast<std::size_t>(count), stdout) != static_cast<std::size_t>(count))
    throw StdoutError(errno);
  return count;
}

int CheckedStdout::sync() {
  flush_stdout();
  return 0;
}

void flush_stdout() {
  const EndsAtOnce nothing_to_save;
  const bool lost = std::ferror(stdout) != 0;
  if (std::fflush(stdout) != 0) throw StdoutError(errno);
  if (lost) throw StdoutError(0);
}

void write_to_stdout(std::string_view bytes) {
  flush_stdout();
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) throw StdoutError(errno);
  flush_stdout();
}

void end_by_broken_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  std::raise(SIGPIPE);
  std::_Exit(static_cast<int>(ExitCode::failed));
}

void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0)
      static_cast<void>(::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

}  // namespace lrid
