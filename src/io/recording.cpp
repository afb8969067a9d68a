#include <algorithm>
#include <cmath>

#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>
#include <lrid/io/layer_position.hpp>
#include <lrid/io/recording.hpp>

namespace lrid::io {

namespace {

constexpr const char* format_name = "lrid-recording";
constexpr std::array<const char*, 3> axis_names{"time", "stimuli", "units"};

template <class T>
std::vector<T>& hold(Recording::Values& values) {
  if (!std::holds_alternative<std::vector<T>>(values)) values.emplace<std::vector<T>>();
  return std::get<std::vector<T>>(values);
}

void read_values(const hdf5::Dataset& data, const hdf5::Shape& offset, const hdf5::Shape& count,
                 Recording::Values& values) {
  if (data.type_name() == "float32") return data.read_block(offset, count, hold<float>(values));
  std::vector<double>& wide = hold<double>(values);
  data.read_block(offset, count, wide);
  if (data.kind() != hdf5::Kind::integer) return;
  const auto scale = data.attribute<double>("scale");
  for (double& value : wide) value *= scale;
}

/// Slice t of the leading dimension.
void read_point(const hdf5::Dataset& data, std::int64_t t, Recording::Values& values) {
  hdf5::Shape offset(data.shape().size(), 0), count = data.shape();
  offset[0] = t;
  count[0] = 1;
  read_values(data, offset, count, values);
}

/// Row-major values of these extents, to the row-major order in which axis `order[i]` is the i-th.
template <class T>
void permute(std::vector<T>& values, const hdf5::Shape& extents, const std::array<std::size_t, 3>& order) {
  const std::array<std::int64_t, 3> strides{extents[1] * extents[2], extents[2], 1};
  std::array<std::int64_t, 3> count{}, stride{};
  for (std::size_t i = 0; i < 3; ++i) {
    count[i] = extents[order[i]];
    stride[i] = strides[order[i]];
  }
  std::vector<T> result(values.size());
  // In squares, so that neither the reading nor the writing side leaves the cache.
  constexpr std::int64_t side = 32;
  for (std::int64_t i = 0; i < count[0]; ++i)
    for (std::int64_t j0 = 0; j0 < count[1]; j0 += side)
      for (std::int64_t k0 = 0; k0 < count[2]; k0 += side)
        for (std::int64_t j = j0; j < std::min(j0 + side, count[1]); ++j)
          for (std::int64_t k = k0; k < std::min(k0 + side, count[2]); ++k)
            result[static_cast<std::size_t>((i * count[1] + j) * count[2] + k)] =
                values[static_cast<std::size_t>(i * stride[0] + j * stride[1] + k * stride[2])];
  values.swap(result);
}

std::int64_t physical_memory() {
  return std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
}

/// All of one kind.
void write_ids(hdf5::Group& group, const std::vector<std::variant<std::int64_t, std::uint64_t>>& ids) {
  const auto write_as = [&]<class T>(T) {
    std::vector<T> values;
    for (const auto& id : ids) values.push_back(std::get<T>(id));
    group.write("unit_ids", values);
  };
  if (!ids.empty() && std::holds_alternative<std::uint64_t>(ids.front()))
    write_as(std::uint64_t{});
  else
    write_as(std::int64_t{});
}

}  // namespace

Recording::Recording(const std::filesystem::path& path) : file_(path) {
  file_.require_format(format_name);
  const hdf5::Group groups = file_.root().group("layers");

  struct Found {
    Layer layer;
    double order;
    bool has_order;
  };
  std::vector<Found> found;
  std::map<std::string, std::string> id_of_name;
  for (const std::string& id : groups.names()) {
    if (!groups.has_group(id)) continue;
    const hdf5::Group group = groups.group(id);
    const bool has_order = group.has_attribute("order");
    Layer layer;
    layer.id = id;
    layer.name = group.has_attribute("name") ? group.attribute<std::string>("name") : id;
    if (group.has_attribute("position")) {
      layer.position = group.attribute_kind("position") == hdf5::Kind::string
                           ? group.attribute<std::string>("position")
                           : format_double(group.attribute<double>("position"));
      (void)layer_position_of(layer.position, path.string() + ": layer " + layer.name);
    }
    if (const auto [same, is_new] = id_of_name.try_emplace(layer.name, id); !is_new)
      group.fail("has the name \"" + layer.name + "\", as has " + same->second +
                 ": expected a name of its own for every layer");
    found.push_back({std::move(layer), has_order ? group.attribute<double>("order") : 0.0, has_order});
  }
  if (found.empty()) groups.fail("holds no layers");
  // names() are sorted already: a partial order would be no order.
  if (std::ranges::all_of(found, &Found::has_order)) std::ranges::stable_sort(found, {}, &Found::order);
  for (Found& f : found) layers_.push_back(std::move(f.layer));

  axes_.resize(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const hdf5::Group group = groups.group(layer.id);
    const std::vector<std::string> names = group.names();
    const auto holds = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
    if (holds("activations")) add_activations(group.dataset("activations"), i);
    if (holds("weights")) layer.weights = add_array(group.dataset("weights"), 0);
    if (holds("layer_change")) {
      const hdf5::Dataset data = group.dataset("layer_change");
      if (data.shape().size() != 2)
        data.fail("has shape " + hdf5::to_string(data.shape()) + ", expected [time, stimuli]");
      layer.layer_change_stimuli = add_array(data, 0);
      if (layer.stimuli > 0 && layer.layer_change_stimuli != layer.stimuli)
        data.fail(fmt::format("is of {} stimuli, but the activations are of {}: expected the same",
                              layer.layer_change_stimuli, layer.stimuli));
    }
    if (layer.units == 0 && layer.weights == 0 && layer.layer_change_stimuli == 0)
      group.fail("has neither activations nor weights nor layer_change");
  }
}

void Recording::add_activations(const hdf5::Dataset& data, std::size_t layer) {
  const std::string text = data.attribute_or<std::string>("axes", "time,stimuli,units");
  const std::vector<std::string> order = split(text, ',');
  std::array<std::size_t, 3>& place = axes_[layer].place;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto is_axis = [&](const std::string& name) { return trim(name) == axis_names[axis]; };
    if (order.size() != 3 || std::ranges::count_if(order, is_axis) != 1)
      data.fail("attribute \"axes\" is \"" + text + "\", expected time, stimuli and units in some order");
    place[axis] = static_cast<std::size_t>(std::ranges::find_if(order, is_axis) - order.begin());
  }
  if (data.shape().size() != 3)
    data.fail("has shape " + hdf5::to_string(data.shape()) + ", expected three dimensions (" + text + ")");
  add_array(data, place[0]);
  layers_[layer].stimuli = data.shape()[place[1]];
  layers_[layer].units = data.shape()[place[2]];
  layers_[layer].type = data.type_name();
  layers_[layer].axes = text;
}

