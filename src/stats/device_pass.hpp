// The passes of a CUDA device over sets of values, as phases between barriers, so that the host can run the
// same code and tests can compare it with the definitions. `Block` is one block of threads: block.each(phase)
// calls phase(t) for all of its threads t and waits for them (host: in a loop), block.shared() is memory that
// they share, Block::PerThread<T> is a T for each thread from phase to phase, block.add adds to a count that
// others add to.
//
// Three rounds. In a round, every set is read once, if anything of it is still wanted: sums of powers (as on
// the host: next_sums says what is to be added up), and a histogram of the next 11 bits of what may be its
// order statistics (radix selection: 11 + 11 + 10 bits). Sets of one tile go through all rounds in one block
// (whole_set); larger ones take one launch of pass_tile and one of end_round a round, a chunk of sets after
// the other, so that later rounds read what the device's cache still has. A tile's values are added up thread
// by thread and then in pairs, tiles in order: the bits depend neither on how many blocks run at a time nor
// on what else is in the batch, only on where in memory a set lies (modulo 16 bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

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
  std::uint32_t first_tile = 0;  ///< its place among the tiles of the batch, if it has more than one
  std::uint32_t histogram = 0;   ///< which of the batch's it uses then
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

/// Memory that a block's threads share; what is in the union for one purpose after the other.
struct Shared {
  static constexpr int at_once = 5;  ///< sums that are merged at a time
  static_assert(Partial::count % at_once == 0);

  State before;  ///< of the block's set, as the round found it
  std::uint32_t histogram[searches * bins];
  Partial total;
  union {
    double value[at_once][block_threads];
    double run[Partial::count][block_threads / 16];
    std::uint32_t part[searches * block_threads];
  };
};

/// A batch of sets and its working memory, on the device.
struct Batch {
  const Set* sets;
  State* states;
  Partial* partials;          ///< of each tile
  std::uint32_t* histograms;  ///< [., searches, bins], zeros before each round
  std::uint32_t set_count;
};

/// Sets of more than one tile that are worked on together.
struct Chunk {
  std::uint32_t first_set = 0, sets = 0;
  std::uint32_t first_tile = 0, tiles = 0;
};
/// Bytes of a chunk, unless one set alone has more.
inline constexpr std::int64_t chunk_bytes = 32 << 20;

LRID_HOST_DEVICE std::uint32_t tiles_of(std::uint32_t n) {
  return n / tile_values + (n % tile_values != 0 ? 1 : 0);
}
LRID_HOST_DEVICE bool is_whole(const Set& set) {
  return set.n <= tile_values;
}

