// Time series: numbers over time, of units in a row.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/text.hpp>

#include "nwb_clock.hpp"
#include "nwb_sources.hpp"

namespace lrid::io::nwb {

namespace {

/// Numbers in memory at once, about.
constexpr std::int64_t most_values = std::int64_t{4} << 20;

/// A part of the units that is read on its own: a block of the dimensions after time.
struct Tile {
  hdf5::Shape offset, count;
};

/// Cuts the units of a series so that no chunk need be inflated twice: along chunks, as many of them side by
/// side as their numbers over a chunk's time fit into memory. Without chunks, whole samples if they fit.
std::vector<Tile> tiles_of(const hdf5::Shape& shape, const hdf5::Shape& chunk) {
  const std::size_t dimensions = shape.size();
  hdf5::Shape count = chunk;
  if (chunk.empty()) count.assign(dimensions, 1);
  std::int64_t values = hdf5::element_count(count);
  for (std::size_t d = dimensions; d-- > 1;) {
    const std::int64_t others = std::max<std::int64_t>(1, values / count[d]);
    const std::int64_t chunks = std::max<std::int64_t>(1, most_values / others / count[d]);
    const std::int64_t grown = std::min(shape[d], chunks >= shape[d] ? shape[d] : chunks * count[d]);
    values = others * grown;
    count[d] = grown;
    if (grown < shape[d]) break;
  }

  std::vector<Tile> tiles;
  hdf5::Shape at(dimensions, 0);
  std::size_t d = 0;
  do {
    Tile& tile = tiles.emplace_back(Tile{at, count});
    for (std::size_t i = 1; i < dimensions; ++i) tile.count[i] = std::min(count[i], shape[i] - at[i]);
    for (d = dimensions; d-- > 1;) {
      at[d] += count[d];
      if (at[d] < shape[d]) break;
      at[d] = 0;
    }
  } while (d > 0 && d < dimensions);
  return tiles;
}

class TimeSeries final : public Source {
 public:
  TimeSeries(const hdf5::Group& group, const std::string& path, const SourceOptions& options)
      : Source(path),
        group_(group),
        data_(group.dataset("data", chunk_cache_bytes)),
        clock_(group_, require_numbers(group_, data_)) {
    const hdf5::Shape& shape = data_.shape();
    width_ = hdf5::element_count(shape) / shape[0];
    conversion_ = data_.attribute_or("conversion", 1.0);
    offset_ = data_.attribute_or("offset", 0.0);
    if (!std::isfinite(conversion_) || !std::isfinite(offset_))
      data_.fail("attributes \"conversion\" and \"offset\" are not finite, expected numbers");
    read_units(options);
    if (group_.has_dataset("channel_conversion")) read_channel_conversion();
  }

  [[nodiscard]] Coverage coverage(const Window& window) const override { return clock_.coverage(window); }

  [[nodiscard]] std::string reason(Coverage coverage) const override {
    if (coverage == Coverage::pause) return "in a pause of " + path_;
    if (coverage == Coverage::no_sample)
      return fmt::format("whose window holds no sample of {} (one every {:.4g} s)", path_, clock_.period());
    const auto [begin, end] = clock_.recorded();
    return fmt::format("outside of the recorded time of {} ({:.6g} s to {:.6g} s)", path_, begin, end);
  }

  void respond(std::span<const Window> windows, const Take& take) const override {
    std::vector<Span> spans;
    for (std::size_t w = 0; w < windows.size(); ++w) spans.push_back({clock_.samples_in(windows[w]), w});
    std::ranges::stable_sort(spans, {}, &Span::samples);
    const hdf5::Shape chunk = data_.chunk();
    const std::vector<Range> stretches = needed(spans, chunk);
    for (const Tile& tile : tiles_of(data_.shape(), chunk)) respond(tile, spans, stretches, take);
  }

  [[nodiscard]] std::string describe() const override {
    return fmt::format("{}, {} {}, {}", group_.attribute_or<std::string>("neurodata_type", "series"),
                       data_.type_name(), hdf5::to_string(data_.shape()), clock_.describe());
  }

  [[nodiscard]] std::string unreadable_filter() const override { return data_.unreadable_filter(); }

 private:
  static constexpr std::size_t chunk_cache_bytes = 64 << 20;

  /// Samples of a window.
  struct Span {
    Range samples;
    std::size_t window;
  };
  /// Of a tile's units over a window, as far as it has been read.
  struct Sums {
    std::vector<double> sum;
    std::vector<std::int64_t> count;
    std::int64_t samples = 0;
  };

