#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include <lrid/core/error.hpp>
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
      const std::string name = region.empty() ? "unknown" : region;
      layers[sources_of_region[region].size() == 1 ? name : name + " (" + sources[s]->path() + ")"]
          .emplace_back(s, u);
    }
  return layers;
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
  std::vector<std::unique_ptr<nwb::Source>> sources;
  for (const std::string& series : import.series) {
    sources.push_back(file.source(series, import.layer));
    for (std::size_t s = 0; s + 1 < sources.size(); ++s)
      if (sources[s]->path() == sources.back()->path())
        bad_input("{}: series {} is given twice, expected each once", path.string(), series);
  }

  const nwb::Table trials = file.table(import.trials);
  const std::vector<double> start = trials.numbers(import.align);
  std::vector<std::string> stimulus, session;
  if (!import.stimulus.empty()) stimulus = trials.texts(import.stimulus);
  if (!import.session.empty()) session = trials.texts(import.session);
  const auto window_of = [&](std::size_t trial) {
    return nwb::Window{start[trial] + import.window.begin, start[trial] + import.window.end};
  };
  std::vector<std::size_t> usable;
  for (std::size_t trial = 0; trial < start.size(); ++trial) {
    if (!std::isfinite(start[trial]))
      trials.group().fail(
          fmt::format("{} of row {} is {}, expected a time", import.align, trial, start[trial]));
    if (std::ranges::all_of(sources, [&](const auto& source) { return source->covers(window_of(trial)); }))
      usable.push_back(trial);
  }
  if (usable.empty())
    trials.group().fail(fmt::format("none of {} has the window {}…{} s within the time of the series",
                                    counted(start.size(), "trial"), import.window.begin, import.window.end));
  Protocol protocol;
  try {
    protocol = arrange_trials(start, stimulus, session, import.points, import.repeats, usable);
  } catch (const InputError& error) {
    trials.group().fail(error.what());
  }
  if (usable.size() < start.size())
    protocol.left_out.insert(protocol.left_out.begin(), counted(start.size() - usable.size(), "trial") +
                                                            " outside of the recorded time");

  std::vector<nwb::Window> windows;
  for (const Presentation& presentation : protocol.presentations)
    windows.push_back(window_of(presentation.trial));
  const std::int64_t rows = protocol.points * protocol.stimuli;
  std::vector<Responses> responses;
  {
    double work = 0;
    for (const auto& source : sources) work += static_cast<double>(windows.size() * source->units().size());
    Progress progress("importing", work, "responses");
    for (const auto& source : sources) {
      Responses& of_source = responses.emplace_back(rows, source->units().size());
      source->respond(windows, [&](std::size_t w, std::size_t unit, std::span<const double> values) {
        const Presentation& presentation = protocol.presentations[w];
        of_source.add(presentation.point * protocol.stimuli + presentation.stimulus, unit, values);
        progress.advance(static_cast<double>(values.size()));
      });
    }
  }

  io::Activity activity;
  activity.points = protocol.points;
  activity.stimuli = protocol.stimuli;
  activity.stimulus_names = std::move(protocol.stimulus_names);
  for (const auto& [name, members] : layers_of(sources)) {
    io::Activity::Layer& layer = activity.layers.emplace_back();
    layer.name = name;
    for (const auto& [source, unit] : members) layer.unit_ids.push_back(sources[source]->units()[unit].id);
    layer.values.reserve(static_cast<std::size_t>(rows) * members.size());
    for (std::int64_t row = 0; row < rows; ++row)
      for (const auto& [source, unit] : members) layer.values.push_back(responses[source].mean(row, unit));
  }
  activity.provenance = {
      {"source", path.filename().string()},
      {"source_format", "NWB " + file.version()},
      {"source_series", join(import.series, ", ")},
      {"source_trials", import.trials + ", " + import.align},
      {"source_window", fmt::format("{} s to {} s", import.window.begin, import.window.end)},
      {"source_left_out", join(protocol.left_out, "; ")}};
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
  // What one of them has wrong is no reason to hide the others.
  const auto entry = [&](const std::string& name, const auto& describe) {
    out << "  " << name << "\n";
    try {
      describe();
    } catch (const InputError& error) {
      out << "    cannot be used: " << error.what() << "\n";
    }
  };
  out << "series\n";
  for (const std::string& name : file.sources())
    entry(name, [&] {
      const auto source = file.source(name);
      out << "    " << source->describe() << "\n";
      std::map<std::string, std::size_t> regions;
      for (const nwb::Unit& unit : source->units()) ++regions[unit.region];
      std::vector<std::string> texts;
      for (const auto& [region, count] : regions) texts.push_back(fmt::format("{} ({})", region, count));
      out << "    layers: " << join(texts, ", ") << "\n";
    });
  out << "trials\n";
  for (const std::string& name : file.interval_tables())
    entry(name, [&] {
      const nwb::Table table = file.table(name);
      const std::vector<double> start = table.numbers("start_time");
      out << "    " << counted(table.rows(), "row");
      if (!start.empty()) {
        const auto [first, last] = std::ranges::minmax(start);
        out << fmt::format(", starting {:.6g} s to {:.6g} s", first, last);
      }
      out << "\n    columns: " << join(table.columns(), ", ") << "\n";
    });
}

}  // namespace lrid::measure
