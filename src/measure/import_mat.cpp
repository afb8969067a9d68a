// MATLAB's files of version 7.3: HDF5 behind a header of 512 bytes. MATLAB counts dimensions from the fastest
// one, HDF5 from the slowest: what MATLAB shows as units × stimuli × time has the shape [time, stimuli,
// units].
#include <algorithm>
#include <array>
#include <fstream>
#include <ostream>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/import_mat.hpp>

namespace lrid::measure {

namespace {

namespace hdf5 = io::hdf5;

constexpr std::array<const char*, 3> wanted = {"time", "stimuli", "units"};

/// Older versions have a format of their own.
hdf5::InputFile open_mat(const std::filesystem::path& path) {
  if (type_of(path) == std::filesystem::file_type::regular) {
    std::ifstream file(path, std::ios::binary);
    std::string begin(19, '\0');
    file.read(begin.data(), std::ssize(begin));
    if (begin == "MATLAB 5.0 MAT-file")
      bad_input(
          "{}: a MATLAB file of version 7 or before, expected 7.3: in MATLAB, save('{}', '-v7.3') writes one",
          path.string(), path.filename().string());
  }
  return hdf5::InputFile(path);
}

/// As MATLAB shows it: "300 × 40 × 12".
std::string size_in_matlab(const hdf5::Shape& shape) {
  std::vector<std::string> extents;
  for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent)
    extents.push_back(std::to_string(*extent));
  return extents.empty() ? "1 × 1" : join(extents, " × ");
}

std::string class_of(const hdf5::Node& node) {
  if (!node.has_attribute("MATLAB_class") || node.attribute_kind("MATLAB_class") != hdf5::Kind::string)
    return "";
  return node.attribute<std::string>("MATLAB_class");
}

bool is_numeric(const hdf5::Dataset& data) {
  const std::string of = class_of(data);
  return (data.kind() == hdf5::Kind::integer || data.kind() == hdf5::Kind::floating) && of != "char" &&
         of != "cell" && data.attribute_or<std::int64_t>("MATLAB_empty", 0) == 0;
}

/// What a variable that is not numeric is.
std::string in_words(const hdf5::Dataset& data) {
  const std::string of = class_of(data);
  if (data.attribute_or<std::int64_t>("MATLAB_empty", 0) != 0) return "empty";
  if (of.empty()) return data.type_name();
  return data.kind() == hdf5::Kind::other && of != "cell" && of != "char" ? "complex" : "of class " + of;
}

/// Numeric variables by MATLAB's names ("s.field"), without what MATLAB keeps for itself ("#refs#").
std::vector<std::pair<std::string, hdf5::Shape>> numeric_variables(const hdf5::Group& root,
                                                                   std::vector<std::string>* others) {
  std::vector<std::pair<std::string, hdf5::Shape>> found;
  for (const hdf5::Group::Object& object : root.objects()) {
    if (object.is_group || object.path.starts_with('#')) continue;
    std::string name = object.path;
    std::ranges::replace(name, '/', '.');
    const hdf5::Dataset data = root.dataset(object.path);
    if (is_numeric(data))
      found.emplace_back(name, data.shape());
    else if (others != nullptr)
      others->push_back(fmt::format("{} ({})", name, in_words(data)));
  }
  return found;
}

/// For time, stimuli and units: the dimension in MATLAB's order.
std::array<std::size_t, 3> places_of(const std::string& axes) {
  std::vector<std::string> names = split(axes, ',');
  for (std::string& name : names) name = trim(name);
  std::array<std::size_t, 3> places{};
  bool is_each_there = names.size() == wanted.size();
  for (std::size_t i = 0; i < wanted.size() && is_each_there; ++i) {
    const auto at = std::ranges::find(names, wanted[i]);
    is_each_there = at != names.end();
    places[i] = to_size(at - names.begin());
  }
  if (!is_each_there)
    bad_input(
        "--axes {}: expected units, stimuli and time in the order of MATLAB's dimensions, such as "
        "units,stimuli,time",
        axes);
  return places;
}

hdf5::Dataset variable(const hdf5::Group& root, const std::filesystem::path& path, const std::string& name) {
  std::string inside = name;
  std::ranges::replace(inside, '.', '/');
  if (!root.has_dataset(inside)) {
    std::vector<std::string> names;
    for (const auto& [known, shape] : numeric_variables(root, nullptr)) names.push_back(known);
    if (names.empty()) bad_input("{}: no variable {}, and none that is numeric", path.string(), name);
    bad_input("{}: no variable {}: expected {}", path.string(), name, expected_one_of(names, name));
  }
  hdf5::Dataset data = root.dataset(inside);
  if (!is_numeric(data))
    bad_input("{}: {}: expected an array of real numbers, not one that is {}", path.string(), name,
              in_words(data));
  return data;
}

}  // namespace

