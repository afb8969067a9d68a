#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/import_nwb.hpp>

#include "arrange_trials.hpp"
#include "condition.hpp"
#include "match_units.hpp"

namespace lrid::measure {

namespace nwb = io::nwb;

namespace {

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

/// The rows of a table that a condition chooses.
std::vector<bool> chosen_by(const Condition& condition, const nwb::Table& table) {
  return condition.rows(
      table.group().where(), static_cast<std::size_t>(table.rows()),
      [&](const std::string& column) { return table.first_texts(column, condition.said()); });
}

/// The conditions of an import, where it has any.
struct Conditions {
  std::optional<Condition> units, trials;
  explicit Conditions(const NwbImport& import) {
    if (!import.where_units.empty()) units.emplace("--where-units", import.where_units);
    if (!import.where_trials.empty()) trials.emplace("--where-trials", import.where_trials);
  }
};

/// The trials of a file: when their windows are, and why one is not to be used.
class Trials {
 public:
  Trials(const nwb::File& file, const NwbImport& import, const std::optional<Condition>& condition)
      : table(file.table(import.trials)), start(table.numbers(import.align)), import_(import) {
    if (!import.stimulus.empty()) stimulus = table.texts(import.stimulus);
    if (!import.session.empty()) session = table.texts(import.session);
    if (table.has_column("stop_time")) stop_ = table.numbers("stop_time");
    // A column of NaN says nothing of single trials.
    if (std::ranges::all_of(stop_, [](double t) { return std::isnan(t); })) stop_.clear();
    if (!import.use_invalid) invalid_ = invalid_times(file);
    if (condition) {
      chosen_ = chosen_by(*condition, table);
      not_chosen_ = "excluded by " + condition->said();
    }
  }

  /// The window of the response, and that of the baseline behind it where there is one.
  [[nodiscard]] std::vector<nwb::Window> windows_of(std::size_t trial) const {
    const auto after_start = [&](const nwb::Window& window) {
      return nwb::Window{start[trial] + window.begin, start[trial] + window.end};
    };
    std::vector<nwb::Window> windows{after_start(import_.window)};
    if (import_.baseline) windows.push_back(after_start(*import_.baseline));
    return windows;
  }

  /// Why a trial is left out, empty if it is not.
  [[nodiscard]] std::string reason_against(std::size_t trial, const Sources& sources) const {
    if (!chosen_.empty() && !chosen_[trial]) return not_chosen_;
    if (!std::isfinite(start[trial])) return "without a time in " + import_.align;
    if (!stop_.empty() && std::isnan(stop_[trial])) return "without a time in stop_time";
    if (!stimulus.empty() && nwb::is_missing(stimulus[trial]))
      return "without a value in " + import_.stimulus;
    if (!session.empty() && nwb::is_missing(session[trial])) return "without a value in " + import_.session;
    const std::vector<nwb::Window> windows = windows_of(trial);
    for (std::size_t w = 0; w < windows.size(); ++w) {
      const nwb::Window& window = windows[w];
      const char* which = w == 0 ? "" : " (baseline)";
      if (std::ranges::any_of(invalid_, [&](const nwb::Window& invalid) {
            return invalid.begin < window.end && window.begin < invalid.end;
          }))
        return std::string("in ") + invalid_times_path + which;
      for (const auto& source : sources)
        if (const nwb::Coverage coverage = source->coverage(window); coverage != nwb::Coverage::measured)
          return source->reason(coverage) + which;
    }
    return "";
  }

  nwb::Table table;
  std::vector<double> start;
  std::vector<std::string> stimulus, session;  ///< empty where no column was chosen

 private:
  const NwbImport& import_;
  std::vector<double> stop_;
  std::vector<nwb::Window> invalid_;
  std::vector<bool> chosen_;  ///< empty: all
  std::string not_chosen_;
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

/// Hands on responses less their baselines: windows come in pairs, one of either, and in any order.
class Differences {
 public:
  using Take = std::function<void(std::size_t pair, std::size_t unit, std::span<const double> values,
                                  std::span<const double> response)>;
  explicit Differences(Take take) : take_(std::move(take)) {}

