#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "commands.hpp"
#include "positions.hpp"

namespace lrid::apps {

namespace {

struct RecordingArguments {
  std::filesystem::path input, out;
  double unit_fraction = 1, noise = 0;
  std::int64_t units = 0, seed = 0;
  std::string noise_unit = "absolute";
  std::vector<std::string> positions;
};

void measure_recording(const RecordingArguments& arguments, const CommonOptions& common) {
  const stats::ThreadLimit threads(common.threads);
  require_writable(arguments.out, "--out", {arguments.input}, Sink::file);
  if (arguments.seed < 0) bad_input("--seed {}: expected an integer, 0 or more", arguments.seed);
  const stats::Imperfection imperfection{.unit_fraction = arguments.unit_fraction,
                                         .noise = arguments.noise,
                                         .seed = static_cast<std::uint64_t>(arguments.seed),
                                         .units = arguments.units,
                                         .noise_unit = stats::noise_unit_of(arguments.noise_unit)};
  imperfection.validate();
  const io::Recording recording(arguments.input);
  std::vector<std::string> layers;
  for (const io::Recording::Layer& layer : recording.layers()) layers.push_back(layer.name);
  const Positions positions = parse_positions(arguments.positions, layers);
  io::Observables observables = measure::measure_recording(recording, imperfection);
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (const auto given = positions.find(layers[i]); given != positions.end())
      observables.layer_position[i] = io::layer_position_of(given->second, "--position");
  io::write_observables(arguments.out, observables);
  fmt::print("{}: {} of {}\n", arguments.out.string(), counted(observables.points, "point"),
             counted(observables.layers.size(), "layer"));
}

}  // namespace

void add_recording(Program& program) {
  auto [command, arguments] = program.add<RecordingArguments>(
      "recording", "Measure the statistics of a recording: activity, and weights where there are any.",
      {"lrid-observe recording mouse.h5 --out mouse-observables.h5"}, measure_recording);
  command.add_option("REC.h5", arguments.input, "recording file")->required();
  command.add_option("--out", arguments.out, "file to write the observables to")
      ->type_name("FILE.h5")
      ->required();
  CLI::Option* const fraction = command
                                    .add_option("--unit-fraction", arguments.unit_fraction,
                                                "fraction of the units that is measured, above 0, at most 1")
                                    ->type_name("X")
                                    ->capture_default_str();
  command
      .add_option("--units", arguments.units,
                  "number of units of a layer to measure (all if it has fewer), instead of a fraction")
      ->check([](const std::string& text) {
        const auto count = parse_number<std::int64_t>(text);
        return count && *count >= 1 ? "" : fmt::format("{}: expected a number of units, at least 1", text);
      })
      ->type_name("N")
      ->excludes(fraction);
  command
      .add_option("--noise", arguments.noise,
                  "standard deviation of the noise added to every value, 0 or more")
      ->type_name("X")
      ->capture_default_str();
  command
      .add_option("--noise-unit", arguments.noise_unit,
                  "absolute, or relative: in standard deviations of a layer's weights or activations")
      ->check(one_of({"absolute", "relative"}))
      ->capture_default_str();
  repeatable(
      command.add_option("--position", arguments.positions,
                         "where a layer stands: early, middle, deep, or a number from 0 to 1; in place of "
                         "what the recording says; may be repeated"))
      ->type_name("REGION=POSITION");
  command.add_option("--seed", arguments.seed, "seed of the choice of units and of the noise")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace lrid::apps