  static const hdf5::Dataset& require_numbers(const hdf5::Group& series, const hdf5::Dataset& data) {
    const hdf5::Shape& shape = data.shape();
    if (hdf5::element_count(shape) == 0 && series.has_dataset("external_file")) {
      const std::vector<std::string> files = series.dataset("external_file").read_texts();
      series.fail(fmt::format("its frames are in {}{}, which is not read, expected them in the file itself",
                              counted(files.size(), "file"),
                              files.empty() ? "" : " of another kind (" + files.front() + ")"));
    }
    if (data.kind() != hdf5::Kind::integer && data.kind() != hdf5::Kind::floating)
      data.fail("is " + data.type_name() + ", expected numbers over time");
    if (shape.empty() || hdf5::element_count(shape) == 0)
      data.fail("has shape " + hdf5::to_string(shape) + ", expected [time, ...] with samples in it");
    return data;
  }

  void read_channel_conversion() {
    const hdf5::Dataset factors = group_.dataset("channel_conversion");
    const auto values = factors.read<double>();
    const hdf5::Shape& shape = data_.shape();
    const std::int64_t channels = shape.size() == 1 ? 1 : shape[1];
    if (std::ssize(values) != channels)
      factors.fail(fmt::format("{} of them, but data has shape {}", values.size(), hdf5::to_string(shape)));
    for (const double value : values)
      channel_conversion_.insert(channel_conversion_.end(), static_cast<std::size_t>(width_ / channels),
                                 value);
  }

  void read_units(const SourceOptions& options) {
    for (const char* name : {"rois", "electrodes"}) {
      if (!group_.has_dataset(name)) continue;
      const hdf5::Dataset column = group_.dataset(name);
      const Region region(column);
      if (std::ssize(region.rows) != width_ || data_.shape().size() > 2)
        column.fail(fmt::format("{} of them, but data has shape {}: expected [time, {}]", region.rows.size(),
                                hdf5::to_string(data_.shape()), name));
      const std::vector<std::string> regions = regions_of(region.table, options.layer, group_.name());
      const std::vector<Id> ids = region.table.ids();
      const Marked marked = marked_as_invalid(region.table);
      const std::vector<bool> chosen = chosen_rows(region.table, options);
      const std::vector<std::string> keys = keys_of(region.table, options);
      known_keys_.insert(keys.begin(), keys.end());
      std::size_t invalid = 0, not_chosen = 0;
      for (const std::int64_t row : region.rows) {
        const auto r = static_cast<std::size_t>(row);
        const bool is_valid = options.use_invalid || !marked.rows[r], is_used = is_valid && chosen[r];
        unit_of_.push_back(is_used ? std::ssize(units_) : -1);
        if (is_used) units_.push_back({ids[r], known_or_unknown(regions[r])});
        if (is_used && !keys.empty()) keys_.push_back(keys[r]);
        if (!is_used) ++(is_valid ? not_chosen : invalid);
      }
      if (invalid > 0)
        left_out_.push_back(fmt::format("{} of {} marked as not to be used ({})", counted(invalid, "unit"),
                                        path_, join(marked.columns, ", ")));
      if (not_chosen > 0)
        left_out_.push_back(
            fmt::format("{} of {} excluded by {}", counted(not_chosen, "unit"), path_, options.chosen_by));
      if (units_.empty()) group_.fail("has no unit to be used: " + join(left_out_, "; "));
      return;
    }
    if (!options.layer.empty())
      group_.fail("has no table that describes its units, so no column \"" + options.layer +
                  "\" to take layers from");
    if (options.chosen)
      group_.fail("has no table that describes its units, so none to choose from by " + options.chosen_by);
    if (!options.key.empty() && options.key != "id")
      group_.fail("has no table that describes its units, so no column \"" + options.key +
                  "\" to match them by");
    constexpr std::int64_t most = 1 << 24;  // a movie, rather than units
    if (width_ > most) data_.fail(fmt::format("has {} values at a time, expected at most {}", width_, most));
    for (std::int64_t unit = 0; unit < width_; ++unit) {
      unit_of_.push_back(unit);
      units_.push_back({unit, group_.name()});
      if (!options.key.empty()) keys_.push_back(std::to_string(unit));
    }
    known_keys_.insert(keys_.begin(), keys_.end());
  }

  /// The samples that have to be read, in order: whole chunks' worth; without chunks, windows, those close to
  /// each other in one.
  static std::vector<Range> needed(const std::vector<Span>& spans, const hdf5::Shape& chunk) {
    const std::int64_t grain = chunk.empty() ? 1 : chunk[0];
    constexpr std::int64_t near = 64;
    std::vector<Range> stretches;
    for (const auto& [samples, window] : spans) {
      if (samples.first == samples.second) continue;
      const std::int64_t first = samples.first / grain * grain;
      const std::int64_t last = samples.second + (grain - samples.second % grain) % grain;
      if (!stretches.empty() && first <= stretches.back().second + (chunk.empty() ? near : 0))
        stretches.back().second = std::max(stretches.back().second, last);
      else
        stretches.emplace_back(first, last);
    }
    return stretches;
  }

