#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "commands.hpp"

namespace lrid::apps {

namespace {

struct CollectArguments {
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path out;
  bool admissible = false;
  int mantissa = measure::float_mantissa;
};

void collect(const CollectArguments& arguments, const CommonOptions& common) {
  const stats::ThreadLimit threads(common.threads);
  require_writable(arguments.out, "--out", {}, Sink::file);
  measure::Collection collection =
      measure::collect(measure::trajectory_files(arguments.inputs, arguments.out));
  if (arguments.admissible) measure::keep_admissible(collection.dataset);
  measure::round_mantissas(collection.dataset, arguments.mantissa);
  io::write_dataset(arguments.out, collection.dataset);
  fmt::print("{}: {} of {}\n", arguments.out.string(), counted(collection.dataset.samples, "sample"),
             counted(collection.networks, "network"));
  if (collection.running > 0) fmt::print("left out: {} running\n", collection.running);
  for (const auto& [reason, count] : collection.failed)
    fmt::print("left out: {} failed: {}\n", count, reason);
}

}  // namespace

void add_collect(Program& program) {
  auto [command, arguments] =
      program.add<CollectArguments>("collect", "Collect trajectory files, or datasets, into a dataset.",
                                    {"lrid-observe collect runs --out dataset.h5"}, collect);
  command.add_option("RUN.h5", arguments.inputs, "trajectory files or datasets, or folders of them")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  command.add_option("--out", arguments.out, "dataset file to write")->type_name("DATASET.h5")->required();
  command.add_flag(
      "--admissible", arguments.admissible,
      "keep only the observables that classifiers use, not those that can be infinite or undefined");
  command
      .add_option(
          "--mantissa", arguments.mantissa,
          "bits of mantissa to keep, of 23: with 12, values are right to 1 in 8,000 and the file is smaller")
      ->check(CLI::Range(1, measure::float_mantissa).description(""))
      ->type_name("BITS")
      ->capture_default_str();
}

}  // namespace lrid::apps
