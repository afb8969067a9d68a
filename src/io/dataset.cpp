#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/version.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>

namespace lrid::io {

namespace {

constexpr const char* format_name = "lrid-dataset";

/// Calls `visit(name, &SampleMeta::column)` for every metadata column, in the order in which they are
/// written.
template <class Visit>
void for_each_column(const Visit& visit) {
  visit("architecture", &SampleMeta::architecture);
  visit("task", &SampleMeta::task);
  visit("dataset", &SampleMeta::dataset);
  visit("learning_rule", &SampleMeta::learning_rule);
  visit("layer", &SampleMeta::layer);
  visit("layer_position", &SampleMeta::layer_position);
  visit("network", &SampleMeta::network);
  visit("batch_size", &SampleMeta::batch_size);
  visit("model_seed", &SampleMeta::model_seed);
  visit("dataset_seed", &SampleMeta::dataset_seed);
  visit("noise", &SampleMeta::noise);
  visit("unit_fraction", &SampleMeta::unit_fraction);
  visit("final_accuracy", &SampleMeta::final_accuracy);
}

/// The value of a column that a foreign writer left out; nothing for one that must be there.
std::optional<double> default_of(const std::string& column) {
  if (column == "final_accuracy") return std::numeric_limits<double>::quiet_NaN();
  if (column == "noise") return 0.0;
  if (column == "unit_fraction") return 1.0;
  return std::nullopt;
}

}  // namespace

Dataset read_dataset(const std::filesystem::path& path) {
  const hdf5::InputFile file(path);
  file.require_format(format_name);
  const hdf5::Group& root = file.root();

  Dataset dataset;
  dataset.software = root.attribute_or<std::string>("software", "");
  dataset.observable_names = root.dataset("observable_names").read<std::string>({-1});
  const auto columns = static_cast<std::int64_t>(dataset.observable_names.size());
  if (std::set(dataset.observable_names.begin(), dataset.observable_names.end()).size() !=
      dataset.observable_names.size())
    root.dataset("observable_names").fail("names an observable twice");

  const hdf5::Dataset x = root.dataset("X");
  dataset.x = x.read<float>({-1, -1, columns});
  dataset.samples = x.shape()[0];
  dataset.points = x.shape()[1];

  const hdf5::Group meta = root.group("meta");
  for_each_column([&]<class T>(const char* name, std::vector<T> SampleMeta::*member) {
    std::vector<T>& column = dataset.meta.*member;
    const std::optional<double> missing = default_of(name);
    if constexpr (std::is_same_v<T, double>) {
      if (missing && !meta.has_dataset(name)) {
        column.assign(static_cast<std::size_t>(dataset.samples), *missing);
        return;
      }
    }
    column = meta.dataset(name).read<T>({dataset.samples});
  });
  if (std::ranges::any_of(dataset.meta.layer_position, [](std::uint8_t position) { return position > 2; }))
    meta.dataset("layer_position").fail("expected 0 (early), 1 (middle) or 2 (deep)");
  const auto samples = static_cast<std::size_t>(dataset.samples);
  dataset.meta.units.assign(samples, 0);
  if (meta.has_dataset("units"))
    dataset.meta.units = meta.dataset("units").read<std::int64_t>({dataset.samples});
  dataset.meta.noise_unit.assign(samples, "absolute");
  if (meta.has_dataset("noise_unit"))
    dataset.meta.noise_unit = meta.dataset("noise_unit").read<std::string>({dataset.samples});
  if (meta.has_dataset("validation_loss"))
    dataset.validation_loss = meta.dataset("validation_loss").read<float>({dataset.samples, dataset.points});
  return dataset;
}

void append(Dataset& dataset, const Dataset& other) {
  const auto add = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  // Losses that one of the two lacks are not known.
  if (!dataset.validation_loss.empty() || !other.validation_loss.empty()) {
    constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
    dataset.validation_loss.resize(static_cast<std::size_t>(dataset.samples * dataset.points), unknown);
    add(dataset.validation_loss, other.validation_loss);
    dataset.validation_loss.resize(
        static_cast<std::size_t>((dataset.samples + other.samples) * dataset.points), unknown);
  }
  add(dataset.x, other.x);
  for_each_column([&](const char*, auto member) { add(dataset.meta.*member, other.meta.*member); });
  add(dataset.meta.units, other.meta.units);
  add(dataset.meta.noise_unit, other.meta.noise_unit);
  dataset.samples += other.samples;
}

void write_dataset(const std::filesystem::path& path, const Dataset& dataset) {
  hdf5::OutputFile file(format_name);
  hdf5::Group& root = file.root();
  root.set_attribute("software", dataset.software.empty() ? software() : dataset.software);
  root.write("X", dataset.x,
             {dataset.samples, dataset.points, static_cast<std::int64_t>(dataset.observable_names.size())},
             hdf5::Storage::compressed);
  root.write("observable_names", dataset.observable_names);
  for_each_column([&](const char* name, auto member) {
    root.write("meta/" + std::string(name), dataset.meta.*member, {dataset.samples}, hdf5::Storage::plain);
  });
  // Left out where they say nothing, so that a dataset without them keeps its bytes.
  if (std::ranges::any_of(dataset.meta.units, [](std::int64_t units) { return units != 0; }))
    root.write("meta/units", dataset.meta.units, {dataset.samples}, hdf5::Storage::plain);
  if (std::ranges::any_of(dataset.meta.noise_unit,
                          [](const std::string& unit) { return unit != "absolute"; }))
    root.write("meta/noise_unit", dataset.meta.noise_unit, {dataset.samples}, hdf5::Storage::plain);
  if (std::ranges::any_of(dataset.validation_loss, [](float loss) { return std::isfinite(loss); }))
    root.write("meta/validation_loss", dataset.validation_loss, {dataset.samples, dataset.points},
               hdf5::Storage::compressed);
  std::move(file).save(path);
}

}  // namespace lrid::io
