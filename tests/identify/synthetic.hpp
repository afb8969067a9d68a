#pragma once

#include <cstdint>

#include <lrid/io/dataset.hpp>

namespace lrid::testing {

/// A made-up dataset: {KNet4, KNet5} × {sgdm, adam, fa, ia} × `networks_each` networks, all 24 admissible
/// observables at `points` points. Curves of a layer are offset by rule, by layer and by network, so that
/// rules can be told apart (better within networks than across them).
io::Dataset tiny_dataset(int networks_each = 8, std::int64_t points = 5, double separation = 1.0,
                         std::uint64_t seed = 0);

}  // namespace lrid::testing
