// Spike trains of a table of units.
#include <algorithm>
#include <cmath>
#include <limits>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/text.hpp>

#include "nwb_sources.hpp"

namespace lrid::io::nwb {

namespace {

/// Intervals in order of time, those that touch or overlap as one.
std::vector<Window> merged(std::vector<Window> intervals) {
  std::erase_if(intervals, [](const Window& i) { return !(i.begin < i.end); });  // also NaN
  std::ranges::sort(intervals, {}, &Window::begin);
  std::vector<Window> result;
  for (const Window& interval : intervals)
    if (!result.empty() && interval.begin <= result.back().end)
      result.back().end = std::max(result.back().end, interval.end);
    else
      result.push_back(interval);
  return result;
}

/// Whether one of these (merged) intervals holds all of a window.
bool hold(const std::vector<Window>& intervals, const Window& window) {
  const auto after = std::ranges::upper_bound(intervals, window.begin, {}, &Window::begin);
  return after != intervals.begin() && window.end <= (after - 1)->end;
}

class SpikeTrains final : public Source {
 public:
  SpikeTrains(const hdf5::Group& group, const std::string& path, const SourceOptions& options)
      : Source(path), table_(group), spikes_(group.dataset("spike_times", chunk_cache_bytes)) {
    if (spikes_.shape().size() != 1)
      spikes_.fail("has shape " + hdf5::to_string(spikes_.shape()) + ", expected one dimension");
    if (table_.rows() == 0) group.fail("holds no units");
    const std::vector<Range> trains = table_.ranges("spike_times");
    std::vector<std::vector<Window>> observed;
    if (!options.use_invalid && table_.has_column("obs_intervals")) observed = read_observed();
    has_observed_ = !observed.empty();
    const std::vector<std::int64_t> spikes_of = read_span(trains);

    const std::vector<Id> ids = table_.ids();
    const std::vector<std::string> regions = region_names(options.layer);
    const Marked marked = marked_as_invalid(table_);
    const std::vector<bool> chosen = chosen_rows(table_, options);
    const std::vector<std::string> keys = keys_of(table_, options);
    known_keys_.insert(keys.begin(), keys.end());
    std::size_t invalid = 0, unobserved = 0, silent = 0, not_chosen = 0;
    for (std::size_t row = 0; row < trains.size(); ++row) {
      if (!options.use_invalid) {
        const bool is_silent = spikes_of[row] == 0;
        if (marked.rows[row] || (has_observed_ ? observed[row].empty() : is_silent)) {
          ++(marked.rows[row] ? invalid : has_observed_ ? unobserved : silent);
          continue;
        }
      }
      if (!chosen[row]) {
        ++not_chosen;
        continue;
      }
      units_.push_back({ids[row], known_or_unknown(regions[row])});
      if (!keys.empty()) keys_.push_back(keys[row]);
      trains_.push_back(trains[row]);
      if (has_observed_) observed_.push_back(observed[row]);
    }
    const auto leave_out = [&](std::size_t count, const std::string& why) {
      if (count > 0) left_out_.push_back(counted(count, "unit") + " " + why);
    };
    leave_out(invalid, "marked as not to be used (" + join(marked.columns, ", ") + ")");
    leave_out(unobserved, "never observed (obs_intervals)");
    leave_out(silent, "without spikes");
    leave_out(not_chosen, "excluded by " + options.chosen_by);
    if (units_.empty()) group.fail("has no unit to be used: " + join(left_out_, "; "));
    if (timeless_ > 0) left_out_.push_back(counted(timeless_, "spike") + " without a time");
  }

  [[nodiscard]] Coverage coverage(const Window& window) const override {
    if (!has_observed_) return hold({span_}, window) ? Coverage::measured : Coverage::outside;
    if (std::ranges::any_of(observed_, [&](const auto& intervals) { return hold(intervals, window); }))
      return Coverage::measured;
    const Window all = observed_range();
    return all.begin <= window.begin && window.end <= all.end ? Coverage::unobserved : Coverage::outside;
  }

  [[nodiscard]] std::string reason(Coverage coverage) const override {
    if (coverage == Coverage::unobserved)
      return "in which no unit of " + path_ + " was observed (obs_intervals)";
    const auto [begin, end] = has_observed_ ? observed_range() : spiking_;
    return fmt::format("outside of the recorded time of {} ({} {:.6g} s to {:.6g} s)", path_,
                       has_observed_ ? "observed from" : "spikes from", begin, end);
  }

  void respond(std::span<const Window> windows, const Take& take) const override {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> times;
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
      check_interrupt();
      const auto [first, last] = trains_[unit];
      spikes_.read_block({first}, {last - first}, times);
      std::erase_if(times, [](double t) { return std::isnan(t); });
      if (!std::ranges::is_sorted(times)) std::ranges::sort(times);
      for (std::size_t w = 0; w < windows.size(); ++w) {
        const auto [begin, end] = windows[w];
        const auto spikes = std::ranges::lower_bound(times, end) - std::ranges::lower_bound(times, begin);
        const bool is_observed = !has_observed_ || hold(observed_[unit], windows[w]);
        const double rate = is_observed ? static_cast<double>(spikes) / (end - begin) : nan;
        take(w, unit, std::span(&rate, 1));
      }
    }
  }

  [[nodiscard]] bool counts_events() const override { return true; }

