#include <algorithm>
#include <chrono>
#include <set>

#include <oneapi/tbb/parallel_for.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/identify/identifier_file.hpp>
#include <lrid/identify/run.hpp>
#include <lrid/io/linked_files.hpp>

#include "cell_store.hpp"
#include "comparisons.hpp"
#include "evaluate.hpp"
#include "json.hpp"
#include "result_row.hpp"
#include "setup.hpp"
#include "trajectories.hpp"

namespace lrid::identify {

namespace {

namespace key = io::condition_key;

struct Cell {
  std::size_t condition, classifier, split;
};

std::string cell_name(const Condition& condition, const std::string& classifier, std::size_t split) {
  return condition_to_json(condition.labels).dump() + " " + classifier + " split " + std::to_string(split);
}

void save_splits(const std::filesystem::path& path, const std::vector<Condition>& conditions) {
  Json plans = Json::array();
  for (const Condition& condition : conditions) {
    Json splits = Json::array();
    for (const Split& split : condition.plan->splits)
      splits.push_back({{"train", split.train}, {"test", split.test}, {"inner", split.inner}});
    plans.push_back({{"condition", condition_to_json(condition.labels)},
                     {"kind", name_of(condition.plan->kind)},
                     {"train_pool", condition.plan->train_pool},
                     {"test_pool", condition.plan->test_pool},
                     {"classes", condition.target->classes},
                     {"splits", splits}});
  }
  write_atomically(path,
                   Json{{"format", "lrid-splits"}, {"format_version", 1}, {"plans", plans}}.dump() + "\n");
}

/// Mean trajectories of the most important observables of the first row with importances, controls aside.
std::vector<io::Results::MeanTrajectory> trajectories_of(const std::vector<io::ResultRow>& rows,
                                                         Study& study) {
  constexpr std::size_t shown = 6;
  for (const io::ResultRow& row : rows) {
    std::vector<std::pair<double, std::string>> ranked;
    for (const auto& [name, value] : row.importances)
      if (std::ranges::find(study.data().observable_names, name) != study.data().observable_names.end())
        ranked.emplace_back(-value, name);
    if (ranked.empty() || row.condition.contains(key::control)) continue;
    std::ranges::sort(ranked);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(shown, ranked.size()); ++i) names.push_back(ranked[i].second);
    return mean_trajectories(*study.table(io::measure_name::all), study.pool_rows(), *study.target(), names);
  }
  return {};
}

/// An experiment on a dataset, its cells and their store.
class Run {
 public:
  /// Looks cells up in all `folders` and stores them in the first.
  Run(const Config& config, std::filesystem::path data, std::vector<std::filesystem::path> folders)
      : path_(std::move(data)),
        setup_(config),
        data_(io::read_dataset(path_)),
        study_(setup_.protocol, data_, path_.string()),
        conditions_(setup_.experiment->conditions(study_)),
        origin_{.version = version(),
                .config = setup_.options.to_toml(),
                .data = std::filesystem::absolute(path_),
                .dataset_sha256 = sha256_of_file(path_)},
        store_(std::move(folders), origin_.identity()) {
    apply_transform(setup_.protocol, conditions_);
    // Ordered split by split to mix cheap and expensive cells, which makes early estimates of the time left
    // good.
    for (std::size_t split = 0; split < static_cast<std::size_t>(setup_.protocol.splits); ++split)
      for (std::size_t condition = 0; condition < conditions_.size(); ++condition)
        for (std::size_t classifier = 0; classifier < setup_.classifiers.size(); ++classifier)
          if (admits(setup_.classifiers[classifier], conditions_[condition]))
            cells_.push_back({condition, classifier, split});
    for (const Condition& condition : conditions_)
      if (std::ranges::none_of(setup_.classifiers,
                               [&](const NamedClassifier& one) { return admits(one, condition); }))
        bad_input(
            "{}: where {} trajectories have length {}, less than the kernels of the mlp's grid: expected "
            "a smaller mlp.kernel, or another classifier besides",
            path_.string(), condition_to_json(condition.labels).dump(), condition.train->layout.points);
  }
  /// From a request. Throws InputError unless its output files are writable.
  explicit Run(const RunRequest& request)
      : Run(checked(request).config, request.data, cell_folders(request.out)) {
    io::hdf5::require_not_read_through_links(request.out);
    if (!request.splits) return;
    io::hdf5::require_not_read_through_links(*request.splits);
    save_splits(*request.splits, conditions_);
  }