  void add(std::size_t window, std::size_t unit, std::span<const double> values) {
    const bool is_response = window % 2 == 0;
    const auto waiting = waiting_.find({window / 2, unit});
    if (waiting == waiting_.end()) {
      waiting_.emplace(std::pair(window / 2, unit), std::vector<double>(values.begin(), values.end()));
      return;
    }
    const std::span<const double> response = is_response ? values : std::span<const double>(waiting->second);
    const std::span<const double> baseline = is_response ? std::span<const double>(waiting->second) : values;
    std::vector<double> differences;
    for (std::size_t i = 0; i < values.size(); ++i) differences.push_back(response[i] - baseline[i]);
    take_(window / 2, unit, differences, response);
    waiting_.erase(waiting);
  }

 private:
  Take take_;
  /// Those whose counterpart has not come yet, by pair and first unit: both are of the same run of units.
  std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> waiting_;
};

Measured measure(const Sources& sources, const Protocol& protocol, const Trials& trials) {
  Measured measured;
  std::vector<nwb::Window> windows, of_responses;
  for (const Presentation& presentation : protocol.presentations) {
    const std::vector<nwb::Window> of_trial = trials.windows_of(presentation.trial);
    std::ranges::copy(of_trial, std::back_inserter(windows));
    of_responses.push_back(of_trial[0]);
  }
  const bool has_baseline = windows.size() > of_responses.size();
  double work = 0;
  for (const auto& source : sources)
    work += static_cast<double>(of_responses.size() * source->units().size());
  Progress progress("importing", work, "responses");
  for (const auto& source : sources) {
    Responses& responses =
        measured.responses.emplace_back(protocol.points * protocol.stimuli, source->units().size());
    std::vector<std::size_t> missing(of_responses.size());
    std::vector<double> sums(of_responses.size());
    const auto take = [&](std::size_t w, std::size_t unit, std::span<const double> values,
                          std::span<const double> response) {
      const Presentation& presentation = protocol.presentations[w];
      responses.add(presentation.point * protocol.stimuli + presentation.stimulus, unit, values);
      for (const double value : values) missing[w] += std::isnan(value) ? 1U : 0U;
      for (const double value : response) sums[w] += std::isnan(value) ? 0 : value;
      progress.advance(static_cast<double>(values.size()));
    };
    Differences differences(take);
    source->respond(windows, [&](std::size_t w, std::size_t unit, std::span<const double> values) {
      if (has_baseline)
        differences.add(w, unit, values);
      else
        take(w, unit, values, values);
    });
    std::size_t lost = 0;
    for (std::size_t w = 0; w < of_responses.size(); ++w) {
      lost += missing[w];
      if (missing[w] == source->units().size())
        measured.empty_trials.emplace(protocol.presentations[w].trial, source->path());
    }
    if (lost > 0)
      measured.left_out.push_back(fmt::format("{} of {} responses of {} that were not measured", lost,
                                              of_responses.size() * source->units().size(), source->path()));
    if (source->counts_events()) warn_of_silence(*source, of_responses, sums);
  }
  return measured;
}

/// One of the files of an import.
class FileImport {
 public:
  FileImport(const std::filesystem::path& file_path, const NwbImport& import, const Conditions& conditions,
             bool is_one_of_several)
      : path(file_path),
        file(file_path),
        import_(import),
        conditions_(conditions),
        is_one_of_several_(is_one_of_several) {}

