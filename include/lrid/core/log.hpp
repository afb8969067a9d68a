#pragma once

#include <string>

#include <spdlog/spdlog.h>

namespace lrid {

/// Makes spdlog's default logger write to stderr from this level up ("trace" … "off"; InputError for another
/// name). On a terminal, log lines appear above the progress line.
void set_up_logging(const std::string& level);

}  // namespace lrid