io::Activity import_mat(const std::filesystem::path& path, const MatImport& import) {
  const std::array<std::size_t, 3> places = places_of(import.axes);
  const hdf5::InputFile file = open_mat(path);
  io::Activity activity;
  for (const std::string& argument : import.activations) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(equals == std::string::npos ? 0 : equals + 1);
    const std::string layer = equals == std::string::npos ? name : argument.substr(0, equals);
    if (layer.empty() || name.empty())
      bad_input("--activations {}: expected VARIABLE or LAYER=VARIABLE", argument);
    if (std::ranges::find(activity.layers, layer, &io::Activity::Layer::name) != activity.layers.end())
      bad_input("--activations {}: a second layer {}, expected another name", argument, layer);
    const hdf5::Dataset data = variable(file.root(), path, name);
    // In MATLAB's order; it drops dimensions of one element at the end, and has at least two.
    hdf5::Shape extents(data.shape().rbegin(), data.shape().rend());
    while (extents.size() > wanted.size() && extents.back() == 1) extents.pop_back();
    if (extents.size() > wanted.size())
      bad_input("{}: {} is {}, expected three dimensions: {}", path.string(), name,
                size_in_matlab(data.shape()), import.axes);
    extents.resize(wanted.size(), 1);
    const std::int64_t points = extents[places[0]], stimuli = extents[places[1]], units = extents[places[2]];
    if (points == 0 || stimuli == 0 || units == 0)
      bad_input("{}: {} is {}, expected at least one of each of {}", path.string(), name,
                size_in_matlab(data.shape()), import.axes);
    if (activity.layers.empty()) {
      activity.points = points;
      activity.stimuli = stimuli;
    } else if (points != activity.points || stimuli != activity.stimuli) {
      bad_input("{}: {} has {} at {}, {} {} at {}: expected the same", path.string(), name,
                counted(stimuli, "stimulus", "stimuli"), counted(points, "point"),
                activity.layers.front().name, counted(activity.stimuli, "stimulus", "stimuli"),
                counted(activity.points, "point"));
    }
    io::Activity::Layer& to = activity.layers.emplace_back();
    to.name = layer;
    for (std::int64_t unit = 1; unit <= units; ++unit) to.unit_ids.emplace_back(unit);
    const std::vector<double> values = data.read<double>();
    const std::array<std::int64_t, 3> stride = {1, extents[0], extents[0] * extents[1]};
    to.values.reserve(values.size());
    for (std::int64_t t = 0; t < points; ++t)
      for (std::int64_t stimulus = 0; stimulus < stimuli; ++stimulus)
        for (std::int64_t unit = 0; unit < units; ++unit)
          to.values.push_back(values[to_size(t * stride[places[0]] + stimulus * stride[places[1]] +
                                             unit * stride[places[2]])]);
  }
  activity.provenance = {{"source", path.filename().string()},
                         {"source_format", "MATLAB 7.3"},
                         {"source_series", join(import.activations, ", ")}};
  return activity;
}

void list_mat(const std::filesystem::path& path, std::ostream& out) {
  const hdf5::InputFile file = open_mat(path);
  std::vector<std::string> others;
  const auto variables = numeric_variables(file.root(), &others);
  std::size_t width = 0;
  for (const auto& [name, shape] : variables) width = std::max(width, name.size());
  for (const auto& [name, shape] : variables)
    out << fmt::format("{:<{}}  {}\n", name, width, size_in_matlab(shape));
  if (variables.empty()) out << "no numeric variables\n";
  if (!others.empty()) out << "not numeric: " << join(others, ", ") << '\n';
}

}  // namespace lrid::measure
