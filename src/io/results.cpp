#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/version.hpp>
#include <lrid/io/results.hpp>

namespace lrid::io {

using Json = nlohmann::ordered_json;

namespace {

constexpr const char* format_name = "lrid-results";

// --- Writing. nlohmann writes NaN and infinities, which JSON lacks, as null.

Json to_json(double value) {
  return value;
}
Json to_json(std::int64_t value) {
  return value;
}
Json to_json(const ConditionValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>)
          return to_json(v);
        else
          return v;
      },
      value);
}
Json to_json(const Figure& figure);
template <class T>
Json to_json(const std::map<std::string, T>& map) {
  Json result = Json::object();
  for (const auto& [name, value] : map) result[name] = to_json(value);
  return result;
}
template <class T>
Json to_json(const std::vector<T>& values) {
  Json result = Json::array();
  for (const T& value : values) result.push_back(to_json(value));
  return result;
}
Json to_json(const Figure& figure) {
  Json json = {
      {"mean", to_json(figure.mean)}, {"sem", to_json(figure.sem)}, {"splits", to_json(figure.splits)}};
  if (figure.interval)
    json["interval"] = {to_json(figure.interval->front()), to_json(figure.interval->back())};
  if (figure.p) json["p"] = to_json(*figure.p);
  return json;
}

Json to_json(const TestedNetworks& tested) {
  return {{"names", tested.names},
          {"labels", tested.labels},
          {"network", tested.network},
          {"layers", tested.layers},
          {"overlap", tested.overlap}};
}

Json to_json(const RowComparison& comparison) {
  return {{"about", comparison.about},
          {"a", comparison.a},
          {"b", comparison.b},
          {"difference", to_json(comparison.difference)},
          {"interval", {to_json(comparison.interval.front()), to_json(comparison.interval.back())}},
          {"p", to_json(comparison.p)},
          {"p_holm", to_json(comparison.p_holm)},
          {"networks", comparison.networks}};
}

Json to_json(const ResultRow& row) {
  Json json;
  json["classifier"] = row.classifier;
  json["condition"] = to_json(row.condition);
  json["accuracy"] = to_json(row.accuracy);
  json["confusion"] = to_json(row.confusion);
  json["labels"] = row.labels;
  json["dprime"] = to_json(row.dprime);
  for (const auto& [low, high] : row.dprime_intervals)
    json["dprime_intervals"].push_back({to_json(low), to_json(high)});
  json["balanced_accuracy"] = to_json(row.balanced_accuracy);
  json["hyperparameters"] = to_json(row.hyperparameters);
  json["importances"] = row.importances.empty() ? Json(nullptr) : to_json(row.importances);
  json["n_train"] = row.n_train;
  json["n_test"] = row.n_test;
  json["n_networks"] = row.n_networks;
  json["extra"] = to_json(row.extra);
  for (const ReliabilityBin& bin : row.reliability)
    json["reliability"].push_back(
        {{"count", bin.count}, {"confidence", bin.confidence}, {"right", bin.right}});
  if (!row.observable_importances.empty())
    json["observable_importances"] = to_json(row.observable_importances);
  if (row.tested != nullptr)  // Null, rather than missing, where there can be none.
    for (const char* figure : {"interval", "p"})
      if (!json["accuracy"].contains(figure)) json["accuracy"][figure] = nullptr;
  if (!row.correct.empty()) json["correct"] = row.correct;
  if (!row.network_correct.empty()) json["network_correct"] = row.network_correct;
  return json;
}

// --- Reading. nlohmann's exceptions name the key that is missing or of the wrong type.

void from(const Json& json, double& value) {
  value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}
