#pragma once

namespace lrid::learn {

/// What a network does with its filters' outputs over time: nothing, or one number per filter.
enum class Pool { none, max, mean };

}  // namespace lrid::learn
