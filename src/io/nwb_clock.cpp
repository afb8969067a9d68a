#include "nwb_clock.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

namespace lrid::io::nwb {

namespace {

constexpr double least_covered = 0.9, longest_interval = 4;
constexpr std::int64_t neighbours = 5;  // on each side

double median(std::span<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// Median of the intervals around the i-th, itself one of them; those of 0 (times of low resolution) aside.
double local_period(std::span<const double> times, std::int64_t i) {
  std::array<double, 2 * neighbours + 1> around{};
  std::size_t count = 0;
  const std::int64_t last = std::ssize(times) - 2;
  for (std::int64_t k = std::max<std::int64_t>(0, i - neighbours); k <= std::min(last, i + neighbours); ++k) {
    const double interval = times[static_cast<std::size_t>(k + 1)] - times[static_cast<std::size_t>(k)];
    if (interval > 0) around[count++] = interval;
  }
  return count == 0 ? 0 : median(std::span(around).first(count));
}

}  // namespace

Clock::Clock(const hdf5::Group& series, const hdf5::Dataset& data)
    : samples_(data.shape()[0]), timed_(samples_) {
  if (series.has_dataset("timestamps")) {
    const hdf5::Dataset timestamps = series.dataset("timestamps");
    if (timestamps.shape() != hdf5::Shape{samples_})
      timestamps.fail(fmt::format(
          "{} of them, but data has shape {}: expected one for each sample, time being the first dimension",
          hdf5::element_count(timestamps.shape()), hdf5::to_string(data.shape())));
    read_timestamps(timestamps);
  } else if (series.has_dataset("starting_time")) {
    const hdf5::Dataset start = series.dataset("starting_time");
    const auto values = start.read<double>();
    if (values.size() != 1)
      start.fail("has shape " + hdf5::to_string(start.shape()) + ", expected a single number");
    start_ = values[0];
    rate_ = start.attribute<double>("rate");
    if (!std::isfinite(start_) || !(rate_ > 0) || !std::isfinite(rate_))
      start.fail(fmt::format("{} s at a rate of {} Hz, expected a time and a rate above 0", start_, rate_));
    period_ = 1 / rate_;
    stretches_.push_back({start_, time(samples_)});
  } else {
    series.fail("has neither timestamps nor starting_time");
  }
}

void Clock::read_timestamps(const hdf5::Dataset& timestamps) {
  timestamps_ = timestamps.read<double>();
  if (!std::ranges::all_of(timestamps_, [](double t) { return std::isfinite(t); })) {
    std::vector<double> finite;
    for (std::int64_t i = 0; i < samples_; ++i)
      if (const double t = timestamps_[static_cast<std::size_t>(i)]; std::isfinite(t)) {
        finite.push_back(t);
        places_.push_back(i);
      }
    timestamps_.swap(finite);
    timed_ = std::ssize(timestamps_);
    if (timed_ == 0) timestamps.fail("none of them is a time");
  }
  const auto disorder = std::ranges::is_sorted_until(timestamps_);
  if (disorder != timestamps_.end())
    timestamps.fail(fmt::format("{} at sample {} comes after {}, expected ascending times", *disorder,
                                place(disorder - timestamps_.begin()), *(disorder - 1)));

  std::vector<double> intervals;
  for (std::size_t i = 0; i + 1 < timestamps_.size(); ++i)
    if (timestamps_[i + 1] > timestamps_[i]) intervals.push_back(timestamps_[i + 1] - timestamps_[i]);
  if (!intervals.empty()) period_ = median(intervals);

  stretches_.push_back({timestamps_[0], timestamps_[0]});
  for (std::int64_t i = 0; i < timed_; ++i) {
    const double t = time(i), local = local_period(timestamps_, std::min(i, timed_ - 2));
    const bool is_last = i + 1 == timed_;
    if (!is_last && time(i + 1) - t <= longest_interval * local) {
      stretches_.back().end = time(i + 1);
      continue;
    }
    stretches_.back().end = t + local;
    if (!is_last) stretches_.push_back({time(i + 1), time(i + 1)});
  }
}

double Clock::time(std::int64_t i) const {
  return timestamps_.empty() ? start_ + static_cast<double>(i) / rate_
                             : timestamps_[static_cast<std::size_t>(i)];
}

std::int64_t Clock::place(std::int64_t i) const {
  return places_.empty() ? i : places_[static_cast<std::size_t>(i)];
}

bool Clock::has_time(std::int64_t place) const {
  return places_.empty() || std::ranges::binary_search(places_, place);
}

std::int64_t Clock::first_from(double t) const {
  std::int64_t low = 0, high = timed_;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (time(middle) < t)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Range Clock::samples_in(const Window& window) const {
  const std::int64_t first = first_from(window.begin), last = first_from(window.end);
  if (first >= last) return {0, 0};
  return {place(first), place(last - 1) + 1};
}

double Clock::covered(const Window& window) const {
  double seconds = 0;
  auto stretch = std::ranges::upper_bound(stretches_, window.begin, {}, &Window::end);
  for (; stretch != stretches_.end() && stretch->begin < window.end; ++stretch)
    seconds += std::min(window.end, stretch->end) - std::max(window.begin, stretch->begin);
  return seconds;
}

Coverage Clock::coverage(const Window& window) const {
  const double enough = least_covered * (window.end - window.begin);
  if (covered(window) >= enough) {
    const auto [first, last] = samples_in(window);
    return first < last ? Coverage::measured : Coverage::no_sample;
  }
  const auto [begin, end] = recorded();
  return std::min(window.end, end) - std::max(window.begin, begin) >= enough ? Coverage::pause
                                                                             : Coverage::outside;
}

std::string Clock::describe() const {
  const double first = time(0), last = time(timed_ - 1);
  if (timed_ == 1) return fmt::format("1 sample at {:.6g} s", first);
  const std::string range = fmt::format("from {:.6g} s to {:.6g} s", first, last);
  if (timestamps_.empty()) return fmt::format("{:.6g} Hz {}", rate_, range);
  std::vector<std::string> parts;
  if (period_ > 0) parts.push_back(fmt::format("about {:.4g} Hz", 1 / period_));
  if (stretches_.size() > 1) parts.push_back(counted(stretches_.size() - 1, "pause"));
  if (timeless() > 0) parts.push_back(counted(timeless(), "sample") + " without a time");
  return "timestamps" + (parts.empty() ? std::string() : " (" + join(parts, ", ") + ")") + " " + range;
}

}  // namespace lrid::io::nwb
