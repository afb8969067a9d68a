#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/train/memory.hpp>
#include <lrid/train/network_run.hpp>
#include <lrid/train/runner.hpp>

namespace lrid::train {

namespace {

namespace fs = std::filesystem;

/// Tasks by what their options say, loaded when first asked for: networks that train on the same data share
/// it.
class TaskPool {
 public:
  TaskPool(fs::path data_dir, int threads) : data_dir_(std::move(data_dir)), threads_(threads) {}

  std::shared_ptr<const tasks::Task> get(const RunPlan& plan) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const tasks::Task>& entry = tasks_[plan.task_key];
    if (!entry) {
      std::shared_ptr<tasks::Task> task = plan.make_task();
      task->load(data_dir_, threads_);
      entry = task;
    }
    return entry;
  }

 private:
  fs::path data_dir_;
  int threads_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const tasks::Task>> tasks_;
};

/// What runs that see the same batches at the same time have in common: task, dataset seed, batch size,
/// threads, device, precision.
using CohortKey = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t, std::string, std::string>;

CohortKey cohort_key(const RunPlan& plan) {
  const RunConfig& config = plan.config;
  return {plan.task_key,          config.dataset_seed,   config.batch_size,
          config.compute.threads, config.compute.device, config.compute.precision};
}

/// One sweep on its way.
class Runner {
 public:
  Runner(const std::vector<RunPlan>& plans, const RunnerOptions& options, const MakeWatcher& make_watcher)
      : plans_(plans),
        options_(options),
        make_watcher_(make_watcher),
        pool_(options.data_dir, threads_for_loading(plans)),
        outcomes_(plans.size()) {}

  std::vector<RunOutcome> run() {
    find_what_is_left();
    if (!left_.empty()) {
      form_cohorts();
      work();
    }
    if (interrupt_requested()) throw Interrupted();
    return std::move(outcomes_);
  }

 private:
  static int threads_for_loading(const std::vector<RunPlan>& plans) {
    std::int64_t threads = 1;
    for (const RunPlan& plan : plans) threads = std::max(threads, plan.config.compute.threads);
    return static_cast<int>(threads);
  }

  void find_what_is_left() {
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      std::string reason;
      switch (make_watcher_(plans_[i])->existing(reason)) {
        case Watcher::Existing::complete:
          outcomes_[i] = {RunOutcome::Kind::already_complete, ""};
          break;
        case Watcher::Existing::failed:
          outcomes_[i] = {RunOutcome::Kind::failed, reason};
          break;
        case Watcher::Existing::nothing:
        case Watcher::Existing::unfinished:
          left_.push_back(i);
          break;
      }
    }
    if (left_.size() < plans_.size())
      spdlog::info("{} of {} networks are done already", plans_.size() - left_.size(), plans_.size());
  }

  /// Loads the data (so that what is wrong with them is said at once) and groups what is left.
  void form_cohorts() {
    std::map<CohortKey, std::vector<std::size_t>> groups;
    std::vector<CohortKey> order;
    double samples = 0;
    for (const std::size_t i : left_) {
      const auto task = pool_.get(plans_[i]);
      const std::int64_t steps = plans_[i].config.steps(task->steps_per_epoch(plans_[i].config.batch_size));
      samples += static_cast<double>(steps * plans_[i].config.batch_size);
      const CohortKey key = cohort_key(plans_[i]);
      if (groups[key].empty()) order.push_back(key);
      groups[key].push_back(i);
    }
    progress_ = std::make_unique<Progress>("training", samples, "samples");
    const std::size_t share = (left_.size() + static_cast<std::size_t>(options_.jobs) - 1) /
                              static_cast<std::size_t>(options_.jobs);
    for (const CohortKey& key : order) {
      const std::vector<std::size_t>& group = groups[key];
      const std::size_t most = std::min(share, largest_cohort(plans_[group.front()]));
      for (std::size_t begin = 0; begin < group.size(); begin += most)
        cohorts_.emplace_back(
            group.begin() + static_cast<std::ptrdiff_t>(begin),
            group.begin() + static_cast<std::ptrdiff_t>(std::min(begin + most, group.size())));
    }
  }

