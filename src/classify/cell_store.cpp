#include "cell_store.hpp"

#include <limits>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>

#include "json.hpp"

namespace lrid::classify {

CellStore::CellStore(std::filesystem::path folder, std::string run_identity)
    : folder_(std::move(folder)), run_identity_(std::move(run_identity)) {}

std::filesystem::path CellStore::path_of(const std::string& cell) const {
  return folder_ / (sha256(run_identity_ + "\n" + cell).substr(0, 32) + ".json");
}

std::optional<CellResult> CellStore::find(const std::string& cell) const {
  const std::filesystem::path path = path_of(cell);
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
      for (const auto& [name, value] : test.at("figures").items())
        one.figures[name] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
      for (const Json& bin : test.at("reliability"))
        one.reliability.push_back(
            {bin.at(0).get<double>(), bin.at(1).get<double>(), bin.at(2).get<double>()});
    }
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;  // damaged by something else than us (cells appear whole or not at all): computed
                          // again
  }
}

void CellStore::store(const std::string& cell, const CellResult& result) const {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error)
    work_failed("{}: cannot make the folder of finished cells: {}", folder_.string(), error.message());
  Json tests = Json::array();
  for (const TestResult& test : result.tests) {
    Json bins = Json::array();
    for (const io::ReliabilityBin& bin : test.reliability)
      bins.push_back({bin.count, bin.confidence, bin.right});
    tests.push_back({{"predicted", test.predicted}, {"figures", test.figures}, {"reliability", bins}});
  }
  const Json json = {{"cell", cell},
                     {"chosen", condition_to_json(result.chosen)},
                     {"inner_accuracy", result.inner_accuracy},
                     {"tests", tests},
                     {"importances", result.importances},
                     {"computed", result.computed},
                     {"coinciding", result.coinciding},
                     {"skipped", result.skipped}};
  write_atomically(path_of(cell), json.dump());
}

void CellStore::clear() const {
  std::error_code ignored;  // a folder that stays behind does no harm
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace lrid::classify
