#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/sweep/status.hpp>

namespace lrid::sweep {

using State = RunStatus::State;

namespace {

/// Seconds without a heartbeat, of which there is one every 30 s, that are worth a remark.
constexpr double silence_worth_a_remark = 120;

std::string state_name(State state) {
  constexpr std::array names = {"done", "running", "failed", "waiting"};
  return names[static_cast<std::size_t>(state)];
}

RunStatus status_of(const train::RunPlan& plan, const train::MakeCallback& make_callback) {
  RunStatus status;
  status.name = plan.name();
  status.file = plan.out;
  train::Existing found;
  try {
    found = make_callback(plan)->existing();
    if (found.kind != train::Existing::Kind::nothing)
      // [compute] may differ on the machine that resumes it.
      if (const std::string difference = train::first_difference(found.config, plan.toml, /*complete=*/true);
          !difference.empty())
        bad_input("of another configuration: {}", difference);
  } catch (const InputError& error) {
    status.state = State::failed;
    status.reason = error.what();
    return status;
  }
  status.used = read_device_time(plan.out);
  if (found.kind == train::Existing::Kind::complete) {
    status.state = State::done;
    status.share = 1;
    return status;
  }
  if (found.points > 1)
    status.share = static_cast<double>(found.points - 1) / static_cast<double>(plan.config.points - 1);
  status.lease = read_lease(plan.out);
  if (status.lease && status.lease->holder.life() != LeaseHolder::Life::ended) {
    status.state = State::running;
    if (const auto& progress = status.lease->progress) {
      status.share = static_cast<double>(progress->step) / static_cast<double>(progress->steps);
      if (progress->step > progress->first_step)
        status.seconds_left = progress->seconds * static_cast<double>(progress->steps - progress->step) /
                              static_cast<double>(progress->step - progress->first_step);
    }
    return status;
  }
  status.lease.reset();
  if (found.kind == train::Existing::Kind::failed) {
    status.state = State::failed;
    status.reason = found.reason;
  }
  return status;
}

/// Mean device time of networks that have finished, by kind; asked for a kind that is not there, the nearest.
class MeanTimes {
 public:
  void add(const train::RunConfig& config, const train::DeviceTime& used) {
    for (const std::string& key : keys(config)) {
      Mean& mean = means_[key];
      mean.gpu = used.gpu;
      mean.seconds += used.seconds;
      ++mean.count;
    }
  }
  [[nodiscard]] std::optional<train::DeviceTime> of(const train::RunConfig& config) const {
    for (const std::string& key : keys(config))
      if (const auto mean = means_.find(key); mean != means_.end())
        return train::DeviceTime{mean->second.seconds / mean->second.count, mean->second.gpu};
    return std::nullopt;
  }

