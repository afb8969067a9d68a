#include <cstdint>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "commands.hpp"

namespace lrid::apps {

namespace {

struct RecordingArguments {
  std::filesystem::path input, out;
  double unit_fraction = 1, noise = 0;
  std::int64_t units = 0, seed = 0;
  std::string noise_unit = "absolute";
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
  const io::Observables observables =
      measure::measure_recording(io::Recording(arguments.input), imperfection);
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
  command
      .add_option("--unit-fraction", arguments.unit_fraction,
                  "fraction of the units that is measured, above 0, at most 1")
      ->type_name("X")
      ->capture_default_str();
  command
      .add_option("--units", arguments.units,
                  "number of units of a layer to measure (all if it has fewer), instead of a fraction")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
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
  command.add_option("--seed", arguments.seed, "seed of the choice of units and of the noise")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace lrid::apps
