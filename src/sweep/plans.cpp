#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/sweep/plans.hpp>

namespace lrid::sweep {

namespace {

/// Keys that a result's name spells out.
constexpr std::array named_keys = {"architecture", "task",       "learning_rule",
                                   "batch_size",   "model_seed", "dataset_seed"};

bool is_named(const std::string& key) {
  return std::ranges::find(named_keys, key) != named_keys.end();
}

/// The configurations that one table of lists stands for.
std::vector<Config> product(const Config& base, const Config& table) {
  std::vector<Config> configs = {base};
  for (const auto& [key, entry] : table.entries()) {
    const auto* values = std::get_if<ConfigValue::Array>(&entry.value.data);
    if (values == nullptr || values->empty())
      bad_input("{}: sweep key {} = {}: expected a list of values", entry.origin, key, entry.value.to_toml());
    std::vector<Config> longer;
    for (const Config& config : configs)
      for (const ConfigValue& value : *values) {
        Config next = config;
        next.assign(key, value, entry.origin);
        longer.push_back(std::move(next));
      }
    configs = std::move(longer);
  }
  return configs;
}

/// Returns the keys that differ between runs and are not part of their names.
std::vector<std::string> differing_keys(const std::vector<Config>& configs) {
  std::map<std::string, std::set<std::string>> values;
  for (const Config& config : configs)
    for (const auto& [key, entry] : config.entries())
      if (!is_named(key)) values[key];
  for (auto& [key, seen] : values)
    for (const Config& config : configs) {
      const Config::Entry* entry = config.find(key);
      seen.insert(entry != nullptr ? entry->value.to_toml() : "");
    }
  std::vector<std::string> keys;
  for (const auto& [key, seen] : values)
    if (seen.size() > 1) keys.push_back(key);
  return keys;
}

std::string name_of(const train::RunConfig& config, const Config& source,
                    const std::vector<std::string>& differing) {
  std::string name =
      fmt::format("{}_{}_{}_b{}_m{}_d{}", config.architecture, config.task, config.learning_rule,
                  config.batch_size, config.model_seed_setting.text(), config.dataset_seed_setting.text());
  if (differing.empty()) return name;
  std::string text;
  for (const std::string& key : differing) {
    const Config::Entry* entry = source.find(key);
    text += fmt::format("{}={}\n", key, entry != nullptr ? entry->value.to_toml() : "");
  }
  return name + "_" + sha256(text).substr(0, 8);
}

}  // namespace

std::vector<train::RunPlan> expand_sweep(Config sweep, const std::filesystem::path& out_dir,
                                         const train::DeclareMore& declare_more) {
  const std::string name = sweep.name();
  const std::vector<Config> tables = sweep.take_tables("sweep");
  if (tables.empty())
    bad_input(
        "{}: has no table [sweep], expected one whose keys have lists of values (lrid-train run trains one "
        "network)",
        name);
  std::vector<Config> configs;
  for (const Config& table : tables)
    for (Config& config : product(sweep, table)) configs.push_back(std::move(config));

  const std::vector<std::string> differing = differing_keys(configs);
  std::vector<train::RunPlan> plans;
  std::set<std::filesystem::path> names;
  for (const Config& config : configs) {
    train::RunPlan plan = train::make_plan(config, "", declare_more);
    plan.out = out_dir / (name_of(plan.config, config, differing) + ".h5");
    // United tables may name a run twice; it is trained once.
    if (names.insert(plan.out).second) plans.push_back(std::move(plan));
  }
  return plans;
}

std::vector<train::RunPlan> shard(std::vector<train::RunPlan> plans, std::int64_t index, std::int64_t count) {
  std::vector<train::RunPlan> mine;
  for (std::size_t i = 0; i < plans.size(); ++i)
    if (to_index(i) % count == index) mine.push_back(std::move(plans[i]));
  return mine;
}

}  // namespace lrid::sweep
