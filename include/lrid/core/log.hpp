#pragma once

#include <string>

#include <spdlog/spdlog.h>

namespace lrid {

/// Sends spdlog's default logger to stderr, level by name ("trace" … "off"; InputError for another name).
/// Log lines and the progress line share the terminal: a log line is written above the progress line.
void set_up_logging(const std::string& level);

}  // namespace lrid