/// Checks element type and number of points; returns the number of elements at one point.
std::int64_t Recording::add_array(const hdf5::Dataset& data, std::size_t time_axis) {
  const std::string type = data.type_name();
  if (type != "float32" && type != "float64" && type != "int16")
    data.fail("is " + type + ", expected float32, float64, or int16 with an attribute \"scale\"");
  if (type == "int16") {
    if (!data.has_attribute("scale")) data.fail("is int16 but has no attribute \"scale\"");
    if (const auto scale = data.attribute<double>("scale"); !std::isfinite(scale) || scale == 0)
      data.fail("attribute \"scale\" is " + format_double(scale) + ", expected a number other than 0");
  } else if (data.has_attribute("scale")) {
    data.fail("is " + type + " but has an attribute \"scale\", expected that with int16 only");
  }
  if (data.shape().empty()) data.fail("is a single value, expected an array whose first dimension is time");
  const std::int64_t points = data.shape()[time_axis];
  if (points_ >= 0 && points != points_)
    data.fail("has " + std::to_string(points) + " points in time, other arrays have " +
              std::to_string(points_));
  points_ = points;
  const std::int64_t elements = hdf5::element_count(data.shape());
  if (elements == 0) data.fail("is empty: shape " + hdf5::to_string(data.shape()));
  if (elements > std::int64_t{1} << 47)  // 0.5 PB
    data.fail("has shape " + hdf5::to_string(data.shape()) + ", which no file holds: damaged");
  return elements / points;
}

hdf5::Dataset Recording::dataset(std::size_t layer, const char* name, std::size_t cache_bytes) const {
  return file_.root().dataset("layers/" + layers_.at(layer).id + "/" + name, cache_bytes);
}

