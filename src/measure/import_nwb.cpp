#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/import_nwb.hpp>

namespace lrid::measure {

namespace nwb = io::nwb;

namespace {

/// Numbers by size, before other texts.
bool comes_before(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text) {
    const auto value = parse_number<double>(text);
    const bool is_number = value && !std::isnan(*value);
    return std::pair(!is_number, is_number ? *value : 0.0);
  };
  return std::pair(number(a), a) < std::pair(number(b), b);
}

struct ComesBefore {
  bool operator()(const std::string& a, const std::string& b) const { return comes_before(a, b); }
};

/// The block of each trial in `order`, −1 for those in none.
std::vector<std::int64_t> blocks_of(const std::vector<std::size_t>& order,
                                    const std::vector<std::string>& session, std::int64_t& points) {
  std::vector<std::int64_t> blocks(order.size());
  if (session.empty()) {
    const std::int64_t size = std::ssize(order) / points;
    for (std::int64_t i = 0; i < std::ssize(order); ++i)
      blocks[static_cast<std::size_t>(i)] = size > 0 && i < size * points ? i / size : -1;
    return blocks;
  }
  std::map<std::string, std::int64_t> known;
  for (std::size_t i = 0; i < order.size(); ++i)
    blocks[i] = known.try_emplace(session[order[i]], std::ssize(known)).first->second;
  points = std::ssize(known);
  return blocks;
}

/// Adds up responses; a unit's mean is over the presentations in which it was measured.
class Responses {
 public:
  Responses(std::int64_t rows, std::size_t units)
      : units_(units), sums_(static_cast<std::size_t>(rows) * units, 0.0), counts_(sums_.size(), 0) {}

  void add(std::int64_t row, std::size_t unit, std::span<const double> values) {
    std::size_t at = static_cast<std::size_t>(row) * units_ + unit;
    for (const double value : values) {
      if (!std::isnan(value)) {
        sums_[at] += value;
        ++counts_[at];
      }
      ++at;
    }
  }
  /// NaN where a unit was never measured (0/0).
  [[nodiscard]] double mean(std::int64_t row, std::size_t unit) const {
    const std::size_t at = static_cast<std::size_t>(row) * units_ + unit;
    return sums_[at] / counts_[at];
  }

 private:
  std::size_t units_;
  std::vector<double> sums_;
  std::vector<std::uint32_t> counts_;
};

/// Units by what layer they belong to: source and unit. Where two sources have units of one region, these are
/// layers of their own: planes, probes.
std::map<std::string, std::vector<std::pair<std::size_t, std::size_t>>> layers_of(
    const std::vector<std::unique_ptr<nwb::Source>>& sources) {
  std::map<std::string, std::set<std::size_t>> sources_of_region;
  for (std::size_t s = 0; s < sources.size(); ++s)
    for (const nwb::Unit& unit : sources[s]->units()) sources_of_region[unit.region].insert(s);
  std::map<std::string, std::vector<std::pair<std::size_t, std::size_t>>> layers;
  for (std::size_t s = 0; s < sources.size(); ++s)
    for (std::size_t u = 0; u < sources[s]->units().size(); ++u) {
      const std::string& region = sources[s]->units()[u].region;
      layers[sources_of_region[region].size() == 1 ? region : region + " (" + sources[s]->path() + ")"]
          .emplace_back(s, u);
    }
  return layers;
}

using Sources = std::vector<std::unique_ptr<nwb::Source>>;

/// Trials that are left out, counted by reason in order of mention.
class LeftOut {
 public:
  void count(const std::string& reason) {
    const auto found = std::ranges::find(counts_, reason, &Count::reason);
    if (found == counts_.end())
      counts_.push_back({reason, 1});
    else
      ++found->trials;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const Count& count : counts_) texts.push_back(counted(count.trials, "trial") + " " + count.reason);
    return texts;
  }

 private:
  struct Count {
    std::string reason;
    std::size_t trials;
  };
  std::vector<Count> counts_;
};

constexpr const char* invalid_times_path = "intervals/invalid_times";

/// Intervals that the file says are not to be used; one without a start or an end has none.
std::vector<nwb::Window> invalid_times(const nwb::File& file) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  std::vector<nwb::Window> invalid;
  if (!file.root().has_group(invalid_times_path)) return invalid;
  const nwb::Table table = file.table(invalid_times_path);
  const std::vector<double> begin = table.numbers("start_time"), end = table.numbers("stop_time");
  for (std::size_t i = 0; i < begin.size(); ++i)
    invalid.push_back({std::isnan(begin[i]) ? -inf : begin[i], std::isnan(end[i]) ? inf : end[i]});
  return invalid;
}