  void respond(const Tile& tile, const std::vector<Span>& spans, const std::vector<Range>& stretches,
               const Take& take) const {
    hdf5::Shape offset = tile.offset, count = tile.count;
    count[0] = 1;
    const std::int64_t width = hdf5::element_count(count), chunk = tile.count[0];
    // Whole chunks if they fit; parts of one stay in HDF5's cache until it is done with.
    std::int64_t step = std::max<std::int64_t>(1, most_values / width);
    if (step > chunk) step -= step % chunk;

    std::vector<double> block;
    std::map<std::size_t, Sums> begun;
    std::size_t next = 0;  // the first that is not done with
    while (next < spans.size() && spans[next].samples.first == spans[next].samples.second)
      finish(tile, spans[next++], {}, take);
    for (const auto& [first, last] : stretches)
      for (std::int64_t at = first; at < last; at += step) {
        check_interrupt();
        // The part of this block that windows need.
        Range wanted{last, at};
        const std::int64_t block_end = std::min(at + step, last);
        std::size_t s = next;
        for (; s < spans.size() && spans[s].samples.first < block_end; ++s) {
          wanted.first = std::min(wanted.first, std::max(at, spans[s].samples.first));
          wanted.second = std::max(wanted.second, std::min(block_end, spans[s].samples.second));
        }
        if (wanted.first >= wanted.second) continue;
        offset[0] = wanted.first;
        count[0] = wanted.second - wanted.first;
        data_.read_block(offset, count, block);
        for (std::size_t i = next; i < s; ++i) {
          const auto& [samples, window] = spans[i];
          if (samples.second <= wanted.first) continue;
          Sums& sums = begun[i];
          for (std::int64_t sample = std::max(samples.first, wanted.first);
               sample < std::min(samples.second, wanted.second); ++sample)
            if (clock_.has_time(sample))
              add(std::span(block).subspan(static_cast<std::size_t>((sample - wanted.first) * width),
                                           static_cast<std::size_t>(width)),
                  sums);
          if (samples.second > block_end) continue;
          finish(tile, spans[i], sums, take);
          begun.erase(i);
        }
        while (next < spans.size() && spans[next].samples.second <= block_end) ++next;
      }
  }

  static void add(std::span<const double> values, Sums& sums) {
    sums.sum.resize(values.size());
    sums.count.resize(values.size());
    ++sums.samples;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isnan(values[i])) {
        sums.sum[i] += values[i];
        ++sums.count[i];
      }
  }

  /// Hands on the means of the tile's units, in runs of units that are in use and stand side by side.
  void finish(const Tile& tile, const Span& span, const Sums& sums, const Take& take) const {
    const hdf5::Shape& shape = data_.shape();
    const std::int64_t row = tile.count.size() == 1 ? 1 : tile.count.back();
    const std::int64_t rows = hdf5::element_count(tile.count) / tile.count[0] / row;
    std::vector<double> means;
    for (std::int64_t r = 0; r < rows; ++r) {
      // The place of the row's first value among all that a sample has.
      std::int64_t column = 0, left = r, stride = 1;
      for (std::size_t d = shape.size(); d-- > 1;) {
        const bool is_last = d + 1 == shape.size();
        column += stride * (tile.offset[d] + (is_last ? 0 : left % tile.count[d]));
        if (!is_last) left /= tile.count[d];
        stride *= shape[d];
      }
      std::int64_t first_unit = -1;
      const auto flush = [&] {
        if (!means.empty()) take(span.window, static_cast<std::size_t>(first_unit), means);
        means.clear();
      };
      for (std::int64_t i = 0; i < row; ++i) {
        const std::int64_t unit = unit_of_[static_cast<std::size_t>(column + i)];
        if (unit < 0) continue;
        if (means.empty()) first_unit = unit;
        means.push_back(
            mean(static_cast<std::size_t>(r * row + i), static_cast<std::size_t>(column + i), sums));
      }
      flush();
    }
  }

  /// NaN where less than half of the samples have a value.
  [[nodiscard]] double mean(std::size_t in_tile, std::size_t column, const Sums& sums) const {
    if (sums.samples == 0 || 2 * sums.count[in_tile] < sums.samples)
      return std::numeric_limits<double>::quiet_NaN();
    const double channel = channel_conversion_.empty() ? 1 : channel_conversion_[column];
    return sums.sum[in_tile] / static_cast<double>(sums.count[in_tile]) * conversion_ * channel + offset_;
  }

  hdf5::Group group_;
  hdf5::Dataset data_;
  Clock clock_;
  std::int64_t width_ = 0;
  double conversion_ = 1, offset_ = 0;
  std::vector<double> channel_conversion_;  ///< of each column, row-major
  std::vector<std::int64_t> unit_of_;       ///< of each column, −1: not used
};

}  // namespace

std::unique_ptr<Source> open_series(const hdf5::Group& group, const std::string& path,
                                    const SourceOptions& options) {
  return std::make_unique<TimeSeries>(group, path, options);
}

}  // namespace lrid::io::nwb
