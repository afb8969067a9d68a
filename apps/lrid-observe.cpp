// lrid-observe: statistics of recordings, datasets from trajectories, and a look into files.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/measure/export.hpp>
#include <lrid/measure/import_nwb.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/measure/show.hpp>
#include <lrid/stats/layer_fold.hpp>

#ifdef LRID_WITH_TORCH
#include <lrid/observe/remeasure.hpp>
#endif

namespace lrid {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  CommonOptions common;
  std::vector<fs::path> inputs;
  fs::path input, out;
  std::string format = "csv", window, repeats = "average";
  bool list = false, show_config = false;
  measure::NwbImport nwb;
  double unit_fraction = 1, noise = 0;
  std::vector<double> unit_fractions{1}, noises{0};
  fs::path data_dir = "data";
  std::int64_t seed = 0;
};

void collect(const Arguments& arguments) {
  require_writable(arguments.out, "--out");
  const measure::Collection collection =
      measure::collect(measure::trajectory_files(arguments.inputs, arguments.out));
  io::write_dataset(arguments.out, collection.dataset);
  fmt::print("{}: {} of {}\n", arguments.out.string(), counted(collection.dataset.samples, "sample"),
             counted(collection.networks, "network"));
  if (collection.running > 0) fmt::print("left out: {} running\n", collection.running);
  for (const auto& [reason, count] : collection.failed)
    fmt::print("left out: {} failed: {}\n", count, reason);
}

void remeasure([[maybe_unused]] const Arguments& arguments) {
#ifdef LRID_WITH_TORCH
  require_writable(arguments.out, "--out");
  if (arguments.seed < 0) bad_input("--seed {}: expected an integer, 0 or more", arguments.seed);
  std::error_code error;
  if (!fs::is_directory(arguments.data_dir, error))
    bad_input("--data-dir {}: no such folder, expected the one that holds the data",
              arguments.data_dir.string());
  fs::path parts = arguments.out;
  parts += ".parts";
  const std::vector<fs::path> files = measure::trajectory_files(arguments.inputs, arguments.out);
  const io::Dataset dataset = observe::remeasure(files,
                                                 {.unit_fraction = arguments.unit_fractions,
                                                  .noise = arguments.noises,
                                                  .seed = arguments.seed,
                                                  .data_dir = arguments.data_dir,
                                                  .threads = arguments.common.threads},
                                                 parts);
  io::write_dataset(arguments.out, dataset);
  fs::remove_all(parts, error);
  fmt::print("{}: {} of {}\n", arguments.out.string(), counted(dataset.samples, "sample"),
             counted(files.size(), "network"));
#else
  bad_input("remeasure: this build has no LibTorch, expected one with -DLRID_WITH_TORCH=ON");
#endif
}

void measure_recording(const Arguments& arguments) {
  require_writable(arguments.out, "--out");
  if (arguments.seed < 0) bad_input("--seed {}: expected an integer, 0 or more", arguments.seed);
  const stats::Imperfection imperfection{.unit_fraction = arguments.unit_fraction,
                                         .noise = arguments.noise,
                                         .seed = static_cast<std::uint64_t>(arguments.seed)};
  imperfection.validate();
  const io::Observables observables =
      measure::measure_recording(io::Recording(arguments.input), imperfection);
  io::write_observables(arguments.out, observables);
  fmt::print("{}: {} of {}\n", arguments.out.string(), counted(observables.points, "point"),
             counted(observables.layers.size(), "layer"));
}

/// "A,B" in seconds, A < B.
io::nwb::Window parse_window(const std::string& text) {
  const auto number = [&](const std::string& part) {
    const auto value = parse_number<double>(part);
    if (!value || !std::isfinite(*value))
      bad_input("--window {}: expected A,B in seconds after a trial's start", text);
    return *value;
  };
  const std::vector<std::string> parts = split(text, ',');
  if (parts.size() != 2) bad_input("--window {}: expected A,B in seconds after a trial's start", text);
  const io::nwb::Window window{number(trim(parts[0])), number(trim(parts[1]))};
  if (!(window.begin < window.end)) bad_input("--window {}: expected A,B with A < B", text);
  return window;
}

void import_nwb(const Arguments& arguments) {
  if (arguments.list) return measure::list_nwb(arguments.input, std::cout);
  measure::NwbImport import = arguments.nwb;
  if (import.series.empty()) bad_input("--series is missing: expected a path that --list shows");
  if (arguments.window.empty())
    bad_input("--window is missing: expected A,B in seconds after a trial's start");
  import.window = parse_window(arguments.window);
  if (import.session.empty() == (import.points < 1))
    bad_input("--points {}{}: expected either a number of points, 1 or more, or --session COLUMN",
              import.points, import.session.empty() ? "" : " --session " + import.session);
  if (arguments.repeats == "keep") import.repeats = measure::NwbImport::Repeats::keep;
  require_writable(arguments.out, "--out");
  const io::Activity activity = measure::import_nwb(arguments.input, import);
  io::write_recording(arguments.out, activity);
  fmt::print("{}: {}, {}\n", arguments.out.string(), counted(activity.points, "point"),
             counted(activity.stimuli, "stimulus", "stimuli"));
  for (const io::Activity::Layer& layer : activity.layers)
    fmt::print("layer {}: {}\n", layer.name, counted(layer.unit_ids.size(), "unit"));
  if (const std::string& left_out = activity.provenance.at("source_left_out"); !left_out.empty())
    fmt::print("left out: {}\n", left_out);
}