  /// Results of every `count`-th cell from `index` on, computed unless stored.
  std::vector<CellResult> compute(std::size_t index, std::size_t count) {
    origin_.shards = count;
    store_.store_origin(origin_);
    std::vector<std::size_t> mine;
    for (std::size_t i = index; i < cells_.size(); i += count) mine.push_back(i);
    std::vector<CellResult> results(mine.size());
    Progress progress("identifying", static_cast<double>(mine.size()), "cells");
    LoopOrder order;
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, mine.size(), 1),
        [&](const tbb::blocked_range<std::size_t>& range) {
          const LoopOrder::Task task(order);
          for (std::size_t i = range.begin(); i < range.end(); ++i) {
            check_interrupt();
            const Cell& cell = cells_[mine[i]];
            if (std::optional<CellResult> stored = store_.find(name_of(cell))) {
              results[i] = std::move(*stored);
              progress.skip(1);
              continue;
            }
            const Condition& condition = conditions_[cell.condition];
            results[i] = evaluate(
                *setup_.classifiers[cell.classifier].classifier, condition, cell.split, setup_.protocol,
                Key(static_cast<std::uint64_t>(setup_.protocol.seed), "cell").with(name_of(cell)));
            store_.store(name_of(cell), results[i]);
            progress.advance();
          }
        },
        tbb::simple_partitioner());
    progress.finish();
    return results;
  }

  /// Results of all cells from the store. Throws InputError naming `where` and the shards whose cells are
  /// missing.
  std::vector<CellResult> stored(const std::string& where, std::size_t shards) const {
    std::vector<CellResult> results(cells_.size());
    std::set<std::size_t> incomplete;  // shards
    std::size_t missing = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (std::optional<CellResult> cell = store_.find(name_of(cells_[i]))) {
        results[i] = std::move(*cell);
        continue;
      }
      ++missing;
      incomplete.insert(i % shards);
    }
    if (missing == 0) return results;
    std::vector<std::string> names;
    for (const std::size_t shard : incomplete) names.push_back(fmt::format("{}/{}", shard, shards));
    bad_input("{}: {} of {} cells missing{}: expected those of all shards (run --shard, or run without it)",
              where, missing, cells_.size(), shards > 1 ? ", of --shard " + join(names, ", ") : "");
  }

  [[nodiscard]] Cells progress() const {
    Cells cells{0, cells_.size()};
    for (const Cell& cell : cells_) cells.done += store_.find(name_of(cell)) ? 1U : 0U;
    return cells;
  }

  io::Results results(std::vector<CellResult> of_cells) {
    std::vector<std::vector<std::vector<CellResult>>> outcome(  // [condition][classifier][split]
        conditions_.size(), std::vector<std::vector<CellResult>>(setup_.classifiers.size()));
    for (std::size_t i = 0; i < cells_.size(); ++i)
      outcome[cells_[i].condition][cells_[i].classifier].push_back(std::move(of_cells[i]));

    io::Results results;
    results.experiment = setup_.protocol.experiment;
    results.dataset_path = path_.string();
    results.dataset_sha256 = origin_.dataset_sha256;
    results.config = origin_.config;
    results.software = software();
    for (std::size_t c = 0; c < conditions_.size(); ++c) {
      const auto tested = std::make_shared<const io::TestedNetworks>(tested_networks(conditions_[c]));
      for (std::size_t test = 0; test < conditions_[c].tests.size(); ++test)
        for (std::size_t k = 0; k < setup_.classifiers.size(); ++k)
          if (!outcome[c][k].empty())
            results.rows.push_back(result_row(setup_.classifiers[k].name, conditions_[c], test, outcome[c][k],
                                              tested, setup_.protocol.refuse));
    }
    results.comparisons = compare_rows(results.rows);
    results.trajectories = trajectories_of(results.rows, study_);
    results.notes = study_.notes();
    for (std::size_t k = 0; k < setup_.classifiers.size(); ++k) {
      for (std::string& line : setup_.classifiers[k].classifier->notes())
        results.notes.push_back(std::move(line));
      std::set<std::string> counts;
      std::set<std::int64_t> too_few;
      for (std::size_t c = 0; c < conditions_.size(); ++c) {
        if (outcome[c][k].empty()) {
          too_few.insert(conditions_[c].train->layout.points);
          continue;
        }
        const CellResult& cell = outcome[c][k].front();
        if (cell.coinciding + cell.skipped > 0)
          counts.insert(fmt::format("{} computed, {} coincide with another, {} not possible with these data",
                                    cell.computed, cell.coinciding, cell.skipped));
      }
      for (const std::int64_t points : too_few)
        results.notes.push_back(
            fmt::format("{}: left out where a trajectory has {}, since the grid needs at least {}",
                        setup_.classifiers[k].name, counted(points, "point"),
                        setup_.classifiers[k].classifier->least_points()));
      for (const std::string& line : counts)
        results.notes.push_back(
            fmt::format("{}: of {} {}", setup_.classifiers[k].name,
                        counted(setup_.classifiers[k].classifier->settings().size(), "grid point"), line));
    }
    return results;
  }

  void forget_cells() const { store_.clear(); }

 private:
  static const RunRequest& checked(const RunRequest& request) {
    const std::vector<std::filesystem::path> inputs = {request.data, request.config.name()};
    require_writable(request.out, "--out", inputs);
    for (const std::filesystem::path& folder : cell_folders(request.out))
      if (const auto type = type_of(folder);
          type != std::filesystem::file_type::directory && type != std::filesystem::file_type::not_found)
        bad_input("--out {}: {} is there and no folder, expected to keep finished cells in it",
                  request.out.string(), folder.string());
    if (!request.splits) return request;
    require_writable(*request.splits, "--save-splits", inputs);
    if (same_file(request.out, *request.splits))
      bad_input("--save-splits {}: is --out, expected another file", request.splits->string());
    return request;
  }
  /// A stream has no place beside it to keep cells.
  static std::vector<std::filesystem::path> cell_folders(const std::filesystem::path& out) {
    if (is_stream(out)) return {};
    return {companion_path(out, ".cells")};
  }
  /// Whether trajectories are long enough for any point of the classifier's grid.
  static bool admits(const NamedClassifier& classifier, const Condition& condition) {
    return classifier.classifier->least_points() <= condition.train->layout.points;
  }
  [[nodiscard]] std::string name_of(const Cell& cell) const {
    return cell_name(conditions_[cell.condition], setup_.classifiers[cell.classifier].name, cell.split);
  }

  std::filesystem::path path_;
  Setup setup_;
  io::Dataset data_;
  Study study_;
  std::vector<Condition> conditions_;
  CellOrigin origin_;
  CellStore store_;
  std::vector<Cell> cells_;
};

