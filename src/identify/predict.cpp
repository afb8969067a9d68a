#include <algorithm>
#include <cmath>
#include <numeric>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/predict.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/trajectory.hpp>

#include "json.hpp"

namespace lrid::identify {

namespace {

/// The layers of one network as samples; `values`: [T, L, K].
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
  return data;
}

/// Positions by thirds: of L layers, the first ⌊L/3⌋ are early, as many middle, and the rest deep.
std::vector<std::uint8_t> positions_by_thirds(std::size_t layers) {
  const std::size_t third = layers / 3;
  std::vector<std::uint8_t> result;
  for (std::size_t layer = 0; layer < layers; ++layer)
    result.push_back(layer < third ? 0 : layer < 2 * third ? 1 : 2);
  return result;
}

/// Reads a file of any accepted format, its layers as samples.
io::Dataset samples_of(const std::filesystem::path& path) {
  const std::string format = io::hdf5::InputFile(path).format();
  const std::string name = path.stem().string();
  if (format == "lrid-dataset") {
    io::Dataset data = io::read_dataset(path);
    // Judge each imperfect measurement of a network separately.
    for (std::size_t i = 0; i < data.meta.network.size(); ++i)
      if (data.meta.noise[i] != 0 || data.meta.unit_fraction[i] != 1)
        data.meta.network[i] +=
            fmt::format(" (units {:g}, noise {:g})", data.meta.unit_fraction[i], data.meta.noise[i]);
    return data;
  }
  if (format == "lrid-trajectory") {
    const io::Trajectory t = io::read_trajectory(path);
    if (!t.complete()) bad_input("{}: is {}: expected a complete trajectory", path.string(), t.status);
    return as_dataset(name, t.observable_names, t.layers, t.layer_position, t.points(), t.observables);
  }
  if (format == "lrid-observables") {
    const io::Observables o = io::read_observables(path);
    return as_dataset(name, o.observable_names, o.layers, positions_by_thirds(o.layers.size()), o.points,
                      o.values);
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
        file, missing.size(), counted(table.layout.channels(), "observable"), where, join(missing, ", "));
}

FeatureTable features_of(const FittedFile& fitted, const io::Dataset& data, const std::string& file,
                         bool interpolate) {
  const FeatureLayout& layout = fitted.identifier.layout;
  std::vector<std::string> absent;
  for (const std::string& name : layout.observables)
    if (std::ranges::find(data.observable_names, name) == data.observable_names.end()) absent.push_back(name);
  if (!absent.empty())
    bad_input("{}: missing: {} of the {} the classifier uses: {}; expected all of them", file, absent.size(),
              counted(layout.channels(), "observable"), join(absent, ", "));
  FeatureTable table =
      FeatureTable::of_observables(data, std::make_shared<Metadata>(data.meta), layout.observables);
  if (table.layout.points != layout.points) {
    if (!interpolate)
      bad_input(
          "{}: {} trajectory points, but the classifier was fitted to {}: expected as many, or --interpolate "
          "(linearly in time)",
          file, table.layout.points, layout.points);
    table = table.interpolated(layout.points);
  }
  require_features(table, file);
  return table;
}

std::vector<double> row_of(const learn::Matrix& matrix, std::size_t row) {
  const auto values = matrix.row(to_index(row));
  return {values.begin(), values.end()};
}

}  // namespace

FilePrediction predict(const FittedFile& fitted, const std::filesystem::path& file, bool interpolate) {
  const io::Dataset data = samples_of(file);
  if (data.samples == 0) bad_input("{}: holds no samples, expected at least one layer", file.string());
  const FeatureTable table = features_of(fitted, data, file.string(), interpolate);
  const Identifier& identifier = fitted.identifier;
  Rows rows(to_size(data.samples));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const Judgement judgement = identifier.judge(table, rows);
  const std::vector<int> verdicts = learn::predicted_classes(judgement.network_probabilities);

  FilePrediction result{file.string(), {}};
  for (std::size_t n = 0; n < judgement.networks.names.size(); ++n) {
    NetworkVerdict network{.network = judgement.networks.names[n],
                           .verdict = to_size(verdicts[n]),
                           .probabilities = row_of(judgement.network_probabilities, n),
                           .typicality = judgement.network_typicality[n],
                           .none_of_these = judgement.network_typicality[n] <= fitted.refuse,
                           .layers = {},
                           .observables = {}};
    for (const std::size_t i : judgement.networks.members[n])
      network.layers.push_back({.layer = data.meta.layer[i],
                                .position = table.metadata->column("layer_position")[i],
                                .probabilities = row_of(judgement.probabilities, i),
                                .typicality = judgement.typicality[i]});
    result.networks.push_back(std::move(network));
  }

  // Replace one observable at a time by its mean over the training samples.
  const learn::Samples standardised = standardise(identifier.scaler, table, rows);
  const std::int64_t width = identifier.layout.columns_each();
  for (std::int64_t k = 0; k < std::ssize(identifier.layout.observables); ++k) {
    learn::Samples without = standardised;
    without.x.middleCols(identifier.layout.position_columns() + k * width, width).setZero();
    const learn::Matrix probabilities = identifier.networks.probabilities(
        judgement.networks.pooled_logits(identifier.probabilities(without)));
    for (std::size_t n = 0; n < result.networks.size(); ++n) {
      NetworkVerdict& network = result.networks[n];
      network.observables.emplace_back(
          identifier.layout.observables[to_size(k)],
          network.probabilities[network.verdict] - probabilities(to_index(n), to_index(network.verdict)));
    }
  }
  for (NetworkVerdict& network : result.networks)
    std::ranges::stable_sort(network.observables, std::greater<>(),
                             [](const auto& one) { return one.second; });
  return result;
}

