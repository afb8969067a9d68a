#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/stats/imperfection.hpp>

#include "commands.hpp"

#ifdef LRID_WITH_TORCH
#include <fmt/format.h>

#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/observe/remeasure.hpp>
#include <lrid/stats/layer_fold.hpp>
#endif

namespace lrid::apps {

namespace {

namespace fs = std::filesystem;

struct RemeasureArguments {
  std::vector<fs::path> inputs;
  fs::path out, data_dir = "data";
  stats::ImperfectionGrid grid;
  std::string noise_unit = "absolute", subsets = "shared";
  std::int64_t seed = 0;
};

#ifdef LRID_WITH_TORCH
void remeasure(const RemeasureArguments& arguments, const CommonOptions& common) {
  const stats::ThreadLimit threads(common.threads);
  require_writable(arguments.out, "--out", {arguments.data_dir}, Sink::file);
  if (arguments.seed < 0) bad_input("--seed {}: expected an integer, 0 or more", arguments.seed);
  std::error_code error;
  if (!fs::is_directory(arguments.data_dir, error))
    bad_input("--data-dir {}: no such folder, expected the one that holds the data",
              arguments.data_dir.string());
  const fs::path parts = companion_path(arguments.out, ".parts");
  const std::vector<fs::path> files = measure::trajectory_files(arguments.inputs, arguments.out);
  stats::ImperfectionGrid grid = arguments.grid;
  grid.noise_unit = stats::noise_unit_of(arguments.noise_unit);
  grid.subsets_per_network = arguments.subsets == "network";
  grid.seed = static_cast<std::uint64_t>(arguments.seed);
  const io::Dataset dataset = observe::remeasure(
      files, {.grid = grid, .data_dir = arguments.data_dir, .threads = common.threads}, parts);
  io::write_dataset(arguments.out, dataset);
  observe::remove_parts(parts);
  fmt::print("{}: {} of {}\n", arguments.out.string(), counted(dataset.samples, "sample"),
             counted(files.size(), "network"));
}
#else
void remeasure(const RemeasureArguments& /*arguments*/, const CommonOptions& /*common*/) {
  bad_input("remeasure: this build has no LibTorch, expected one with -DLRID_WITH_TORCH=ON");
}
#endif

template <class Number>
void add_list(CLI::App& command, const std::string& name, std::vector<Number>& values,
              const std::string& type_name, const std::string& help) {
  repeatable(command.add_option(name, values, help))->delimiter(',')->type_name(type_name);
}

}  // namespace

void add_remeasure(Program& program) {
  auto [command, arguments] = program.add<RemeasureArguments>(
      "remeasure",
      "Measure networks again from their checkpoints, as an experiment would: a subset of the units, with "
      "noise. They must have been trained with checkpoint.keep = true.",
      {"lrid-observe remeasure runs --out imperfect.h5 \\\n      --unit-fraction 1,0.1,0.01 --noise 0,1"},
      remeasure);
  command.add_option("RUN.h5", arguments.inputs, "trajectory files, or folders of them")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  command
      .add_option("--out", arguments.out,
                  "dataset file to write; finished parts are kept in OUT.parts until then")
      ->type_name("DATASET.h5")
      ->required();
  add_list(command, "--unit-fraction", arguments.grid.unit_fraction, "X,...",
           "fractions of the units to measure, above 0, at most 1; all units if not given");
  add_list(command, "--units", arguments.grid.units, "N,...",
           "numbers of units of a layer to measure (all if it has fewer)");
  add_list(command, "--noise", arguments.grid.noise, "X,...",
           "standard deviations of the noise added to every value, 0 or more; none if not given");
  command
      .add_option("--noise-unit", arguments.noise_unit,
                  "absolute, or relative: in standard deviations of a layer's weights or activations")
      ->check(one_of({"absolute", "relative"}))
      ->capture_default_str();
  command
      .add_option("--subsets", arguments.subsets,
                  "shared: the same units of all layers of one size; network: other units for each network")
      ->check(one_of({"shared", "network"}))
      ->capture_default_str();
  command.add_option("--seed", arguments.seed, "seed of the choice of units and of the noise")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--data-dir", arguments.data_dir, "folder that holds the data the networks were trained on")
      ->type_name("DIR")
      ->capture_default_str();
}

}  // namespace lrid::apps
