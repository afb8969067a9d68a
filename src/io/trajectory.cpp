#include <algorithm>
#include <cmath>
#include <functional>
#include <type_traits>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::io {

using hdf5::Shape;
using hdf5::Storage;

namespace {

constexpr const char* format_name = "lrid-trajectory";

std::vector<std::string> our_names() {
  std::vector<std::string> names;
  for (const stats::Observable& observable : stats::observables()) names.push_back(observable.name);
  return names;
}

std::int64_t count(const auto& values) {
  return static_cast<std::int64_t>(values.size());
}

std::optional<std::int64_t> to_point(const std::string& name) {
  const auto point = parse_number<std::int64_t>(name);
  return point && *point >= 0 ? point : std::nullopt;
}

/// Calls `visit(name, member)` for every root attribute but `software`, in the order in which they are
/// written.
template <class T, class Visit>
void for_each_attribute(T& trajectory, const Visit& visit) {
  visit("architecture", trajectory.architecture);
  visit("task", trajectory.task);
  visit("dataset", trajectory.dataset);
  visit("learning_rule", trajectory.learning_rule);
  visit("batch_size", trajectory.batch_size);
  visit("model_seed", trajectory.model_seed);
  visit("dataset_seed", trajectory.dataset_seed);
  visit("model_seed_drawn", trajectory.model_seed_drawn);
  visit("dataset_seed_drawn", trajectory.dataset_seed_drawn);
  visit("epochs", trajectory.epochs);
  visit("status", trajectory.status);
  visit("config", trajectory.config);
  visit("probe_size", trajectory.probe_size);
  visit("probe_checksum", trajectory.probe_checksum);
  visit("layer_change_kernel", trajectory.layer_change_kernel);
}

Trajectory read_header(const hdf5::Group& root) {
  Trajectory t;
  for_each_attribute(t, [&]<class T>(const char* name, T& value) {
    if constexpr (std::is_same_v<T, bool>)
      value = root.attribute<std::int64_t>(name) != 0;
    else
      value = root.attribute<T>(name);
  });
  t.software = root.attribute<std::string>("software");
  if (t.status != "complete" && t.status != "running" && !t.failed())
    root.fail("status is \"" + t.status + R"(", expected "complete", "running" or "failed: why")");

  t.step = root.dataset("step").read<std::int64_t>({-1});
  t.epoch = root.dataset("epoch").read<double>({t.points()});
  t.layers = root.dataset("layers").read<std::string>({-1});
  t.layer_position = root.dataset("layer_position").read<std::uint8_t>({count(t.layers)});
  if (std::ranges::any_of(t.layer_position, [](std::uint8_t position) { return position > 2; }))
    root.dataset("layer_position").fail("expected 0 (early), 1 (middle) or 2 (deep)");
  t.observable_names = root.dataset("observable_names").read<std::string>({-1});
  return t;
}

/// Names the first value that must be finite and is not, "" if there is none: observables, then metrics.
std::string find_not_finite(const Trajectory& t) {
  const std::size_t columns = t.observable_names.size(), layers = t.layers.size();
  std::vector<bool> must_be_finite;
  for (const std::string& name : t.observable_names) {
    const int index = stats::observable_index(name);
    must_be_finite.push_back(index >= 0 && stats::observables()[static_cast<std::size_t>(index)].admissible);
  }
  for (std::size_t i = 0; i < t.observables.size(); ++i)
    if (must_be_finite[i % columns] && !std::isfinite(t.observables[i]))
      return fmt::format("{} of layer {} at point {} is {}, expected a finite number",
                         t.observable_names[i % columns], t.layers[i / columns % layers],
                         i / columns / layers, t.observables[i]);
  for (const auto& [name, values] : t.metrics)
    for (std::size_t i = 0; i < values.size(); ++i) {
      // Means since the point before have none at the first; a task without accuracies has NaN throughout.
      const bool may_be_nan = (i == 0 && name.starts_with("train_")) ||
                              std::ranges::all_of(values, [](double value) { return std::isnan(value); });
      if (!std::isfinite(values[i]) && !(may_be_nan && std::isnan(values[i])))
        return fmt::format("metrics/{} at point {} is {}, expected a finite number", name, i, values[i]);
    }
  return "";
}

}  // namespace

