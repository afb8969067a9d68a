#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <lrid/stats/distribution.hpp>

#include "kernels.hpp"
#include "set_sums.hpp"

namespace lrid::stats {

/// How many values to draw from a set of n, so that the brackets that they give hold few values but the
/// order statistics; a multiple of `sample_chunk`, 0 where a set is so small that a sample does not pay.
std::size_t sample_size(std::int64_t n);
inline constexpr std::size_t sample_chunk = 256;

/// The k-th of a sample's indices in 0 … n−1: multiples of the golden ratio, which lie evenly and keep step
/// with no regular structure of the set.
inline std::size_t evenly_drawn(std::size_t k, std::size_t n) {
  __extension__ using Product = unsigned __int128;
  return static_cast<std::size_t>(Product{(k + 1) * 0x9E3779B97F4A7C15ULL} * n >> 64);
}

/// Values to give to SetFold::add at a time: they and what is made from them stay in the caches next to the
/// core.
inline constexpr std::size_t block_size = 4096;

/// Working memory for the end of a pass, of all sets that a thread measures.
template <class T>
struct SelectionBuffers {
  std::vector<T> values;
  std::vector<std::uint32_t> histogram;
};

/// Statistics of one set whose values come in blocks:
///
///     fold.start(n, sample);
///     do { for (block : set) fold.add(block); } while (!fold.end_pass(buffers));
///     fold.result();
///
/// Mostly one pass does. Another is asked for where power sums would have lost digits, or where an order
/// statistic was not where the sample placed it. The result does not depend on the sample.
/// See `describe` for the algorithms.
template <class T>
class SetFold {
 public:
  /// `sample`: sample_size(n) of the values, evenly drawn; is reordered.
  void start(std::int64_t n, std::span<T> sample);
  /// The blocks of a pass hold n values together. At most 2²⁰ at a time: additions run over blocks first.
  void add(std::span<const T> values);
  /// Ends a pass; false: the same values once more, please.
  bool end_pass(SelectionBuffers<T>& buffers);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const Distribution& result() const { return result_; }

 private:
  /// An order statistic that is looked for: of the values or of their absolute values.
  struct Search {
    bool absolute = false;
    std::size_t rank = 0;  ///< from below
    Bracket<T> bracket{};
    T at_most = std::numeric_limits<T>::quiet_NaN();  ///< an upper bound, from the pass before
    int attempts = 0;
    bool found = false;
    T value = 0;
  };
  void place_brackets(std::span<T> sample);
  void begin_pass();
  void resolve(Search& search, std::size_t above, SelectionBuffers<T>& buffers);
  T select(SelectionBuffers<T>& buffers, std::size_t count, std::size_t rank) const;

  const Kernels<T>* kernels_ = nullptr;
  std::size_t n_ = 0;
  bool done_ = false;
  Sums sums_ = Sums::powers;  ///< what this pass adds up
  PowerTotals powers_;
  CentralTotals central_;
  SetSums set_;                     ///< up to the end of the pass before
  std::array<Search, 4> searches_;  ///< median, third quartile; of absolute values: median, third quartile
  Brackets<T> brackets_{};
  bool with_absolute_ = false;
  Above above_;
  std::vector<T> list_;  ///< what lies in any bracket
  std::size_t listed_ = 0;
  Distribution result_{};
};

/// The statistics of a set that lies in memory. All else is reused memory.
template <class T>
Distribution describe_with(SetFold<T>& fold, std::span<const T> values, std::vector<T>& sample,
                           SelectionBuffers<T>& buffers) {
  sample.resize(sample_size(std::ssize(values)));
  for (std::size_t k = 0; k < sample.size(); ++k) sample[k] = values[evenly_drawn(k, values.size())];
  fold.start(std::ssize(values), sample);
  while (!fold.done()) {
    for (std::size_t begin = 0; begin < values.size(); begin += block_size)
      fold.add(values.subspan(begin, std::min(block_size, values.size() - begin)));
    fold.end_pass(buffers);
  }
  return fold.result();
}

extern template class SetFold<float>;
extern template class SetFold<double>;

}  // namespace lrid::stats