  /// Finds out which trials can be used.
  void prepare() {
    sources_ = open_sources();
    trials.emplace(file, import_, conditions_.trials);
    for (std::size_t trial = 0; trial < trials->start.size(); ++trial)
      if (const std::string reason = trials->reason_against(trial, sources_); reason.empty())
        usable_.push_back(trial);
      else
        left_out.count(reason);
    units.file = path.string();
    for (const auto& source : sources_) {
      std::span<const nwb::Unit> of_source = source->units();
      if (is_one_of_several_) of_source = kept_.emplace_back(source->units());
      units.sources.push_back({source->path(), of_source, source->keys(), source->known_keys()});
      std::ranges::copy(source->left_out(), std::back_inserter(units_left_out_));
    }
    if (is_one_of_several_) sources_.clear();  // with the chunks that they keep in memory
  }

  /// What `compute` returns; an InputError of it is about this file's trials.
  template <class Compute>
  auto explained(const Compute& compute) const {
    try {
      return compute();
    } catch (const InputError& error) {
      const std::vector<std::string> reasons = left_out.texts();
      trials->table.group().fail(error.what() +
                                 (reasons.empty() ? "" : "; left out before: " + join(reasons, "; ")));
    }
  }

  /// InputError if there are fewer trials than points.
  [[nodiscard]] Blocks blocks() const {
    if (usable_.empty())
      trials->table.group().fail(fmt::format("none of {} can be used: {}",
                                             counted(trials->start.size(), "trial"),
                                             join(left_out.texts(), "; ")));
    return explained([&] {
      return block_trials(trials->start, trials->session,
                          import_.points > 0 || !import_.session.empty() ? import_.points : 1, usable_);
    });
  }

  /// Measures the responses, unless they are known. False if there are trials of which a source has no value:
  /// then others have to be arranged.
  bool measure(Protocol&& planned) {
    const bool is_known = !responses_.responses.empty() && planned.stimuli == protocol.stimuli &&
                          planned.presentations == protocol.presentations;
    protocol = std::move(planned);
    if (is_known) return true;
    if (is_one_of_several_) {
      responses_ = {};
      responses_ = measure::measure(open_sources(), protocol, *trials);
    } else {
      responses_ = measure::measure(sources_, protocol, *trials);
    }
    // Without them, other trials may stand at other points.
    for (const auto& [trial, source] : responses_.empty_trials) {
      std::erase(usable_, trial);
      left_out.count("in which " + source + " has no value");
    }
    return responses_.empty_trials.empty();
  }

  [[nodiscard]] double mean(std::int64_t row, const UnitPlace& place) const {
    return responses_.responses[place.source].mean(row, place.unit);
  }
  /// What of units and single responses is left out.
  [[nodiscard]] std::vector<std::string> other_left_out() const {
    std::vector<std::string> texts = units_left_out_;
    std::ranges::copy(responses_.left_out, std::back_inserter(texts));
    return texts;
  }

  std::filesystem::path path;
  nwb::File file;
  std::optional<Trials> trials;
  FileUnits units;
  LeftOut left_out;
  Protocol protocol;

 private:
  [[nodiscard]] Sources open_sources() const {
    nwb::SourceOptions options{.layer = import_.layer, .use_invalid = import_.use_invalid};
    if (conditions_.units) {
      options.chosen = [&](const nwb::Table& table) { return chosen_by(*conditions_.units, table); };
      options.chosen_by = conditions_.units->said();
    }
    if (is_one_of_several_ && import_.match != "none")
      options.key = is_csv(import_.match) ? "id" : import_.match;
    Sources sources;
    for (const std::string& series : import_.series) {
      sources.push_back(file.source(series, options));
      for (std::size_t s = 0; s + 1 < sources.size(); ++s)
        if (sources[s]->path() == sources.back()->path())
          bad_input("{}: series {} is given twice, expected each once", path.string(), series);
    }
    return sources;
  }

