#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/recording.hpp>
#include <lrid/io/results.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/measure/import_nwb.hpp>
#include <lrid/measure/show.hpp>

#include "file_kind.hpp"

namespace lrid::measure {

namespace {

/// "name:           value", names in a column.
void line(std::ostream& out, std::string_view name, const std::string& value) {
  out << fmt::format("{:<15} {}\n", fmt::format("{}:", name), value);
}

std::string seed_text(std::int64_t seed, bool drawn) {
  return std::to_string(seed) + (drawn ? " (drawn: the setting was none)" : "");
}

std::string number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.4g}", value);
}

/// "0.1 (16), 1 (48)": the different values with how often each occurs.
template <class T>
std::string tally(const std::vector<T>& values) {
  std::map<T, std::size_t> counts;
  std::size_t missing = 0;
  for (const T& value : values) {
    if constexpr (std::is_floating_point_v<T>)
      if (std::isnan(value)) {
        ++missing;
        continue;
      }
    ++counts[value];
  }
  constexpr std::size_t most = 12;
  std::vector<std::string> parts;
  for (const auto& [value, count] : counts) {
    if (parts.size() == most) {
      parts.push_back(fmt::format("and {} more", counts.size() - most));
      break;
    }
    parts.push_back(fmt::format("{} ({})", value, count));
  }
  if (missing > 0) parts.push_back(fmt::format("none ({})", missing));
  return join(parts, ", ");
}

std::size_t count_missing(const std::vector<float>& values) {
  return static_cast<std::size_t>(
      std::ranges::count_if(values, [](float value) { return std::isnan(value); }));
}

/// A few telling statistics of each row (a layer, say) at the first and the last point. `value(row, point,
/// column)` may be NaN.
template <class Value>
void statistics_table(std::ostream& out, const std::string& heading, const std::vector<std::string>& rows,
                      std::int64_t points, const std::vector<std::string>& names, const Value& value) {
  constexpr std::array<std::string_view, 5> telling{"weightraw_norm", "weightabs_mean", "actraw_mean",
                                                    "actabs_mean", "gradavgabs_id"};
  if (points == 0 || rows.empty()) return;
  std::size_t width = heading.size();
  for (const std::string& row : rows) width = std::max(width, row.size());
  out << fmt::format("\nAt the first and the last of {}\n{:<{}}", counted(points, "point"), heading, width);
  std::vector<std::size_t> columns;
  for (const std::string_view name : telling) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) continue;
    columns.push_back(static_cast<std::size_t>(found - names.begin()));
    out << fmt::format("  {:>21}", name);
  }
  out << "\n";
  for (std::size_t row = 0; row < rows.size(); ++row) {
    out << fmt::format("{:<{}}", rows[row], width);
    for (const std::size_t column : columns)
      out << fmt::format("  {:>10} {:>10}", number(value(row, std::int64_t{0}, column)),
                         number(value(row, points - 1, column)));
    out << "\n";
  }
}

/// The same, of [T, L, K] values.
void statistics_table(std::ostream& out, const std::vector<std::string>& layers, std::int64_t points,
                      const std::vector<std::string>& names, const std::vector<float>& values) {
  statistics_table(
      out, "layer", layers, points, names, [&](std::size_t layer, std::int64_t point, std::size_t column) {
        return values[(static_cast<std::size_t>(point) * layers.size() + layer) * names.size() + column];
      });
}

constexpr const char* position_names[] = {"early", "middle", "deep"};

/// Prints the configuration that a file keeps, if asked for.
void show_config(std::ostream& out, const ShowOptions& options, const std::string& config) {
  if (!options.config) return;
  out << "\nConfiguration\n" << config;
  if (!config.ends_with('\n')) out << "\n";
}