void from(const Json& json, std::int64_t& value) {
  value = json.get<std::int64_t>();
}
void from(const Json& json, std::string& value) {
  value = json.get<std::string>();
}
void from(const Json& json, std::array<double, 2>& interval) {
  if (json.get_ref<const Json::array_t&>().size() != 2)
    throw Json::type_error::create(302, "an interval must have two ends, low and high", &json);
  from(json.at(0), interval[0]);
  from(json.at(1), interval[1]);
}
void from(const Json& json, ConditionValue& value) {
  if (json.is_boolean())
    value = json.get<bool>();
  else if (json.is_number_integer())
    value = json.get<std::int64_t>();
  else if (json.is_string())
    value = json.get<std::string>();
  else {
    double number = 0;
    from(json, number);
    value = number;
  }
}
void from(const Json& json, Figure& figure);
void from(const Json& json, ReliabilityBin& bin);
void from(const Json& json, ResultRow& row);
void from(const Json& json, TestedNetworks& tested);
void from(const Json& json, RowComparison& comparison);
void from(const Json& json, Results::MeanTrajectory& trajectory);
template <class T>
void from(const Json& json, std::map<std::string, T>& map) {
  if (json.is_null()) return;
  for (const auto& [name, value] : json.get_ref<const Json::object_t&>()) from(value, map[name]);
}
template <class T>
void from(const Json& json, std::vector<T>& values) {
  if (json.is_null()) return;
  for (const Json& value : json.get_ref<const Json::array_t&>()) from(value, values.emplace_back());
}
template <class T>
void from(const Json& json, std::optional<T>& value) {
  from(json, value.emplace());
}
template <class T>
void from_optional(const Json& json, const char* key, T& value) {
  if (const auto found = json.find(key); found != json.end() && !found->is_null()) from(*found, value);
}
void from(const Json& json, Figure& figure) {
  from(json.at("mean"), figure.mean);
  from(json.at("sem"), figure.sem);
  from(json.at("splits"), figure.splits);
  from_optional(json, "interval", figure.interval);
  from_optional(json, "p", figure.p);
}

void from(const Json& json, ResultRow& row) {
  from(json.at("classifier"), row.classifier);
  from(json.at("condition"), row.condition);
  from(json.at("accuracy"), row.accuracy);
  from(json.at("confusion"), row.confusion);
  from(json.at("labels"), row.labels);
  from_optional(json, "dprime", row.dprime);
  from_optional(json, "dprime_intervals", row.dprime_intervals);
  from_optional(json, "balanced_accuracy", row.balanced_accuracy);
  from_optional(json, "hyperparameters", row.hyperparameters);
  from_optional(json, "importances", row.importances);
  from_optional(json, "n_train", row.n_train);
  from_optional(json, "n_test", row.n_test);
  from_optional(json, "n_networks", row.n_networks);
  from_optional(json, "extra", row.extra);
  from_optional(json, "reliability", row.reliability);
  from_optional(json, "observable_importances", row.observable_importances);
  from_optional(json, "correct", row.correct);
  from_optional(json, "network_correct", row.network_correct);
}
void from(const Json& json, ReliabilityBin& bin) {
  from(json.at("count"), bin.count);
  from(json.at("confidence"), bin.confidence);
  from(json.at("right"), bin.right);
}
void from(const Json& json, TestedNetworks& tested) {
  from(json.at("names"), tested.names);
  from(json.at("labels"), tested.labels);
  from(json.at("network"), tested.network);
  from(json.at("layers"), tested.layers);
  from(json.at("overlap"), tested.overlap);
  const auto count = std::ssize(tested.names);
  bool sound = std::ssize(tested.labels) == count && tested.layers.size() == tested.network.size();
  for (std::size_t s = 0; sound && s < tested.network.size(); ++s)
    sound = tested.layers[s].size() == tested.network[s].size() &&
            std::ranges::all_of(tested.network[s], [&](auto i) { return i >= 0 && i < count; }) &&
            std::ranges::all_of(tested.layers[s], [](auto layers) { return layers > 0; });
  if (!sound || !(tested.overlap >= 0 && tested.overlap <= 1))
    throw Json::type_error::create(302, "tested networks do not fit together", &json);
}

void from(const Json& json, RowComparison& comparison) {
  from(json.at("about"), comparison.about);
  comparison.a = json.at("a").get<std::size_t>();
  comparison.b = json.at("b").get<std::size_t>();
  from(json.at("difference"), comparison.difference);
  from(json.at("interval"), comparison.interval);
  from(json.at("p"), comparison.p);
  from(json.at("p_holm"), comparison.p_holm);
  from(json.at("networks"), comparison.networks);
}

/// Lets the row share the networks of its number in the file.
void connect(const Json& json, const std::vector<std::shared_ptr<const TestedNetworks>>& all,
             ResultRow& row) {
  const auto number = json.find("tested");
  if (number == json.end() || number->is_null()) return;
  row.tested = all.at(number->get<std::size_t>());
  const auto& layers = row.tested->layers;
  for (const auto* counts : {&row.correct, &row.network_correct}) {
    bool fits = counts->empty() || counts->size() == layers.size();
    for (std::size_t s = 0; fits && s < counts->size(); ++s)
      fits = std::ranges::equal((*counts)[s], layers[s], [&](std::int64_t count, std::int64_t most) {
        return count >= 0 && count <= (counts == &row.correct ? most : 1);
      });
    if (!fits) throw Json::type_error::create(302, "correct does not fit the tested networks", &json);
  }
}