void write_trajectory(const std::filesystem::path& path, const Trajectory& t) {
  const std::int64_t points = t.points(), layers = count(t.layers);
  const std::vector<std::string> names = t.observable_names.empty() ? our_names() : t.observable_names;
  const Shape per_point{points}, per_layer{points, layers}, full{points, layers, count(names)};

  hdf5::OutputFile file(format_name);
  hdf5::Group& root = file.root();
  for_each_attribute(t, [&]<class T>(const char* name, const T& value) {
    if constexpr (std::is_same_v<T, bool>)
      root.set_attribute<std::int64_t>(name, value ? 1 : 0);
    else
      root.set_attribute(name, value);
  });
  root.set_attribute("software", t.software.empty() ? software() : t.software);

  root.write("observables", t.observables, full, Storage::compressed);
  root.write("observable_names", names);
  root.write("layers", t.layers);
  root.write("layer_position", t.layer_position, {layers});
  root.write("step", t.step, per_point);
  root.write("epoch", t.epoch, per_point);
  for (const auto& [name, values] : t.metrics) root.write("metrics/" + name, values, per_point);
  if (t.alignment) {
    root.write("alignment/weight_angle", t.alignment->weight_angle, per_layer);
    root.write("alignment/error_angle", t.alignment->error_angle, per_layer);
    root.write("alignment/norm_ratio", t.alignment->norm_ratio, per_layer);
  }
  if (t.imperfect) {
    const std::int64_t measurements = count(t.imperfect->unit_fraction);
    root.write("imperfect/unit_fraction", t.imperfect->unit_fraction, {measurements});
    root.write("imperfect/noise", t.imperfect->noise, {measurements});
    if (std::ranges::any_of(t.imperfect->units, [](std::int64_t units) { return units > 0; }))
      root.write("imperfect/units", t.imperfect->units, {measurements});
    if (t.imperfect->noise_unit != "absolute") root.set_attribute("noise_unit", t.imperfect->noise_unit);
    root.write("imperfect/observables", t.imperfect->observables,
               {measurements, points, layers, count(names)}, Storage::compressed);
  }
  for (const CheckpointTensor& tensor : t.checkpoints)
    root.write("checkpoints/" + std::to_string(tensor.point) + "/" + tensor.name, tensor.data, tensor.shape);
  std::move(file).save(path);
}

Trajectory read_trajectory_header(const std::filesystem::path& path) {
  const hdf5::InputFile file(path);
  file.require_format(format_name);
  return read_header(file.root());
}

Trajectory read_trajectory(const std::filesystem::path& path) {
  const hdf5::InputFile file(path);
  file.require_format(format_name);
  const hdf5::Group& root = file.root();
  Trajectory t = read_header(root);
  const std::int64_t points = t.points(), layers = count(t.layers), columns = count(t.observable_names);
  t.observables = root.dataset("observables").read<float>({points, layers, columns});
  if (root.has_group("metrics")) {
    const hdf5::Group metrics = root.group("metrics");
    for (const std::string& name : metrics.names())
      t.metrics[name] = metrics.dataset(name).read<double>({points});
  }
  if (root.has_group("alignment")) {
    const hdf5::Group group = root.group("alignment");
    t.alignment = {.weight_angle = group.dataset("weight_angle").read<float>({points, layers}),
                   .error_angle = group.dataset("error_angle").read<float>({points, layers}),
                   .norm_ratio = group.dataset("norm_ratio").read<float>({points, layers})};
  }
  if (root.has_group("imperfect")) {
    const hdf5::Group group = root.group("imperfect");
    Trajectory::Imperfect imperfect;
    imperfect.unit_fraction = group.dataset("unit_fraction").read<double>({-1});
    const std::int64_t measurements = count(imperfect.unit_fraction);
    imperfect.noise = group.dataset("noise").read<double>({measurements});
    imperfect.units.assign(static_cast<std::size_t>(measurements), 0);
    if (group.has_dataset("units"))
      imperfect.units = group.dataset("units").read<std::int64_t>({measurements});
    imperfect.noise_unit = root.attribute_or<std::string>("noise_unit", "absolute");
    imperfect.observables = group.dataset("observables").read<float>({measurements, points, layers, columns});
    t.imperfect = std::move(imperfect);
  }
  return t;
}

std::string find_fault(const std::filesystem::path& path, std::int64_t points, bool checkpoints) {
  const Trajectory t = read_trajectory(path);
  if (!t.complete()) return fmt::format("status is \"{}\", expected \"complete\"", t.status);
  if (t.points() != points) return fmt::format("{} trajectory points, expected {}", t.points(), points);
  if (t.layers.empty()) return "has no layers";
  if (std::ranges::adjacent_find(t.step, std::greater_equal<>()) != t.step.end() || t.step.front() != 0)
    return "steps do not ascend from 0";
  if (std::string fault = find_not_finite(t); !fault.empty()) return fault;
  if (!checkpoints) return "";
  for (std::int64_t point = 0; point < points; ++point)
    for (const CheckpointTensor& tensor : read_checkpoint(path, point))
      if (!std::ranges::all_of(tensor.data, [](float value) { return std::isfinite(value); }))
        return fmt::format("checkpoints/{}/{} has values that are not finite", point, tensor.name);
  return "";
}

std::vector<std::int64_t> checkpoint_points(const std::filesystem::path& path) {
  const hdf5::InputFile file(path);
  file.require_format(format_name);
  std::vector<std::int64_t> points;
  if (!file.root().has_group("checkpoints")) return points;
  for (const std::string& name : file.root().group("checkpoints").names())
    if (const auto point = to_point(name)) points.push_back(*point);
  std::ranges::sort(points);
  return points;
}

std::vector<CheckpointTensor> read_checkpoint(const std::filesystem::path& path, std::int64_t point) {
  const hdf5::InputFile file(path);
  file.require_format(format_name);
  const hdf5::Group group = file.root().group("checkpoints/" + std::to_string(point));
  std::vector<CheckpointTensor> tensors;
  for (const auto& [name, is_group] : group.objects()) {
    if (is_group) continue;
    const hdf5::Dataset tensor = group.dataset(name);
    tensors.push_back({point, name, tensor.shape(), tensor.read<float>()});
  }
  return tensors;
}

}  // namespace lrid::io
