#include "set_fold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <lrid/core/index.hpp>

namespace lrid::stats {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

using Powers = plain::PowerSums<double>;

/// A vector may be written behind the values that are kept.
constexpr std::size_t slack = 64;

/// Brackets reach so many standard errors of the sample's ranks to both sides.
constexpr double standard_errors = 3;

constexpr double quantiles[] = {0.5, 0.75};

/// Index from above in a set of n values, sorted: round_half_even((n−1)(1−q)).
std::size_t descending_index(std::size_t n, double q) {
  return static_cast<std::size_t>(std::nearbyint(static_cast<double>(n - 1) * (1 - q)));  // ties to even
}

/// The rank-th smallest absolute value of an ascending list.
template <class T>
T smallest_absolute(std::span<const T> ascending, std::size_t rank) {
  // Absolute values ascend from the first non-negative one to both sides: take k of the rank + 1 smallest
  // from the left.
  const std::size_t zero = to_size(std::ranges::lower_bound(ascending, T(0)) - ascending.begin());
  const std::size_t right = ascending.size() - zero, taken = rank + 1;
  std::size_t low = taken > right ? taken - right : 0, high = std::min(zero, taken);
  while (low < high) {
    const std::size_t k =
        (low + high) / 2;  // then ascending[zero + taken − k − 1] would be the last from the right
    if (-ascending[zero - k - 1] < ascending[zero + taken - k - 1])
      low = k + 1;
    else
      high = k;
  }
  T result = 0;
  if (low > 0) result = std::max(result, -ascending[zero - low]);
  if (taken > low) result = std::max(result, ascending[zero + taken - low - 1]);
  return result;
}

/// A quantile of a sorted chunk, interpolated; `at(rank)`: its values.
template <class At>
double between_ranks(double q, const At& at) {
  const double rank = std::clamp(q * (sample_chunk + 1) - 1, 0.0, sample_chunk - 1.0);
  const auto below = static_cast<std::size_t>(rank);
  const double share = rank - std::floor(rank);
  return share == 0 ? at(below) : (1 - share) * at(below) + share * at(below + 1);
}

}  // namespace

std::size_t sample_size(std::int64_t n) {
  // Sorting a sample of s costs in proportion to s, what lies in brackets n/√s; the sum is least for s ∝ n^⅔
  // (Floyd & Rivest 1975, "Expected time bounds for selection").
  if (n < 2048) return 0;
  const double best = std::cbrt(1.5 * static_cast<double>(n) * static_cast<double>(n));
  return sample_chunk * static_cast<std::size_t>(std::ceil(best / static_cast<double>(sample_chunk)));
}

template <class T>
void SetFold<T>::start(std::int64_t n, std::span<T> sample) {
  kernels_ = &kernels<T>();
  n_ = to_size(n);
  set_ = {.n = static_cast<double>(n)};
  for (auto& function : result_.values) function.fill(nan);
  // NaN is also what a set with a NaN comes to.
  done_ = n == 0 || std::ranges::any_of(sample, [](T v) { return std::isnan(v); });
  if (done_) return;
  sums_ = Sums::powers;
  if (list_.size() > 4 * n_ + block_size) list_ = {};  // a much larger set's
  place_brackets(sample);
  begin_pass();
}

template <class T>
void SetFold<T>::place_brackets(std::span<T> sample) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  for (std::size_t i = 0; i < 4; ++i)
    searches_[i] = {.absolute = i >= 2,
                    .rank = n_ - 1 - descending_index(n_, quantiles[i % 2]),
                    .bracket = {-infinity, infinity}};
  with_absolute_ = true;
  if (sample.empty()) return;

  const std::size_t chunks = sample.size() / sample_chunk;
  const auto chunk = [&](std::size_t c) { return sample.subspan(c * sample_chunk, sample_chunk); };
  with_absolute_ = false;
  for (std::size_t c = 0; c < chunks; ++c) {
    sort_few(chunk(c).data(), sample_chunk);
    with_absolute_ = with_absolute_ || chunk(c).front() < 0;
  }
  double shares = 0;  // of the values that lie in brackets
  for (Search& search : searches_) {
    const bool absolute = search.absolute && with_absolute_;
    const double q = static_cast<double>(search.rank) / static_cast<double>(n_ - 1);
    // Sampling, and what the mean of the chunks' quantiles may be off from the quantile of all.
    const double reach = standard_errors * std::sqrt(q * (1 - q) / static_cast<double>(sample.size())) +
                         0.25 / static_cast<double>(sample_chunk);
    double low = 0, high = 0;
    for (std::size_t c = 0; c < chunks; ++c) {
      const std::span<const T> sorted = chunk(c);
      const auto at = [&](std::size_t rank) -> double {
        return absolute ? smallest_absolute(sorted, rank) : sorted[rank];
      };
      low += between_ranks(q - reach, at);
      high += between_ranks(q + reach, at);
    }
    const Bracket<T> bracket{static_cast<T>(low / static_cast<double>(chunks)),
                             static_cast<T>(high / static_cast<double>(chunks))};
    if (bracket.low <= bracket.high) search.bracket = bracket;  // not NaN, from infinities of both signs
    if (!search.absolute || with_absolute_) shares += 2 * reach;
  }
  // Ten measurements of a large kernel list millions of values: growing by copies would double that.
  const auto expected =
      static_cast<std::size_t>(1.05 * shares * static_cast<double>(n_)) + block_size + slack;
  if (list_.capacity() < expected) {
    list_ = {};
    list_.reserve(expected);
  }
}

