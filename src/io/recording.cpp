#include <algorithm>
#include <numeric>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/recording.hpp>

namespace lrid::io {

namespace {

constexpr std::array<const char*, 3> axis_names{"time", "stimuli", "units"};

/// Values as float64; int16 in units of the attribute `scale`.
std::vector<double> read_scaled(const hdf5::Dataset& data, const hdf5::Shape& offset,
                                const hdf5::Shape& count) {
  std::vector<double> values = data.read_block<double>(offset, count);
  if (data.kind() == hdf5::Kind::integer) {
    const auto scale = data.attribute<double>("scale");
    for (double& value : values) value *= scale;
  }
  return values;
}

/// Slice t of the leading dimension.
std::vector<double> read_point(const hdf5::Dataset& data, std::int64_t t) {
  hdf5::Shape offset(data.shape().size(), 0), count = data.shape();
  offset[0] = t;
  count[0] = 1;
  return read_scaled(data, offset, count);
}

}  // namespace

Recording::Recording(const std::filesystem::path& path) : file_(path) {
  file_.require_format("lrid-recording");
  const hdf5::Group groups = file_.root().group("layers");

  struct Found {
    Layer layer;
    double order;
    bool has_order;
  };
  std::vector<Found> found;
  for (const std::string& id : groups.names()) {
    if (!groups.has_group(id)) continue;
    const hdf5::Group group = groups.group(id);
    if (!group.has_dataset("activations") && !group.has_dataset("weights") &&
        !group.has_dataset("layer_change"))
      group.fail("has neither activations nor weights nor layer_change");
    const bool has_order = group.has_attribute("order");
    found.push_back({{.id = id, .name = group.attribute<std::string>("name")},
                     has_order ? group.attribute<double>("order") : 0.0,
                     has_order});
  }
  if (found.empty()) groups.fail("holds no layers");
  // names() are sorted already: a partial order would be no order.
  if (std::ranges::all_of(found, &Found::has_order)) std::ranges::stable_sort(found, {}, &Found::order);
  for (Found& f : found) layers_.push_back(std::move(f.layer));

  axes_.resize(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const hdf5::Group group = groups.group(layer.id);
    if (group.has_dataset("activations")) {
      const hdf5::Dataset data = group.dataset("activations");
      const std::string text = data.attribute_or<std::string>("axes", "time,stimuli,units");
      const std::vector<std::string> order = split(text, ',');
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto is_axis = [&](const std::string& name) { return trim(name) == axis_names[axis]; };
        if (order.size() != 3 || std::ranges::count_if(order, is_axis) != 1)
          data.fail("attribute \"axes\" is \"" + text + "\", expected time, stimuli and units in some order");
        axes_[i].place[axis] = static_cast<std::size_t>(std::ranges::find_if(order, is_axis) - order.begin());
      }
      if (data.shape().size() != 3)
        data.fail("has shape " + hdf5::to_string(data.shape()) + ", expected three dimensions (" + text +
                  ")");
      add_array(data, axes_[i].place[0]);
      layer.stimuli = data.shape()[axes_[i].place[1]];
      layer.units = data.shape()[axes_[i].place[2]];
    }
    if (group.has_dataset("weights")) layer.weights = add_array(group.dataset("weights"), 0);
    if (group.has_dataset("layer_change")) {
      const hdf5::Dataset data = group.dataset("layer_change");
      if (data.shape().size() != 2)
        data.fail("has shape " + hdf5::to_string(data.shape()) + ", expected [time, stimuli]");
      layer.layer_change_stimuli = add_array(data, 0);
    }
  }
}

/// Checks element type and number of points; returns the number of elements at one point.
std::int64_t Recording::add_array(const hdf5::Dataset& data, std::size_t time_axis) {
  const std::string type = data.type_name();
  if (type != "float32" && type != "float64" && type != "int16")
    data.fail("is " + type + ", expected float32, float64, or int16 with an attribute \"scale\"");
  if (type == "int16" && !data.has_attribute("scale")) data.fail("is int16 but has no attribute \"scale\"");
  if (data.shape().empty()) data.fail("is a single value, expected an array whose first dimension is time");
  const std::int64_t points = data.shape()[time_axis];
  if (points_ >= 0 && points != points_)
    data.fail("has " + std::to_string(points) + " points in time, other arrays have " +
              std::to_string(points_));
  points_ = points;
  const std::int64_t elements = hdf5::element_count(data.shape());
  if (elements == 0) data.fail("is empty: shape " + hdf5::to_string(data.shape()));
  return elements / points;
}

hdf5::Dataset Recording::dataset(std::size_t layer, const char* name) const {
  return file_.root().dataset("layers/" + layers_.at(layer).id + "/" + name);
}

std::vector<double> Recording::activations(std::size_t layer, std::int64_t t) const {
  const hdf5::Dataset data = dataset(layer, "activations");
  const auto& [time, stimuli, units] = axes_.at(layer).place;
  hdf5::Shape offset(3, 0), count = data.shape();
  offset[time] = t;
  count[time] = 1;
  std::vector<double> block = read_scaled(data, offset, count);
  if (stimuli < units) return block;

  const auto rows = static_cast<std::size_t>(count[stimuli]),
             columns = static_cast<std::size_t>(count[units]);
  std::vector<double> result(block.size());
  for (std::size_t column = 0; column < columns; ++column)
    for (std::size_t row = 0; row < rows; ++row) result[row * columns + column] = block[column * rows + row];
  return result;
}

std::vector<double> Recording::weights(std::size_t layer, std::int64_t t) const {
  return read_point(dataset(layer, "weights"), t);
}

std::vector<double> Recording::layer_change(std::size_t layer, std::int64_t t) const {
  return read_point(dataset(layer, "layer_change"), t);
}

}  // namespace lrid::io
