#include <filesystem>
#include <optional>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/identify/run.hpp>
#include <lrid/io/linked_files.hpp>
#include <lrid/io/results.hpp>
#include <lrid/report/report.hpp>

#include "commands.hpp"
#include "threads.hpp"

namespace lrid::apps {

namespace {

struct ReportArguments {
  std::vector<std::filesystem::path> results;
  std::filesystem::path data, page, figures;
};

void report(const ReportArguments& arguments, const CommonOptions& common) {
  const ThreadLimit threads(common);
  if (arguments.page.empty() && arguments.figures.empty())
    bad_input("report: nothing to write: expected --out REPORT.html, --figures DIR, or both");
  std::vector<std::filesystem::path> inputs = arguments.results;
  inputs.push_back(arguments.data);
  if (!arguments.page.empty()) require_writable(arguments.page, "--out", inputs);
  const std::vector<io::NamedResults> sources = identify::gather(
      arguments.results, arguments.data.empty() ? std::nullopt : std::optional(arguments.data));
  for (const io::NamedResults& source : sources) inputs.emplace_back(source.results.dataset_path);
  if (!arguments.page.empty()) {
    require_writable(arguments.page, "--out", inputs);
    io::hdf5::require_not_read_through_links(arguments.page);
    lrid::report::write_report(sources, arguments.page);
  }
  if (!arguments.figures.empty()) lrid::report::write_figures(sources, arguments.figures, inputs);
}

}  // namespace

void add_report(Program& program) {
  auto [command, arguments] = program.add<ReportArguments>(
      "report", "Make one self-contained HTML page of results.",
      {"lrid-classify report results.json held-out.json --out report.html"}, report);
  command
      .add_option(
          "RESULTS.json", arguments.results,
          "results files, model files (how fit judged kinds left out), or folders OUT.cells that run --shard "
          "left: those of one run are put together")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  command.add_option("--out", arguments.page, "page to write")->type_name("REPORT.html");
  command
      .add_option("--figures", arguments.figures,
                  "folder for every figure as SVG and its numbers as CSV; with or without --out")
      ->type_name("DIR");
  command
      .add_option("--data", arguments.data, "dataset of such folders, if it is no longer where run found it")
      ->type_name("DATASET.h5");
}

}  // namespace lrid::apps
