#include <algorithm>
#include <cmath>
#include <limits>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/nwb.hpp>

namespace lrid::io::nwb {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// "/processing/ophys" as "processing/ophys".
std::string relative(const std::string& path) {
  return path.substr(std::min(path.find_first_not_of('/'), path.size()));
}

/// A number that is stored as a single value or as an array of one.
double single(const hdf5::Dataset& data) {
  const auto values = data.read<double>();
  if (values.size() != 1)
    data.fail("has shape " + hdf5::to_string(data.shape()) + ", expected a single number");
  return values[0];
}

/// By the names of its links: they need not lead anywhere.
bool is_series(const hdf5::Group& group) {
  const std::vector<std::string> names = group.names();
  const auto holds = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
  return holds("data") && (holds("timestamps") || holds("starting_time"));
}

/// The rows of another table that a column (DynamicTableRegion) points to, and that table.
struct Region {
  std::vector<std::int64_t> rows;
  Table table;

  explicit Region(const hdf5::Group& root, const hdf5::Dataset& column)
      : rows(column.read<std::int64_t>({-1})), table(root.group(relative(column.attribute_target("table")))) {
    for (const std::int64_t row : rows)
      if (row < 0 || row >= table.rows())
        column.fail(
            fmt::format("points to row {}, but {} has {} rows", row, table.group().path(), table.rows()));
  }
};

/// What the table says of the brain region of each of its rows.
std::vector<std::string> regions_of(const hdf5::Group& root, const Table& table, const std::string& layer,
                                    const std::string& otherwise) {
  if (!layer.empty()) return table.texts(layer);
  const auto rows = static_cast<std::size_t>(table.rows());
  if (table.has_column("location")) return table.texts("location");
  const hdf5::Group& group = table.group();
  if (group.has_group("imaging_plane")) {
    const hdf5::Group plane = group.group("imaging_plane");
    if (!plane.has_dataset("location")) return std::vector<std::string>(rows, group.name());
    const auto location = plane.dataset("location").read<std::string>();
    return std::vector<std::string>(rows, location.size() == 1 ? location[0] : group.name());
  }
  if (table.has_column("electrode_group")) {
    std::vector<std::string> regions;
    for (const std::string& path : group.dataset("electrode_group").read_targets()) {
      const hdf5::Group electrodes = root.group(relative(path));
      regions.push_back(electrodes.attribute_or<std::string>("location", electrodes.name()));
    }
    if (regions.size() == rows) return regions;
  }
  return std::vector<std::string>(rows, otherwise);
}

// --- Time series ---------------------------------------------------------------------------------------

class TimeSeries final : public Source {
 public:
  TimeSeries(const hdf5::Group& root, const std::string& path, const std::string& layer)
      : Source(path),
        group_(root.group(path)),
        // Windows of trials share chunks with the next ones.
        data_(group_.dataset("data", chunk_cache_bytes)) {
    const hdf5::Shape& shape = data_.shape();
    if (data_.kind() != hdf5::Kind::integer && data_.kind() != hdf5::Kind::floating)
      data_.fail("is " + data_.type_name() + ", expected numbers over time");
    if (shape.empty() || hdf5::element_count(shape) == 0)
      data_.fail("has shape " + hdf5::to_string(shape) + ", expected [time, ...] with samples in it");
    samples_ = shape[0];
    width_ = hdf5::element_count(shape) / samples_;
    conversion_ = data_.attribute_or("conversion", 1.0);
    offset_ = data_.attribute_or("offset", 0.0);
    if (!std::isfinite(conversion_) || !std::isfinite(offset_))
      data_.fail("attributes \"conversion\" and \"offset\" are not finite, expected numbers");
    if (group_.has_dataset("channel_conversion"))
      channel_conversion_ = group_.dataset("channel_conversion").read<double>({-1});
    read_clock();
    read_units(root, layer);
    if (!channel_conversion_.empty() && (shape.size() != 2 || std::ssize(channel_conversion_) != width_))
      group_.fail(fmt::format("channel_conversion has {} values, but data has shape {}",
                              channel_conversion_.size(), hdf5::to_string(shape)));
  }

  [[nodiscard]] bool covers(const Window& window) const override {
    const auto [from, to] = samples_in(window);
    return from < to && window.begin > time(0) - period() && window.end <= time(samples_ - 1) + period();
  }