/// The trials of a file: when their windows are, and why one is not to be used.
class Trials {
 public:
  Trials(const nwb::File& file, const NwbImport& import)
      : table(file.table(import.trials)), start(table.numbers(import.align)), import_(import) {
    if (!import.stimulus.empty()) stimulus = table.texts(import.stimulus);
    if (!import.session.empty()) session = table.texts(import.session);
    if (table.has_column("stop_time")) stop_ = table.numbers("stop_time");
    // A column of NaN says nothing of single trials.
    if (std::ranges::all_of(stop_, [](double t) { return std::isnan(t); })) stop_.clear();
    if (!import.use_invalid) invalid_ = invalid_times(file);
  }

  [[nodiscard]] nwb::Window window_of(std::size_t trial) const {
    return {start[trial] + import_.window.begin, start[trial] + import_.window.end};
  }

  /// Why a trial is left out, empty if it is not.
  [[nodiscard]] std::string reason_against(std::size_t trial, const Sources& sources) const {
    if (!std::isfinite(start[trial])) return "without a time in " + import_.align;
    if (!stop_.empty() && std::isnan(stop_[trial])) return "without a time in stop_time";
    if (!stimulus.empty() && nwb::is_missing(stimulus[trial]))
      return "without a value in " + import_.stimulus;
    if (!session.empty() && nwb::is_missing(session[trial])) return "without a value in " + import_.session;
    const nwb::Window window = window_of(trial);
    if (std::ranges::any_of(invalid_, [&](const nwb::Window& invalid) {
          return invalid.begin < window.end && window.begin < invalid.end;
        }))
      return std::string("in ") + invalid_times_path;
    for (const auto& source : sources)
      if (const nwb::Coverage coverage = source->coverage(window); coverage != nwb::Coverage::measured)
        return source->reason(coverage);
    return "";
  }

  nwb::Table table;
  std::vector<double> start;
  std::vector<std::string> stimulus, session;  ///< empty where no column was chosen

 private:
  const NwbImport& import_;
  std::vector<double> stop_;
  std::vector<nwb::Window> invalid_;
};

/// Responses of all sources to the trials of a protocol.
struct Measured {
  std::vector<Responses> responses;  ///< of each source
  /// Trials of which a source has no value at all, and that source.
  std::map<std::size_t, std::string> empty_trials;
  std::vector<std::string> left_out;  ///< single responses, for people
};

/// Warns where windows without any spike are too many to be chance.
void warn_of_silence(const nwb::Source& source, const std::vector<nwb::Window>& windows,
                     const std::vector<double>& rates) {
  std::size_t silent = 0, first = 0;
  double spikes = 0;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    if (rates[w] == 0 && silent++ == 0) first = w;
    spikes += rates[w] * (windows[w].end - windows[w].begin);
  }
  if (silent == 0 || silent == windows.size()) return;
  const double expected = spikes / static_cast<double>(windows.size() - silent);
  if (static_cast<double>(windows.size()) * std::exp(-expected) < 1e-3)
    spdlog::warn("{}: no unit has a spike in {} of {}, the first at {:.6g} s: was it recorded then?",
                 source.path(), silent, counted(windows.size(), "window"), windows[first].begin);
}

Measured measure(const Sources& sources, const Protocol& protocol, const Trials& trials) {
  Measured measured;
  std::vector<nwb::Window> windows;
  for (const Presentation& presentation : protocol.presentations)
    windows.push_back(trials.window_of(presentation.trial));
  double work = 0;
  for (const auto& source : sources) work += static_cast<double>(windows.size() * source->units().size());
  Progress progress("importing", work, "responses");
  for (const auto& source : sources) {
    Responses& responses =
        measured.responses.emplace_back(protocol.points * protocol.stimuli, source->units().size());
    std::vector<std::size_t> missing(windows.size());
    std::vector<double> sums(windows.size());
    source->respond(windows, [&](std::size_t w, std::size_t unit, std::span<const double> values) {
      const Presentation& presentation = protocol.presentations[w];
      responses.add(presentation.point * protocol.stimuli + presentation.stimulus, unit, values);
      for (const double value : values) {
        missing[w] += std::isnan(value) ? 1U : 0U;
        sums[w] += std::isnan(value) ? 0 : value;
      }
      progress.advance(static_cast<double>(values.size()));
    });
    std::size_t lost = 0;
    for (std::size_t w = 0; w < windows.size(); ++w) {
      lost += missing[w];
      if (missing[w] == source->units().size())
        measured.empty_trials.emplace(protocol.presentations[w].trial, source->path());
    }
    if (lost > 0)
      measured.left_out.push_back(fmt::format("{} of {} responses of {} that were not measured", lost,
                                              windows.size() * source->units().size(), source->path()));
    if (source->counts_events()) warn_of_silence(*source, windows, sums);
  }
  return measured;
}

}  // namespace

