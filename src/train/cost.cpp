#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/checkpoint.hpp>
#include <lrid/train/cohort.hpp>
#include <lrid/train/cost.hpp>
#include <lrid/train/device_peak.hpp>
#include <lrid/train/floor.hpp>
#include <lrid/train/network_run.hpp>

#include "device_seconds.hpp"
#include "task_pool.hpp"

namespace lrid::train {

namespace fs = std::filesystem;

namespace {

// --- The file: one declaration reads and writes a table --------------------------------------------------

void declare(Options& options, CostTable& table) {
  options.add("device", table.device, Accepts::anything(), "what was measured on");
  options.add("gpu", table.gpu, Accepts::anything(), "whether it is a GPU");
  options.add("threads", table.threads, Accepts::at_least(1), "processor threads a network");
  options.add("software", table.software, Accepts::anything(), "versions that measured");
}

void declare(Options& options, Cost& cost) {
  const Accepts amount = Accepts::at_least(0);
  options.add("architecture", cost.architecture, Accepts::anything(), "as in a run's configuration");
  options.add("task", cost.task, Accepts::anything(), "likewise");
  options.add("learning_rule", cost.learning_rule, Accepts::anything(), "likewise");
  options.add("precision", cost.precision, Accepts::anything(), "likewise");
  options.add("batch_size", cost.batch_size, Accepts::at_least(1), "likewise");
  options.add("data", cost.data, Accepts::anything(), "the task and its options");
  options.add("training_samples", cost.training_samples, Accepts::at_least(1), "an epoch");
  options.add("step_seconds", cost.step_seconds, amount, "a training step of one network alone");
  options.add("point_seconds", cost.point_seconds, amount, "a trajectory point");
  options.add("memory_bytes", cost.memory_bytes, amount, "peak, beyond the data");
  options.add("layers", cost.layers, Accepts::at_least(1), "observed");
  options.add("network_bytes", cost.network_bytes, amount, "parameters and buffers");
  options.add("images_per_second", cost.images_per_second, amount, "one network alone");
  options.add("cohort", cost.cohort, Accepts::at_least(1), "networks side by side");
  options.add("cohort_step_seconds", cost.cohort_step_seconds, amount, "a step of all, by their number");
  options.add("step_flops", cost.step_flops, amount, "what a step must compute");
  options.add("step_bytes", cost.step_bytes, amount, "what it must move");
  options.add("peak_flops", cost.peak_flops, amount, "what the device computes a second at its best");
  options.add("peak_bytes", cost.peak_bytes, amount, "what it moves a second at its best");
  options.add("floor_share", cost.floor_share, amount, "of the time of a step alone");
  options.add("cohort_floor_share", cost.cohort_floor_share, amount, "of the time of a step in the cohort");
}

// --- Measuring -------------------------------------------------------------------------------------------

/// What stands behind the colon of a key's first line in a file of /proc, "" if nothing does.
std::string first_after_colon(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return trim(std::string_view(line).substr(line.find(':') + 1));
  return "";
}

/// A number of kB that /proc/self/status tells, in bytes; 0 where it does not.
std::int64_t process_bytes(const std::string& name) {
  return 1024 * std::atoll(first_after_colon("/proc/self/status", name + ":").c_str());
}

/// What is allocated on a device from now on, at its peak.
class PeakMemory {
 public:
  explicit PeakMemory(torch::Device device) : device_(device) {
    if (device_.is_cuda()) {
      c10::getDeviceAllocator(torch::kCUDA)->resetPeakStats(device_.index());
      before_ = gpu_bytes().current;
    } else {
      nn::release_freed_memory();
      before_ = process_bytes("VmRSS");
      std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak, proc(5)
    }
  }
  [[nodiscard]] std::int64_t bytes() const {
    return (device_.is_cuda() ? gpu_bytes().peak : process_bytes("VmHWM")) - before_;
  }