  [[nodiscard]] std::string describe() const override {
    const std::string size =
        fmt::format("{}, {} of {}", table_.group().attribute_or<std::string>("neurodata_type", "Units"),
                    counted(spikes_.shape()[0], "spike"), counted(table_.rows(), "unit"));
    const auto [begin, end] = has_observed_ ? observed_range() : spiking_;
    return size + fmt::format(", {} {:.6g} s to {:.6g} s", has_observed_ ? "observed from" : "spikes from",
                              begin, end);
  }

  [[nodiscard]] std::string unreadable_filter() const override { return spikes_.unreadable_filter(); }

 private:
  static constexpr std::size_t chunk_cache_bytes = 16 << 20;

  [[nodiscard]] std::vector<std::vector<Window>> read_observed() const {
    const auto values = table_.group().dataset("obs_intervals").read<double>({-1, 2});
    std::vector<std::vector<Window>> observed;
    for (const auto& [first, last] : table_.ranges("obs_intervals")) {
      std::vector<Window> intervals;
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
        intervals.push_back({values[2 * i], values[2 * i + 1]});
      observed.push_back(merged(std::move(intervals)));
    }
    return observed;
  }

  /// Finds from when to when there are spikes of any unit. Recordings neither begin nor end with a spike: the
  /// mean interval between spikes is added on both sides. Returns the number of spikes of each unit.
  std::vector<std::int64_t> read_span(const std::vector<Range>& trains) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    constexpr std::int64_t most = 1 << 20;
    Window span{inf, -inf};
    std::int64_t timed = 0;
    std::size_t unit = 0;
    std::vector<std::int64_t> spikes_of(trains.size());
    std::vector<double> times;
    const std::int64_t spikes = trains.back().second;
    for (std::int64_t at = 0; at < spikes; at += most) {
      check_interrupt();
      spikes_.read_block({at}, {std::min(most, spikes - at)}, times);
      for (std::size_t i = 0; i < times.size(); ++i) {
        while (at + static_cast<std::int64_t>(i) >= trains[unit].second) ++unit;
        if (std::isnan(times[i])) continue;
        ++timed;
        ++spikes_of[unit];
        span = {std::min(span.begin, times[i]), std::max(span.end, times[i])};
      }
    }
    timeless_ = spikes - timed;
    if (timed == 0) spikes_.fail("no unit has a spike");
    const double interval = timed > 1 ? (span.end - span.begin) / static_cast<double>(timed - 1) : 0;
    span_ = {span.begin - interval, span.end + interval};
    spiking_ = span;
    return spikes_of;
  }

  [[nodiscard]] Window observed_range() const {
    Window all = observed_.front().front();  // none is empty
    for (const std::vector<Window>& intervals : observed_)
      all = {std::min(all.begin, intervals.front().begin), std::max(all.end, intervals.back().end)};
    return all;
  }

  [[nodiscard]] std::vector<std::string> region_names(const std::string& layer) const {
    const std::string column = layer.empty() ? "location" : layer, otherwise = table_.group().name();
    if (table_.has_column(column)) return table_.texts(column);
    if (table_.has_column("electrodes")) return electrode_regions(layer, otherwise);
    if (const auto peaks = peak_electrodes(table_);
        peaks && (layer.empty() || peaks->table.has_column(layer))) {
      const std::vector<std::string> of_electrode = regions_of(peaks->table, layer, otherwise);
      std::vector<std::string> result;
      for (const std::int64_t row : peaks->rows)
        result.push_back(row < 0 ? "" : of_electrode[static_cast<std::size_t>(row)]);
      return result;
    }
    return regions_of(table_, layer, otherwise);
  }

  /// Of each unit's first electrode.
  [[nodiscard]] std::vector<std::string> electrode_regions(const std::string& layer,
                                                           const std::string& otherwise) const {
    const hdf5::Dataset data = table_.group().dataset("electrodes");
    const Region electrodes(data);
    const std::vector<std::string> of_electrode = regions_of(electrodes.table, layer, otherwise);
    std::vector<Range> ranges;
    if (table_.is_ragged("electrodes")) {
      ranges = table_.ranges("electrodes");
    } else {
      if (std::ssize(electrodes.rows) != table_.rows())
        data.fail(fmt::format("has {} rows, the table has {}", electrodes.rows.size(), table_.rows()));
      for (std::int64_t row = 0; row < table_.rows(); ++row) ranges.emplace_back(row, row + 1);
    }
    std::vector<std::string> result;
    for (const auto& [first, last] : ranges)
      result.push_back(
          first == last
              ? "no electrode"
              : of_electrode[static_cast<std::size_t>(electrodes.rows[static_cast<std::size_t>(first)])]);
    return result;
  }

  Table table_;
  hdf5::Dataset spikes_;
  Window span_, spiking_;  ///< the recorded time; from the first spike to the last
  std::int64_t timeless_ = 0;
  bool has_observed_ = false;
  std::vector<Range> trains_;                  ///< of each unit in use
  std::vector<std::vector<Window>> observed_;  ///< of each unit in use, merged; empty: not known
};

}  // namespace

std::unique_ptr<Source> open_spike_trains(const hdf5::Group& group, const std::string& path,
                                          const SourceOptions& options) {
  return std::make_unique<SpikeTrains>(group, path, options);
}

}  // namespace lrid::io::nwb
