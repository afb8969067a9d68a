#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <fmt/format.h>
#include <torch/cuda.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/checkpoint.hpp>
#include <lrid/train/cost.hpp>
#include <lrid/train/network_run.hpp>

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

/// Times the beginning of a run as it really is, watcher included.
Cost measure(RunPlan plan, const std::shared_ptr<const tasks::Task>& task, const MakeWatcher& make_watcher) {
  const ScratchFolder folder;
  plan.out = folder / "run.h5";
  plan.config.state_seconds = std::numeric_limits<double>::infinity();
  const torch::Device device = plan.config.compute.torch_device();
  at::set_num_threads(static_cast<int>(plan.config.compute.threads));
  const auto seconds_of = [&](const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    if (device.is_cuda()) torch::cuda::synchronize(device.index());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };

  const PeakMemory memory(device);
  Claims claims(RunnerOptions{}.stale_seconds);
  auto claim = claims.take(plan.out);
  NetworkRun run(plan, task, make_watcher(plan), std::move(*claim), false);
  const auto source = task->batches(plan.config.dataset_seed, plan.config.batch_size, device);

  Cost cost = kind_of(plan);
  const auto first_batch = [&] { return source->batch(0); };
  cost.point_seconds = seconds_of([&] { run.take_point_if_due(first_batch); });
  std::vector<double> steps;
  constexpr int repeats = 6;  // the first ones warm up
  for (int step = 0; step < repeats; ++step)
    steps.push_back(seconds_of([&] { run.train(source->batch(step)); }));
  std::ranges::sort(steps);
  cost.step_seconds = steps[repeats / 2 - 1];
  cost.memory_bytes = std::max<std::int64_t>(0, memory.bytes());
  cost.training_samples = task->training_samples();
  cost.layers = std::ssize(run.network().layers());
  for (const nn::NamedTensor& tensor : nn::tensors_of(run.network()))
    cost.network_bytes += static_cast<std::int64_t>(tensor.tensor.nbytes());
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
  }
  [[nodiscard]] std::string text(const CostTable& table) const {
    std::string text = counted(networks, "network") + " with " + counted(layers, "layer");
    if (unknown == networks) return text + (networks > 0 ? ", not measured" : "");
    text +=
        fmt::format(", {:.2f} {}-hours, at most {} a network, trajectories {}, checkpoints of all points {}",
                    seconds / 3600, table.gpu ? "GPU" : "processor", bytes_text(static_cast<double>(memory)),
                    bytes_text(trajectories), bytes_text(checkpoints));
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
    if (std::ranges::none_of(known.costs, is_kind) &&
        std::ranges::none_of(kinds, [&](const RunPlan* other) { return is_kind(kind_of(*other)); }))
      kinds.push_back(&plan);
  }
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
    known.add(measure(*plan, pool.get(*plan), make_watcher));
    progress.advance();
  }
  return known;
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
  const double seconds =
      static_cast<double>(steps) * nearest->step_seconds * larger + points * nearest->point_seconds;
  // Parameters, gradients and moments do not grow with the batch.
  const double fixed =
      std::min(static_cast<double>(nearest->memory_bytes), 3 * static_cast<double>(nearest->network_bytes));
  // Per layer 45 statistics and three of alignment in float32, per point step, epoch and four metrics; then
  // names, attributes and HDF5's own.
  constexpr double header = 20000;
  return Estimate{.time = {seconds * (table.gpu ? 1.0 : static_cast<double>(table.threads)), table.gpu},
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
      text += fmt::format(
          "  {}  {}{}",
          format_duration(cost->time.seconds / (table.gpu ? 1.0 : static_cast<double>(table.threads))),
          bytes_text(static_cast<double>(cost->memory_bytes)), cost->extrapolated ? "  (extrapolated)" : "");
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
  text += fmt::format("\nto do, one network at a time on {}:\n", table.device);
  for (const auto& [group, sum] : groups) text += fmt::format("{}: {}\n", group, sum.text(table));
  return text + fmt::format("{}; to do: {}\n", counted(plans.size(), "network"), all.text(table));
}

}  // namespace lrid::train