Recording::Activations Recording::activations(std::size_t layer, std::int64_t bytes) const {
  const Layer& shape = layers_.at(layer);
  const std::array<std::size_t, 3>& place = axes_.at(layer).place;
  const auto& [time, stimuli, units] = place;
  // Closed again before it is opened for reading: the cache of chunks is that of the first who has it open.
  const auto [chunk, element_bytes] = [&] {
    const hdf5::Dataset data = dataset(layer, "activations");
    return std::pair(data.chunk(), data.element_bytes());
  }();

  // A slab: the chunks of all units at the same place; without chunks, a run of the last dimension.
  hdf5::Shape grain = chunk;
  const bool is_chunked = !grain.empty();
  if (!is_chunked) grain = {1, 1, 4096};
  const std::int64_t slab_rows = std::min(grain[stimuli], shape.stimuli);
  const std::int64_t slab_points = std::min(grain[time], points_);
  const std::int64_t row_bytes = shape.units * (shape.type == "float32" ? 4 : 8);
  const auto fitting = [&](std::int64_t within, std::int64_t others) {
    return std::max<std::int64_t>(1, within / row_bytes / others);
  };

  std::int64_t part = 8 * bytes, cache = 0;
  if (is_chunked && slab_rows * slab_points > fitting(part, 1)) {
    const std::int64_t columns = (shape.units + grain[units] - 1) / grain[units] * grain[units];
    const std::int64_t stored = hdf5::element_count({grain[time], grain[stimuli], columns, element_bytes});
    if (stored <= physical_memory() / 4)
      cache = stored;
    else
      part = std::max(part, physical_memory() / 8);
  }
  const std::int64_t part_rows = std::min(slab_rows, fitting(part, 1));
  const std::int64_t part_points = std::min(slab_points, fitting(part, part_rows));

  // Small slabs side by side.
  const bool is_cut = part_rows < slab_rows || part_points < slab_points;
  const std::int64_t rows =
      is_cut ? slab_rows : std::min(shape.stimuli, slab_rows * fitting(bytes, slab_rows * slab_points));
  const std::int64_t points = is_cut || rows < shape.stimuli
                                  ? slab_points
                                  : std::min(points_, slab_points * fitting(bytes, rows * slab_points));

  const auto cut = [](std::int64_t begin, std::int64_t end, std::int64_t step, const auto& use) {
    for (; begin < end; begin += step) use(begin, std::min(begin + step, end));
  };
  std::vector<Block> blocks;
  cut(0, points_, points, [&](std::int64_t first_point, std::int64_t last_point) {
    cut(0, shape.stimuli, rows, [&](std::int64_t first_row, std::int64_t last_row) {
      cut(first_point, last_point, is_cut ? part_points : points, [&](std::int64_t t, std::int64_t t_end) {
        cut(first_row, last_row, is_cut ? part_rows : rows, [&](std::int64_t s, std::int64_t s_end) {
          blocks.push_back({t, t_end - t, s, s_end - s});
        });
      });
    });
  });
  return {dataset(layer, "activations", static_cast<std::size_t>(cache)), place, std::move(blocks)};
}

void Recording::Activations::read(const Block& block, Values& values) const {
  const auto& [time, stimuli, units] = place_;
  hdf5::Shape offset(3, 0), count = data_.shape();
  offset[time] = block.point;
  count[time] = block.points;
  offset[stimuli] = block.stimulus;
  count[stimuli] = block.stimuli;
  read_values(data_, offset, count, values);
  // A dimension of one element may stand anywhere.
  const auto ordered = [&](std::size_t a, std::size_t b) { return a < b || count[a] == 1 || count[b] == 1; };
  const bool in_order = ordered(time, stimuli) && ordered(stimuli, units) && ordered(time, units);
  if (!in_order) std::visit([&](auto& held) { permute(held, count, place_); }, values);
}

void Recording::weights(std::size_t layer, std::int64_t t, Values& values) const {
  read_point(dataset(layer, "weights"), t, values);
}

std::vector<double> Recording::layer_change(std::size_t layer, std::int64_t t) const {
  Values values;
  read_point(dataset(layer, "layer_change"), t, values);
  return to_float64(values);
}

std::vector<double> to_float64(const Recording::Values& values) {
  return std::visit([](const auto& held) { return std::vector<double>(held.begin(), held.end()); }, values);
}

void write_recording(const std::filesystem::path& path, const Activity& activity) {
  hdf5::OutputFile file(format_name);
  hdf5::Group& root = file.root();
  root.set_attribute("software", software());
  for (const auto& [name, value] : activity.provenance) root.set_attribute(name, value);
  for (std::size_t i = 0; i < activity.layers.size(); ++i) {
    const Activity::Layer& layer = activity.layers[i];
    hdf5::Group group = root.create_group(fmt::format("layers/{:04}", i));
    group.set_attribute("name", layer.name);
    group.set_attribute("order", static_cast<std::int64_t>(i));
    if (!layer.position.empty()) group.set_attribute("position", layer.position);
    group.write("activations", layer.values, {activity.points, activity.stimuli, std::ssize(layer.unit_ids)},
                hdf5::Storage::compressed);
    group.dataset("activations").set_attribute<std::string>("axes", "time,stimuli,units");
    write_ids(group, layer.unit_ids);
  }
  if (!activity.stimulus_names.empty()) root.write("stimulus_names", activity.stimulus_names);
  std::move(file).save(path);
}

}  // namespace lrid::io