/// Assembles the results of a run whose cells are all in these folders; `seconds` stays 0, as it is not
/// stored.
io::Results merge_cells(const CellOrigin& origin, const std::vector<std::filesystem::path>& folders,
                        const std::optional<std::filesystem::path>& data) {
  std::vector<std::string> names;
  for (const std::filesystem::path& folder : folders) names.push_back(folder.string());
  const std::string where = join(names, " + ");
  if (origin.version != version())
    bad_input("{}: cells of lrid {}, this is {}: expected the same version", where, origin.version,
              version());
  const std::filesystem::path file = data.value_or(origin.data);
  if (!std::filesystem::exists(file))
    bad_input("{}: the dataset of these cells, {}, does not exist: expected it, or --data", where,
              file.string());
  if (sha256_of_file(file) != origin.dataset_sha256)
    bad_input("{}: not the dataset of the cells in {}: expected SHA-256 {}…", file.string(), where,
              origin.dataset_sha256.substr(0, 12));
  Run work(Config::from_toml(origin.config, where), file, folders);
  return work.results(work.stored(where, origin.shards));
}

}  // namespace

io::Results run(const RunRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  Run work(request);
  io::Results results = work.results(work.compute(0, 1));
  results.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  io::write_results(request.out, results);
  work.forget_cells();
  return results;
}

Cells run_shard(const RunRequest& request, std::size_t index, std::size_t count) {
  require_writable(request.out, "--out", {}, Sink::file);
  Run work(request);
  (void)work.compute(index, count);
  return work.progress();
}

std::vector<io::NamedResults> gather(const std::vector<std::filesystem::path>& sources,
                                     const std::optional<std::filesystem::path>& data) {
  struct Source {
    std::optional<CellOrigin> origin;  // if it is folders of cells
    std::vector<std::filesystem::path> paths;
  };
  std::vector<Source> distinct;
  for (auto at = sources.begin(); at != sources.end(); ++at) {
    const std::filesystem::path& path = *at;
    const auto same_path =
        std::find_if(sources.begin(), at, [&](const auto& other) { return same_file(other, path); });
    if (same_path != at) {
      spdlog::warn("{}: left out: is {}, expected each once", path.string(), same_path->string());
      continue;
    }
    if (type_of(path) != std::filesystem::file_type::directory) {
      distinct.push_back({std::nullopt, {path}});
      continue;
    }
    const CellOrigin origin = read_origin(path);
    const auto same = std::ranges::find_if(distinct, [&](const Source& source) {
      return source.origin && source.origin->identity() == origin.identity();
    });
    if (same == distinct.end())
      distinct.push_back({origin, {path}});
    else
      same->paths.push_back(path);
  }
  std::vector<io::NamedResults> results;
  for (const Source& source : distinct) {
    const std::filesystem::path& first = source.paths.front();
    if (source.origin) {
      const std::filesystem::path folder = first.has_filename() ? first : first.parent_path();
      results.push_back({folder.extension() == ".cells" ? folder.stem().string() : folder.filename().string(),
                         merge_cells(*source.origin, source.paths, data)});
    } else {
      results.push_back({first.filename().string(), is_model_file(first)
                                                        ? left_out_results(read_fitted(first))
                                                        : io::read_results(first)});
    }
  }
  return results;
}

std::string options_help(const std::string& experiment) {
  Config config;
  config.assign("experiment", ConfigValue{experiment}, "help");
  return Setup(std::move(config)).options.help();
}

}  // namespace lrid::identify