template <class T>
void SetFold<T>::begin_pass() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (sums_ == Sums::powers) {
    powers_ = PowerTotals{};
    powers_.low = infinity;
    powers_.high = -infinity;
  }
  if (sums_ == Sums::central) central_ = CentralTotals{};
  above_ = Above{};
  listed_ = 0;
  constexpr Bracket<T> nothing{std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity()};
  const auto wanted = [&](std::size_t i) { return searches_[i].found ? nothing : searches_[i].bracket; };
  brackets_ = {{wanted(0), wanted(1)}, {wanted(2), wanted(3)}};
}

template <class T>
void SetFold<T>::add(std::span<const T> values) {
  if (done_ || values.empty()) return;
  const double scale = std::ldexp(1.0, set_.exponent);
  if (sums_ == Sums::powers) kernels_->add_powers(values.data(), values.size(), scale, powers_);
  if (sums_ == Sums::central)
    kernels_->add_central(values.data(), values.size(), scale, set_.centres, central_);
  if (list_.size() < listed_ + values.size() + slack) list_.resize(listed_ + values.size() + slack);
  listed_ += kernels_->collect(values.data(), values.size(), brackets_, with_absolute_, above_,
                               list_.data() + listed_);
}

/// Looks for the order statistic in what the pass has collected; if it is not there, says where the next pass
/// has to look.
template <class T>
void SetFold<T>::resolve(Search& search, std::size_t above, SelectionBuffers<T>& buffers) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  Bracket<T>& bracket = search.bracket;
  const auto found = [&](T value) {
    search.value = value + T(0);  // zeros have no sign
    search.found = true;
  };
  const std::size_t not_above = n_ - above;  // values ≤ bracket.low
  const T width = search.attempts++ == 0 ? bracket.high - bracket.low : infinity;

  if (search.rank < not_above) {
    const T smallest = search.absolute ? T(0) : static_cast<T>(std::ldexp(powers_.low, -set_.exponent));
    if (bracket.low <= smallest) return found(bracket.low);  // as nothing is below it
    search.at_most = bracket.low;
    // An empty bracket means that many values are equal: the next one tells whether these are it.
    bracket = width == 0 ? Bracket<T>{std::nextafter(bracket.low, -infinity), bracket.low}
                         : Bracket<T>{bracket.low - 3 * width, std::nextafter(bracket.low, infinity)};
    return;
  }
  if (search.attempts > 1 && std::nextafter(bracket.low, infinity) == search.at_most)
    return found(search.at_most);
  if (buffers.values.size() < listed_ + slack) buffers.values.resize(listed_ + slack);
  const std::size_t inside =
      kernels_->extract(list_.data(), listed_, bracket, search.absolute, buffers.values.data());
  if (search.rank - not_above < inside) return found(select(buffers, inside, search.rank - not_above));
  if (bracket.high == infinity) return found(infinity);
  bracket = {std::nextafter(bracket.high, -infinity), width == 0 ? infinity : bracket.high + 3 * width};
}

/// The rank-th smallest of the first `count` values in the buffer: a histogram of equal bins, then one of the
/// bin that it lies in, until few are left.
template <class T>
T SetFold<T>::select(SelectionBuffers<T>& buffers, std::size_t count, std::size_t rank) const {
  auto& [values, histogram] = buffers;
  constexpr std::size_t bins = 256, few = 24;
  while (count > few) {
    T low, high;
    kernels_->extremes(values.data(), count, low, high);
    if (low == high) return low;
    const T scale = T(bins - 1) / (high - low);
    if (!std::isnormal(scale)) break;
    histogram.assign(bins + 1, 0);  // rounding may lift the largest by one
    kernels_->count_bins(values.data(), count, low, scale, histogram.data());
    std::uint32_t bin = 0;
    while (rank >= histogram[bin]) rank -= histogram[bin++];
    count = kernels_->keep_bin(values.data(), count, low, scale, bin);
  }
  const auto begin = values.begin(), at = begin + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(begin, at, begin + static_cast<std::ptrdiff_t>(count));
  return *at;
}

template <class T>
bool SetFold<T>::end_pass(SelectionBuffers<T>& buffers) {
  // |v| overflows only where a scale helps; a sum of absolute values is NaN only through a NaN.
  if (done_ || std::isnan(sum_of_lanes(powers_.sum[Powers::a1]))) return done_ = true;

  for (std::size_t i = 0; i < 4; ++i) {
    Search& search = searches_[i];
    if (search.absolute && powers_.low >= 0) {  // absolute values are the values
      search.found = searches_[i - 2].found;
      search.value = searches_[i - 2].value;
    } else if (!search.found && (!search.absolute || with_absolute_)) {
      resolve(search, above_.count[i], buffers);
    }
  }
  with_absolute_ = powers_.low < 0;
  set_.low = powers_.low;
  set_.high = powers_.high;
  std::ranges::transform(powers_.sum, set_.powers, sum_of_lanes);
  std::ranges::transform(central_.sum, set_.central, sum_of_lanes);
  sums_ = next_sums(set_, sums_);
  done_ = sums_ == Sums::none && std::ranges::all_of(searches_, &Search::found);
  if (done_) {
    for (std::size_t i = 0; i < 4; ++i) set_.order[i] = static_cast<double>(searches_[i].value);
    result_ = distribution_of(set_);
  } else {
    begin_pass();
  }
  return done_;
}

template class SetFold<float>;
template class SetFold<double>;

}  // namespace lrid::stats
