#include <cmath>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/import_nwb.hpp>

#include "commands.hpp"
#include "write_activity.hpp"

namespace lrid::apps {

namespace {

struct ImportArguments {
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path out;
  std::string window, baseline, repeats = "average", normalize = "none", order = "start";
  measure::NwbImport nwb;
  std::vector<std::string> positions;
  bool list = false;
};

/// "A,B" in seconds, A < B.
io::nwb::Window parse_window(const char* option, const std::string& text) {
  const auto number = [&](const std::string& part) {
    const auto value = parse_number<double>(part);
    if (!value || !std::isfinite(*value))
      bad_input("{} {}: expected A,B in seconds after a trial's start", option, text);
    return *value;
  };
  const std::vector<std::string> parts = split(text, ',');
  if (parts.size() != 2) bad_input("{} {}: expected A,B in seconds after a trial's start", option, text);
  const io::nwb::Window window{number(trim(parts[0])), number(trim(parts[1]))};
  if (!(window.begin < window.end)) bad_input("{} {}: expected A,B with A < B", option, text);
  return window;
}

void import_nwb(const ImportArguments& arguments, const CommonOptions& /*common*/) {
  if (arguments.list) {
    for (const std::filesystem::path& input : arguments.inputs) measure::list_nwb(input, std::cout);
    return;
  }
  measure::NwbImport import = arguments.nwb;
  if (import.series.empty()) bad_input("--series is missing: expected a path that --list shows");
  if (arguments.window.empty())
    bad_input("--window is missing: expected A,B in seconds after a trial's start");
  import.window = parse_window("--window", arguments.window);
  if (!arguments.baseline.empty()) import.baseline = parse_window("--baseline", arguments.baseline);
  const bool has_points = import.points != 0, is_point_each = arguments.inputs.size() > 1 && !has_points;
  if (import.points < 0 || (import.session.empty() ? !has_points && !is_point_each : has_points))
    bad_input("--points {}{}: expected either a number of points, 1 or more, or --session COLUMN",
              import.points, import.session.empty() ? "" : " --session " + import.session);
  if (arguments.repeats == "keep") import.repeats = measure::NwbImport::Repeats::keep;
  if (arguments.normalize == "zscore") import.normalize = measure::NwbImport::Normalize::zscore;
  if (arguments.order == "given") import.order = measure::NwbImport::Order::given;
  std::vector<std::filesystem::path> inputs = arguments.inputs;
  std::erase_if(inputs, io::nwb::is_remote);
  if (measure::is_csv(import.match)) inputs.emplace_back(import.match);
  require_writable(arguments.out, "--out", inputs, Sink::file);
  io::Activity activity = measure::import_nwb(arguments.inputs, import);
  write_activity(arguments.out, activity, arguments.positions);
  if (const std::string& left_out = activity.provenance.at("source_left_out"); !left_out.empty())
    fmt::print("left out: {}\n", left_out);
  if (const auto normalized = activity.provenance.find("source_normalize");
      normalized != activity.provenance.end())
    fmt::print("normalized: {}\n", normalized->second);
}

}  // namespace

void add_import_nwb(Program& program) {
  auto [command, arguments] = program.add<ImportArguments>(
      "import-nwb", "Take responses to stimuli out of NWB 2 files and write them as a recording.",
      {"lrid-observe import-nwb mouse.nwb --list",
       "lrid-observe import-nwb mouse.nwb --out mouse.h5 \\\n      --series units --window 0,0.5 --points 10 "
       "--stimulus image",
       "lrid-observe import-nwb day1.nwb day2.nwb day3.nwb --out mouse.h5 \\\n      --series units --window "
       "0,0.5 "
       "--stimulus image --where-units 'snr > 2'"},
      import_nwb);
  command
      .add_option("FILE.nwb", arguments.inputs,
                  "NWB files (HDF5), or addresses of them (https://, s3://); of several files, each is one "
                  "point of the trajectory, or several (--points, --session)")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  command.add_flag("--list", arguments.list, "only print which series and tables of trials the files have");
  command.add_flag("--use-invalid", arguments.nwb.use_invalid,
                   "also use what the file says is not to be used: trials in invalid_times, times outside of "
                   "obs_intervals, units that are marked as invalid or have no spikes");
  command.add_option("--out", arguments.out, "recording file to write")->type_name("REC.h5");
  repeatable(
      command.add_option(
          "--series", arguments.nwb.series,
          "time series, e.g. processing/ophys/DfOverF/RoiResponseSeries, or \"units\" for spike trains; "
          "may be repeated, for several planes"))
      ->type_name("PATH");
  command
      .add_option("--window", arguments.window,
                  "a response is the mean from A up to B seconds after a trial's start")
      ->type_name("A,B");
  command
      .add_option("--baseline", arguments.baseline,
                  "take the mean from A up to B seconds relative to a trial's start off its response")
      ->type_name("A,B");
  command
      .add_option("--points", arguments.nwb.points,
                  "trajectory points: N equal blocks of consecutive trials; a remainder is left out")
      ->type_name("N");
  command
      .add_option("--session", arguments.nwb.session,
                  "in place of --points: a trajectory point for each value of this column of the trials")
      ->type_name("COLUMN");
  command
      .add_option("--order", arguments.order,
                  "order of several files: by their session_start_time (start), or as they are given")
      ->check(one_of({"start", "given"}))
      ->capture_default_str();
  command
      .add_option(
          "--match", arguments.nwb.match,
          "which units of several files are the same: those with one value in this column of their "
          "table; a file NAME.csv with a column of ids for each file and a row for each unit; or none, "
          "where the files have other units of the same layers")
      ->type_name("COLUMN|FILE.csv|none")
      ->capture_default_str();
  command
      .add_option("--where-units", arguments.nwb.where_units,
                  "only units that meet a condition on the columns of their table, such as 'quality == good "
                  "and snr > 2'")
      ->type_name("CONDITION");
  command
      .add_option("--where-trials", arguments.nwb.where_trials,
                  "only trials that meet a condition, such as 'correct and contrast in [0.5, 1]'")
      ->type_name("CONDITION");
  command.add_option("--trials", arguments.nwb.trials, "table of trials")
      ->type_name("PATH")
      ->capture_default_str();
  command.add_option("--align", arguments.nwb.align, "column of the trials: when they start, in seconds")
      ->type_name("COLUMN")
      ->capture_default_str();
  command
      .add_option(
          "--stimulus", arguments.nwb.stimulus,
          "column of the trials: which stimulus was presented; only stimuli that every point has count")
      ->type_name("COLUMN");
  command
      .add_option(
          "--repeats", arguments.repeats,
          "presentations of one stimulus at one point: average them, or keep as many as every point has")
      ->check(one_of({"average", "keep"}))
      ->capture_default_str();
  command
      .add_option(
          "--layer", arguments.nwb.layer,
          "column of units, electrodes or regions of interest that names the layers, in place of brain "
          "regions or imaging planes")
      ->type_name("COLUMN");
  command
      .add_option("--normalize", arguments.normalize,
                  "responses of each unit: as they are, or z-scored over all points and stimuli")
      ->check(one_of({"none", "zscore"}))
      ->capture_default_str();
  repeatable(command.add_option("--position", arguments.positions,
                                "where a layer stands: early, middle, deep, or a number from 0 to 1; may be "
                                "repeated"))
      ->type_name("REGION=POSITION");
}

}  // namespace lrid::apps
