#pragma once

#include <cstdint>

#include <lrid/learn/samples.hpp>

namespace lrid::testing {

/// `n` standard normal samples of `classes` classes in turn, shifted by `separation` along a direction of the
/// class's own, laid out as `channels` × `points` behind a one-hot of three constants.
learn::Samples random_samples(std::int64_t n, int classes, std::int64_t channels, std::int64_t points,
                              double separation, std::uint64_t seed);

}  // namespace lrid::testing