void show_trajectory(const std::filesystem::path& path, std::ostream& out, const ShowOptions& options) {
  const io::Trajectory t = io::read_trajectory(path);
  line(out, "file", path.string() + ", a trajectory (one trained network)");
  line(out, "status", t.status);
  line(out, "network",
       t.architecture + " on " + t.task + " (" + t.dataset + "), learning rule " + t.learning_rule);
  line(out, "batch size", std::to_string(t.batch_size));
  line(out, "model seed", seed_text(t.model_seed, t.model_seed_drawn));
  line(out, "dataset seed", seed_text(t.dataset_seed, t.dataset_seed_drawn));
  line(out, "epochs", std::to_string(t.epochs));
  line(out, "probe", fmt::format("{} stimuli, checksum {}", t.probe_size, t.probe_checksum));
  line(out, "layer change", "through the " + t.layer_change_kernel + " kernel");
  std::vector<std::string> layers;
  for (std::size_t i = 0; i < t.layers.size(); ++i)
    layers.push_back(t.layers[i] + " (" + position_names[t.layer_position[i]] + ")");
  line(out, "layers", fmt::format("{}: {}", layers.size(), join(layers, ", ")));
  line(out, "observables",
       fmt::format("{} × {} × {}, {} of them NaN", counted(t.points(), "point"),
                   counted(t.layers.size(), "layer"), t.observable_names.size(),
                   count_missing(t.observables)));
  if (t.imperfect) {
    line(out, "imperfect", counted(t.imperfect->noise.size(), "measurement"));
    line(out, "  fractions", tally(t.imperfect->unit_fraction));
    if (std::ranges::any_of(t.imperfect->units, [](std::int64_t n) { return n != 0; }))
      line(out, "  units", tally(t.imperfect->units) + " (0: by fraction)");
    line(out, "  noise",
         tally(t.imperfect->noise) +
             (t.imperfect->noise_unit == "absolute" ? "" : ", " + t.imperfect->noise_unit));
  }
  if (t.alignment)
    line(out, "alignment", "weight angle, error angle and norm ratio of every point and layer");
  if (const auto points = io::checkpoint_points(path); !points.empty())
    line(out, "checkpoints", "of " + counted(points.size(), "point"));
  line(out, "software", t.software);

  out << fmt::format("\n{:>6} {:>10} {:>8}", "point", "step", "epoch");
  for (const auto& [name, values] : t.metrics)
    out << fmt::format(" {:>{}}", name, std::max<std::size_t>(9, name.size()));
  out << "\n";
  for (std::size_t i = 0; i < t.step.size(); ++i) {
    out << fmt::format("{:>6} {:>10} {:>8.3f}", i, t.step[i], t.epoch[i]);
    for (const auto& [name, values] : t.metrics)
      out << fmt::format(" {:>{}}", number(values[i]), std::max<std::size_t>(9, name.size()));
    out << "\n";
  }
  statistics_table(out, t.layers, t.points(), t.observable_names, t.observables);
  show_config(out, options, t.config);
}

void show_dataset(const std::filesystem::path& path, std::ostream& out) {
  const io::Dataset d = io::read_dataset(path);
  const io::SampleMeta& meta = d.meta;
  line(out, "file", path.string() + ", a dataset (what classifiers read)");
  line(out, "samples",
       fmt::format("{}, of {}", d.samples,
                   counted(std::set(meta.network.begin(), meta.network.end()).size(), "network")));
  line(out, "points", std::to_string(d.points));
  line(out, "observables",
       fmt::format("{}, {} of {} values NaN", d.observable_names.size(), count_missing(d.x), d.x.size()));
  line(out, "learning rule", tally(meta.learning_rule));
  line(out, "architecture", tally(meta.architecture));
  line(out, "task", tally(meta.task));
  line(out, "dataset", tally(meta.dataset));
  line(out, "layer", tally(meta.layer));
  std::vector<std::string> positions;
  for (const std::uint8_t position : meta.layer_position) positions.emplace_back(position_names[position]);
  line(out, "position", tally(positions));
  line(out, "batch size", tally(meta.batch_size));
  line(out, "model seed", tally(meta.model_seed) + " (-1: none)");
  line(out, "dataset seed", tally(meta.dataset_seed) + " (-1: none)");
  line(out, "unit fraction", tally(meta.unit_fraction));
  if (std::ranges::any_of(meta.units, [](std::int64_t n) { return n != 0; }))
    line(out, "units", tally(meta.units) + " (0: by fraction)");
  line(out, "noise", tally(meta.noise));
  if (std::ranges::any_of(meta.noise_unit, [](const std::string& unit) { return unit != "absolute"; }))
    line(out, "noise unit", tally(meta.noise_unit));
  std::vector<double> known;
  for (const double accuracy : meta.final_accuracy)
    if (!std::isnan(accuracy)) known.push_back(accuracy);
  if (!known.empty()) {
    const auto [low, high] = std::ranges::minmax(known);
    line(out, "final accuracy", fmt::format("{} to {}", number(low), number(high)));
  }
  line(out, "software", d.software);

  // Means over perfectly measured samples, where they are finite.
  std::vector<std::string> rules = meta.learning_rule;
  std::ranges::sort(rules);
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
  const std::size_t columns = d.observable_names.size();
  statistics_table(
      out, "mean of", rules, d.points, d.observable_names,
      [&](std::size_t rule, std::int64_t point, std::size_t column) {
        double sum = 0;
        int count = 0;
        for (std::size_t i = 0; i < meta.learning_rule.size(); ++i) {
          if (meta.learning_rule[i] != rules[rule] || meta.noise[i] != 0 || meta.unit_fraction[i] != 1)
            continue;
          const std::size_t row = i * static_cast<std::size_t>(d.points) + static_cast<std::size_t>(point);
          const float value = d.x[row * columns + column];
          if (!std::isfinite(value)) continue;
          sum += value;
          ++count;
        }
        return sum / count;
      });
}

