#pragma once

#include <cstddef>

#include <oneapi/tbb/global_control.h>

#include <lrid/core/app.hpp>

namespace lrid::apps {

/// Holds oneTBB to --threads for as long as it lives.
class ThreadLimit {
 public:
  explicit ThreadLimit(const CommonOptions& common)
      : limit_(oneapi::tbb::global_control::max_allowed_parallelism,
               static_cast<std::size_t>(threads_or_all(common.threads))) {}

 private:
  oneapi::tbb::global_control limit_;
};

}  // namespace lrid::apps
