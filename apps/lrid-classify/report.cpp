#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <lrid/identify/run.hpp>
#include <lrid/report/report.hpp>

#include "commands.hpp"
#include "threads.hpp"

namespace lrid::apps {

namespace {

struct ReportArguments {
  std::vector<std::filesystem::path> results;
  std::filesystem::path data, page;
};

void report(const ReportArguments& arguments, const CommonOptions& common) {
  const ThreadLimit threads(common);
  std::vector<lrid::report::Source> sources;
  for (auto& [name, result] : identify::gather(
           arguments.results, arguments.data.empty() ? std::nullopt : std::optional(arguments.data)))
    sources.push_back({name, std::move(result)});
  lrid::report::write_report(sources, arguments.page);
}

}  // namespace

void add_report(Program& program) {
  auto [command, arguments] = program.add<ReportArguments>(
      "report", "Make one self-contained HTML page of results.",
      {"lrid-classify report results.json held-out.json --out report.html"}, report);
  command
      .add_option(
          "RESULTS.json", arguments.results,
          "results files, or folders OUT.cells that run --shard left: those of one run are put together")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  command.add_option("--out", arguments.page, "page to write")->type_name("REPORT.html")->required();
  command
      .add_option("--data", arguments.data, "dataset of such folders, if it is no longer where run found it")
      ->type_name("DATASET.h5");
}

}  // namespace lrid::apps