 private:
  struct Mean {
    double seconds = 0;
    int count = 0;
    bool gpu = false;
  };
  static std::array<std::string, 4> keys(const train::RunConfig& c) {
    return {fmt::format("{} {} {} {}", c.architecture, c.task, c.learning_rule, c.batch_size),
            fmt::format("{} {} {}", c.architecture, c.task, c.learning_rule),
            fmt::format("{} {}", c.architecture, c.task), ""};
  }
  std::map<std::string, Mean> means_;
};

struct Hours {
  double gpu = 0, processor = 0;
  void add(const train::DeviceTime& time, double share = 1) {
    (time.gpu ? gpu : processor) += share * time.seconds / 3600;
  }
  [[nodiscard]] std::string text() const {
    if (gpu > 0 && processor > 0)
      return fmt::format("{:.2f} GPU-hours, {:.2f} processor-hours", gpu, processor);
    return gpu > 0 ? fmt::format("{:.2f} GPU-hours", gpu) : fmt::format("{:.2f} processor-hours", processor);
  }
  [[nodiscard]] nlohmann::ordered_json json() const {
    return {{"gpu_hours", gpu}, {"processor_hours", processor}};
  }
};

Hours hours_used(const SweepStatus& status) {
  Hours used;
  for (const RunStatus& run : status.runs) used.add(run.used);
  return used;
}

/// Returns the time that running and waiting networks still need, nothing while it is unknown.
std::optional<Hours> hours_left(const SweepStatus& status) {
  Hours left;
  for (const RunStatus& run : status.runs) {
    if (run.state == State::done || run.state == State::failed) continue;
    if (!run.time_left) return std::nullopt;
    left.add(*run.time_left);
  }
  return left;
}

std::string line_of(const RunStatus& run) {
  if (run.state == State::failed) return fmt::format("  {}: {}\n", run.name, run.reason);
  std::string line = fmt::format("  {}  {:3.0f} %", run.name, 100 * run.share);
  if (run.seconds_left) line += fmt::format(", {} left", format_duration(*run.seconds_left));
  line += fmt::format("  on {}", run.lease->holder.host);
  if (run.lease->progress) line += " " + run.lease->progress->device;
  line += fmt::format(", process {}", run.lease->holder.pid);
  if (run.lease->silent_seconds > silence_worth_a_remark)
    line += fmt::format(", no heartbeat for {}", format_duration(run.lease->silent_seconds));
  return line + "\n";
}

}  // namespace

std::int64_t SweepStatus::count(State state) const {
  return std::ranges::count(runs, state, &RunStatus::state);
}

SweepStatus sweep_status(const std::vector<train::RunPlan>& plans, const train::MakeCallback& make_callback) {
  SweepStatus status;
  MeanTimes means;
  for (const train::RunPlan& plan : plans) {
    check_interrupt();
    status.runs.push_back(status_of(plan, make_callback));
    const RunStatus& run = status.runs.back();
    if (run.state == State::done && run.used.seconds > 0) means.add(plan.config, run.used);
  }
  for (std::size_t i = 0; i < plans.size(); ++i) {
    RunStatus& run = status.runs[i];
    if (run.state == State::done) continue;
    run.time_left = means.of(plans[i].config);
    if (run.time_left) run.time_left->seconds *= 1 - run.share;
  }
  return status;
}

std::string to_text(const SweepStatus& status) {
  const auto left = hours_left(status);
  std::string text =
      fmt::format("{}: {} done, {} running, {} failed, {} waiting\nused: {}\nleft: {}\n",
                  counted(status.runs.size(), "network"), status.count(State::done),
                  status.count(State::running), status.count(State::failed), status.count(State::waiting),
                  hours_used(status).text(), left ? left->text() : "not known before a network has finished");
  for (const State state : {State::running, State::failed}) {
    if (status.count(state) == 0) continue;
    text += state_name(state) + ":\n";
    for (const RunStatus& run : status.runs)
      if (run.state == state) text += line_of(run);
  }
  return text;
}

std::string to_json(const SweepStatus& status) {
  nlohmann::ordered_json json{{"networks", status.runs.size()}};
  for (const State state : {State::done, State::running, State::failed, State::waiting})
    json[state_name(state)] = status.count(state);
  json["used"] = hours_used(status).json();
  const auto left = hours_left(status);
  json["left"] = left ? left->json() : nlohmann::ordered_json();
  json["runs"] = nlohmann::ordered_json::array();
  for (const RunStatus& run : status.runs) {
    nlohmann::ordered_json entry{{"name", run.name},
                                 {"file", run.file.string()},
                                 {"state", state_name(run.state)},
                                 {"share", run.share}};
    if (!run.reason.empty()) entry["reason"] = run.reason;
    if (run.lease) {
      entry["host"] = run.lease->holder.host;
      entry["pid"] = run.lease->holder.pid;
      entry["silent_seconds"] = run.lease->silent_seconds;
      if (run.lease->progress) entry["device"] = run.lease->progress->device;
    }
    if (run.seconds_left) entry["seconds_left"] = *run.seconds_left;
    json["runs"].push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

}  // namespace lrid::sweep