  const NwbImport& import_;
  const Conditions& conditions_;
  bool is_one_of_several_;
  Sources sources_;  ///< of several files only while they are needed
  std::vector<std::vector<nwb::Unit>> kept_;
  std::vector<std::string> units_left_out_;
  std::vector<std::size_t> usable_;
  Measured responses_;
};

using Files = std::vector<std::unique_ptr<FileImport>>;

/// Puts files in the order of their starts.
void sort_by_start(Files& files) {
  std::map<const FileImport*, double> starts;
  for (const auto& file : files) starts[file.get()] = session_start(file->file);
  std::ranges::stable_sort(files, {}, [&](const auto& file) { return starts[file.get()]; });
  for (std::size_t f = 1; f < files.size(); ++f)
    if (starts[files[f].get()] == starts[files[f - 1].get()])
      bad_input("{}: has the session_start_time of {}, expected another one, or --order given",
                files[f]->path.string(), files[f - 1]->path.string());
}

/// Arranges and measures trials until each has a value; returns what the protocol leaves out.
std::vector<std::string> measure_all(Files& files, const NwbImport& import) {
  for (;;) {
    std::vector<FileTrials> trials;
    for (const auto& file : files) trials.push_back({file->blocks(), file->trials->stimulus});
    std::vector<std::string> left_out;
    std::vector<Protocol> protocols;
    if (files.size() == 1) {
      protocols = files[0]->explained([&] { return arrange(trials, import.repeats, left_out); });
    } else {
      try {
        protocols = arrange(trials, import.repeats, left_out);
      } catch (const InputError& error) {
        bad_input("{} to {}: {}", files.front()->path.string(), files.back()->path.string(), error.what());
      }
    }
    bool is_done = true;
    for (std::size_t f = 0; f < files.size(); ++f)
      is_done = files[f]->measure(std::move(protocols[f])) && is_done;
    if (is_done) return left_out;
  }
}

/// What several files leave out for one reason ("2 trials without a stop"), added up; with the name of the
/// file where it is only one.
class LeftOutOfFiles {
 public:
  void add(const std::string& file, const std::string& text) {
    const std::vector<std::string> words = split(text, ' ');
    const auto count = parse_number<std::int64_t>(words[0]);
    if (!count || words.size() < 3 || words[1] == "of") {
      sums_.push_back({{}, text, 0, {file}});
      return;
    }
    const std::string noun = words[1].ends_with('s') ? words[1].substr(0, words[1].size() - 1) : words[1];
    const std::string reason = text.substr(words[0].size() + 1 + words[1].size());
    auto sum = std::ranges::find_if(
        sums_, [&](const Sum& other) { return other.noun == noun && other.reason == reason; });
    if (sum == sums_.end()) sum = sums_.insert(sums_.end(), {noun, reason, 0, {}});
    sum->count += *count;
    sum->files.insert(file);
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const auto& [noun, reason, count, files] : sums_)
      texts.push_back((files.size() == 1 ? *files.begin() + ": " : "") +
                      (noun.empty() ? reason : counted(count, noun) + reason));
    return texts;
  }