Protocol arrange_trials(const std::vector<double>& start, const std::vector<std::string>& stimulus,
                        const std::vector<std::string>& session, std::int64_t points,
                        NwbImport::Repeats repeats, const std::vector<std::size_t>& usable) {
  Protocol protocol;
  protocol.points = points;
  std::vector<std::size_t> order = usable;
  std::ranges::stable_sort(order, {}, [&](std::size_t trial) { return start[trial]; });
  const std::vector<std::int64_t> blocks = blocks_of(order, session, protocol.points);
  if (protocol.points < 1 || (session.empty() && std::ssize(order) < points))
    bad_input("{} for {}: expected at least one for each", counted(order.size(), "usable trial"),
              counted(points, "point"));

  // Presentations of each stimulus in each block; where trials have none, all are of one.
  std::map<std::string, std::vector<std::int64_t>, ComesBefore> counts;
  static const std::string none;
  const auto stimulus_of = [&](std::size_t trial) -> const std::string& {
    return stimulus.empty() ? none : stimulus[trial];
  };
  std::vector<std::int64_t> rank(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (blocks[i] < 0) continue;
    auto& count = counts[stimulus_of(order[i])];
    count.resize(static_cast<std::size_t>(protocol.points));
    rank[i] = count[static_cast<std::size_t>(blocks[i])]++;
  }
  const bool average = !stimulus.empty() && repeats == NwbImport::Repeats::average;
  struct Slots {
    std::int64_t first, count;
  };
  std::map<std::string, Slots> slots;
  std::vector<std::string> partial;
  for (const auto& [name, count] : counts) {
    const std::int64_t fewest = std::ranges::min(count);
    if (fewest == 0) {
      partial.push_back(name);
      continue;
    }
    slots[name] = {protocol.stimuli, average ? 1 : fewest};
    protocol.stimuli += slots[name].count;
    if (!stimulus.empty())
      protocol.stimulus_names.insert(protocol.stimulus_names.end(),
                                     static_cast<std::size_t>(slots[name].count), name);
  }
  if (protocol.stimuli == 0)
    bad_input("no stimulus is presented at each of {}: expected fewer points, or another column",
              counted(protocol.points, "point"));

  std::size_t remainder = 0, of_partial = 0, surplus = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto slot = slots.find(stimulus_of(order[i]));
    if (blocks[i] < 0)
      ++remainder;
    else if (slot == slots.end())
      ++of_partial;
    else if (!average && rank[i] >= slot->second.count)
      ++surplus;
    else
      protocol.presentations.push_back({order[i], blocks[i], slot->second.first + (average ? 0 : rank[i])});
  }
  const auto report = [&](std::size_t count, const std::string& why) {
    if (count > 0) protocol.left_out.push_back(counted(count, "trial") + " " + why);
  };
  report(remainder, "at the end, beyond equal blocks");
  report(of_partial, fmt::format("of stimuli that not every point has ({})", join(partial, ", ")));
  report(surplus, "that other points have no counterpart of");
  return protocol;
}

