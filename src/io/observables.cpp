#include <algorithm>

#include <fmt/format.h>

#include <lrid/core/version.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/observables.hpp>

namespace lrid::io {

namespace {

constexpr const char* format_name = "lrid-observables";

}  // namespace

void write_observables(const std::filesystem::path& path, const Observables& observables) {
  hdf5::OutputFile file(format_name);
  hdf5::Group& root = file.root();
  root.set_attribute("software", observables.software.empty() ? software() : observables.software);
  root.set_attribute("unit_fraction", observables.unit_fraction);
  root.set_attribute("noise", observables.noise);
  if (observables.units != 0) root.set_attribute("units", observables.units);
  if (observables.noise_unit != "absolute") root.set_attribute("noise_unit", observables.noise_unit);
  root.set_attribute("seed", observables.seed);
  root.write("observables", observables.values,
             {observables.points, std::ssize(observables.layers), std::ssize(observables.observable_names)},
             hdf5::Storage::compressed);
  root.write("observable_names", observables.observable_names);
  root.write("layers", observables.layers);
  if (std::ranges::any_of(observables.layer_position, [](auto p) { return p != unknown_position; }))
    root.write("layer_position", observables.layer_position);
  std::move(file).save(path);
}

Observables read_observables(const std::filesystem::path& path) {
  const hdf5::InputFile file(path);
  file.require_format(format_name);
  const hdf5::Group& root = file.root();
  Observables result;
  result.software = root.attribute_or<std::string>("software", "");
  result.unit_fraction = root.attribute_or("unit_fraction", 1.0);
  result.noise = root.attribute_or("noise", 0.0);
  result.units = root.attribute_or<std::int64_t>("units", 0);
  result.noise_unit = root.attribute_or<std::string>("noise_unit", "absolute");
  result.seed = root.attribute_or<std::int64_t>("seed", 0);
  result.observable_names = root.dataset("observable_names").read<std::string>({-1});
  result.layers = root.dataset("layers").read<std::string>({-1});
  result.layer_position.assign(result.layers.size(), unknown_position);
  if (root.has_dataset("layer_position")) {
    const hdf5::Dataset positions = root.dataset("layer_position");
    result.layer_position = positions.read<std::uint8_t>({std::ssize(result.layers)});
    for (const std::uint8_t position : result.layer_position)
      if (position > 2 && position != unknown_position)
        positions.fail(
            fmt::format("holds {}: expected 0, 1, 2, or {} for unknown", position, unknown_position));
  }
  const hdf5::Dataset values = root.dataset("observables");
  result.values = values.read<float>({-1, std::ssize(result.layers), std::ssize(result.observable_names)});
  result.points = values.shape()[0];
  return result;
}

}  // namespace lrid::io
