#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/cost/cohort_size.hpp>
#include <lrid/nn/allocation.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/sweep/leases.hpp>
#include <lrid/sweep/run_log.hpp>
#include <lrid/sweep/runner.hpp>
#include <lrid/train/cohort.hpp>
#include <lrid/train/network_run.hpp>
#include <lrid/train/run_state.hpp>
#include <lrid/train/task_pool.hpp>

namespace lrid::sweep {

namespace {

namespace fs = std::filesystem;

/// Properties that the runs of a cohort share: task, dataset seed, batch size, threads, device, precision.
using CohortKey = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t, std::string, std::string>;

CohortKey cohort_key(const train::RunPlan& plan) {
  const train::RunConfig& config = plan.config;
  return {plan.task_key,          config.dataset_seed,   config.batch_size,
          config.compute.threads, config.compute.device, config.compute.precision};
}

/// Throws InputError where plans differ in a setting that LibTorch has once a process (Compute::apply).
void require_one_setting(const std::vector<train::RunPlan>& plans) {
  const auto require = [&](const char* option, const auto& setting) {
    for (const train::RunPlan& plan : plans)
      if (setting(plan.config.compute) != setting(plans.front().config.compute))
        bad_input("compute.{}: is {} for {}, {} for {}; expected the same for all runs of a process", option,
                  setting(plans.front().config.compute), plans.front().name(), setting(plan.config.compute),
                  plan.name());
  };
  require("precision", [](const train::Compute& its) -> std::string_view {
    return its.precision == "tf32" ? "tf32" : "not tf32";
  });
  require("autotune", [](const train::Compute& its) { return its.autotune; });
  require("deterministic", [](const train::Compute& its) { return its.deterministic; });
}

/// Returns the runs in a folder that ended processes have left files of.
std::set<std::string> runs_with_leftovers(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    // "x.h5.state", "x.h5.claim", ".x.h5.17.tmp", ".x.h5.state.17.tmp"
    const std::string name = entry.path().filename().string();
    const std::size_t begin = name.starts_with('.') ? 1 : 0, end = name.rfind(".h5.");
    if (end != std::string::npos) names.insert(name.substr(begin, end + 3 - begin));
  }
  return names;
}

/// Removes everything that processes have left of a run but its results.
void remove_leftovers(const fs::path& out) {
  train::remove_leftovers(out);
  remove_lease_leftovers(out);
}

/// Whether an error of CUDA's leaves the device as it was: too little memory or too few registers, or a
/// recording that failed. After all others only a new process can use it (CUDA runtime API, cudaError).
bool device_survives(std::int32_t cuda_error) {
  constexpr std::int32_t memory_allocation = 2, launch_out_of_resources = 701, first_of_capture = 900,
                         last_of_capture = 909;
  return cuda_error == memory_allocation || cuda_error == launch_out_of_resources ||
         (cuda_error >= first_of_capture && cuda_error <= last_of_capture);
}

/// Trains a sweep.
class Runner {
 public:
  Runner(const std::vector<train::RunPlan>& plans, const RunnerOptions& options,
         const train::MakeCallback& make_callback)
      : plans_(plans),
        options_(options),
        make_callback_(make_callback),
        pool_(options.data_dir, plans),
        leases_(options.stale_seconds),
        outcomes_(plans.size()) {}