io::Activity import_nwb(const std::filesystem::path& path, const NwbImport& import) {
  const nwb::File file(path);
  if (import.series.empty()) bad_input("{}: no series chosen, expected at least one", path.string());
  if (!(import.window.begin < import.window.end))
    bad_input("window from {} s to {} s: expected it to end after it begins", import.window.begin,
              import.window.end);
  Sources sources;
  for (const std::string& series : import.series) {
    sources.push_back(file.source(series, {.layer = import.layer, .use_invalid = import.use_invalid}));
    for (std::size_t s = 0; s + 1 < sources.size(); ++s)
      if (sources[s]->path() == sources.back()->path())
        bad_input("{}: series {} is given twice, expected each once", path.string(), series);
  }

  const Trials trials(file, import);
  LeftOut left_out;
  std::vector<std::size_t> usable;
  for (std::size_t trial = 0; trial < trials.start.size(); ++trial)
    if (const std::string reason = trials.reason_against(trial, sources); reason.empty())
      usable.push_back(trial);
    else
      left_out.count(reason);
  Protocol protocol;
  Measured measured;
  for (bool is_done = false; !is_done;) {
    if (usable.empty())
      trials.table.group().fail(fmt::format(
          "none of {} can be used: {}", counted(trials.start.size(), "trial"), join(left_out.texts(), "; ")));
    try {
      protocol = arrange_trials(trials.start, trials.stimulus, trials.session, import.points, import.repeats,
                                usable);
    } catch (const InputError& error) {
      const std::vector<std::string> reasons = left_out.texts();
      trials.table.group().fail(error.what() +
                                (reasons.empty() ? "" : "; left out before: " + join(reasons, "; ")));
    }
    measured = measure(sources, protocol, trials);
    // Without them, other trials may stand at other points.
    is_done = measured.empty_trials.empty();
    for (const auto& [trial, source] : measured.empty_trials) {
      std::erase(usable, trial);
      left_out.count("in which " + source + " has no value");
    }
  }
  std::vector<std::string> reasons = left_out.texts();
  std::ranges::copy(protocol.left_out, std::back_inserter(reasons));
  for (const auto& source : sources) std::ranges::copy(source->left_out(), std::back_inserter(reasons));
  std::ranges::copy(measured.left_out, std::back_inserter(reasons));

  io::Activity activity;
  activity.points = protocol.points;
  activity.stimuli = protocol.stimuli;
  activity.stimulus_names = std::move(protocol.stimulus_names);
  const std::int64_t rows = protocol.points * protocol.stimuli;
  for (const auto& [name, members] : layers_of(sources)) {
    io::Activity::Layer& layer = activity.layers.emplace_back();
    layer.name = name;
    for (const auto& [source, unit] : members) layer.unit_ids.push_back(sources[source]->units()[unit].id);
    layer.values.reserve(static_cast<std::size_t>(rows) * members.size());
    for (std::int64_t row = 0; row < rows; ++row)
      for (const auto& [source, unit] : members)
        layer.values.push_back(measured.responses[source].mean(row, unit));
  }
  activity.provenance = {
      {"source", path.filename().string()},
      {"source_format", "NWB " + file.version()},
      {"source_series", join(import.series, ", ")},
      {"source_trials", import.trials + ", " + import.align},
      {"source_window", fmt::format("{} s to {} s", import.window.begin, import.window.end)},
      {"source_left_out", join(reasons, "; ")}};
  if (file.root().has_dataset("identifier"))
    activity.provenance["source_identifier"] =
        join(file.root().dataset("identifier").read<std::string>(), " ");
  if (!import.stimulus.empty())
    activity.provenance["source_stimulus"] =
        import.stimulus +
        (import.repeats == NwbImport::Repeats::average ? ", repeats averaged" : ", repeats kept");
  if (!import.session.empty()) activity.provenance["source_session"] = import.session;
  return activity;
}

void list_nwb(const std::filesystem::path& path, std::ostream& out) {
  const nwb::File file(path);
  out << fmt::format("{}, an NWB file of version {}\n", path.string(), file.version());
  // A fault of one of them is no reason to hide the others.
  const auto entry = [&](const std::string& name, const auto& describe) {
    out << "  " << name << "\n";
    if (const std::string target = file.link(name); !target.empty())
      out << "    a link to " << target << "\n";
    try {
      describe();
    } catch (const InputError& error) {
      out << "    cannot be used: " << error.what() << "\n";
    }
  };
  const auto heading = [&](const char* text, const std::vector<std::string>& names) {
    out << text << (names.empty() ? ": none\n" : "\n");
    return names;
  };
  for (const std::string& name : heading("series", file.sources()))
    entry(name, [&] {
      const auto source = file.source(name);
      out << "    " << source->describe() << "\n";
      std::map<std::string, std::size_t> regions;
      for (const nwb::Unit& unit : source->units()) ++regions[unit.region];
      std::vector<std::string> texts;
      for (const auto& [region, count] : regions) texts.push_back(fmt::format("{} ({})", region, count));
      out << "    layers: " << join(texts, ", ") << "\n";
      if (!source->left_out().empty()) out << "    left out: " << join(source->left_out(), "; ") << "\n";
      if (const std::string filter = source->unreadable_filter(); !filter.empty())
        out << "    cannot be read: " << filter << "\n";
    });
  std::vector<std::string> tables = file.interval_tables(), invalid;
  if (std::erase(tables, invalid_times_path) > 0) invalid.emplace_back(invalid_times_path);
  const auto list_table = [&](const std::string& name) {
    entry(name, [&] {
      const nwb::Table table = file.table(name);
      std::vector<double> start = table.numbers("start_time");
      const auto missing = std::erase_if(start, [](double t) { return std::isnan(t); });
      out << "    " << counted(table.rows(), "row");
      if (!start.empty()) {
        const auto [first, last] = std::ranges::minmax(start);
        out << fmt::format(", starting {:.6g} s to {:.6g} s", first, last);
      }
      if (missing > 0) out << fmt::format(", {} without a start", missing);
      out << "\n    columns: " << join(table.columns(), ", ") << "\n";
    });
  };
  for (const std::string& name : heading("trials", tables)) list_table(name);
  if (!invalid.empty()) list_table(heading("times that are not to be used", invalid).front());
  const auto broken = file.broken_links();
  if (!broken.empty()) out << "links that lead nowhere\n";
  for (const auto& [name, target] : broken) out << "  " << name << ": to " << target << "\n";
}

}  // namespace lrid::measure
