#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lrid/io/nwb.hpp>

namespace lrid::io::nwb {

/// When the samples of a series were taken: at a constant rate, or at timestamps. Knows pauses.
class Clock {
 public:
  /// Of a series of so many samples. InputError for neither or both faulty: a rate of 0, times that descend.
  Clock(const hdf5::Group& series, const hdf5::Dataset& data);

  /// Samples with begin ≤ t < end, by their places in the data; samples without a time may lie between.
  [[nodiscard]] Range samples_in(const Window& window) const;
  [[nodiscard]] bool has_time(std::int64_t place) const;
  /// Number of samples without a time.
  [[nodiscard]] std::int64_t timeless() const { return samples_ - timed_; }

  /// See File::source: measured, outside, pause or no_sample.
  [[nodiscard]] Coverage coverage(const Window& window) const;
  /// The recorded time: from the first sample to the end of the last.
  [[nodiscard]] Window recorded() const { return {stretches_.front().begin, stretches_.back().end}; }
  /// "10 Hz from 0 s to 29.9 s", "timestamps (about 30 Hz, 2 pauses) from 0.1 s to 60 s", "1 sample at 3 s".
  [[nodiscard]] std::string describe() const;
  /// "0.1 s": the (median) time between samples.
  [[nodiscard]] double period() const { return period_; }

 private:
  void read_timestamps(const hdf5::Dataset& timestamps);
  /// Time of the i-th sample that has one.
  [[nodiscard]] double time(std::int64_t i) const;
  /// The first of these at or after t.
  [[nodiscard]] std::int64_t first_from(double t) const;
  [[nodiscard]] std::int64_t place(std::int64_t i) const;
  /// Seconds of a window in which something was recorded.
  [[nodiscard]] double covered(const Window& window) const;

  std::int64_t samples_ = 0, timed_ = 0;
  double start_ = 0, rate_ = 0, period_ = 0;
  std::vector<double> timestamps_;    ///< finite ones; empty: a constant rate
  std::vector<std::int64_t> places_;  ///< of the samples that they are of; empty: of all
  std::vector<Window> stretches_;     ///< of the recorded time, in order, apart by pauses
};

}  // namespace lrid::io::nwb
