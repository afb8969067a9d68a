#include <filesystem>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/cost/benchmark.hpp>
#include <lrid/cost/estimate.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "commands.hpp"
#include "recording_callback.hpp"
#include "training.hpp"

namespace lrid::apps {

namespace {

struct BenchmarkArguments {
  SweepArguments sweep;
  MachineArguments machine;
  std::string out;
  int cohort = 0;
};

void benchmark(const BenchmarkArguments& arguments, const CommonOptions& common) {
  const stats::ThreadLimit threads(common.threads);
  require_writable(arguments.out, "--out", {arguments.sweep.config.file}, Sink::file);
  if (arguments.cohort < 0) bad_input("--cohort {}: expected a number ≥ 0", arguments.cohort);
  cost::CostTable table;
  if (std::filesystem::exists(arguments.out)) table = cost::read_cost_table(arguments.out);
  Config config = arguments.sweep.config.read(common);
  arguments.machine.apply(config);
  arguments.machine.require_data();
  const cost::BenchmarkOptions options{.data_dir = arguments.machine.data_dir, .cohort = arguments.cohort};
  table = cost::measure_costs(arguments.sweep.expand(std::move(config)), options, make_callback,
                              std::move(table));
  write_cost_table(arguments.out, table);
  fmt::print("{}{}\n", to_text(table), arguments.out);
}

}  // namespace

void add_benchmark(Program& program) {
  auto [command, arguments] = program.add<BenchmarkArguments>(
      "benchmark",
      "Measure what each kind of network in a sweep takes on this machine, and add it to a table of costs.",
      {"lrid-train benchmark configs/train/quickstart.toml --out costs.toml",
       "lrid-train sweep configs/train/quickstart.toml --out-dir runs --dry-run \\\n      --costs "
       "costs.toml"},
      benchmark);
  arguments.sweep.declare(command);
  command
      .add_option("--out", arguments.out, "table of costs to write; kinds that it has are not measured again")
      ->type_name("COSTS.toml")
      ->required();
  arguments.machine.declare(command);
  command.add_option("--cohort", arguments.cohort, "networks side by side, 0: on a GPU the fastest number")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace lrid::apps