  std::size_t largest_cohort(const RunPlan& plan) {
    if (options_.cohort > 0) return static_cast<std::size_t>(options_.cohort);
    const auto task = pool_.get(plan);
    const double room = options_.memory_share * static_cast<double>(device_memory(plan.config.compute)) /
                        static_cast<double>(options_.jobs);
    return static_cast<std::size_t>(
        std::max(1.0, room / static_cast<double>(network_bytes(plan, task->shape()).total())));
  }

  void work() {
    std::vector<std::thread> workers;
    for (int job = 0; job < options_.jobs; ++job) workers.emplace_back([this] { take_cohorts(); });
    for (std::thread& worker : workers) worker.join();
    progress_->finish();
    if (error_) std::rethrow_exception(error_);
  }

  void take_cohorts() {
    while (true) {
      std::vector<std::size_t> cohort;
      {
        const std::lock_guard lock(mutex_);
        if (cohorts_.empty() || error_ || interrupt_requested()) return;
        cohort = std::move(cohorts_.front());
        cohorts_.pop_front();
      }
      try {
        train_cohort(cohort);
      } catch (const Interrupted&) {
        return;
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
  }

  /// Trains networks that may stand at different steps (some were interrupted, some not): those that stand
  /// furthest back go first, so that they meet.
  void train_cohort(const std::vector<std::size_t>& cohort) {
    const RunConfig& shared = plans_[cohort.front()].config;
    at::set_num_threads(static_cast<int>(shared.compute.threads));
    const auto task = pool_.get(plans_[cohort.front()]);
    const auto source = task->batches(shared.dataset_seed, shared.batch_size, shared.compute.torch_device());

    std::vector<std::unique_ptr<NetworkRun>> runs;
    for (const std::size_t i : cohort) {
      attempt(i, [&] {
        auto run =
            std::make_unique<NetworkRun>(plans_[i], task, make_watcher_(plans_[i]), options_.report_epochs);
        progress_->skip(static_cast<double>(run->step() * shared.batch_size));
        runs.push_back(std::move(run));
      });
    }
    while (!runs.empty()) {
      const std::int64_t step =
          (*std::ranges::min_element(runs, {}, [](const auto& run) { return run->step(); }))->step();
      tasks::Batch batch;
      const auto batch_of_step = [&] {
        if (!batch.inputs.defined()) batch = source->batch(step);
        return batch;
      };
      for (auto& run : runs) {
        if (run->step() != step) continue;
        const bool alive = attempt(index_of(*run), [&] {
          run->take_point_if_due(batch_of_step);
          if (run->finished()) return;
          run->train(batch_of_step());
          progress_->advance(static_cast<double>(shared.batch_size));
        });
        if (!alive || run->finished()) close(std::move(run));
      }
      std::erase(runs, nullptr);
      if (interrupt_requested()) {
        for (auto& run : runs) attempt(index_of(*run), [&] { run->save(); });
        throw Interrupted();
      }
    }
  }

  std::size_t index_of(const NetworkRun& run) const {
    return static_cast<std::size_t>(&run.plan() - plans_.data());
  }

  /// Does what may fail for one network without harm to the others; what was saved of it stays.
  template <class Work>
  bool attempt(std::size_t index, const Work& work) {
    try {
      work();
      return true;
    } catch (const InputError&) {
      throw;  // wrong for more than this one, and the user's to mend
    } catch (const c10::Error& error) {
      outcomes_[index] = {RunOutcome::Kind::failed, error.what_without_backtrace()};
      return false;
    } catch (const std::exception& error) {
      outcomes_[index] = {RunOutcome::Kind::failed, error.what()};
      return false;
    }
  }

  void close(std::unique_ptr<NetworkRun> run) {
    RunOutcome& outcome = outcomes_[index_of(*run)];
    const std::int64_t steps_left = run->steps() - run->step();
    progress_->skip(
        static_cast<double>(std::max<std::int64_t>(0, steps_left) * run->plan().config.batch_size));
    if (run->finished()) {
      outcome = run->failure().empty() ? RunOutcome{RunOutcome::Kind::trained, ""}
                                       : RunOutcome{RunOutcome::Kind::failed, run->failure()};
    }
    const int done = ++done_;
    if (outcome.kind == RunOutcome::Kind::failed)
      spdlog::warn("{}: failed: {}", run->plan().name(), outcome.reason);
    else
      spdlog::debug("{}: validation accuracy {:.3f}", run->plan().name(),
                    run->last_metrics().validation_accuracy);
    progress_->note(fmt::format("{} of {} networks; {}: accuracy {:.2f}", done, left_.size(),
                                run->plan().name(), run->last_metrics().validation_accuracy));
  }

  const std::vector<RunPlan>& plans_;
  const RunnerOptions& options_;
  const MakeWatcher& make_watcher_;
  TaskPool pool_;
  std::vector<RunOutcome> outcomes_;
  std::vector<std::size_t> left_;
  std::unique_ptr<Progress> progress_;
  std::mutex mutex_;
  std::deque<std::vector<std::size_t>> cohorts_;
  std::exception_ptr error_;
  std::atomic<int> done_{0};
};

/// Median time of a few training steps on made-up inputs.
double seconds_per_step(const RunPlan& plan, const tasks::Task& task) {
  const RunConfig& config = plan.config;
  at::set_num_threads(static_cast<int>(config.compute.threads));
  const tasks::TaskShape shape = task.shape();
  const auto network = build_network(config, shape);
  const auto rule = plan.make_rule();
  rule->attach(*network, Key(0));
  const auto source = task.batches(0, config.batch_size, config.compute.torch_device());
  std::vector<double> seconds;
  constexpr int repeats = 4;  // the first one warms up
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const tasks::Batch batch = source->batch(i);
    rule->prepare({i, 0.0, 0.0});
    const tasks::LossValue value = task.loss(network->forward(batch.inputs), batch.targets);
    value.loss.backward();
    rule->update();
    static_cast<void>(value.loss.item<double>());  // waits for the device
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::sort(seconds);
  return seconds[1];
}

}  // namespace

std::vector<RunOutcome> run_all(const std::vector<RunPlan>& plans, const RunnerOptions& options,
                                const MakeWatcher& make_watcher) {
  if (plans.empty()) return {};
  nn::keep_freed_memory();
  // LibTorch knows one setting for the whole process.
  const bool tf32 = plans.front().config.compute.precision == "tf32";
  for (const RunPlan& plan : plans)
    if ((plan.config.compute.precision == "tf32") != tf32)
      bad_input(
          "compute.precision: {} has {}, {} has {}; expected tf32 for all runs of a process or for none",
          plans.front().name(), plans.front().config.compute.precision, plan.name(),
          plan.config.compute.precision);
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowTF32CuDNN(tf32);
  return Runner(plans, options, make_watcher).run();
}

std::vector<Estimate> estimate(const std::vector<RunPlan>& plans, const RunnerOptions& options) {
  nn::keep_freed_memory();
  std::map<std::string, Estimate> per_step;  // seconds of one step, bytes
  std::vector<Estimate> estimates;
  std::int64_t threads = 1;
  for (const RunPlan& plan : plans) threads = std::max(threads, plan.config.compute.threads);
  TaskPool pool(options.data_dir, static_cast<int>(threads));
  for (const RunPlan& plan : plans) {
    check_interrupt();
    const RunConfig& config = plan.config;
    const auto task = pool.get(plan);
    const std::string key = fmt::format("{} {} {} {} {} {} {}", plan.task_key, config.architecture,
                                        config.learning_rule, config.batch_size, config.compute.threads,
                                        config.compute.device, config.compute.precision);
    if (!per_step.contains(key))
      per_step[key] = {seconds_per_step(plan, *task), network_bytes(plan, task->shape()).total()};
    const Estimate& step = per_step[key];
    const std::int64_t steps = config.steps(task->steps_per_epoch(config.batch_size));
    // A forward pass is about a third of a step; at each point the validation data go through once.
    const double passes = static_cast<double>(config.points) *
                          static_cast<double>(std::max(task->validation_samples(), task->probe_size())) /
                          static_cast<double>(config.batch_size) / 3;
    estimates.push_back({step.seconds * (static_cast<double>(steps) + passes), step.bytes});
  }
  return estimates;
}

}  // namespace lrid::train