std::string text_or_placeholder(const io::hdf5::Node& node, const std::string& name) {
  return node.attribute_text(name).value_or("(not a single text or number)");
}

/// Prints the attributes of a file, besides its format.
void show_attributes(const io::hdf5::Group& root, std::ostream& out) {
  for (const std::string& name : root.attribute_names())
    if (name != "format" && name != "format_version") line(out, name, text_or_placeholder(root, name));
}

void show_recording(const std::filesystem::path& path, std::ostream& out) {
  const io::Recording recording(path);
  line(out, "file", path.string() + ", a recording");
  line(out, "points", std::to_string(recording.points()));
  show_attributes(recording.root(), out);
  out << fmt::format("\n{:<32} {:>9} {:>9} {:>10}  {:<12}  {}\n", "layer", "stimuli", "units", "weights",
                     "layer change", "activations");
  for (const auto& layer : recording.layers())
    out << fmt::format("{:<32} {:>9} {:>9} {:>10}  {:<12}  {}\n", layer.name, layer.stimuli, layer.units,
                       layer.weights, layer.layer_change_stimuli > 0 ? "measured" : "-",
                       layer.units > 0 ? layer.type + " [" + layer.axes + "]" : "-");
}

void show_observables(const std::filesystem::path& path, std::ostream& out) {
  const io::Observables o = io::read_observables(path);
  line(out, "file", path.string() + ", statistics of a recording");
  line(out, "measured",
       fmt::format("{}, noise {}{}, seed {}",
                   o.units > 0 ? counted(o.units, "unit") : fmt::format("unit fraction {}", o.unit_fraction),
                   o.noise, o.noise_unit == "absolute" ? "" : " standard deviations", o.seed));
  std::vector<std::string> layers;
  for (std::size_t i = 0; i < o.layers.size(); ++i)
    layers.push_back(o.layers[i] + (o.layer_position[i] == io::unknown_position
                                        ? ""
                                        : fmt::format(" ({})", position_names[o.layer_position[i]])));
  line(out, "layers", fmt::format("{}: {}", layers.size(), join(layers, ", ")));
  line(out, "observables",
       fmt::format("{} × {} × {}, {} of them NaN", counted(o.points, "point"),
                   counted(o.layers.size(), "layer"), o.observable_names.size(), count_missing(o.values)));
  line(out, "software", o.software);
  statistics_table(out, o.layers, o.points, o.observable_names, o.values);
}

std::string condition_text(const io::ResultRow& row) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : row.condition)
    parts.push_back(name + " " + std::visit([](const auto& v) { return fmt::format("{}", v); }, value));
  return join(parts, ", ");
}

void show_results(const std::filesystem::path& path, std::ostream& out, const ShowOptions& options) {
  const io::Results r = io::read_results(path);
  line(out, "file", path.string() + ", results of experiment " + r.experiment);
  line(out, "dataset", r.dataset_path + ", SHA-256 " + r.dataset_sha256);
  for (const std::string& note : r.notes) line(out, "note", note);
  line(out, "software", r.software);
  out << fmt::format("\n{:<12} {:>9} {:>9}  {}\n", "classifier", "accuracy", "s.e.m.", "condition");
  for (const io::ResultRow& row : r.rows)
    out << fmt::format("{:<12} {:>9} {:>9}  {}\n", row.classifier, number(row.accuracy.mean),
                       number(row.accuracy.sem), condition_text(row));
  show_config(out, options, r.config);
}