  void respond(std::span<const Window> windows, const Take& take) const override {
    const auto width = static_cast<std::size_t>(width_);
    const std::int64_t most_samples = std::max<std::int64_t>(1, (std::int64_t{4} << 20) / width_);
    std::vector<double> block, mean(width);
    std::vector<std::int64_t> count(width);
    for (std::size_t w = 0; w < windows.size(); ++w) {
      check_interrupt();
      std::ranges::fill(mean, 0);
      std::ranges::fill(count, 0);
      const auto [from, to] = samples_in(windows[w]);
      for (std::int64_t begin = from; begin < to; begin += most_samples) {
        hdf5::Shape offset(data_.shape().size(), 0), extent = data_.shape();
        offset[0] = begin;
        extent[0] = std::min(most_samples, to - begin);
        data_.read_block(offset, extent, block);
        for (std::size_t i = 0; i < block.size(); ++i)
          if (!std::isnan(block[i])) {
            mean[i % width] += block[i];
            ++count[i % width];
          }
      }
      for (std::size_t unit = 0; unit < width; ++unit) {
        const double channel = channel_conversion_.empty() ? 1 : channel_conversion_[unit];
        mean[unit] = mean[unit] / static_cast<double>(count[unit]) * conversion_ * channel + offset_;
      }
      take(w, 0, mean);
    }
  }

  [[nodiscard]] std::string describe() const override {
    const double seconds = time(samples_ - 1) - time(0);
    return fmt::format("{}, {} {}, {} from {:.6g} s to {:.6g} s",
                       group_.attribute_or<std::string>("neurodata_type", "series"), data_.type_name(),
                       hdf5::to_string(data_.shape()),
                       timestamps_.empty() ? fmt::format("{:.6g} Hz", rate_)
                                           : fmt::format("timestamps (mean {:.4g} Hz)",
                                                         static_cast<double>(samples_ - 1) / seconds),
                       time(0), time(samples_ - 1));
  }

 private:
  static constexpr std::size_t chunk_cache_bytes = 64 << 20;

  void read_clock() {
    if (group_.has_dataset("timestamps")) {
      const hdf5::Dataset timestamps = group_.dataset("timestamps");
      timestamps_ = timestamps.read<double>({-1});
      if (std::ssize(timestamps_) != samples_)
        timestamps.fail(
            fmt::format("{} of them, but data has shape {}: expected one for each sample, time being the "
                        "first dimension",
                        timestamps_.size(), hdf5::to_string(data_.shape())));
      for (std::size_t i = 0; i < timestamps_.size(); ++i)
        if (!std::isfinite(timestamps_[i]) || (i > 0 && timestamps_[i] < timestamps_[i - 1]))
          timestamps.fail(
              fmt::format("{} at sample {}, expected finite and ascending times", timestamps_[i], i));
    } else if (group_.has_dataset("starting_time")) {
      const hdf5::Dataset start = group_.dataset("starting_time");
      start_ = single(start);
      rate_ = start.attribute<double>("rate");
      if (!std::isfinite(start_) || !(rate_ > 0) || !std::isfinite(rate_))
        start.fail(fmt::format("{} s at a rate of {} Hz, expected a time and a rate above 0", start_, rate_));
    } else {
      group_.fail("has neither timestamps nor starting_time");
    }
  }

  void read_units(const hdf5::Group& root, const std::string& layer) {
    for (const char* name : {"rois", "electrodes"}) {
      if (!group_.has_dataset(name)) continue;
      const hdf5::Dataset column = group_.dataset(name);
      const Region region(root, column);
      if (std::ssize(region.rows) != width_ || data_.shape().size() > 2)
        column.fail(fmt::format("{} of them, but data has shape {}: expected [time, {}]", region.rows.size(),
                                hdf5::to_string(data_.shape()), name));
      const std::vector<std::string> regions = regions_of(root, region.table, layer, group_.name());
      for (const std::int64_t row : region.rows) {
        const auto r = static_cast<std::size_t>(row);
        units_.push_back({region.table.ids()[r], regions[r]});
      }
      return;
    }
    if (!layer.empty())
      group_.fail("has no table that describes its units, so no column \"" + layer +
                  "\" to take layers from");
    constexpr std::int64_t most = 1 << 24;  // a movie, rather than units
    if (width_ > most) data_.fail(fmt::format("has {} values at a time, expected at most {}", width_, most));
    units_.reserve(static_cast<std::size_t>(width_));
    for (std::int64_t unit = 0; unit < width_; ++unit) units_.push_back({unit, group_.name()});
  }

