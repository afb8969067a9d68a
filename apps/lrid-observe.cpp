// lrid-observe: statistics of recordings, datasets from trajectories, and a look into files.

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/version.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/measure/export.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/measure/show.hpp>
#include <lrid/stats/layer_fold.hpp>

namespace lrid {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  CommonOptions common;
  std::vector<fs::path> inputs;
  fs::path input, out;
  std::string format = "csv";
  double unit_fraction = 1, noise = 0;
  std::int64_t seed = 0;
};

void collect(const Arguments& arguments) {
  require_writable(arguments.out, "--out");
  const measure::Collection collection =
      measure::collect(measure::trajectory_files(arguments.inputs, arguments.out));
  io::write_dataset(arguments.out, collection.dataset);
  fmt::print("{}: {} samples of {} networks\n", arguments.out.string(), collection.dataset.samples,
             collection.networks);
  if (collection.running > 0) fmt::print("left out: {} running\n", collection.running);
  for (const auto& [reason, count] : collection.failed)
    fmt::print("left out: {} failed: {}\n", count, reason);
}

void measure_recording(const Arguments& arguments) {
  require_writable(arguments.out, "--out");
  if (arguments.seed < 0) bad_input("--seed {}: expected an integer, 0 or more", arguments.seed);
  const stats::Imperfection imperfection{.unit_fraction = arguments.unit_fraction,
                                         .noise = arguments.noise,
                                         .seed = static_cast<std::uint64_t>(arguments.seed)};
  imperfection.validate();
  io::write_observables(arguments.out,
                        measure::measure_recording(io::Recording(arguments.input), imperfection));
}

int run_program(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Observable statistics: collect, measure, show and export", "lrid-observe");
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  add_common_options(app, arguments.common);
  void (*run)(const Arguments&) = nullptr;
  const auto command = [&](const std::string& name, const std::string& help,
                           void (*function)(const Arguments&)) {
    CLI::App* const sub = app.add_subcommand(name, help);
    add_common_options(*sub, arguments.common);
    sub->set_version_flag("--version", version());
    sub->callback([&run, function] { run = function; });
    return sub;
  };

  CLI::App* sub = command("collect", "trajectory files, or folders of them, to a dataset file", collect);
  sub->add_option("RUN.h5", arguments.inputs, "trajectory files or folders")->required();
  sub->add_option("--out", arguments.out, "dataset file to write")->required();

  sub = command("recording", "statistics of activity and weights measured anywhere", measure_recording);
  sub->add_option("REC.h5", arguments.input, "recording file")->required();
  sub->add_option("--unit-fraction", arguments.unit_fraction,
                  "share of the units that is seen, above 0, at most 1")
      ->capture_default_str();
  sub->add_option("--noise", arguments.noise, "sd of the noise added to every value, 0 or more")
      ->capture_default_str();
  sub->add_option("--seed", arguments.seed, "of the choice of units and the noise")->capture_default_str();
  sub->add_option("--out", arguments.out, "file to write the observables to")->required();

  sub = command("show", "what a file holds", [](const Arguments& a) { measure::show(a.input, std::cout); });
  sub->add_option("FILE", arguments.input, "trajectory, dataset, recording, observables or results file")
      ->required();

  sub = command("export", "a trajectory, dataset or observables file as a table, to stdout",
                [](const Arguments& a) { measure::export_csv(a.input, std::cout); });
  sub->add_option("F.h5", arguments.input, "file to export")->required();
  sub->add_option("--format", arguments.format, "csv")->check(CLI::IsMember({"csv"}))->capture_default_str();

  return run_app("lrid-observe", [&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& asked) {  // --help, --version
      app.exit(asked);
      return;
    } catch (const CLI::ParseError& error) {
      throw InputError(std::string(error.what()) + " (see --help)");
    }
    arguments.common.apply();
    const stats::ThreadLimit threads(arguments.common.threads);
    run(arguments);
  });
}

}  // namespace
}  // namespace lrid

int main(int argc, char** argv) {
  return lrid::run_program(argc, argv);
}
