#include "terminal.hpp"

#include <cstdio>
#include <mutex>

#include <sys/ioctl.h>
#include <unistd.h>

namespace lrid::terminal {

namespace {

std::mutex mutex;
std::string status;

constexpr const char* erase_line = "\r\033[K";

/// Cuts UTF-8 text to the terminal's width, counting code points.
std::string cut_to_width(const std::string& text) {
  winsize size{};
  const std::size_t width =
      ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79U;
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_code_point = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts_code_point && ++columns > width) return text.substr(0, i);
  }
  return text;
}

}  // namespace

void show_status(const std::string& text) {
  const std::lock_guard lock(mutex);
  status = cut_to_width(text);
  std::fprintf(stderr, "%s%s", erase_line, status.c_str());
  std::fflush(stderr);
}

void keep_status() {
  const std::lock_guard lock(mutex);
  if (!status.empty()) std::fputs("\n", stderr);
  std::fflush(stderr);
  status.clear();
}

void print_line(const std::string& text) {
  const std::lock_guard lock(mutex);
  if (status.empty())
    std::fprintf(stderr, "%s\n", text.c_str());
  else
    std::fprintf(stderr, "%s%s\n%s", erase_line, text.c_str(), status.c_str());
  std::fflush(stderr);
}

}  // namespace lrid::terminal