void from(const Json& json, Results::MeanTrajectory& trajectory) {
  from(json.at("observable"), trajectory.observable);
  from(json.at("labels"), trajectory.labels);
  from(json.at("mean"), trajectory.mean);
  from(json.at("sem"), trajectory.sem);
}

}  // namespace

std::string observable_of_feature(std::string_view feature) {
  return std::string(feature.substr(0, feature.find('@')));
}

Figure Figure::of(std::vector<double> splits) {
  Figure figure;
  const auto n = static_cast<double>(splits.size());
  for (const double value : splits) figure.mean += value / n;
  if (splits.empty()) figure.mean = std::numeric_limits<double>::quiet_NaN();
  if (splits.size() > 1) {
    double squares = 0;
    for (const double value : splits) squares += (value - figure.mean) * (value - figure.mean);
    figure.sem = std::sqrt(squares / (n - 1) / n);
  }
  figure.splits = std::move(splits);
  return figure;
}

void write_results(const std::filesystem::path& path, const Results& results) {
  Json json;
  json["format"] = format_name;
  json["format_version"] = 1;
  json["experiment"] = results.experiment;
  json["rows"] = Json::array();
  std::vector<const TestedNetworks*> tested;  // each once
  for (const ResultRow& row : results.rows) {
    json["rows"].push_back(to_json(row));
    if (row.tested == nullptr) continue;
    const auto same =
        std::ranges::find_if(tested, [&](const TestedNetworks* one) { return *one == *row.tested; });
    json["rows"].back()["tested"] = same - tested.begin();
    if (same == tested.end()) tested.push_back(row.tested.get());
  }
  for (const TestedNetworks* one : tested) json["tested"].push_back(to_json(*one));
  for (const RowComparison& comparison : results.comparisons)
    json["comparisons"].push_back(to_json(comparison));
  json["dataset"] = {{"path", results.dataset_path}, {"sha256", results.dataset_sha256}};
  json["config"] = results.config;
  if (!results.notes.empty()) json["notes"] = results.notes;
  for (const Results::MeanTrajectory& trajectory : results.trajectories)
    json["trajectories"].push_back({{"observable", trajectory.observable},
                                    {"labels", trajectory.labels},
                                    {"mean", to_json(trajectory.mean)},
                                    {"sem", to_json(trajectory.sem)}});
  json["software"] = results.software.empty() ? software() : results.software;
  json["seconds"] = to_json(results.seconds);
  write_atomically(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Results read_results(const std::filesystem::path& path) {
  Json json;
  try {
    json = Json::parse(read_text(path));
  } catch (const Json::parse_error& error) {
    bad_input("{}: not JSON (byte {}); expected a results file of lrid-classify", path.string(), error.byte);
  } catch (const Json::out_of_range& error) {
    bad_input("{}: JSON with a number that is none here: {}", path.string(), error.what());
  }
  if (!json.is_object() || json.value("format", Json()) != Json(format_name))
    bad_input("{}: key \"format\" is missing or not \"{}\"", path.string(), format_name);
  if (json.value("format_version", Json()) != Json(1))
    bad_input("{}: format_version is {}, this program knows version 1", path.string(),
              json.value("format_version", Json()).dump());

  Results results;
  try {
    from(json.at("experiment"), results.experiment);
    from(json.at("rows"), results.rows);
    std::vector<TestedNetworks> tested;
    from_optional(json, "tested", tested);
    std::vector<std::shared_ptr<const TestedNetworks>> shared;
    for (TestedNetworks& one : tested) shared.push_back(std::make_shared<TestedNetworks>(std::move(one)));
    for (std::size_t i = 0; i < results.rows.size(); ++i)
      connect(json.at("rows").at(i), shared, results.rows[i]);
    from_optional(json, "comparisons", results.comparisons);
    for (const RowComparison& one : results.comparisons)
      if (std::max(one.a, one.b) >= results.rows.size())
        throw Json::out_of_range::create(401, "a comparison of a row that is not there", &json);
    from(json.at("dataset").at("path"), results.dataset_path);
    from(json.at("dataset").at("sha256"), results.dataset_sha256);
    from(json.at("config"), results.config);
    from_optional(json, "notes", results.notes);
    from_optional(json, "trajectories", results.trajectories);
    from(json.at("software"), results.software);
    from(json.at("seconds"), results.seconds);
  } catch (const Json::exception& error) {
    bad_input("{}: not as a results file should be: {}", path.string(), error.what());
  } catch (const std::out_of_range&) {
    bad_input("{}: a row's tested networks are not there: expected their number in the file", path.string());
  }
  return results;
}

}  // namespace lrid::io
