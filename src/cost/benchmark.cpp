#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <limits>
#include <map>

#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/cost/benchmark.hpp>
#include <lrid/cost/cohort_size.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/checkpoint.hpp>
#include <lrid/train/cohort.hpp>
#include <lrid/train/network_run.hpp>
#include <lrid/train/task_pool.hpp>

#include "device_peak.hpp"
#include "device_seconds.hpp"
#include "roofline.hpp"

namespace lrid::cost {

namespace fs = std::filesystem;

namespace {

/// Value behind the colon on the first line of `key` in a file of /proc, "" if there is none.
std::string first_after_colon(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return trim(std::string_view(line).substr(line.find(':') + 1));
  return "";
}

/// An entry of /proc/self/status, in bytes; 0 if there is none.
std::int64_t process_bytes(const std::string& name) {
  return 1024 * std::atoll(first_after_colon("/proc/self/status", name + ":").c_str());
}

/// Peak of the memory allocated on a device since construction.
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

/// Temporary folder, removed at the end.
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

/// Cohorts of one kind of network, trained as a sweep trains them but never to the end.
class KindBenchmark {
 public:
  KindBenchmark(train::RunPlan kind, std::shared_ptr<const tasks::Task> task,
                const train::MakeCallback& make_callback)
      : kind_(std::move(kind)), task_(std::move(task)), make_callback_(make_callback) {
    kind_.config.state_seconds = std::numeric_limits<double>::infinity();
    // Past the end of a run, rules do nothing.
    constexpr double more_steps_than_are_made = 10000;
    kind_.config.epochs = std::max(
        kind_.config.epochs,
        more_steps_than_are_made / static_cast<double>(task_->steps_per_epoch(kind_.config.batch_size)));
    build(1);
  }

  /// Networks of a new cohort, in place of the one before.
  void build(std::int64_t networks) {
    cohort_.reset();
    plans_.clear();
    cohort_ = std::make_unique<train::Cohort>(task_, kind_);
    while (networks-- > 0) {
      check_interrupt();
      train::RunPlan& plan = plans_.emplace_back(kind_);
      plan.out = folder_ / fmt::format("run{}.h5", plans_.size());
      cohort_->add(std::make_unique<train::NetworkRun>(plan, task_, make_callback_(plan), nullptr, false));
    }
  }

  [[nodiscard]] const nn::Network& network() const { return cohort_->runs().front()->network(); }

  /// Seconds that the first trajectory point takes, with its validation and statistics.
  double point_seconds() {
    return device_seconds(device(), [&] {
      cohort_->step([](auto& run, const auto& make_batch) { run->take_point_if_due(make_batch); });
    });
  }

  /// Seconds of a step of all networks, divided by their number: the median of several stretches. Waits for a
  /// GPU only at the end of a stretch; steps are recorded during the warm-up.
  double step_seconds() {
    const bool gpu = device().is_cuda();
    make_steps(gpu ? 10 : 2);
    constexpr double stretch_seconds = 0.05;
    const double once = device_seconds(device(), [&] { make_steps(1); });
    const auto steps = static_cast<int>(std::clamp(std::ceil(stretch_seconds / once), 1.0, 20.0));
    std::vector<double> stretches(gpu ? 5 : 3);
    for (double& seconds : stretches) seconds = device_seconds(device(), [&] { make_steps(steps); });
    std::ranges::sort(stretches);
    return stretches[stretches.size() / 2] / steps / static_cast<double>(plans_.size());
  }

  /// The same of a new cohort of so many networks; nothing where they do not fit into memory.
  std::optional<double> step_seconds_of(std::int64_t networks) {
    try {
      build(networks);
      return step_seconds();
    } catch (const c10::OutOfMemoryError&) {
      return std::nullopt;
    }
  }

 private:
  [[nodiscard]] torch::Device device() const { return kind_.config.compute.torch_device(); }
  void make_steps(int steps) {
    for (; steps > 0; --steps)
      cohort_->step([](auto& run, const auto& make_batch) { run->train(make_batch()); });
  }

