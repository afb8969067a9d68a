#include <algorithm>
#include <memory>
#include <mutex>

#include <spdlog/sinks/base_sink.h>

#include <lrid/core/error.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>

#include "terminal.hpp"

namespace lrid {

namespace {

class TerminalSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    terminal::print_line(trim(std::string_view(text.data(), text.size())));
  }
  void flush_() override {}
};

}  // namespace

void set_up_logging(const std::string& level) {
  const std::vector<std::string> levels = {"trace", "debug", "info", "warn", "error", "off"};
  if (std::ranges::find(levels, level) == levels.end())
    bad_input("--log-level {}: expected {}", level, expected_one_of(levels, level));
  auto logger = std::make_shared<spdlog::logger>("lrid", std::make_shared<TerminalSink>());
  logger->set_pattern("%^%l%$: %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace lrid