 private:
  struct Sum {
    std::string noun, reason;  ///< a text that is no count has no noun
    std::int64_t count;
    std::set<std::string> files;
  };
  std::vector<Sum> sums_;
};

/// What is left out, by reason.
std::vector<std::string> all_left_out(const Files& files, const std::vector<std::string>& by_protocol,
                                      const std::vector<std::string>& by_match) {
  std::vector<std::string> reasons;
  const auto add = [&](const auto& texts_of) {
    if (files.size() == 1) {
      std::ranges::copy(texts_of(*files[0]), std::back_inserter(reasons));
      return;
    }
    LeftOutOfFiles sums;
    for (const auto& file : files)
      for (const std::string& text : texts_of(*file)) sums.add(file->path.filename().string(), text);
    std::ranges::copy(sums.texts(), std::back_inserter(reasons));
  };
  add([](const FileImport& file) { return file.left_out.texts(); });
  std::ranges::copy(by_protocol, std::back_inserter(reasons));
  add([](const FileImport& file) { return file.other_left_out(); });
  std::ranges::copy(by_match, std::back_inserter(reasons));
  return reasons;
}

/// The responses of a layer's units, [points, stimuli, units]; NaN where a file has fewer units.
std::vector<double> values_of(const Files& files, const MatchedLayer& layer, std::size_t units) {
  std::vector<double> values;
  std::size_t rows = 0;
  for (const auto& file : files)
    rows += static_cast<std::size_t>(file->protocol.points * file->protocol.stimuli);
  values.reserve(rows * units);
  for (std::size_t f = 0; f < files.size(); ++f)
    for (std::int64_t row = 0; row < files[f]->protocol.points * files[f]->protocol.stimuli; ++row) {
      for (const UnitPlace& place : layer.files[f]) values.push_back(files[f]->mean(row, place));
      values.resize(values.size() + units - layer.files[f].size(), std::numeric_limits<double>::quiet_NaN());
    }
  return values;
}

/// Replaces each unit's values by (value − mean) / standard deviation; a unit without variation becomes 0.
/// Returns how many of these there are.
std::size_t normalize(std::span<double> values, std::size_t units) {
  std::size_t constant = 0;
  for (std::size_t unit = 0; unit < units; ++unit) {
    double sum = 0, squares = 0, low = std::numeric_limits<double>::infinity(), high = -low;
    std::size_t count = 0;
    for (std::size_t i = unit; i < values.size(); i += units)
      if (!std::isnan(values[i])) {
        sum += values[i];
        ++count;
        low = std::min(low, values[i]);
        high = std::max(high, values[i]);
      }
    if (count == 0) continue;
    const double mean = sum / static_cast<double>(count);
    for (std::size_t i = unit; i < values.size(); i += units)
      if (!std::isnan(values[i])) squares += (values[i] - mean) * (values[i] - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(count));
    // Means of equal numbers may differ in their last digits.
    const bool is_constant = deviation <= 1e-12 * std::max(std::abs(low), std::abs(high));
    constant += is_constant ? 1U : 0U;
    for (std::size_t i = unit; i < values.size(); i += units)
      if (!std::isnan(values[i])) values[i] = is_constant ? 0 : (values[i] - mean) / deviation;
  }
  return constant;
}

/// Normalizes all units; returns what to say of it.
std::string normalize(io::Activity& activity, const Files& files, bool is_each_file) {
  std::size_t constant = 0;
  for (io::Activity::Layer& layer : activity.layers) {
    const std::size_t units = layer.unit_ids.size();
    const std::span<double> all = layer.values;
    if (!is_each_file) {
      constant += normalize(all, units);
      continue;
    }
    std::size_t begin = 0;
    for (const auto& file : files) {
      const std::size_t size =
          static_cast<std::size_t>(file->protocol.points * file->protocol.stimuli) * units;
      constant += normalize(all.subspan(begin, size), units);
      begin += size;
    }
  }
  std::string text = is_each_file ? "zscore of each unit over the points of its file and all stimuli"
                                  : "zscore of each unit over all points and stimuli";
  if (constant > 0) text += fmt::format(", {} without variation set to 0", counted(constant, "unit"));
  return text;
}

/// Of each file, joined.
template <class TextOf>
std::string of_each(const Files& files, const TextOf& text_of) {
  std::vector<std::string> texts;
  for (const auto& file : files) texts.push_back(text_of(*file));
  return join(texts, ", ");
}

std::string text_of(const nwb::Window& window) {
  return fmt::format("{} s to {} s", window.begin, window.end);
}

std::map<std::string, std::string> provenance_of(const Files& files, const NwbImport& import) {
  std::set<std::string> versions;
  for (const auto& file : files) versions.insert(file->file.version());
  std::map<std::string, std::string> provenance{
      {"source", of_each(files, [](const FileImport& file) { return file.path.filename().string(); })},
      {"source_format", "NWB " + join({versions.begin(), versions.end()}, ", ")},
      {"source_series", join(import.series, ", ")},
      {"source_trials", import.trials + ", " + import.align},
      {"source_window", text_of(import.window)}};
  if (std::ranges::all_of(files,
                          [](const auto& file) { return file->file.root().has_dataset("identifier"); }))
    provenance["source_identifier"] = of_each(files, [](const FileImport& file) {
      return join(file.file.root().dataset("identifier").template read<std::string>(), " ");
    });
  if (!import.stimulus.empty())
    provenance["source_stimulus"] =
        import.stimulus +
        (import.repeats == NwbImport::Repeats::average ? ", repeats averaged" : ", repeats kept");
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) provenance[name] = value;
  };
  add("source_session", import.session);
  add("source_where_units", import.where_units);
  add("source_where_trials", import.where_trials);
  if (import.baseline) provenance["source_baseline"] = text_of(*import.baseline);
  if (files.size() == 1) return provenance;
  provenance["source_points"] =
      of_each(files, [](const FileImport& file) { return std::to_string(file.protocol.points); });
  provenance["source_order"] = import.order == NwbImport::Order::given ? "as given" : "by session_start_time";
  provenance["source_match"] = import.match == "none" ? "none: the units of each file are others"
                               : is_csv(import.match)
                                   ? std::filesystem::path(import.match).filename().string()
                                   : import.match;
  return provenance;
}

}  // namespace