  [[nodiscard]] double time(std::int64_t sample) const {
    return timestamps_.empty() ? start_ + static_cast<double>(sample) / rate_
                               : timestamps_[static_cast<std::size_t>(sample)];
  }
  /// Of a sample; the mean one where there are timestamps.
  [[nodiscard]] double period() const {
    if (timestamps_.empty()) return 1 / rate_;
    return samples_ > 1 ? (time(samples_ - 1) - time(0)) / static_cast<double>(samples_ - 1) : 0;
  }
  /// First sample at or after t.
  [[nodiscard]] std::int64_t first_from(double t) const {
    std::int64_t low = 0, high = samples_;
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      if (time(middle) < t)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
  [[nodiscard]] Range samples_in(const Window& window) const {
    return {first_from(window.begin), first_from(window.end)};
  }

  hdf5::Group group_;
  hdf5::Dataset data_;
  std::int64_t samples_ = 0, width_ = 0;
  double conversion_ = 1, offset_ = 0, start_ = 0, rate_ = 0;
  std::vector<double> channel_conversion_, timestamps_;
};

// --- Spike trains --------------------------------------------------------------------------------------

class SpikeTrains final : public Source {
 public:
  SpikeTrains(const hdf5::Group& root, const std::string& path, const std::string& layer)
      : Source(path),
        table_(root.group(path)),
        spikes_(table_.group().dataset("spike_times", chunk_cache_bytes)),
        trains_(table_.ranges("spike_times")) {
    if (spikes_.shape().size() != 1)
      spikes_.fail("has shape " + hdf5::to_string(spikes_.shape()) + ", expected one dimension");
    if (table_.has_column("obs_intervals")) read_observed();
    const std::vector<std::string> names = region_names(root, layer);
    for (std::size_t unit = 0; unit < trains_.size(); ++unit)
      units_.push_back({table_.ids()[unit], names[unit]});
    if (units_.empty()) table_.group().fail("holds no units");
  }

  [[nodiscard]] bool covers(const Window& window) const override {
    if (observed_.empty()) return true;
    return std::ranges::any_of(observed_, [&](const auto& intervals) { return holds(intervals, window); });
  }

  void respond(std::span<const Window> windows, const Take& take) const override {
    std::vector<double> times;
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
      check_interrupt();
      const auto [first, last] = trains_[unit];
      spikes_.read_block({first}, {last - first}, times);
      if (std::ranges::any_of(times, [](double t) { return std::isnan(t); }))
        spikes_.fail(fmt::format("unit {} has spikes at nan, expected times", units_[unit].id));
      if (!std::ranges::is_sorted(times)) std::ranges::sort(times);
      for (std::size_t w = 0; w < windows.size(); ++w) {
        const auto [begin, end] = windows[w];
        const auto spikes = std::ranges::lower_bound(times, end) - std::ranges::lower_bound(times, begin);
        const bool is_observed = observed_.empty() || holds(observed_[unit], windows[w]);
        const double rate = is_observed ? static_cast<double>(spikes) / (end - begin) : nan;
        take(w, unit, std::span(&rate, 1));
      }
    }
  }

  [[nodiscard]] std::string describe() const override {
    return fmt::format("Units, {} of {}{}", counted(spikes_.shape()[0], "spike"),
                       counted(units_.size(), "unit"), observed_.empty() ? "" : ", with observed intervals");
  }

 private:
  static constexpr std::size_t chunk_cache_bytes = 16 << 20;

  static bool holds(const std::vector<Window>& intervals, const Window& window) {
    return std::ranges::any_of(
        intervals, [&](const Window& i) { return i.begin <= window.begin && window.end <= i.end; });
  }

  void read_observed() {
    const hdf5::Dataset data = table_.group().dataset("obs_intervals");
    const auto values = data.read<double>({-1, 2});
    for (const auto& [first, last] : table_.ranges("obs_intervals")) {
      std::vector<Window>& intervals = observed_.emplace_back();
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
        intervals.push_back({values[2 * i], values[2 * i + 1]});
    }
  }

  [[nodiscard]] std::vector<std::string> region_names(const hdf5::Group& root,
                                                      const std::string& layer) const {
    const bool has_electrodes = table_.has_column("electrodes");
    if (!has_electrodes || table_.has_column(layer.empty() ? "location" : layer))
      return regions_of(root, table_, layer, table_.group().name());
    const hdf5::Dataset column = table_.group().dataset("electrodes");
    const Region electrodes(root, column);
    const std::vector<std::string> of_electrode =
        regions_of(root, electrodes.table, layer, table_.group().name());
    std::vector<std::string> result;
    const auto region_at = [&](std::int64_t place) {
      return of_electrode[static_cast<std::size_t>(electrodes.rows[static_cast<std::size_t>(place)])];
    };
    if (table_.has_column("electrodes_index")) {
      for (const auto& [first, last] : table_.ranges("electrodes"))
        result.push_back(first == last ? "no electrode" : region_at(first));
    } else {
      if (std::ssize(electrodes.rows) != table_.rows())
        column.fail(fmt::format("has {} rows, the table has {}", electrodes.rows.size(), table_.rows()));
      for (std::int64_t row = 0; row < table_.rows(); ++row) result.push_back(region_at(row));
    }
    return result;
  }

  Table table_;
  hdf5::Dataset spikes_;
  std::vector<Range> trains_;
  std::vector<std::vector<Window>> observed_;  ///< of each unit; empty: not known, always
};

}  // namespace