 private:
  [[nodiscard]] c10::CachingAllocator::Stat gpu_bytes() const {
    return c10::getDeviceAllocator(torch::kCUDA)
        ->getDeviceStats(device_.index())
        .allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
  }
  torch::Device device_;
  std::int64_t before_ = 0;
};

/// A folder for files that nobody needs.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (fs::temp_directory_path() / "lrid-benchmark-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      work_failed("{}: cannot make a folder for files of the benchmark", pattern);
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

Cost kind_of(const RunPlan& plan) {
  Cost cost;
  cost.architecture = plan.config.architecture;
  cost.task = plan.config.task;
  cost.learning_rule = plan.config.learning_rule;
  cost.precision = plan.config.compute.precision;
  cost.batch_size = plan.config.batch_size;
  cost.data = plan.task_key;
  return cost;
}

bool same_kind(const Cost& a, const Cost& b) {
  const auto key = [](const Cost& c) {
    return std::tie(c.architecture, c.task, c.learning_rule, c.precision, c.batch_size, c.data);
  };
  return key(a) == key(b);
}

/// Networks of one kind that train side by side as a sweep trains them: all on the same batch, one after the
/// other; on a GPU they run while the host is at the next.
class Cohort {
 public:
  Cohort(RunPlan plan, std::shared_ptr<const tasks::Task> task, const MakeWatcher& make_watcher)
      : kind_(std::move(plan)),
        task_(std::move(task)),
        make_watcher_(make_watcher),
        claims_(RunnerOptions{}.stale_seconds),
        device_(kind_.config.compute.torch_device()) {
    kind_.config.state_seconds = std::numeric_limits<double>::infinity();
    // No step lies beyond the run's end, where rules have nothing left to do.
    constexpr double more_steps_than_are_made = 10000;
    kind_.config.epochs = std::max(
        kind_.config.epochs,
        more_steps_than_are_made / static_cast<double>(task_->steps_per_epoch(kind_.config.batch_size)));
    grow(1);
    source_ = task_->batches(kind_.config.dataset_seed, kind_.config.batch_size, device_);
  }

  void grow(std::int64_t networks) {
    while (std::ssize(runs_) < networks) {
      check_interrupt();
      RunPlan& plan = plans_.emplace_back(kind_);
      plan.out = folder_ / fmt::format("run{}.h5", plans_.size());
      auto claim = claims_.take(plan.out);
      runs_.push_back(
          std::make_unique<NetworkRun>(plan, task_, make_watcher_(plan), std::move(*claim), false));
    }
  }

  [[nodiscard]] const nn::Network& network() const { return runs_.front()->network(); }

  double point_seconds() {
    return device_seconds(device_,
                          [&] { runs_.front()->take_point_if_due([&] { return source_->batch(0); }); });
  }

  /// A step of all, divided by their number: the median of several stretches. A GPU is waited for only at the
  /// end of a stretch; it captures its steps while it warms up.
  double step_seconds() {
    const bool gpu = device_.is_cuda();
    make_steps(gpu ? 10 : 2);
    constexpr double stretch_seconds = 0.05;
    const double once = device_seconds(device_, [&] { make_steps(1); });
    const auto steps = static_cast<int>(std::clamp(std::ceil(stretch_seconds / once), 1.0, 20.0));
    std::vector<double> stretches(gpu ? 5 : 3);
    for (double& seconds : stretches) seconds = device_seconds(device_, [&] { make_steps(steps); });
    std::ranges::sort(stretches);
    return stretches[stretches.size() / 2] / steps / static_cast<double>(runs_.size());
  }

 private:
  void make_steps(int steps) {
    for (; steps > 0; --steps) {
      check_interrupt();
      const tasks::Batch batch = source_->batch(next_batch_++);
      for (const auto& run : runs_) run->train(batch);
    }
  }

