#pragma once

#include <cstdint>
#include <vector>

#include <lrid/classify/feature_table.hpp>
#include <lrid/io/dataset.hpp>

namespace lrid::testing {

/// A made-up dataset: {KNet4, KNet5} × {sgdm, adam, fa, ia} × `networks_each` networks, all 24 admissible
/// observables at `points` points. Curves of a layer are offset by rule, by layer and by network, so that
/// rules can be told apart (better within networks than across them).
io::Dataset tiny_dataset(int networks_each = 8, std::int64_t points = 5, double separation = 1.0,
                         std::uint64_t seed = 0);

/// `n` standard normal samples of `classes` classes in turn, shifted by `separation` along a direction of the
/// class's own, laid out as `observables` × `points` with a position one-hot.
classify::Samples random_samples(std::int64_t n, int classes, std::int64_t observables, std::int64_t points,
                                 double separation, std::uint64_t seed);

}  // namespace lrid::testing