LRID_HOST_DEVICE float float_of_bits(std::uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// A value's bits as float32, which all of these types are part of. Zeros have no sign.
template <ElementType type>
LRID_HOST_DEVICE float value_of_bits(std::uint32_t bits) {
  if constexpr (type == ElementType::f32) return float_of_bits(bits) + 0.0F;
  if constexpr (type == ElementType::bf16) return float_of_bits(bits << 16) + 0.0F;
  // f16: the exponent is moved by a multiplication, which denormals survive; infinities and NaN apart.
  const std::uint32_t magnitude = (bits & 0x7FFFU) << 13, sign = (bits & 0x8000U) << 16;
  const float value = (bits & 0x7C00U) == 0x7C00U ? float_of_bits(magnitude | 0x7F800000U)
                                                  : float_of_bits(magnitude) * 0x1p112F;
  std::uint32_t out;
  memcpy(&out, &value, sizeof out);
  return float_of_bits(out | sign) + 0.0F;
}

/// What a thread reads at once: 16 bytes.
template <ElementType type>
struct Pack {
  static constexpr int values = type == ElementType::f32 ? 4 : 8;
  std::uint32_t words[4];

  static LRID_HOST_DEVICE Pack read(const char* aligned) {
    Pack pack;
#ifdef __CUDA_ARCH__
    const uint4 all = *reinterpret_cast<const uint4*>(aligned);
    pack.words[0] = all.x, pack.words[1] = all.y, pack.words[2] = all.z, pack.words[3] = all.w;
#else
    memcpy(pack.words, aligned, sizeof pack.words);
#endif
    return pack;
  }
  [[nodiscard]] LRID_HOST_DEVICE float value(int i) const {
    if constexpr (type == ElementType::f32) return value_of_bits<type>(words[i]);
    return value_of_bits<type>(words[i / 2] >> (16 * (i % 2)) & 0xFFFFU);
  }
};

/// Calls take(value, i) for those values from `begin` to `end` that are thread t's.
template <ElementType type, class Take>
LRID_HOST_DEVICE void each_value(const void* data, std::uint32_t begin, std::uint32_t end, int t,
                                 const Take& take) {
  using Word = std::conditional_t<type == ElementType::f32, std::uint32_t, std::uint16_t>;
  const char* const bytes = static_cast<const char*>(data);
  const auto one = [&](std::uint32_t i) {
    Word bits;
    memcpy(&bits, bytes + std::size_t{i} * sizeof bits, sizeof bits);
    take(value_of_bits<type>(bits), i);
  };
  // Up to the first multiple of 16 bytes, and what is left after the last, value by value.
  const auto misaligned =
      (reinterpret_cast<std::uintptr_t>(bytes) / sizeof(Word) + begin) % Pack<type>::values;
  std::uint32_t first =
      begin + static_cast<std::uint32_t>((Pack<type>::values - misaligned) % Pack<type>::values);
  if (first > end) first = end;
  const std::uint32_t packs = (end - first) / Pack<type>::values;
  const std::uint32_t last = first + packs * Pack<type>::values;
  const auto thread = static_cast<std::uint32_t>(t);
  if (begin + thread < first) one(begin + thread);
  if (last + thread < end) one(last + thread);

  constexpr std::uint32_t in_flight = 4;
  for (std::uint32_t pack = thread; pack < packs; pack += in_flight * block_threads) {
    Pack<type> read[in_flight];
    for (std::uint32_t k = 0; k < in_flight; ++k)
      if (pack + k * block_threads < packs)
        read[k] = Pack<type>::read(bytes + (std::size_t{first} * sizeof(Word)) +
                                   std::size_t{pack + k * block_threads} * 16);
    for (std::uint32_t k = 0; k < in_flight; ++k)
      if (pack + k * block_threads < packs)
        for (int i = 0; i < Pack<type>::values; ++i)
          take(read[k].value(i),
               first + (pack + k * block_threads) * Pack<type>::values + static_cast<std::uint32_t>(i));
  }
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

/// The set that a tile is of. (Those of one tile have none here, and stand before or after.)
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

/// One thread's share of a tile.
template <ElementType type, Sums wanted, bool selecting, class Count>
LRID_HOST_DEVICE void add_up_values(const Set& set, const State& state, std::uint32_t begin,
                                    std::uint32_t end, int t, Partial& mine, const Count& count) {
  using Powers = plain::PowerSums<double>;
  using Central = plain::CentralSums<double>;
  const double scale = ldexp(1.0, state.sums.exponent);
  Powers powers{};
  Central central{};
  double change = 0;
  float low = HUGE_VALF, high = -HUGE_VALF;
  std::uint32_t zeros = 0;
  each_value<type>(set.data, begin, end, t, [&](float value, std::uint32_t i) {
    if constexpr (wanted == Sums::powers) {
      const double v = static_cast<double>(value) * scale;
      powers.add(v, fabs(v));
      low = value < low ? value : low;
      high = value > high ? value : high;
      if (set.s != nullptr && value > 0) change += set.s[i];
    } else if constexpr (wanted == Sums::central) {
      const double v = static_cast<double>(value) * scale;
      central.add(Central::raw, v - state.sums.centres.raw);
      central.add(Central::absolute, fabs(v) - state.sums.centres.absolute);
      central.add(Central::square, v * v - state.sums.centres.square);
    }
    if constexpr (selecting) {
      if (value == 0)  // half of what is behind a ReLU: they need not queue for one bin
        ++zeros;
      else
        count(value, 1U);
    }
  });
  if (selecting && zeros > 0) count(0.0F, zeros);
  if constexpr (wanted == Sums::powers) {
    for (int i = 0; i < Powers::count; ++i) mine.value[i] = powers.sum[i];
    mine.value[Partial::low] = static_cast<double>(low) * scale;
    mine.value[Partial::high] = static_cast<double>(high) * scale;
    mine.value[Partial::change] = change;
  } else if constexpr (wanted == Sums::central) {
    for (int i = 0; i < Central::count; ++i) mine.value[i] = central.sum[i];
  }
}

template <ElementType type, class Count>
LRID_HOST_DEVICE void add_up_values(const Set& set, const State& state, bool selecting, std::uint32_t begin,
                                    std::uint32_t end, int t, Partial& mine, const Count& count) {
  if (state.wanted == Sums::powers && selecting)
    add_up_values<type, Sums::powers, true>(set, state, begin, end, t, mine, count);
  else if (state.wanted == Sums::powers)
    add_up_values<type, Sums::powers, false>(set, state, begin, end, t, mine, count);
  else if (state.wanted == Sums::central && selecting)
    add_up_values<type, Sums::central, true>(set, state, begin, end, t, mine, count);
  else if (state.wanted == Sums::central)
    add_up_values<type, Sums::central, false>(set, state, begin, end, t, mine, count);
  else
    add_up_values<type, Sums::none, true>(set, state, begin, end, t, mine, count);
}

/// Keeps the set's state for the block; returns whether the round has anything to do for it.
template <class Block>
LRID_HOST_DEVICE bool begin_round(Block& block, const State& state, const Set& set, int round) {
  Shared& shared = block.shared();
  block.each([&](int t) {
    if (t == 0) shared.before = state;
  });
  return set.n > 0 && (shared.before.wanted != Sums::none || round < selecting_rounds(set.type));
}

/// Adds up the values from `begin` to `end` into the block's total, and counts bins of them in its histogram.
template <class Block>
LRID_HOST_DEVICE void count_values(Block& block, const Set& set, int round, std::uint32_t begin,
                                   std::uint32_t end) {
  const bool selecting = round < selecting_rounds(set.type);
  Shared& shared = block.shared();
  const State& state = shared.before;
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
  block.each([&](int t) {
    Partial& mine = partial[t];
    for (int i = 0; i < Partial::count; ++i) mine.value[i] = neutral(i);
    if (set.type == ElementType::f32)
      add_up_values<ElementType::f32>(set, state, selecting, begin, end, t, mine, count);
    else if (set.type == ElementType::f16)
      add_up_values<ElementType::f16>(set, state, selecting, begin, end, t, mine, count);
    else
      add_up_values<ElementType::bf16>(set, state, selecting, begin, end, t, mine, count);
  });
  for (int first = 0; first < Partial::count; first += Shared::at_once) {
    block.each([&](int t) {
      for (int i = 0; i < Shared::at_once; ++i) shared.value[i][t] = partial[t].value[first + i];
    });
    for (int half = block_threads / 2; half > 0; half /= 2)
      block.each([&](int t) {
        for (int i = 0; i < Shared::at_once && t < half; ++i)
          merge(first + i, shared.value[i][t], shared.value[i][t + half]);
      });
    block.each([&](int t) {
      if (t < Shared::at_once) shared.total.value[first + t] = shared.value[t][0];
    });
  }
}

/// Takes over what a round has added up, says what the next one has to, and narrows the searches by a
/// histogram of all values.
template <class Block>
LRID_HOST_DEVICE void take_totals(Block& block, const Set& set, State& state, int round,
                                  std::uint32_t* histogram) {
  Shared& shared = block.shared();
  const Sums wanted = shared.before.wanted;
  const bool selecting = round < selecting_rounds(set.type);
  block.each([&](int t) {
    // In the first round the values ±v lie in two bins of the same histogram.
    for (int bin = t; bin < bins / 2 && round == 0; bin += block_threads)
      histogram[2 * bins + bin] = histogram[bins / 2 + bin] + histogram[bins / 2 - 1 - bin];
    if (t != 0 || wanted == Sums::none) return;
    const double* const total = shared.total.value;
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
      // The absolute values' histogram has but half as many bins in the first round.
      const bool has_bins = round > 0 || s < 2 || t < block_threads / 2;
      for (int bin = 0; bin < bins_of_thread && has_bins; ++bin)
        count += of_search(s)[t * bins_of_thread + bin];
      shared.part[s * block_threads + t] = count;
    }
  });
  block.each([&](int t) {
    if (t >= searches) return;
    Search& search = state.search[t];
    int part = 0;
    while (part < block_threads - 1 && search.rank >= shared.part[t * block_threads + part])
      search.rank -= shared.part[t * block_threads + part++];
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
}

/// All rounds of a set of one tile.
template <class Block>
LRID_HOST_DEVICE void whole_set(Block& block, const Batch& batch, std::uint32_t index) {
  const Set set = batch.sets[index];
  if (!is_whole(set)) return;
  State& state = batch.states[index];
  for (int round = 0; round < rounds; ++round) {
    if (!begin_round(block, state, set, round)) return;
    count_values(block, set, round, 0, set.n);
    take_totals(block, set, state, round, block.shared().histogram);
  }
}

/// A round's work on one tile of a larger set.
template <class Block>
LRID_HOST_DEVICE void pass_tile(Block& block, const Batch& batch, int round, std::uint32_t tile) {
  const std::uint32_t index = set_of_tile(batch, tile);
  const Set set = batch.sets[index];
  if (!begin_round(block, batch.states[index], set, round)) return;
  const std::uint32_t begin = (tile - set.first_tile) * tile_values;
  const std::uint32_t end = set.n - begin < tile_values ? set.n : begin + tile_values;
  count_values(block, set, round, begin, end);
  Shared& shared = block.shared();
  block.each([&](int t) {
    std::uint32_t* const histogram = batch.histograms + std::size_t{set.histogram} * searches * bins;
    for (int bin = t; bin < (round == 0 ? bins : searches * bins); bin += block_threads)
      if (shared.histogram[bin] != 0) block.add(&histogram[bin], shared.histogram[bin]);
    if (t < Partial::count) batch.partials[tile].value[t] = shared.total.value[t];
  });
}

/// Ends a round for one larger set: merges its tiles, and clears its histogram.
template <class Block>
LRID_HOST_DEVICE void end_round(Block& block, const Batch& batch, int round, std::uint32_t index) {
  const Set set = batch.sets[index];
  State& state = batch.states[index];
  if (is_whole(set) || !begin_round(block, state, set, round)) return;
  Shared& shared = block.shared();
  std::uint32_t* const histogram = batch.histograms + std::size_t{set.histogram} * searches * bins;

  // Tiles in order, in sixteen runs side by side.
  constexpr std::uint32_t runs = block_threads / 16;
  block.each([&](int t) {
    const int i = t % 16, run = t / 16;
    if (i >= Partial::count) return;
    double total = neutral(i);
    for (std::uint32_t tile = static_cast<std::uint32_t>(run); tile < tiles_of(set.n); tile += runs)
      merge(i, total, batch.partials[set.first_tile + tile].value[i]);
    shared.run[i][run] = total;
  });
  block.each([&](int t) {
    if (t >= Partial::count) return;
    double total = shared.run[t][0];
    for (std::uint32_t run = 1; run < runs; ++run) merge(t, total, shared.run[t][run]);
    shared.total.value[t] = total;
  });
  take_totals(block, set, state, round, histogram);
  block.each([&](int t) {
    for (int bin = t; bin < searches * bins; bin += block_threads) histogram[bin] = 0;
  });
}

/// Gives the larger sets their tiles and histograms, and groups them.
inline std::vector<Chunk> make_chunks(std::span<Set> sets) {
  std::vector<Chunk> chunks;
  std::uint32_t tiles = 0, histograms = 0;
  std::int64_t bytes = 0;
  for (std::uint32_t i = 0; i < sets.size(); ++i) {
    Set& set = sets[i];
    set.first_tile = tiles;
    if (is_whole(set)) continue;
    const std::int64_t its = std::int64_t{set.n} * (set.type == ElementType::f32 ? 4 : 2);
    if (chunks.empty() || bytes + its > chunk_bytes) {
      chunks.push_back({i, 0, tiles, 0});
      bytes = histograms = 0;
    }
    bytes += its;
    set.histogram = histograms++;
    tiles += tiles_of(set.n);
    chunks.back().sets = i + 1 - chunks.back().first_set;
    chunks.back().tiles = tiles - chunks.back().first_tile;
  }
  return chunks;
}

}  // namespace lrid::stats::device