/// Prints what lrid-classify fit saved, read without its library; predict checks that it is undamaged.
void show_model(const io::hdf5::Group& root, const std::filesystem::path& path, std::ostream& out,
                const ShowOptions& options) {
  const auto names = root.dataset("observables").read<std::string>({-1});
  std::map<std::string, std::vector<std::string>>
      measures;  // "weight", "act", "gradavg" and their statistics
  for (const std::string& name : names)
    for (const char* measure : {"weight", "act", "gradavg"})
      if (name.starts_with(measure)) measures[measure].push_back(name.substr(std::string(measure).size()));
  line(out, "file",
       fmt::format("{}, a classifier of {}", path.string(), root.attribute<std::string>("target")));
  line(out, "classifier",
       root.attribute<std::string>("classifier") + " " + root.attribute<std::string>("setting"));
  line(out, "classes", join(root.dataset("classes").read<std::string>({-1}), ", "));
  line(out, "trained on",
       fmt::format("{} of {} ({})", counted(root.attribute<std::int64_t>("samples"), "sample"),
                   counted(root.attribute<std::int64_t>("networks"), "network"),
                   root.attribute<std::string>("pool")));
  line(out, "dataset", "SHA-256 " + root.attribute<std::string>("dataset_sha256"));
  line(out, "inner accuracy", number(root.attribute<double>("inner_accuracy")));
  line(out, "expects",
       fmt::format("{} × {}", counted(root.attribute<std::int64_t>("points"), "point"),
                   counted(names.size(), "observable")));
  if (root.has_attribute("transform"))
    line(out, "features",
         fmt::format("{}, {} position", root.attribute<std::string>("transform"),
                     root.attribute<std::int64_t>("position") == 0 ? "without" : "with"));
  for (const auto& [measure, statistics] : measures)
    line(out, measure, fmt::format("{}: {}", statistics.size(), join(statistics, ", ")));
  for (const char* unit : {"samples", "networks"}) {
    const io::hdf5::Group calibration = root.group(std::string("calibration_") + unit);
    std::vector<std::string> parts;
    for (const std::string& name : calibration.attribute_names())
      parts.push_back(name + " " + text_or_placeholder(calibration, name));
    for (const std::string& name : calibration.names()) {
      std::vector<std::string> values;
      for (const double value : calibration.dataset(name).read<double>()) values.push_back(number(value));
      parts.push_back(name + " " + join(values, " "));
    }
    line(out, std::string(unit) == "samples" ? "calibration" : "… networks", join(parts, ", "));
  }
  line(out, "none of these",
       root.has_group("known")
           ? fmt::format("below a typicality of {}, against {} known samples",
                         root.attribute<double>("refuse"), root.dataset("known/features").shape().front())
           : std::string("never"));
  if (root.has_group("left_out")) {
    const io::hdf5::Group kinds = root.group("left_out");
    const auto columns = kinds.dataset("column").read<std::string>(),
               values = kinds.dataset("value").read<std::string>();
    const auto accuracy = kinds.dataset("network_accuracy").read<double>(),
               coverage = kinds.dataset("network_coverage").read<double>();
    for (std::size_t i = 0; i < columns.size(); ++i)
      line(out, i == 0 ? "left out" : "",
           fmt::format("{} {}: {:.2f} of networks right, sets hold the class of {:.2f}", columns[i],
                       values[i], accuracy.at(i), coverage.at(i)));
  }
  line(out, "software", root.attribute<std::string>("software"));
  line(out, "checksum", root.attribute<std::string>("checksum"));
  show_config(out, options, root.attribute<std::string>("config"));
}

void show_tree(const io::hdf5::Group& root, std::ostream& out) {
  show_attributes(root, out);
  out << "\n";
  for (const auto& [path, is_group] : root.objects()) {
    if (is_group) continue;
    const io::hdf5::Dataset data = root.dataset(path);
    out << data.path() << "  " << data.type_name() << " " << io::hdf5::to_string(data.shape()) << "\n";
  }
}

}  // namespace

void show(const std::filesystem::path& path, std::ostream& out, const ShowOptions& options) {
  require_input_file(path, "a file of lrid's or HDF5");
  if (is_json(path)) return show_results(path, out, options);
  const io::hdf5::InputFile file(path);
  const std::string format = file.format();
  if (format == "lrid-trajectory") return show_trajectory(path, out, options);
  if (format == "lrid-dataset") return show_dataset(path, out);
  if (format == "lrid-recording") return show_recording(path, out);
  if (format == "lrid-observables") return show_observables(path, out);
  if (format == "lrid-model") return show_model(file.root(), path, out, options);
  if (io::nwb::is_nwb(file.root())) return list_nwb(path, out);
  line(out, "file",
       path.string() + (format.empty() ? ", an HDF5 file not of lrid's formats" : ", " + format));
  show_tree(file.root(), out);
}

}  // namespace lrid::measure
