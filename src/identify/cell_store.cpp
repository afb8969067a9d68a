#include "cell_store.hpp"

#include <limits>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>

#include "json.hpp"

namespace lrid::identify {

namespace {

constexpr const char* origin_file = "run.json";
constexpr std::string_view cell_suffix = ".json";
constexpr std::size_t hash_size = 32, cell_name_size = hash_size + cell_suffix.size();

Json to_json(const Typicality& typicality) {
  return {{"samples", typicality.samples}, {"networks", typicality.networks}};
}

Typicality typicality_from(const Json& json) {
  return {json.at("samples").get<std::vector<double>>(), json.at("networks").get<std::vector<double>>()};
}

std::optional<CellResult> read_cell(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const Json json = Json::parse(read_file(path));
    CellResult result{.chosen = condition_from_json(json.at("chosen")),
                      .inner_accuracy = json.at("inner_accuracy").get<double>(),
                      .tests = {},
                      .importances = json.at("importances").get<std::map<std::string, double>>(),
                      .computed = json.at("computed").get<std::int64_t>(),
                      .coinciding = json.at("coinciding").get<std::int64_t>(),
                      .skipped = json.at("skipped").get<std::int64_t>()};
    for (const Json& test : json.at("tests")) {
      TestResult& one = result.tests.emplace_back();
      one.predicted = test.at("predicted").get<std::vector<int>>();
      one.network_predicted = test.at("network_predicted").get<std::vector<int>>();
      one.held = test.at("held").get<std::vector<int>>();
      one.network_held = test.at("network_held").get<std::vector<int>>();
      one.known = typicality_from(test.at("known"));
      one.unknown = typicality_from(test.at("unknown"));
      for (const auto& [name, value] : test.at("figures").items())
        one.figures[name] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
      for (const Json& bin : test.at("reliability"))
        one.reliability.push_back(
            {bin.at(0).get<double>(), bin.at(1).get<double>(), bin.at(2).get<double>()});
    }
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;  // damaged after it was written, since cells appear whole or not at all: recompute
  }
}

}  // namespace

CellOrigin read_origin(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / origin_file;
  if (!std::filesystem::exists(path))
    bad_input("{}: contains no {}: expected a folder of cells written by lrid-classify run", folder.string(),
              origin_file);
  try {
    const Json json = Json::parse(read_file(path));
    if (json.at("format") != "lrid-cells" || json.at("format_version") != 1)
      bad_input("{}: expected format lrid-cells, version 1", path.string());
    return {.version = json.at("version").get<std::string>(),
            .config = json.at("config").get<std::string>(),
            .data = json.at("dataset_path").get<std::string>(),
            .dataset_sha256 = json.at("dataset_sha256").get<std::string>(),
            .shards = json.at("shards").get<std::size_t>()};
  } catch (const Json::exception& error) {
    bad_input("{}: damaged: {}; expected a file written by lrid-classify run", path.string(), error.what());
  }
}

CellStore::CellStore(std::vector<std::filesystem::path> folders, std::string run_identity)
    : folders_(std::move(folders)), run_identity_(std::move(run_identity)) {}

std::string CellStore::file_name_of(const std::string& cell) const {
  return sha256(run_identity_ + "\n" + cell).substr(0, hash_size).append(cell_suffix);
}

std::optional<CellResult> CellStore::find(const std::string& cell) const {
  for (const std::filesystem::path& folder : folders_)
    if (std::optional<CellResult> result = read_cell(folder / file_name_of(cell))) return result;
  return std::nullopt;
}

void CellStore::write(const std::string& file_name, std::string_view text) const {
  if (folders_.empty()) return;
  const std::filesystem::path& folder = folders_.front();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    work_failed("{}: cannot create the folder of finished cells: {}", folder.string(), error.message());
  write_atomically(folder / file_name, text);
}

void CellStore::store(const std::string& cell, const CellResult& result) const {
  Json tests = Json::array();
  for (const TestResult& test : result.tests) {
    Json bins = Json::array();
    for (const learn::ReliabilityBin& bin : test.reliability)
      bins.push_back({bin.count, bin.confidence, bin.right});
    tests.push_back({{"predicted", test.predicted},
                     {"network_predicted", test.network_predicted},
                     {"held", test.held},
                     {"network_held", test.network_held},
                     {"known", to_json(test.known)},
                     {"unknown", to_json(test.unknown)},
                     {"figures", test.figures},
                     {"reliability", bins}});
  }
  const Json json = {{"cell", cell},
                     {"chosen", condition_to_json(result.chosen)},
                     {"inner_accuracy", result.inner_accuracy},
                     {"tests", tests},
                     {"importances", result.importances},
                     {"computed", result.computed},
                     {"coinciding", result.coinciding},
                     {"skipped", result.skipped}};
  write(file_name_of(cell), json.dump());
}

void CellStore::store_origin(const CellOrigin& origin) const {
  const Json json = {{"format", "lrid-cells"},
                     {"format_version", 1},
                     {"version", origin.version},
                     {"config", origin.config},
                     {"dataset_path", origin.data.string()},
                     {"dataset_sha256", origin.dataset_sha256},
                     {"shards", origin.shards}};
  write(origin_file, json.dump(1) + "\n");
}

void CellStore::clear() const {
  if (folders_.empty()) return;
  remove_files(folders_.front(), [](std::string_view name) {
    return name == origin_file || (name.size() == cell_name_size && name.ends_with(cell_suffix) &&
                                   name.find_first_not_of("0123456789abcdef") == hash_size);
  });
}

}  // namespace lrid::identify