void export_table(const Arguments& arguments) {
  const bool is_wide = arguments.format == "csv-wide";
  measure::export_csv(arguments.input, std::cout,
                      is_wide ? measure::TableForm::wide : measure::TableForm::long_form);
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

  sub = command("remeasure", "statistics again from kept checkpoints, imperfectly measured", remeasure);
  sub->add_option("RUN.h5", arguments.inputs, "trajectory files or folders")->required();
  sub->add_option("--unit-fraction", arguments.unit_fractions,
                  "shares of the units that are seen, separated by commas: above 0, at most 1")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  sub->add_option("--noise", arguments.noises,
                  "sds of the noise added to every value, separated by commas: 0 or more")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  sub->add_option("--seed", arguments.seed, "of the choice of units and the noise")->capture_default_str();
  sub->add_option("--data-dir", arguments.data_dir, "folder that holds the data the networks were trained on")
      ->capture_default_str();
  sub->add_option("--out", arguments.out,
                  "dataset file to write; what is done is kept in OUT.parts until then")
      ->required();

  sub = command("recording", "statistics of activity and weights measured anywhere", measure_recording);
  sub->add_option("REC.h5", arguments.input, "recording file")->required();
  sub->add_option("--unit-fraction", arguments.unit_fraction,
                  "share of the units that is seen, above 0, at most 1")
      ->capture_default_str();
  sub->add_option("--noise", arguments.noise, "sd of the noise added to every value, 0 or more")
      ->capture_default_str();
  sub->add_option("--seed", arguments.seed, "of the choice of units and the noise")->capture_default_str();
  sub->add_option("--out", arguments.out, "file to write the observables to")->required();

  sub = command("import-nwb", "responses to stimuli from an NWB 2 file, to a recording file", import_nwb);
  sub->add_option("FILE.nwb", arguments.input, "NWB file (HDF5)")->required();
  sub->add_flag("--list", arguments.list, "only print which series and tables of trials it holds");
  sub->add_option(
         "--series", arguments.nwb.series,
         "path of a time series, e.g. processing/ophys/DfOverF/RoiResponseSeries, or \"units\" for spike "
         "trains; may be given several times, for several planes")
      ->allow_extra_args(false);
  sub->add_option("--window", arguments.window,
                  "A,B: a response is the mean from A up to B seconds after a trial's start");
  sub->add_option(
      "--points", arguments.nwb.points,
      "trajectory points: so many equal blocks of consecutive trials; trials beyond them are left out");
  sub->add_option("--session", arguments.nwb.session,
                  "column of the trials: a trajectory point for each of its values, instead of --points");
  sub->add_option("--trials", arguments.nwb.trials, "path of the table of trials")->capture_default_str();
  sub->add_option("--align", arguments.nwb.align, "column of the trials: when they start, in seconds")
      ->capture_default_str();
  sub->add_option(
      "--stimulus", arguments.nwb.stimulus,
      "column of the trials: which stimulus was presented; only those that every point has are taken");
  sub->add_option("--repeats", arguments.repeats,
                  "presentations of one stimulus at one point: average, or keep as many as every point has")
      ->check(CLI::IsMember({"average", "keep"}))
      ->capture_default_str();
  sub->add_option("--layer", arguments.nwb.layer,
                  "column of the table of units, electrodes or regions of interest: layers, instead of brain "
                  "regions or planes");
  sub->add_flag("--use-invalid", arguments.nwb.use_invalid,
                "also use what the file says is not to be used: trials in invalid_times, times outside of "
                "obs_intervals, units that are marked as invalid or have no spikes");
  sub->add_option("--out", arguments.out, "recording file to write");

  sub = command("show", "what a file holds",
                [](const Arguments& a) { measure::show(a.input, std::cout, {.config = a.show_config}); });
  sub->add_flag("--config", arguments.show_config, "also print the configuration that the file keeps");
  sub->add_option("FILE", arguments.input, "trajectory, dataset, recording, observables, results or NWB file")
      ->required();

  sub = command("export", "a trajectory, dataset, observables or results file as a table, to stdout",
                export_table);
  sub->add_option("F.h5", arguments.input, "file to export")->required();
  sub->add_option("--format", arguments.format,
                  "csv: a row for each layer, point and observable; csv-wide: a column for each observable")
      ->check(CLI::IsMember({"csv", "csv-wide"}))
      ->capture_default_str();

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