// --- Table ---------------------------------------------------------------------------------------------

Table::Table(hdf5::Group group)
    : group_(std::move(group)), ids_(group_.dataset("id").read<std::int64_t>({-1})) {}

std::vector<std::string> Table::columns() const {
  std::vector<std::string> names;
  for (const std::string& name : group_.names())
    if (name != "id" && !name.ends_with("_index") && group_.has_dataset(name)) names.push_back(name);
  return names;
}

hdf5::Dataset Table::column(const std::string& name) const {
  if (!has_column(name))
    group_.fail("has no column \"" + name + "\", expected " + expected_one_of(columns(), name));
  if (has_column(name + "_index"))
    group_.fail("column \"" + name + "\" has several values a row, expected a column of single ones");
  hdf5::Dataset data = group_.dataset(name);
  if (data.shape() != hdf5::Shape{rows()})
    data.fail(fmt::format("has shape {}, but the table has {} rows", hdf5::to_string(data.shape()), rows()));
  return data;
}

std::vector<double> Table::numbers(const std::string& name) const {
  return column(name).read<double>();
}

std::vector<std::string> Table::texts(const std::string& name) const {
  const hdf5::Dataset data = column(name);
  if (data.kind() == hdf5::Kind::string) return data.read<std::string>();
  std::vector<std::string> result;
  if (data.kind() == hdf5::Kind::integer)
    for (const std::int64_t value : data.read<std::int64_t>()) result.push_back(std::to_string(value));
  else
    for (const double value : data.read<double>()) result.push_back(fmt::format("{}", value));
  return result;
}

std::vector<Range> Table::ranges(const std::string& name) const {
  if (!has_column(name)) group_.fail("has no column \"" + name + "\"");
  const hdf5::Dataset index = group_.dataset(name + "_index"), data = group_.dataset(name);
  const auto ends = index.read<std::int64_t>({rows()});
  std::vector<Range> ranges;
  std::int64_t begin = 0;
  const std::int64_t size = data.shape().empty() ? 0 : data.shape()[0];
  for (const std::int64_t end : ends) {
    if (end < begin || end > size)
      index.fail(
          fmt::format("{} after {}, expected ascending numbers up to the {} of {}", end, begin, size, name));
    ranges.emplace_back(begin, end);
    begin = end;
  }
  return ranges;
}

// --- File ----------------------------------------------------------------------------------------------

bool is_nwb(const hdf5::Group& root) {
  return root.has_attribute("nwb_version") || root.has_dataset("nwb_version");
}

File::File(const std::filesystem::path& path) : file_(path) {
  if (!is_nwb(root())) root().fail("attribute \"nwb_version\" is missing, expected an NWB file of version 2");
  if (!root().has_attribute("nwb_version"))
    root().fail("an NWB file of version 1, expected version 2");  // that had a dataset instead
  version_ = root().attribute<std::string>("nwb_version");
  if (!version_.starts_with("2.")) root().fail("nwb_version is \"" + version_ + "\", expected 2.x");
  objects_ = root().objects();
}

std::vector<std::string> File::sources() const {
  std::vector<std::string> paths;
  for (const auto& [path, is_group] : objects_) {
    if (!is_group) continue;
    const hdf5::Group group = root().group(path);
    if (is_series(group) || (path == "units" && group.has_dataset("spike_times"))) paths.push_back(path);
  }
  return paths;
}

std::vector<std::string> File::interval_tables() const {
  std::vector<std::string> paths;
  for (const auto& [path, is_group] : objects_)
    if (is_group && root().has_dataset(path + "/start_time") && root().has_dataset(path + "/id"))
      paths.push_back(path);
  return paths;
}

std::unique_ptr<Source> File::source(const std::string& path, const std::string& layer) const {
  const std::string place = relative(path);
  if (place.empty() || !root().has_group(place)) {
    const std::vector<std::string> known = sources();
    root().fail("holds no series \"" + path + "\", expected " +
                (known.empty() ? "one, but it holds none" : expected_one_of(known, place)));
  }
  const hdf5::Group group = root().group(place);
  if (group.has_dataset("spike_times")) return std::make_unique<SpikeTrains>(root(), place, layer);
  if (!group.has_dataset("data"))
    group.fail("is no time series (it has no data), expected one that --list shows");
  return std::make_unique<TimeSeries>(root(), place, layer);
}

Table File::table(const std::string& path) const {
  const std::string place = relative(path);
  if (place.empty() || !root().has_group(place)) {
    const std::vector<std::string> known = interval_tables();
    root().fail("holds no table \"" + path + "\", expected " +
                (known.empty() ? "one of intervals, but it holds none" : expected_one_of(known, place)));
  }
  return Table(root().group(place));
}

}  // namespace lrid::io::nwb