io::Activity import_nwb(const std::vector<std::filesystem::path>& paths, const NwbImport& import) {
  const Conditions conditions(import);
  Files files;
  for (const std::filesystem::path& path : paths) {
    for (const auto& file : files)
      if (file->path == path || (!nwb::is_remote(path) && same_file(file->path, path)))
        bad_input("{}: is given twice, expected each file once", path.string());
    files.push_back(std::make_unique<FileImport>(path, import, conditions, paths.size() > 1));
  }
  if (files.empty()) bad_input("no NWB file, expected at least one");
  if (import.series.empty())
    bad_input("{}: no series chosen, expected at least one", files[0]->path.string());
  const auto check = [](const char* what, const nwb::Window& window) {
    if (!(window.begin < window.end))
      bad_input("{} from {} s to {} s: expected it to end after it begins", what, window.begin, window.end);
  };
  check("window", import.window);
  if (import.baseline) check("baseline", *import.baseline);
  if (files.size() > 1 && import.order == NwbImport::Order::start) sort_by_start(files);

  std::vector<FileUnits> units;
  for (const auto& file : files) {
    file->prepare();
    units.push_back(file->units);
  }
  const MatchedUnits matched = match_units(units, import.match);
  const std::vector<std::string> by_protocol = measure_all(files, import);

  io::Activity activity;
  for (const auto& file : files) activity.points += file->protocol.points;
  activity.stimuli = files[0]->protocol.stimuli;
  activity.stimulus_names = files[0]->protocol.stimulus_names;
  const bool are_samples = files.size() > 1 && import.match == "none";
  for (const MatchedLayer& matched_layer : matched.layers) {
    io::Activity::Layer& layer = activity.layers.emplace_back();
    layer.name = matched_layer.name;
    std::size_t most = 0;
    for (const auto& places : matched_layer.files) most = std::max(most, places.size());
    for (std::size_t u = 0; u < most; ++u)
      if (are_samples)
        layer.unit_ids.emplace_back(static_cast<std::int64_t>(u));
      else
        layer.unit_ids.push_back(
            units[0].sources[matched_layer.files[0][u].source].units[matched_layer.files[0][u].unit].id);
    layer.values = values_of(files, matched_layer, most);
  }
  activity.provenance = provenance_of(files, import);
  activity.provenance["source_left_out"] = join(all_left_out(files, by_protocol, matched.left_out), "; ");
  if (import.normalize == NwbImport::Normalize::zscore)
    activity.provenance["source_normalize"] = normalize(activity, files, are_samples);
  return activity;
}

}  // namespace lrid::measure