  const ScratchFolder folder_;
  train::RunPlan kind_;
  std::shared_ptr<const tasks::Task> task_;
  const train::MakeCallback& make_callback_;
  std::deque<train::RunPlan> plans_;  // runs refer to them
  std::unique_ptr<train::Cohort> cohort_;
};

MeasuredCohort measure_cohort(KindBenchmark& benchmark, const train::RunPlan& plan, double alone,
                              const tasks::TaskShape& shape, const BenchmarkOptions& options) {
  if (options.cohort > 1) {
    const auto seconds = benchmark.step_seconds_of(options.cohort);
    if (!seconds)
      work_failed("{}: {} of its kind side by side do not fit into memory, expected a smaller --cohort",
                  plan.name(), counted(options.cohort, "network"));
    return {options.cohort, *seconds};
  }
  // On a processor they take turns: each takes what it takes alone.
  if (options.cohort == 1 || plan.config.compute.device == "cpu") return {1, alone};
  return fastest_cohort(alone, networks_that_fit(plan, shape, options.memory_share, options.jobs),
                        [&](std::int64_t networks) { return benchmark.step_seconds_of(networks); });
}

/// Times the beginning of a run as it really is, callback included, then cohorts of such runs.
Cost measure(const train::RunPlan& plan, const std::shared_ptr<const tasks::Task>& task,
             const train::MakeCallback& make_callback, const BenchmarkOptions& options,
             const DevicePeak& peak) {
  const train::Compute& compute = plan.config.compute;
  at::set_num_threads(static_cast<int>(compute.threads));
  compute.apply();
  Cost cost = kind_of(plan);
  cost.training_samples = task->training_samples();

  // A GPU may hold the data for all networks: they are there before memory is counted.
  const torch::Device device = compute.torch_device();
  if (device.is_cuda())
    static_cast<void>(task->batches(plan.config.dataset_seed, plan.config.batch_size, device)->batch(0));
  const PeakMemory memory(device);
  KindBenchmark benchmark(plan, task, make_callback);
  cost.point_seconds = benchmark.point_seconds();
  cost.step_seconds = benchmark.step_seconds();
  cost.memory_bytes = std::max<std::int64_t>(0, memory.bytes());
  cost.layers = std::ssize(benchmark.network().layers());
  for (const nn::NamedTensor& tensor : nn::tensors_of(benchmark.network()))
    cost.network_bytes += to_index(tensor.tensor.nbytes());
  cost.images_per_second = static_cast<double>(cost.batch_size) / cost.step_seconds;

  const MeasuredCohort measured = measure_cohort(benchmark, plan, cost.step_seconds, task->shape(), options);
  cost.cohort = measured.networks;
  cost.cohort_step_seconds = measured.step_seconds;

  const StepRoofline roofline = step_roofline(plan, task->shape());
  cost.step_flops = roofline.flops;
  cost.step_bytes = roofline.bytes;
  cost.peak_flops = peak.flops;
  cost.peak_bytes = peak.bytes;
  cost.roofline_share = roofline.seconds(peak) / cost.step_seconds;
  cost.cohort_roofline_share = roofline.seconds(peak) / cost.cohort_step_seconds;
  return cost;
}

std::string device_name(const train::Compute& compute) {
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

}  // namespace

CostTable measure_costs(const std::vector<train::RunPlan>& plans, const BenchmarkOptions& options,
                        const train::MakeCallback& make_callback, CostTable known) {
  nn::keep_freed_memory();
  train::TaskPool pool(options.data_dir, plans);
  std::vector<const train::RunPlan*> kinds;
  for (const train::RunPlan& plan : plans) {
    const Cost kind = kind_of(plan);
    const auto is_kind = [&](const Cost& cost) { return same_kind(cost, kind); };
    const auto is_known = [&](const Cost& cost) {
      return is_kind(cost) && (options.cohort == 0 || options.cohort == cost.cohort);
    };
    if (std::ranges::none_of(known.costs, is_known) &&
        std::ranges::none_of(kinds, [&](const train::RunPlan* other) { return is_kind(kind_of(*other)); }))
      kinds.push_back(&plan);
  }
  std::map<std::string, DevicePeak> peaks;  // of each precision
  Progress progress("measuring", static_cast<double>(kinds.size()), "kinds of networks");
  for (const train::RunPlan* plan : kinds) {
    check_interrupt();
    const train::Compute& compute = plan->config.compute;
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
    known.add(measure(*plan, pool.get(*plan), make_callback, options, peak->second));
    progress.advance();
  }
  return known;
}

}  // namespace lrid::cost
