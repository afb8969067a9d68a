#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/change.hpp>
#include <lrid/identify/predict.hpp>
#include <lrid/identify/transform.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/trajectory.hpp>

#include "json.hpp"

namespace lrid::identify {

namespace {

/// The layers of one network as samples, measured perfectly; `values`: [T, L, K].
io::Dataset as_dataset(const std::string& network, const std::vector<std::string>& observable_names,
                       const std::vector<std::string>& layers, const std::vector<std::uint8_t>& positions,
                       std::int64_t points, const std::vector<float>& values) {
  io::Dataset data;
  data.observable_names = observable_names;
  data.points = points;
  data.samples = std::ssize(layers);
  const std::size_t columns = observable_names.size();
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    for (std::size_t t = 0; t < to_size(points); ++t) {
      const auto row = values.begin() + to_index((t * layers.size() + layer) * columns);
      data.x.insert(data.x.end(), row, row + to_index(columns));
    }
  io::SampleMeta& meta = data.meta;
  meta.layer = layers;
  meta.layer_position = positions;
  for (auto* column : {&meta.architecture, &meta.task, &meta.dataset, &meta.learning_rule})
    column->assign(layers.size(), "");
  meta.network.assign(layers.size(), network);
  for (auto* column : {&meta.batch_size, &meta.model_seed, &meta.dataset_seed})
    column->assign(layers.size(), -1);
  meta.noise.assign(layers.size(), 0);
  meta.unit_fraction.assign(layers.size(), 1);
  meta.units.assign(layers.size(), 0);
  meta.noise_unit.assign(layers.size(), "absolute");
  return data;
}

/// Reads a file of any accepted format, its layers as samples.
io::Dataset samples_of(const std::filesystem::path& path, const std::string& format) {
  const std::string name = path.stem().string();
  if (format == "lrid-dataset") {
    io::Dataset data = io::read_dataset(path);
    // Judge each imperfect measurement of a network separately.
    for (std::size_t i = 0; i < data.meta.network.size(); ++i)
      if (data.meta.noise[i] != 0 || data.meta.unit_fraction[i] != 1)
        data.meta.network[i] += fmt::format(" ({})", measurement_of(data.meta, i));
    return data;
  }
  if (format == "lrid-trajectory") {
    const io::Trajectory t = io::read_trajectory(path);
    if (!t.complete()) bad_input("{}: is {}: expected a complete trajectory", path.string(), t.status);
    io::Dataset data =
        as_dataset(name, t.observable_names, t.layers, t.layer_position, t.points(), t.observables);
    data.meta.architecture.assign(t.layers.size(), t.architecture);
    data.meta.task.assign(t.layers.size(), t.task);
    return data;
  }
  if (format == "lrid-observables") {
    const io::Observables o = io::read_observables(path);
    io::Dataset data = as_dataset(name, o.observable_names, o.layers, o.layer_position, o.points, o.values);
    data.meta.noise.assign(o.layers.size(), o.noise);
    data.meta.unit_fraction.assign(o.layers.size(), o.unit_fraction);
    data.meta.units.assign(o.layers.size(), o.units);
    data.meta.noise_unit.assign(o.layers.size(), o.noise_unit);
    return data;
  }
  bad_input(
      "{}: format \"{}\": expected lrid-dataset, lrid-trajectory or lrid-observables (which lrid-observe "
      "recording makes from a recording)",
      path.string(), format);
}

/// Throws InputError listing every observable that is missing or not finite.
void require_features(const FeatureTable& table, const std::string& file) {
  std::vector<std::string> missing;
  std::string where;
  for (std::int64_t row = 0; row < table.x.rows(); ++row)
    for (std::int64_t c = 0; c < table.layout.columns(); ++c) {
      if (std::isfinite(table.x(row, c))) continue;
      const std::string name = table.layout.group_name(c);
      if (std::ranges::find(missing, name) != missing.end()) continue;
      if (missing.empty()) where = table.metadata->column("layer")[to_size(row)];
      missing.push_back(name);
    }
  if (!missing.empty())
    bad_input(
        "{}: missing or not finite: {} of the {} the classifier uses (first in layer {}): {}; "
        "expected all of them, or a classifier fitted without (fit with fewer features.measures)",
        file, missing.size(), counted(table.layout.observables.size(), "observable"), where,
        join(missing, ", "));
}

/// Measures of which all values are NaN, or which have no observable here.
std::vector<std::string> absent_measures(const io::Dataset& data) {
  std::vector<std::string> absent;
  const std::size_t columns = data.observable_names.size();
  for (const std::string& measure : measure_names()) {
    if (measure == io::measure_name::all) continue;
    const std::vector<std::string> members = observables_of_measure(measure);
    bool is_there = false;
    for (std::size_t k = 0; k < columns && !is_there; ++k)
      if (std::ranges::find(members, data.observable_names[k]) != members.end())
        for (std::size_t i = k; i < data.x.size() && !is_there; i += columns)
          is_there = !std::isnan(data.x[i]);
    if (!is_there) absent.push_back(measure);
  }
  return absent;
}

bool has_all_positions(const io::Dataset& data) {
  return std::ranges::find(data.meta.layer_position, io::unknown_position) == data.meta.layer_position.end();
}

FeatureTable features_of(const FeatureLayout& layout, const io::Dataset& data, const std::string& file,
                         bool interpolate) {
  std::vector<std::string> absent;
  for (const std::string& name : layout.observables)
    if (std::ranges::find(data.observable_names, name) == data.observable_names.end()) absent.push_back(name);
  if (!absent.empty())
    bad_input("{}: missing: {} of the {} the classifier uses: {}; expected all of them", file, absent.size(),
              counted(layout.observables.size(), "observable"), join(absent, ", "));
  FeatureTable table =
      FeatureTable::of_observables(data, std::make_shared<Metadata>(data.meta), layout.observables);
  if (!layout.with_position) table = table.without_position();
  const std::int64_t points = layout.trajectory_points();
  if (table.layout.points != points) {
    if (!interpolate)
      bad_input(
          "{}: {} trajectory points, but the classifier was fitted to {}: expected as many, or --interpolate "
          "(linearly in time)",
          file, table.layout.points, points);
    table = table.interpolated(points);
  }
  require_features(table, file);
  return table.transformed(layout.transform);
}

std::vector<double> row_of(const learn::Matrix& matrix, std::size_t row) {
  const auto values = matrix.row(to_index(row));
  return {values.begin(), values.end()};
}

/// Says what a network is unlike the training networks in, and refuses a verdict where there can be none.
void compare_with_training(const FittedFile& fitted, const io::Dataset& data, const Rows& rows,
                           NetworkVerdict& network) {
  const auto first = to_size(rows.front());
  const ChangeTest change = test_change(data, rows, fitted.measures, change_key(network.network));
  network.no_change = change.finds_none();
  if (!change.enough_points)
    network.remarks.push_back(
        fmt::format("{}: too few to tell whether it changes over time", counted(data.points, "point")));
  for (const auto& [measure, outcome] : change.measures)
    if (const auto least = fitted.least_change.find(measure);
        least != fitted.least_change.end() && outcome.change < least->second)
      network.remarks.push_back(fmt::format("{} changes {:.2g} × the least of the training networks", measure,
                                            outcome.change / least->second));

  for (const Outside& one : outside(fitted.ranges, scales_of(data, rows, fitted.measures))) {
    network.unlike.push_back(one.text);
    network.out_of_range |= !transforms().at(fitted.identifier.layout.transform).scale_free;
  }
  if (const std::string measured = measurement_of(data.meta, first);
      std::ranges::find(fitted.measured, measured) == fitted.measured.end())
    network.unlike.push_back(fmt::format("measured with {}, the training networks with {}", measured,
                                         join(fitted.measured, " or ")));
  std::set<std::string> architectures, tasks;
  for (const std::string& kind : fitted.identifier.known_kinds.names) {
    const std::size_t bar = kind.find('|');
    architectures.insert(kind.substr(0, bar));
    tasks.insert(kind.substr(bar + 1));
  }
  if (!architectures.contains(data.meta.architecture[first])) network.new_in.emplace_back("architecture");
  if (!tasks.contains(data.meta.task[first])) network.new_in.emplace_back("task");
  if (network.typicality > fitted.refuse) return;
  const bool is_alike = network.unlike.empty() && network.new_in.empty();
  if (is_alike)
    network.none_of_these = true;
  else
    network.unlike.push_back(
        fmt::format("farther from the training networks than {:.0f} % of {}", 100 * (1 - network.typicality),
                    network.new_in.empty() ? "them from each other" : "those of kinds left out"));
}

}  // namespace

FilePrediction predict(const FittedFile& fitted, const std::filesystem::path& file, bool interpolate) {
  const std::string format = io::hdf5::InputFile(file).format();
  const bool is_recording = format == "lrid-observables";
  const io::Dataset data = samples_of(file, format);
  if (data.samples == 0) bad_input("{}: holds no samples, expected at least one layer", file.string());
  const bool leaves_out_position = fitted.without_position && !has_all_positions(data);
  const Identifier& identifier = leaves_out_position ? *fitted.without_position : fitted.identifier;
  const FeatureTable table = features_of(identifier.layout, data, file.string(), interpolate);
  Rows rows(to_size(data.samples));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const Judgement judgement = identifier.judge(table, rows, fitted.refuse);
  const std::vector<int> verdicts = learn::predicted_classes(judgement.probabilities.networks);

  const auto kind_of_network = [&](std::size_t n) {
    return kind_of(*table.metadata, rows[judgement.networks.members[n].front()]);
  };
  std::set<std::string> typical_kinds;
  for (std::size_t n = 0; n < judgement.networks.names.size(); ++n)
    if (judgement.is_known_kind[n]) typical_kinds.insert(kind_of_network(n));
  FilePrediction result{.file = file.string(),
                        .networks = {},
                        .is_recording = is_recording,
                        .points = data.points,
                        .absent = absent_measures(data)};
  for (std::size_t n = 0; n < judgement.networks.names.size(); ++n) {
    NetworkVerdict network;
    network.network = judgement.networks.names[n];
    network.is_known_kind = judgement.is_known_kind[n];
    network.in_typical_company = typical_kinds.contains(kind_of_network(n));
    network.verdict = to_size(verdicts[n]);
    network.probabilities = row_of(judgement.probabilities.networks, n);
    network.set = learn::conformal_set(judgement.p_values.networks.row(to_index(n)), fitted.confidence);
    network.typicality = judgement.network_typicality[n];
    Rows of_network;
    for (const std::size_t i : judgement.networks.members[n]) {
      of_network.push_back(to_index(i));
      const bool has_position = data.meta.layer_position[i] != io::unknown_position;
      network.layers.push_back(
          {.layer = data.meta.layer[i],
           .position = has_position ? table.metadata->column("layer_position")[i] : "",
           .probabilities = row_of(judgement.probabilities.samples, i),
           .set = learn::conformal_set(judgement.p_values.samples.row(to_index(i)), fitted.confidence),
           .typicality = judgement.typicality[i]});
    }
    if (leaves_out_position)
      network.remarks.emplace_back("judged without the layers' positions, which are not all known");
    compare_with_training(fitted, data, of_network, network);
    if (!network.is_known_kind && identifier.new_kinds &&
        judgement.network_distance[n] - std::log(identifier.new_kinds->typical_distance) >
            identifier.new_kinds->farthest)
      network.remarks.emplace_back(
          "farther from the training networks than any that probabilities were "
          "calibrated on");
    result.networks.push_back(std::move(network));
  }

  // Replace one observable at a time by its mean over the training samples.
  const learn::Samples standardised = standardise(identifier.scaler, table, rows);
  const std::int64_t width = identifier.layout.columns_each();
  for (std::int64_t k = 0; k < std::ssize(identifier.layout.observables); ++k) {
    learn::Samples without = standardised;
    without.x.middleCols(identifier.layout.position_columns() + k * width, width).setZero();
    const learn::Matrix probabilities = identifier.probabilities(without, judgement).networks;
    for (std::size_t n = 0; n < result.networks.size(); ++n) {
      NetworkVerdict& network = result.networks[n];
      network.observables.emplace_back(
          identifier.layout.observables[to_size(k)],
          network.probabilities[network.verdict] - probabilities(to_index(n), to_index(network.verdict)));
    }
  }
  for (std::size_t n = 0; n < result.networks.size(); ++n) {
    NetworkVerdict& network = result.networks[n];
    std::ranges::stable_sort(network.observables, std::greater<>(),
                             [](const auto& one) { return one.second; });
    std::vector<std::string> names;
    for (const auto& [name, effect] : network.observables) names.push_back(name);
    Rows members;
    for (const std::size_t i : judgement.networks.members[n]) members.push_back(to_index(i));
    network.courses = mean_courses(data, members, names);
  }
  return result;
}

std::string predictions_json(const FittedFile& fitted, const std::vector<FilePrediction>& files,
                             const std::filesystem::path& model) {
  const std::vector<std::string>& classes = fitted.identifier.classes;
  const auto by_class = [&](const std::vector<double>& probabilities) {
    Json json = Json::object();
    for (std::size_t c = 0; c < classes.size(); ++c) json[classes[c]] = probabilities[c];
    return json;
  };
  const auto names = [&](const std::vector<std::size_t>& set) {
    Json json = Json::array();
    for (const std::size_t c : set) json.push_back(classes[c]);
    return json;
  };
  Json left_out = Json::array();
  for (const LeftOutKind& kind : fitted.left_out)
    left_out.push_back({{"column", kind.column},
                        {"value", kind.value},
                        {"layers", kind.samples},
                        {"networks", kind.networks},
                        {"accuracy", kind.accuracy},
                        {"calibration_error", kind.calibration_error},
                        {"coverage", kind.coverage},
                        {"set_size", kind.set_size},
                        {"network_accuracy", kind.network_accuracy},
                        {"network_coverage", kind.network_coverage},
                        {"network_set_size", kind.network_set_size},
                        {"refused", kind.refused},
                        {"accuracy_interval", kind.interval},
                        {"network_accuracy_interval", kind.network_interval}});
  Json json = {{"format", "lrid-predictions"},
               {"format_version", 3},
               {"model",
                {{"file", model.string()},
                 {"classifier", fitted.classifier},
                 {"target", fitted.target},
                 {"classes", classes},
                 {"transform", fitted.identifier.layout.transform},
                 {"refuse", fitted.refuse},
                 {"confidence", fitted.confidence},
                 {"left_out", left_out},
                 {"dataset_sha256", fitted.dataset_sha256},
                 {"software", fitted.software}}},
               {"files", Json::array()}};
  for (const FilePrediction& file : files) {
    Json networks = Json::array();
    for (const NetworkVerdict& network : file.networks) {
      Json layers = Json::array(), observables = Json::array();
      const char* const kind = network.is_known_kind ? "known" : "new";
      for (const LayerVerdict& layer : network.layers)
        layers.push_back({{"layer", layer.layer},
                          {"position", layer.position.empty() ? Json() : Json(layer.position)},
                          {"kind", kind},
                          {"set", names(layer.set)},
                          {"probabilities", by_class(layer.probabilities)},
                          {"typicality", layer.typicality}});
      for (const auto& [name, effect] : network.observables)
        observables.push_back({{"name", name}, {"effect", effect}});
      networks.push_back({{"network", network.network},
                          {"sentence", sentence(fitted, network)},
                          {"verdict", network.is_refused() ? Json() : Json(classes[network.verdict])},
                          {"nearest", classes[network.verdict]},
                          {"kind", kind},
                          {"set", names(network.set)},
                          {"none_of_these", network.none_of_these},
                          {"no_change", network.no_change},
                          {"out_of_range", network.out_of_range},
                          {"unlike", network.unlike},
                          {"remarks", network.remarks},
                          {"probabilities", by_class(network.probabilities)},
                          {"typicality", network.typicality},
                          {"observables", observables},
                          {"layers", layers}});
    }
    json["files"].push_back({{"file", file.file}, {"networks", networks}});
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lrid::identify