namespace {

/// The observables that speak most for the verdict, and a table of the layers.
std::string layers_text(const std::vector<std::string>& classes, const NetworkVerdict& network) {
  constexpr std::size_t shown = 3;
  std::string text;
  std::vector<std::string> spoke;
  for (const auto& [name, effect] : network.observables)
    if (effect > 0 && spoke.size() < shown) spoke.push_back(fmt::format("{} {:+.3f}", name, effect));
  if (!spoke.empty())
    text += fmt::format("  evidence for {}: {}\n", classes[network.verdict], join(spoke, ", "));
  std::size_t width = 5;
  for (const LayerVerdict& layer : network.layers) width = std::max(width, layer.layer.size());
  text += fmt::format("  {:<{}}  position", "layer", width);
  for (const std::string& name : classes)
    text += fmt::format("  {:>{}}", name, std::max<std::size_t>(4, name.size()));
  text += "  typicality\n";
  for (const LayerVerdict& layer : network.layers) {
    text += fmt::format("  {:<{}}  {:<8}", layer.layer, width, layer.position);
    for (std::size_t c = 0; c < classes.size(); ++c)
      text += fmt::format("  {:>{}.2f}", layer.probabilities[c], std::max<std::size_t>(4, classes[c].size()));
    text += fmt::format("  {:>10.3f}\n", layer.typicality);
  }
  return text;
}

}  // namespace

std::string predictions_text(const FittedFile& fitted, const std::vector<FilePrediction>& files,
                             bool layers) {
  const std::vector<std::string>& classes = fitted.identifier.classes;
  std::string text;
  for (const FilePrediction& file : files)
    for (const NetworkVerdict& network : file.networks) {
      std::vector<std::string> others;
      for (std::size_t c = 0; c < classes.size(); ++c)
        if (c != network.verdict)
          others.push_back(fmt::format("{} {:.2f}", classes[c], network.probabilities[c]));
      text += fmt::format(
          "{}{}: {}{} {:.2f} ({}); typicality {:.3f}\n", file.file,
          network.network == std::filesystem::path(file.file).stem() ? "" : ", " + network.network,
          network.none_of_these ? "none of these, nearest " : "", classes[network.verdict],
          network.probabilities[network.verdict], join(others, ", "), network.typicality);
      if (layers) text += layers_text(classes, network);
    }
  return text;
}

std::string predictions_json(const FittedFile& fitted, const std::vector<FilePrediction>& files) {
  const std::vector<std::string>& classes = fitted.identifier.classes;
  const auto by_class = [&](const std::vector<double>& probabilities) {
    Json json = Json::object();
    for (std::size_t c = 0; c < classes.size(); ++c) json[classes[c]] = probabilities[c];
    return json;
  };
  Json json = {{"format", "lrid-predictions"},
               {"format_version", 2},
               {"model",
                {{"classifier", fitted.classifier},
                 {"target", fitted.target},
                 {"classes", classes},
                 {"refuse", fitted.refuse},
                 {"dataset_sha256", fitted.dataset_sha256},
                 {"software", fitted.software}}},
               {"files", Json::array()}};
  for (const FilePrediction& file : files) {
    Json networks = Json::array();
    for (const NetworkVerdict& network : file.networks) {
      Json layers = Json::array(), observables = Json::array();
      for (const LayerVerdict& layer : network.layers)
        layers.push_back({{"layer", layer.layer},
                          {"position", layer.position},
                          {"probabilities", by_class(layer.probabilities)},
                          {"typicality", layer.typicality}});
      for (const auto& [name, effect] : network.observables)
        observables.push_back({{"name", name}, {"effect", effect}});
      networks.push_back({{"network", network.network},
                          {"verdict", network.none_of_these ? Json() : Json(classes[network.verdict])},
                          {"nearest", classes[network.verdict]},
                          {"none_of_these", network.none_of_these},
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
