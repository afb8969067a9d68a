#include <algorithm>
#include <tuple>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/options.hpp>
#include <lrid/cost/cost_table.hpp>

namespace lrid::cost {

namespace fs = std::filesystem;

namespace {

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
  options.add("floor_share", cost.roofline_share, amount, "of the time of a step alone");
  options.add("cohort_floor_share", cost.cohort_roofline_share, amount,
              "of the time of a step in the cohort");
}

}  // namespace

Cost kind_of(const train::RunPlan& plan) {
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

std::optional<std::int64_t> best_cohort(const train::RunPlan& plan, const CostTable& table) {
  if (table.gpu != (plan.config.compute.device == "cuda")) return std::nullopt;
  const Cost kind = kind_of(plan);
  const auto known =
      std::ranges::find_if(table.costs, [&](const Cost& cost) { return same_kind(cost, kind); });
  if (known == table.costs.end()) return std::nullopt;
  return known->cohort;
}

}  // namespace lrid::cost