  std::vector<RunOutcome> run() {
    find_what_is_left();
    if (!left_.empty()) {
      form_cohorts();
      do work();
      while (find_more_work());
      progress_->finish();
      if (error_) std::rethrow_exception(error_);
    }
    if (interrupt_requested() || out_of_time_) throw Interrupted();
    return std::move(outcomes_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// Returns whether a run is settled; its outcome then says how. InputError if its file is another run's.
  bool is_done(std::size_t i) {
    const train::Existing found = make_callback_(plans_[i])->existing();
    train::require_same_run(plans_[i], found);
    if (found.kind == train::Existing::Kind::complete)
      outcomes_[i] = {RunOutcome::Kind::already_complete, ""};
    if (found.kind == train::Existing::Kind::failed) outcomes_[i] = {RunOutcome::Kind::failed, found.reason};
    return found.kind == train::Existing::Kind::complete ||
           (found.kind == train::Existing::Kind::failed && !options_.retry_failed);
  }

  void find_what_is_left() {
    const std::set<std::string> leftovers =
        runs_with_leftovers(fs::absolute(plans_.front().out).parent_path());
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      check_interrupt();
      if (!is_done(i)) {
        left_.push_back(i);
      } else if (outcomes_[i].kind == RunOutcome::Kind::already_complete &&
                 leftovers.contains(plans_[i].out.filename().string())) {
        // Its process died after the last write, unless it is just about to tidy up itself.
        if (const auto lease = leases_.acquire(plans_[i].out)) remove_leftovers(plans_[i].out);
      }
    }
    if (left_.size() < plans_.size())
      spdlog::info("{} of {} done already", plans_.size() - left_.size(), counted(plans_.size(), "network"));
  }

  double samples_of(std::size_t i) {
    const train::RunConfig& config = plans_[i].config;
    const std::int64_t steps = config.steps(pool_.get(plans_[i])->steps_per_epoch(config.batch_size));
    return static_cast<double>(steps * config.batch_size);
  }

  /// Loads the data (so that what is wrong with them is said at once) and groups what is left.
  void form_cohorts() {
    std::map<CohortKey, std::vector<std::size_t>> groups;
    std::vector<CohortKey> order;
    std::vector<std::size_t> alone;  // and last: they may end the process again
    double samples = 0;
    for (const std::size_t i : left_) {
      samples += samples_of(i);
      if (read_unlogged_exits(plans_[i].out).count >= UnloggedExits::most_beside_others) {
        alone.push_back(i);
        continue;
      }
      const CohortKey key = cohort_key(plans_[i]);
      if (groups[key].empty()) order.push_back(key);
      groups[key].push_back(i);
    }
    progress_ = std::make_unique<Progress>("training", samples, "samples");
    const std::size_t share = (left_.size() + to_size(options_.jobs) - 1) / to_size(options_.jobs);
    for (const CohortKey& key : order) {
      const std::vector<std::size_t>& group = groups[key];
      const std::size_t most = std::min(share, largest_cohort(group));
      for (std::size_t begin = 0; begin < group.size(); begin += most)
        cohorts_.emplace_back(
            group.begin() + static_cast<std::ptrdiff_t>(begin),
            group.begin() + static_cast<std::ptrdiff_t>(std::min(begin + most, group.size())));
    }
    for (const std::size_t i : alone) cohorts_.push_back({i});
  }

  /// How many networks of a group are trained side by side: as many as were measured to be fastest for every
  /// kind among them, and as fit into memory. A GPU gains nothing from very many, and each must be set up.
  std::size_t largest_cohort(const std::vector<std::size_t>& group) {
    constexpr std::int64_t most_on_gpu = 32;
    std::optional<std::int64_t> measured;
    std::map<std::string, std::size_t> architectures;
    for (const std::size_t i : group) {
      architectures.emplace(plans_[i].config.architecture, i);
      if (const auto best = options_.best_cohort ? options_.best_cohort(plans_[i]) : std::nullopt)
        measured = std::min(measured.value_or(*best), *best);
    }
    if (options_.cohort > 0 && !measured) return to_size(options_.cohort);
    std::int64_t most = options_.cohort > 0 ? options_.cohort : std::numeric_limits<std::int64_t>::max();
    if (measured)
      most = std::min(most, *measured);
    else if (plans_[group.front()].config.compute.device == "cuda")
      most = std::min(most, most_on_gpu);
    for (const auto& [architecture, i] : architectures)
      most = std::min(most, cost::networks_that_fit(plans_[i], pool_.get(plans_[i])->shape(),
                                                    options_.memory_share, options_.jobs));
    return to_size(most);
  }

  void work() {
    std::vector<std::thread> workers;
    for (int job = 0; job < options_.jobs; ++job) workers.emplace_back([this, job] { take_cohorts(job); });
    for (std::thread& worker : workers) worker.join();
  }

  /// Leaves networks to the live processes that hold their leases and takes over those of dead ones. Waits
  /// until either is known of one, or there is something to do.
  bool find_more_work() {
    while (!leased_elsewhere_.empty() && !must_stop() && !out_of_time_) {
      std::erase_if(leased_elsewhere_, [&](std::size_t i) {
        if (is_done(i)) return true;
        switch (leases_.standing(plans_[i].out)) {
          case Leases::Standing::free:
            cohorts_.push_back({i});
            return true;
          case Leases::Standing::alive:
            outcomes_[i] = {RunOutcome::Kind::elsewhere, ""};
            progress_->skip(samples_of(i));
            return true;
          case Leases::Standing::held:
            break;
        }
        return false;
      });
      if (!cohorts_.empty()) return true;
      if (!leased_elsewhere_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    return false;
  }

  /// A failure that concerns all stops all jobs at their next step.
  bool must_stop() {
    if (interrupt_requested()) return true;
    const std::lock_guard lock(mutex_);
    return error_ != nullptr;
  }

  /// Whether the time until the scheduler ends us is enough for a network to be set up and make a step.
  [[nodiscard]] bool time_for_another() const {
    if (!options_.end) return true;
    const double left =
        std::chrono::duration<double>(*options_.end - std::chrono::system_clock::now()).count();
    return left >= std::max(options_.end_margin_seconds, 2 * longest_start_);
  }

  void take_cohorts(int job) {
    while (!must_stop()) {
      std::vector<std::size_t> cohort;
      {
        const std::lock_guard lock(mutex_);
        if (cohorts_.empty() || out_of_time_) return;
        if (!time_for_another()) {
          spdlog::warn("the time left to this job is too short to begin another network");
          out_of_time_ = true;
          return;
        }
        cohort = std::move(cohorts_.front());
        cohorts_.pop_front();
      }
      try {
        train_cohort(cohort, job);
      } catch (const Interrupted&) {
        return;
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
  }

  void train_cohort(const std::vector<std::size_t>& cohort, int job) {
    const auto start = Clock::now();
    const bool alone = cohort.size() == 1;
    const train::RunPlan& first = plans_[cohort.front()];
    if (!options_.gpus.empty())
      for (const std::size_t i : cohort)
        plans_[i].config.compute.device_index = options_.gpus[to_size(job) % options_.gpus.size()];
    const train::Compute& compute = first.config.compute;
    at::set_num_threads(static_cast<int>(compute.threads));
    const auto task = pool_.get(first);
    train::Cohort networks(task, first);
    const DeviceUse use(*this, compute);

    try {
      for (const std::size_t i : cohort) {
        check_interrupt();
        std::unique_ptr<train::NetworkRun> run;
        attempt(i, alone, run, [&] { run = begin(i, task); });
        if (run) networks.add(std::move(run));
      }
      bool started = false;
      while (!networks.runs().empty()) {
        for (const auto& run : networks.runs())
          run->set_share(use.share() / static_cast<double>(networks.runs().size()));
        networks.step([&](auto& run, const auto& make_batch) { advance(run, make_batch, alone); });
        if (!std::exchange(started, true))
          note_start(std::chrono::duration<double>(Clock::now() - start).count());
        if (must_stop()) throw Interrupted();
      }
    } catch (const Interrupted&) {
      if (const std::exception_ptr failed = stop_all(networks)) std::rethrow_exception(failed);
      throw;
    } catch (const DeviceFailure&) {
      stop_all(networks);
      networks.leak_batches();
      throw;
    } catch (...) {
      stop_all(networks);
      throw;
    }
  }

  /// Acquires the lease of a network and builds it; null where another process has it or has finished it.
  std::unique_ptr<train::NetworkRun> begin(std::size_t i, const std::shared_ptr<const tasks::Task>& task) {
    auto lease = leases_.acquire(plans_[i].out);
    if (!lease) {
      const std::lock_guard lock(mutex_);
      leased_elsewhere_.push_back(i);
      return nullptr;
    }
    if (is_done(i)) {  // since we looked first
      progress_->skip(samples_of(i));
      return nullptr;
    }
    auto run = std::make_unique<train::NetworkRun>(plans_[i], task, make_callback_(plans_[i]),
                                                   std::move(lease), options_.report_epochs, options_.graphs);
    if (const UnloggedExits exits = read_unlogged_exits(plans_[i].out);
        exits.count > UnloggedExits::most_beside_others && exits.step == run->step())
      throw std::runtime_error(fmt::format("{} processes were killed at step {}, perhaps for want of memory",
                                           exits.count, exits.step));
    write_log_line(plans_[i].out, run->resumed()
                                      ? fmt::format("goes on at step {} of {}", run->step(), run->steps())
                                      : "starts, " + counted(run->steps(), "step"));
    progress_->skip(static_cast<double>(run->step() * plans_[i].config.batch_size));
    return run;
  }

  /// Records the point that is due, then trains a step. Drops the run once it has ended or failed.
  void advance(std::unique_ptr<train::NetworkRun>& run, const train::Cohort::MakeBatch& make_batch,
               bool alone) {
    attempt(index_of(*run), alone, run, [&] {
      run->take_point_if_due(make_batch);
      if (run->finished()) return;
      run->train(make_batch());
      progress_->advance(static_cast<double>(run->plan().config.batch_size));
    });
    if (run && run->finished()) close(std::move(run));
  }

  std::size_t index_of(const train::NetworkRun& run) const { return to_size(&run.plan() - plans_.data()); }

  /// Runs work that may fail for one network without harming the others. A failure resets `run`; what it has
  /// saved stays.
  template <class Work>
  void attempt(std::size_t i, bool alone, std::unique_ptr<train::NetworkRun>& run, const Work& work) {
    std::string reason;
    bool device_failed = false;
    try {
      try {
        return work();
      } catch (const Interrupted&) {
        throw;
      } catch (const InputError&) {
        throw;  // wrong for more than this one, and the user's to mend
      } catch (const WorkError&) {
        throw;  // files cannot be written: neither could those of the others
      } catch (const train::LeaseLost&) {
        throw;
      } catch (const DeviceError& error) {
        reason = error.what();
        device_failed = true;
      } catch (const c10::AcceleratorError& error) {
        reason = error.what_without_backtrace();
        device_failed = !device_survives(error.get_error_code());
      } catch (const c10::Error& error) {
        reason = error.what_without_backtrace();
      } catch (const std::bad_alloc&) {
        reason = "out of memory";
      } catch (const std::exception& error) {
        reason = error.what();
      }
      reason = reason.substr(0, reason.find('\n'));
      if (alone || device_failed)
        mark_failed(i, run, reason);
      else
        try_alone(i, run, reason);
      nn::release_freed_memory();
    } catch (const train::LeaseLost& lost) {
      spdlog::warn("{}", lost.what());
      run.reset();
      const std::lock_guard lock(mutex_);
      leased_elsewhere_.push_back(i);
    }
    if (device_failed)
      throw DeviceFailure(fmt::format("{}: {}", plans_[i].config.compute.torch_device().str(), reason));
  }

  /// A network that fails beside others, for want of memory mostly, gets another attempt.
  void try_alone(std::size_t i, std::unique_ptr<train::NetworkRun>& run, const std::string& reason) {
    spdlog::info("{}: failed beside other networks, will be tried alone: {}", plans_[i].name(), reason);
    run.reset();
    const std::lock_guard lock(mutex_);
    cohorts_.push_back({i});
  }

  void mark_failed(std::size_t i, std::unique_ptr<train::NetworkRun>& run, const std::string& reason) {
    if (run) {
      run->fail(reason);
      return close(std::move(run));
    }
    // It could not even be built; what an earlier process measured stays.
    const auto lease = leases_.acquire(plans_[i].out);
    if (!lease) throw train::LeaseLost(fmt::format("{}: another process has it", plans_[i].out.string()));
    const auto callback = make_callback_(plans_[i]);
    callback->restore(callback->existing().points);
    callback->finish(reason);
    write_log_line(plans_[i].out, fmt::format("failed ({})", reason));
    outcomes_[i] = {RunOutcome::Kind::failed, reason};
    progress_->skip(samples_of(i));
    note_done(plans_[i].name(), reason, NAN);
  }

  /// Writes every state that can be written; returns the first error, if any.
  std::exception_ptr stop_all(const train::Cohort& networks) {
    std::exception_ptr failed;
    for (const auto& run : networks.runs()) {
      if (!run) continue;
      try {
        run->stop();
        write_log_line(run->plan().out, fmt::format("stops at step {} of {}", run->step(), run->steps()),
                       run->used());
      } catch (const train::LeaseLost& lost) {
        spdlog::warn("{}", lost.what());
      } catch (...) {
        if (!failed) failed = std::current_exception();
      }
    }
    return failed;
  }

  void close(std::unique_ptr<train::NetworkRun> run) {
    RunOutcome& outcome = outcomes_[index_of(*run)];
    const std::string& failure = run->failure();
    write_log_line(run->plan().out, failure.empty() ? "complete" : "failed (" + failure + ")", run->used());
    const std::int64_t steps_left = run->steps() - run->step();
    progress_->skip(
        static_cast<double>(std::max<std::int64_t>(0, steps_left) * run->plan().config.batch_size));
    outcome = run->failure().empty() ? RunOutcome{RunOutcome::Kind::trained, ""}
                                     : RunOutcome{RunOutcome::Kind::failed, run->failure()};
    remove_lease_leftovers(run->plan().out);
    note_done(run->plan().name(), run->failure(), run->last_metrics().validation_accuracy);
  }

  void note_done(const std::string& name, const std::string& failure, double accuracy) {
    const int done = ++done_;
    if (!failure.empty())
      spdlog::warn("{}: failed: {}", name, failure);
    else
      spdlog::debug("{}: validation accuracy {:.3f}", name, accuracy);
    progress_->note(
        fmt::format("{} of {} networks; {}: accuracy {:.2f}", done, left_.size(), name, accuracy));
  }

  void note_start(double seconds) {
    const std::lock_guard lock(mutex_);
    longest_start_ = std::max(longest_start_, seconds);
  }

  /// A cohort uses its device. Device time a second: cores of a processor, the share of a GPU.
  class DeviceUse {
   public:
    DeviceUse(Runner& runner, const train::Compute& compute) : runner_(runner), compute_(compute) {
      count(1);
    }
    ~DeviceUse() { count(-1); }
    DeviceUse(const DeviceUse&) = delete;
    DeviceUse& operator=(const DeviceUse&) = delete;
    [[nodiscard]] double share() const {
      if (compute_.device == "cpu") return static_cast<double>(compute_.threads);
      const std::lock_guard lock(runner_.mutex_);
      return 1.0 / runner_.cohorts_on_gpu_.at(compute_.device_index);
    }

   private:
    void count(int change) {
      const std::lock_guard lock(runner_.mutex_);
      runner_.cohorts_on_gpu_[compute_.device_index] += change;
    }
    Runner& runner_;
    const train::Compute& compute_;
  };

  std::vector<train::RunPlan> plans_;  // a copy: which GPU is decided here
  const RunnerOptions& options_;
  const train::MakeCallback& make_callback_;
  train::TaskPool pool_;
  Leases leases_;
  std::vector<RunOutcome> outcomes_;
  std::vector<std::size_t> left_;
  std::unique_ptr<Progress> progress_;
  std::mutex mutex_;
  std::deque<std::vector<std::size_t>> cohorts_;
  std::vector<std::size_t> leased_elsewhere_;
  std::map<std::int64_t, int> cohorts_on_gpu_;
  double longest_start_ = 0;  ///< seconds from a cohort's beginning to the end of its first step
  std::exception_ptr error_;
  std::atomic<bool> out_of_time_{false};
  std::atomic<int> done_{0};
};

}  // namespace

std::vector<RunOutcome> run_all(const std::vector<train::RunPlan>& plans, const RunnerOptions& options,
                                const train::MakeCallback& make_callback) {
  if (plans.empty()) return {};
  nn::keep_freed_memory();
  require_one_setting(plans);
  plans.front().config.compute.apply();
  return Runner(plans, options, make_callback).run();
}

}  // namespace lrid::sweep
