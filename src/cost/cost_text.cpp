// Cost tables and estimates as text for people.
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/cost/device_peak.hpp>
#include <lrid/cost/estimate.hpp>
#include <lrid/cost/roofline.hpp>
#include <lrid/train/build_network.hpp>

namespace lrid::cost {

namespace {

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

std::string to_text(const CostTable& table) {
  std::vector<std::vector<std::string>> rows = {
      {"", "", "", "", "", "", "alone", "", "", "cohort", "", "", ""},
      {"network", "task", "rule", "batch", "numbers", "memory", "ms/step", "images/s", "roofline", "size",
       "ms/step", "roofline", "bound"}};
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
                    share(cost.roofline_share), std::to_string(cost.cohort),
                    milliseconds(cost.cohort_step_seconds), share(cost.cohort_roofline_share),
                    known ? std::string(StepRoofline{cost.step_flops, cost.step_bytes}.bound(peak)) : "-"});
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

std::string to_text(const std::vector<train::RunPlan>& plans, const std::vector<bool>& complete,
                    const CostTable& table) {
  std::string text;
  Sum all;
  std::vector<std::pair<std::string, Sum>> groups;  // in order of plans
  std::map<std::string, std::int64_t> layers_of;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const train::RunPlan& plan = plans[i];
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
      layers =
          layers_of
              .emplace(
                  group,
                  std::ssize(train::outline_network(plan.config.architecture, plan.config.task)->layers()))
              .first;
    found->second.add(cost, layers->second);
    all.add(cost, layers->second);
  }
  text += fmt::format("\nto do, in cohorts as they were measured to be fastest on {}:\n", table.device);
  for (const auto& [group, sum] : groups) text += fmt::format("{}: {}\n", group, sum.text(table));
  return text + fmt::format("{}; to do: {}\n", counted(plans.size(), "network"), all.text(table));
}

}  // namespace lrid::cost