  const ScratchFolder folder_;
  RunPlan kind_;
  std::shared_ptr<const tasks::Task> task_;
  const MakeWatcher& make_watcher_;
  Claims claims_;
  torch::Device device_;
  std::deque<RunPlan> plans_;  // runs refer to them
  std::vector<std::unique_ptr<NetworkRun>> runs_;
  std::unique_ptr<tasks::BatchSource> source_;
  std::int64_t next_batch_ = 0;
};

/// The time that a step of a cohort takes, where so many networks fit.
std::optional<double> step_seconds_of(Cohort& cohort, std::int64_t networks) {
  try {
    cohort.grow(networks);
    return cohort.step_seconds();
  } catch (const c10::OutOfMemoryError&) {
    return std::nullopt;
  }
}

MeasuredCohort measure_cohort(Cohort& cohort, const RunPlan& plan, double alone,
                              const tasks::TaskShape& shape, const RunnerOptions& options) {
  if (options.cohort > 1) {
    const auto seconds = step_seconds_of(cohort, options.cohort);
    if (!seconds)
      work_failed("{}: {} of its kind side by side do not fit into memory, expected a smaller --cohort",
                  plan.name(), counted(options.cohort, "network"));
    return {options.cohort, *seconds};
  }
  // On a processor they take turns: each takes what it takes alone.
  if (options.cohort == 1 || plan.config.compute.device == "cpu") return {1, alone};
  return fastest_cohort(alone, networks_that_fit(plan, shape, options.memory_share, options.jobs),
                        [&](std::int64_t networks) { return step_seconds_of(cohort, networks); });
}

/// Times the beginning of a run as it really is, watcher included, then cohorts of such runs.
Cost measure(const RunPlan& plan, const std::shared_ptr<const tasks::Task>& task,
             const MakeWatcher& make_watcher, const RunnerOptions& options, const DevicePeak& peak) {
  const Compute& compute = plan.config.compute;
  at::set_num_threads(static_cast<int>(compute.threads));
  compute.apply();
  Cost cost = kind_of(plan);
  cost.training_samples = task->training_samples();

  // A GPU may hold the data for all networks: they are there before memory is counted.
  const torch::Device device = compute.torch_device();
  if (device.is_cuda())
    static_cast<void>(task->batches(plan.config.dataset_seed, plan.config.batch_size, device)->batch(0));
  const PeakMemory memory(device);
  Cohort cohort(plan, task, make_watcher);
  cost.point_seconds = cohort.point_seconds();
  cost.step_seconds = cohort.step_seconds();
  cost.memory_bytes = std::max<std::int64_t>(0, memory.bytes());
  cost.layers = std::ssize(cohort.network().layers());
  for (const nn::NamedTensor& tensor : nn::tensors_of(cohort.network()))
    cost.network_bytes += static_cast<std::int64_t>(tensor.tensor.nbytes());
  cost.images_per_second = static_cast<double>(cost.batch_size) / cost.step_seconds;

  const MeasuredCohort measured = measure_cohort(cohort, plan, cost.step_seconds, task->shape(), options);
  cost.cohort = measured.networks;
  cost.cohort_step_seconds = measured.step_seconds;

  const StepFloor floor = step_floor(plan, task->shape());
  cost.step_flops = floor.flops;
  cost.step_bytes = floor.bytes;
  cost.peak_flops = peak.flops;
  cost.peak_bytes = peak.bytes;
  cost.floor_share = floor.seconds(peak) / cost.step_seconds;
  cost.cohort_floor_share = floor.seconds(peak) / cost.cohort_step_seconds;
  return cost;
}

std::string device_name(const Compute& compute) {
  if (compute.device == "cpu") {
    const std::string model = first_after_colon("/proc/cpuinfo", "model name");
    return fmt::format("{}, threads: {}", model.empty() ? "processor" : model, compute.threads);
  }
  // CUDA's own query needs its headers. The driver lists GPUs by bus, as CUDA does by default only where they
  // are all alike.
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", ignored))
    if (const std::string model = first_after_colon(entry.path() / "information", "Model"); !model.empty())
      return model;
  return "CUDA device";
}

// --- Text ------------------------------------------------------------------------------------------------

std::string bytes_text(double bytes) {
  if (bytes >= 1e12) return fmt::format("{:.2f} TB", bytes / 1e12);
  if (bytes >= 1e9) return fmt::format("{:.2f} GB", bytes / 1e9);
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

/// What some networks take together.
struct Sum {
  int networks = 0, extrapolated = 0, unknown = 0;
  double seconds = 0, trajectories = 0, checkpoints = 0;
  std::int64_t memory = 0, layers = 0;
  std::int64_t smallest_cohort = 0, largest_cohort = 0;

  void add(const std::optional<Estimate>& estimate, std::int64_t observed_layers) {
    ++networks;
    layers += observed_layers;
    if (!estimate) {
      ++unknown;
      return;
    }
    extrapolated += estimate->extrapolated ? 1 : 0;
    seconds += estimate->time.seconds;
    trajectories += static_cast<double>(estimate->trajectory_bytes);
    checkpoints += static_cast<double>(estimate->checkpoint_bytes);
    memory = std::max(memory, estimate->memory_bytes);
    smallest_cohort = smallest_cohort == 0 ? estimate->cohort : std::min(smallest_cohort, estimate->cohort);
    largest_cohort = std::max(largest_cohort, estimate->cohort);
  }
  [[nodiscard]] std::string text(const CostTable& table) const {
    std::string text = counted(networks, "network") + " with " + counted(layers, "layer");
    if (unknown == networks) return text + (networks > 0 ? ", not measured" : "");
    text += fmt::format(
        ", {:.2f} {}-hours ({} at a time), at most {} a network, trajectories {}, checkpoints of "
        "all points {}",
        seconds / 3600, table.gpu ? "GPU" : "processor",
        smallest_cohort == largest_cohort ? std::to_string(largest_cohort)
                                          : fmt::format("{} to {}", smallest_cohort, largest_cohort),
        bytes_text(static_cast<double>(memory)), bytes_text(trajectories), bytes_text(checkpoints));
    if (extrapolated > 0) text += fmt::format("; {} extrapolated", extrapolated);
    if (unknown > 0) text += fmt::format("; without {} that were not measured", unknown);
    return text;
  }
};

}  // namespace

void CostTable::add(Cost cost) {
  const auto known = std::ranges::find_if(costs, [&](const Cost& other) { return same_kind(other, cost); });
  if (known != costs.end())
    *known = std::move(cost);
  else
    costs.push_back(std::move(cost));
}

CostTable read_cost_table(const fs::path& path) {
  Config config = Config::from_file(path);
  CostTable table;
  for (Config& network : config.take_tables("network")) {
    Cost cost;
    cost.batch_size = cost.training_samples = cost.layers = 1;
    Options options(std::move(network));
    declare(options, cost);
    options.finish();
    if (cost.cohort_step_seconds == 0) cost.cohort_step_seconds = cost.step_seconds;
    if (cost.images_per_second == 0 && cost.step_seconds > 0)
      cost.images_per_second = static_cast<double>(cost.batch_size) / cost.step_seconds;
    table.costs.push_back(std::move(cost));
  }
  table.threads = 1;
  Options options(std::move(config));
  declare(options, table);
  options.finish();
  if (table.costs.empty())
    bad_input("{}: has no [[network]], expected a table that lrid-train --benchmark wrote", path.string());
  return table;
}

void write_cost_table(const fs::path& path, const CostTable& table) {
  const auto text_of = [](auto value) {
    Options options;
    declare(options, value);
    return options.to_toml();
  };
  std::string text = text_of(table);
  for (const Cost& cost : table.costs) text += "\n[[network]]\n" + text_of(cost);
  write_atomically(path, text);
}

CostTable measure_costs(const std::vector<RunPlan>& plans, const RunnerOptions& options,
                        const MakeWatcher& make_watcher, CostTable known) {
  nn::keep_freed_memory();
  TaskPool pool(options.data_dir, plans);
  std::vector<const RunPlan*> kinds;
  for (const RunPlan& plan : plans) {
    const Cost kind = kind_of(plan);
    const auto is_kind = [&](const Cost& cost) { return same_kind(cost, kind); };
    const auto is_known = [&](const Cost& cost) {
      return is_kind(cost) && (options.cohort == 0 || options.cohort == cost.cohort);
    };
    if (std::ranges::none_of(known.costs, is_known) &&
        std::ranges::none_of(kinds, [&](const RunPlan* other) { return is_kind(kind_of(*other)); }))
      kinds.push_back(&plan);
  }
  std::map<std::string, DevicePeak> peaks;  // of each precision
  Progress progress("measuring", static_cast<double>(kinds.size()), "kinds of networks");
  for (const RunPlan* plan : kinds) {
    check_interrupt();
    const Compute& compute = plan->config.compute;
    const std::string device = device_name(compute);
    if (known.costs.empty()) {
      known.device = device;
      known.gpu = compute.device == "cuda";
      known.threads = compute.threads;
      known.software = software();
    } else if (known.device != device) {
      bad_input("the costs are those of {}, this is {}: expected another file", known.device, device);
    }
    progress.note(plan->name());
    auto peak = peaks.find(compute.precision);
    if (peak == peaks.end()) peak = peaks.emplace(compute.precision, measure_peak(compute)).first;
    known.add(measure(*plan, pool.get(*plan), make_watcher, options, peak->second));
    progress.advance();
  }
  return known;
}

std::optional<std::int64_t> best_cohort(const RunPlan& plan, const CostTable& table) {
  if (table.gpu != (plan.config.compute.device == "cuda")) return std::nullopt;
  const Cost kind = kind_of(plan);
  const auto known =
      std::ranges::find_if(table.costs, [&](const Cost& cost) { return same_kind(cost, kind); });
  if (known == table.costs.end()) return std::nullopt;
  return known->cohort;
}

std::string to_text(const CostTable& table) {
  std::vector<std::vector<std::string>> rows = {
      {"", "", "", "", "", "", "alone", "", "", "cohort", "", "", ""},
      {"network", "task", "rule", "batch", "numbers", "memory", "ms/step", "images/s", "floor", "size",
       "ms/step", "floor", "bound"}};
  std::map<std::string, DevicePeak> peaks;  // of each precision
  for (const Cost& cost : table.costs) {
    const bool known = cost.peak_flops > 0 && cost.peak_bytes > 0;
    const DevicePeak peak{cost.peak_flops, cost.peak_bytes};
    if (known) peaks[cost.precision] = peak;
    const auto share = [&](double value) { return known ? fmt::format("{:.1f}%", 100 * value) : "-"; };
    const auto milliseconds = [](double seconds) {
      return fmt::format("{:.{}f}", 1000 * seconds, seconds < 1 ? 2 : 0);
    };
    rows.push_back({cost.architecture, cost.task, cost.learning_rule, std::to_string(cost.batch_size),
                    cost.precision, bytes_text(static_cast<double>(cost.memory_bytes)),
                    milliseconds(cost.step_seconds),
                    fmt::format("{:.{}f}", cost.images_per_second, cost.images_per_second < 100 ? 1 : 0),
                    share(cost.floor_share), std::to_string(cost.cohort),
                    milliseconds(cost.cohort_step_seconds), share(cost.cohort_floor_share),
                    known ? std::string(StepFloor{cost.step_flops, cost.step_bytes}.bound(peak)) : "-"});
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  constexpr auto names_left = std::array{0, 1, 2, 4, 12};  // columns of words; numbers stand to the right
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool left = std::ranges::find(names_left, static_cast<int>(i)) != names_left.end();
      line += left ? fmt::format("{:<{}} ", row[i], widths[i]) : fmt::format("{:>{}} ", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  text += table.device;
  for (const auto& [precision, peak] : peaks)
    text += fmt::format("; {}: at best {:.2f} TFLOP/s, {:.0f} GB/s", precision, peak.flops / 1e12,
                        peak.bytes / 1e9);
  return text + "\n";
}

std::optional<Estimate> estimate(const RunPlan& plan, const CostTable& table) {
  const Cost kind = kind_of(plan);
  const RunConfig& config = plan.config;
  const auto distance = [&](const Cost& cost) {
    return std::pair{
        cost.learning_rule != kind.learning_rule,
        std::abs(std::log2(static_cast<double>(cost.batch_size) / static_cast<double>(kind.batch_size)))};
  };
  const Cost* nearest = nullptr;
  for (const Cost& cost : table.costs)
    if (cost.architecture == kind.architecture && cost.task == kind.task && cost.data == kind.data &&
        cost.precision == kind.precision && (nearest == nullptr || distance(cost) < distance(*nearest)))
      nearest = &cost;
  if (nearest == nullptr) return std::nullopt;

  const double larger = static_cast<double>(kind.batch_size) / static_cast<double>(nearest->batch_size);
  const std::int64_t steps = config.steps(nearest->training_samples / config.batch_size);
  const auto points = static_cast<double>(config.points), layers = static_cast<double>(nearest->layers);
  const auto seconds = [&](double step_seconds) {
    return static_cast<double>(steps) * step_seconds * larger + points * nearest->point_seconds;
  };
  // Parameters, gradients and moments do not grow with the batch.
  const double fixed =
      std::min(static_cast<double>(nearest->memory_bytes), 3 * static_cast<double>(nearest->network_bytes));
  // Per layer 45 statistics and three of alignment in float32, per point step, epoch and four metrics; then
  // names, attributes and HDF5's own.
  constexpr double header = 20000;
  const double cores = table.gpu ? 1.0 : static_cast<double>(table.threads);
  return Estimate{.time = {seconds(nearest->cohort_step_seconds) * cores, table.gpu},
                  .seconds_alone = seconds(nearest->step_seconds),
                  .cohort = nearest->cohort,
                  .memory_bytes = static_cast<std::int64_t>(
                      fixed + (static_cast<double>(nearest->memory_bytes) - fixed) * larger),
                  .trajectory_bytes = static_cast<std::int64_t>(header + points * (layers * 48 * 4 + 6 * 8)),
                  .checkpoint_bytes = config.points * nearest->network_bytes,
                  .extrapolated = !same_kind(*nearest, kind)};
}

std::string to_text(const std::vector<RunPlan>& plans, const std::vector<bool>& complete,
                    const CostTable& table) {
  std::string text;
  Sum all;
  std::vector<std::pair<std::string, Sum>> groups;  // in order of plans
  std::map<std::string, std::int64_t> layers_of;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const RunPlan& plan = plans[i];
    const std::optional<Estimate> cost = estimate(plan, table);
    text += plan.out.string();
    if (cost)
      text += fmt::format("  {} alone  {}{}", format_duration(cost->seconds_alone),
                          bytes_text(static_cast<double>(cost->memory_bytes)),
                          cost->extrapolated ? "  (extrapolated)" : "");
    else
      text += "  not measured";
    text += complete[i] ? "  (complete already)\n" : "\n";
    if (complete[i]) continue;
    const std::string group = plan.config.architecture + " " + plan.config.task;
    auto found = std::ranges::find(groups, group, &std::pair<std::string, Sum>::first);
    if (found == groups.end()) found = groups.insert(found, {group, Sum()});
    auto layers = layers_of.find(group);
    if (layers == layers_of.end())
      layers = layers_of
                   .emplace(group,
                            std::ssize(outline_network(plan.config.architecture, plan.config.task)->layers()))
                   .first;
    found->second.add(cost, layers->second);
    all.add(cost, layers->second);
  }
  text += fmt::format("\nto do, in cohorts as they were measured to be fastest on {}:\n", table.device);
  for (const auto& [group, sum] : groups) text += fmt::format("{}: {}\n", group, sum.text(table));
  return text + fmt::format("{}; to do: {}\n", counted(plans.size(), "network"), all.text(table));
}

}  // namespace lrid::train
