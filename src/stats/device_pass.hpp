// The passes of a CUDA device over sets of values, as phases between barriers, so that the host can run the
// same code and tests can compare it with the definitions. `Block` is one block of threads: block.each(phase)
// calls phase(t) for all of its threads t and waits for them (host: in a loop), block.shared() is memory that
// they share, Block::PerThread<T> is a T for each thread from phase to phase, block.add adds to a count that
// others add to.
//
// Three rounds over all sets at once, each one launch of pass_tile and one of end_round. In a round, every
// set is read once, if anything of it is still wanted: sums of powers (as on the host: next_sums says what is
// to be added up), and a histogram of the next 11 bits of what may be its order statistics (radix selection:
// 11 + 11 + 10 bits). A tile's values are added up thread by thread and then in pairs, tiles in order: the
// bits depend neither on how many blocks run at a time nor on what else is in the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <lrid/stats/view.hpp>

#include "set_sums.hpp"

namespace lrid::stats::device {

inline constexpr int block_threads = 256;
inline constexpr std::uint32_t tile_values = 65536;
inline constexpr int rounds = 3;
inline constexpr int searches = 4;  ///< median, third quartile; of absolute values: median, third quartile
inline constexpr int bins = 2048;

/// A set of values in the device's memory.
struct Set {
  const void* data = nullptr;
  ElementType type = ElementType::f32;  ///< not f64
  std::uint32_t n = 0;
  std::uint32_t first_tile = 0;  ///< its place among all tiles of the batch
  const double* s = nullptr;     ///< n weights to add up where a value is positive, or null
};

/// An order statistic: the upper bits of its key that are known, and its rank among those that share them.
struct Search {
  std::uint32_t prefix = 0, rank = 0;
};

struct State {
  SetSums sums;
  Sums wanted = Sums::powers;
  double change = 0;  ///< Σ s_j over positive values
  Search search[searches];
};

/// Of a part of a set: the sums of a round (powers or central), the least and the largest value, Σ s_j over
/// positive values.
struct Partial {
  enum { low = 12, high, change, count };
  double value[count];
};

LRID_HOST_DEVICE double neutral(int i) {
  return i == Partial::low ? HUGE_VAL : i == Partial::high ? -HUGE_VAL : 0;
}
LRID_HOST_DEVICE void merge(int i, double& total, double value) {
  if (i == Partial::low)
    total = value < total ? value : total;
  else if (i == Partial::high)
    total = value > total ? value : total;
  else
    total += value;
}

/// Memory that a block's threads share, for one purpose after the other.
union Shared {
  std::uint32_t histogram[searches * bins];
  double value[Partial::count][block_threads];
};

/// A batch of sets and its working memory, on the device.
struct Batch {
  const Set* sets;
  State* states;
  Partial* partials;          ///< of each tile
  std::uint32_t* histograms;  ///< [sets, searches, bins], zeros before each round
  std::uint32_t set_count, tile_count;
};

LRID_HOST_DEVICE std::uint32_t tiles_of(std::uint32_t n) {
  return n / tile_values + (n % tile_values != 0 ? 1 : 0);
}

LRID_HOST_DEVICE float float_of_bits(std::uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// Value i as float32, which all of these types are part of. Zeros have no sign.
LRID_HOST_DEVICE float load(const Set& set, std::uint32_t i) {
  if (set.type == ElementType::f32) return static_cast<const float*>(set.data)[i] + 0.0F;
  const std::uint32_t bits = static_cast<const std::uint16_t*>(set.data)[i];
  if (set.type == ElementType::bf16) return float_of_bits(bits << 16) + 0.0F;
  // f16: the exponent is moved by a multiplication, which denormals survive; infinities and NaN apart.
  const std::uint32_t magnitude = (bits & 0x7FFFU) << 13, sign = (bits & 0x8000U) << 16;
  const float value = (bits & 0x7C00U) == 0x7C00U ? float_of_bits(magnitude | 0x7F800000U)
                                                  : float_of_bits(magnitude) * 0x1p112F;
  std::uint32_t out;
  memcpy(&out, &value, sizeof out);
  return float_of_bits(out | sign) + 0.0F;
}

/// Keys are in the order of the values, or of their absolute values.
LRID_HOST_DEVICE std::uint32_t key_of(float v, bool absolute) {
  std::uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  if (absolute) return bits & 0x7FFFFFFFU;
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}
LRID_HOST_DEVICE float value_of(std::uint32_t key, bool absolute) {
  if (absolute) return float_of_bits(key);
  return float_of_bits((key & 0x80000000U) != 0 ? key & 0x7FFFFFFFU : ~key);
}

/// Bits of a key below those that a round looks at.
LRID_HOST_DEVICE int bits_below(int round) {
  return round == 0 ? 21 : round == 1 ? 10 : 0;
}
/// Types of 16 bits leave nothing to find out in the third round.
LRID_HOST_DEVICE int selecting_rounds(ElementType type) {
  return type == ElementType::f32 ? 3 : 2;
}

/// round_half_even((n−1)(1−q)) from above, as a rank from below.
LRID_HOST_DEVICE std::uint32_t rank_of(std::uint32_t n, double q) {
  return n - 1 - static_cast<std::uint32_t>(nearbyint(static_cast<double>(n - 1) * (1 - q)));
}

LRID_HOST_DEVICE State initial_state(const Set& set) {
  State state;
  state.sums.n = set.n;
  for (int i = 0; i < searches && set.n > 0; ++i)
    state.search[i].rank = rank_of(set.n, i % 2 == 0 ? 0.5 : 0.75);
  return state;
}

/// The set that a tile is of.
LRID_HOST_DEVICE std::uint32_t set_of_tile(const Batch& batch, std::uint32_t tile) {
  std::uint32_t low = 0, high = batch.set_count;
  while (high - low > 1) {
    const std::uint32_t middle = (low + high) / 2;
    if (batch.sets[middle].first_tile <= tile)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/// Adds up one tile and counts bins of its values.
template <class Block>
LRID_HOST_DEVICE void pass_tile(Block& block, const Batch& batch, int round, std::uint32_t tile) {
  using Powers = plain::PowerSums<double>;
  using Central = plain::CentralSums<double>;
  const std::uint32_t index = set_of_tile(batch, tile);
  const Set set = batch.sets[index];
  const State state = batch.states[index];
  const bool selecting = round < selecting_rounds(set.type);
  if (state.wanted == Sums::none && !selecting) return;

  Shared& shared = block.shared();
  typename Block::template PerThread<Partial> partial;
  const int used_bins = round == 0 ? bins : searches * bins;  // one histogram serves all at first
  block.each([&](int t) {
    for (int bin = t; bin < used_bins; bin += block_threads) shared.histogram[bin] = 0;
  });

  const auto count = [&](float value, std::uint32_t times) {
    for (int s = 0; s < (round == 0 ? 1 : searches); ++s) {
      const std::uint32_t key = key_of(value, s >= 2);
      if (round == 0 || (key ^ state.search[s].prefix) >> bits_below(round - 1) == 0)
        block.add(&shared.histogram[s * bins + static_cast<int>((key >> bits_below(round)) % bins)], times);
    }
  };
  const std::uint32_t begin = (tile - set.first_tile) * tile_values;
  const std::uint32_t end = set.n - begin < tile_values ? set.n : begin + tile_values;
  const double scale = ldexp(1.0, state.sums.exponent);
  block.each([&](int t) {
    Powers powers{};
    Central central{};
    Partial& mine = partial[t];
    for (int i = 0; i < Partial::count; ++i) mine.value[i] = neutral(i);
    std::uint32_t zeros = 0;
    for (std::uint32_t i = begin + static_cast<std::uint32_t>(t); i < end; i += block_threads) {
      const float value = load(set, i);
      const double v = static_cast<double>(value) * scale;
      if (state.wanted == Sums::powers) {
        powers.add(v, fabs(v));
        merge(Partial::low, mine.value[Partial::low], v);
        merge(Partial::high, mine.value[Partial::high], v);
        if (set.s != nullptr && value > 0) mine.value[Partial::change] += set.s[i];
      } else if (state.wanted == Sums::central) {
        central.add(Central::raw, v - state.sums.centres.raw);
        central.add(Central::absolute, fabs(v) - state.sums.centres.absolute);
        central.add(Central::square, v * v - state.sums.centres.square);
      }
      if (value == 0)  // half of what is behind a ReLU: they need not queue for one bin
        ++zeros;
      else if (selecting)
        count(value, 1);
    }
    if (selecting && zeros > 0) count(0.0F, zeros);
    for (int i = 0; i < Powers::count && state.wanted == Sums::powers; ++i) mine.value[i] = powers.sum[i];
    for (int i = 0; i < Central::count && state.wanted == Sums::central; ++i) mine.value[i] = central.sum[i];
  });
  block.each([&](int t) {
    std::uint32_t* const histogram = batch.histograms + std::size_t{index} * searches * bins;
    for (int bin = t; bin < used_bins; bin += block_threads)
      if (shared.histogram[bin] != 0) block.add(&histogram[bin], shared.histogram[bin]);
  });
  block.each([&](int t) {
    for (int i = 0; i < Partial::count; ++i) shared.value[i][t] = partial[t].value[i];
  });
  for (int half = block_threads / 2; half > 0; half /= 2)
    block.each([&](int t) {
      for (int i = 0; i < Partial::count && t < half; ++i)
        merge(i, shared.value[i][t], shared.value[i][t + half]);
    });
  block.each([&](int t) {
    if (t < Partial::count) batch.partials[tile].value[t] = shared.value[t][0];
  });
}

/// Ends a round for one set: merges its tiles, says what the next round has to add up, and narrows the
/// searches.
template <class Block>
LRID_HOST_DEVICE void end_round(Block& block, const Batch& batch, int round, std::uint32_t index) {
  const Set set = batch.sets[index];
  State& state = batch.states[index];
  const Sums wanted = state.wanted;
  const bool selecting = round < selecting_rounds(set.type);
  if (set.n == 0 || (wanted == Sums::none && !selecting)) return;
  Shared& shared = block.shared();
  std::uint32_t* const histogram = batch.histograms + std::size_t{index} * searches * bins;

  // Tiles in order, in sixteen runs side by side.
  constexpr std::uint32_t runs = block_threads / 16;
  block.each([&](int t) {
    const int i = t % 16, run = t / 16;
    if (i >= Partial::count) return;
    double total = neutral(i);
    for (std::uint32_t tile = static_cast<std::uint32_t>(run); tile < tiles_of(set.n); tile += runs)
      merge(i, total, batch.partials[set.first_tile + tile].value[i]);
    shared.value[i][run] = total;
  });
  block.each([&](int t) {
    // In the first round the values ±v lie in two bins of the same histogram.
    for (int bin = t; bin < bins / 2 && round == 0; bin += block_threads)
      histogram[2 * bins + bin] = histogram[bins / 2 + bin] + histogram[bins / 2 - 1 - bin];
    if (t != 0 || wanted == Sums::none) return;
    double total[Partial::count];
    for (int i = 0; i < Partial::count; ++i) {
      total[i] = shared.value[i][0];
      for (std::uint32_t run = 1; run < runs; ++run) merge(i, total[i], shared.value[i][run]);
    }
    if (wanted == Sums::powers) {
      for (int i = 0; i < plain::PowerSums<double>::count; ++i) state.sums.powers[i] = total[i];
      state.sums.low = total[Partial::low];
      state.sums.high = total[Partial::high];
      if (round == 0) state.change = total[Partial::change];
    } else {
      for (int i = 0; i < plain::CentralSums<double>::count; ++i) state.sums.central[i] = total[i];
    }
    state.wanted = next_sums(state.sums, wanted);
  });
  if (!selecting) return;

  // Which bin holds the rank: eight bins to a thread, then a thread for each search.
  const auto of_search = [&](int s) { return histogram + bins * (round > 0 ? s : s >= 2 ? 2 : 0); };
  constexpr int bins_of_thread = bins / block_threads;
  block.each([&](int t) {
    for (int s = 0; s < searches; ++s) {
      std::uint32_t count = 0;
      for (int bin = 0; bin < bins_of_thread; ++bin) count += of_search(s)[t * bins_of_thread + bin];
      shared.histogram[s * block_threads + t] = count;
    }
  });
  block.each([&](int t) {
    if (t >= searches) return;
    Search& search = state.search[t];
    int part = 0;
    while (part < block_threads - 1 && search.rank >= shared.histogram[t * block_threads + part])
      search.rank -= shared.histogram[t * block_threads + part++];
    int bin = part * bins_of_thread;
    while (bin < (part + 1) * bins_of_thread - 1 && search.rank >= of_search(t)[bin])
      search.rank -= of_search(t)[bin++];
    search.prefix |= static_cast<std::uint32_t>(bin) << bits_below(round);
    if (round + 1 == selecting_rounds(set.type)) {
      // Types of 16 bits: the bits below are those of a zero tail, turned over in keys of negative values.
      const bool negative = t < 2 && (search.prefix & 0x80000000U) == 0;
      if (negative) search.prefix |= (1U << bits_below(round)) - 1;
      state.sums.order[t] = static_cast<double>(value_of(search.prefix, t >= 2)) + 0.0;
    }
  });
  block.each([&](int t) {
    for (int bin = t; bin < searches * bins; bin += block_threads) histogram[bin] = 0;
  });
}

}  // namespace lrid::stats::device
