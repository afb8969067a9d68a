// lrid-classify: which learning rule trained a network, told from its observables.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <oneapi/tbb/global_control.h>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/version.hpp>
#include <lrid/identify/experiment.hpp>
#include <lrid/identify/fit.hpp>
#include <lrid/identify/predict.hpp>
#include <lrid/identify/run.hpp>
#include <lrid/learn/classifier.hpp>
#include <lrid/report/report.hpp>

namespace {

template <class Entry>
void print_registry(const lrid::Registry<Entry>& registry) {
  for (const Entry& entry : registry.entries()) std::puts(entry.name.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Identifies learning rules from observable statistics.");
  app.set_version_flag("--version", lrid::software());
  lrid::CommonOptions common;
  std::string list;
  app.add_option("--list", list, "print the names of all experiments or classifiers")
      ->check(CLI::IsMember({"experiments", "classifiers"}));

  CLI::App* run = app.add_subcommand("run", "an experiment: dataset file to results.json");
  std::filesystem::path config, data, out, splits;
  std::vector<std::string> assignments;
  std::string help_for, shard;
  run->add_option("--config", config, "the experiment (TOML)");
  run->add_option("--set", assignments, "key=value, on top of the configuration; may be repeated");
  run->add_option("--data", data, "dataset file");
  run->add_option("--out", out, "results file to write (JSON)");
  run->add_option("--save-splits", splits, "also write which samples each split trains and tests on (JSON)");
  run->add_option(
      "--shard", shard,
      "I/N: compute only the I-th (from 0) of N shares of the cells, for runs side by side; when all are "
      "done, run without it or report puts them together");
  run->add_option("--keys", help_for, "print the configuration keys of this experiment, with help");

  CLI::App* fit = app.add_subcommand("fit", "a classifier fitted to a dataset, to a model file");
  fit->add_option("--config", config, "as of run (TOML); its experiment does not matter")->required();
  fit->add_option("--set", assignments, "key=value, on top of the configuration; may be repeated");
  fit->add_option("--data", data, "dataset file")->required();
  fit->add_option("--out", out, "model file to write (HDF5)")->required();

  CLI::App* predict = app.add_subcommand("predict", "a model file applied to new statistics");
  std::filesystem::path model;
  std::vector<std::filesystem::path> inputs;
  bool as_json = false, interpolate = false;
  predict->add_option("--model", model, "model file of fit")->required();
  predict->add_option("files", inputs, "datasets, trajectory files, or observables of recordings")
      ->required();
  predict->add_flag("--json", as_json, "print JSON");
  predict->add_flag("--interpolate", interpolate,
                    "accept another number of trajectory points: linear in time");

  CLI::App* report = app.add_subcommand("report", "results to one self-contained HTML page");
  std::vector<std::filesystem::path> results;
  std::filesystem::path page, figures;
  report
      ->add_option(
          "results", results,
          "results files, or the folders <out>.cells of run --shard: those of one run are put together")
      ->required();
  report->add_option("--data", data, "dataset of such folders, if it is not where run found it");
  report->add_option("--out", page, "page to write (HTML)");
  report->add_option("--figures", figures,
                     "folder for every figure as SVG and its numbers as CSV; with or without --out");

  for (CLI::App* command : {&app, run, fit, predict, report}) lrid::add_common_options(*command, common);

  return lrid::run_app("lrid-classify", [&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& help_or_version) {
      app.exit(help_or_version);
      return;
    } catch (const CLI::ParseError& error) {
      lrid::bad_input("{}; expected a command and options that --help lists", error.what());
    }
    common.apply();
    const tbb::global_control threads(tbb::global_control::max_allowed_parallelism,
                                      static_cast<std::size_t>(lrid::threads_or_all(common.threads)));
    if (!list.empty()) {
      if (list == "experiments")
        print_registry(lrid::identify::experiments());
      else
        print_registry(lrid::learn::classifiers());
    } else if (run->parsed() && !help_for.empty()) {
      std::fputs(lrid::identify::options_help(help_for).c_str(), stdout);
    } else if (run->parsed()) {
      if (config.empty() || data.empty() || out.empty())
        lrid::bad_input("run: {} is missing: expected --config, --data and --out", config.empty() ? "--config"
                                                                                   : data.empty() ? "--data"
                                                                                                  : "--out");
      lrid::identify::RunRequest request{lrid::Config::from_file(config), data, out, std::nullopt};
      for (const std::string& assignment : assignments) request.config.assign(assignment);
      if (!splits.empty()) request.splits = splits;
      if (!shard.empty()) {
        const auto [index, count] = lrid::parse_shard(shard);
        const lrid::identify::Cells cells = lrid::identify::run_shard(
            request, static_cast<std::size_t>(index), static_cast<std::size_t>(count));
        fmt::print("shard {}: {} of {} cells are in {}.cells{}\n", shard, cells.done, cells.all, out.string(),
                   cells.done == cells.all ? "; run without --shard, or report, puts them together" : "");
        return;
      }
      std::fputs(lrid::identify::accuracy_table(lrid::identify::run(request)).c_str(), stdout);
    } else if (fit->parsed()) {
      lrid::identify::FitRequest request{lrid::Config::from_file(config), data, out};
      for (const std::string& assignment : assignments) request.config.assign(assignment);
      std::fputs(lrid::identify::describe(lrid::identify::fit(request)).c_str(), stdout);
    } else if (predict->parsed()) {
      const lrid::identify::FittedFile fitted = lrid::identify::read_fitted(model);
      std::vector<lrid::identify::FilePrediction> files;
      for (const std::filesystem::path& input : inputs)
        files.push_back(lrid::identify::predict(fitted, input, interpolate));
      std::fputs((as_json ? lrid::identify::predictions_json(fitted, files)
                          : lrid::identify::predictions_text(fitted, files))
                     .c_str(),
                 stdout);
    } else if (report->parsed()) {
      if (page.empty() && figures.empty())
        lrid::bad_input("report: nothing to write: expected --out PAGE, --figures DIR, or both");
      const std::vector<lrid::io::NamedResults> sources =
          lrid::identify::gather(results, data.empty() ? std::nullopt : std::optional(data));
      if (!page.empty()) lrid::report::write_report(sources, page);
      if (!figures.empty()) lrid::report::write_figures(sources, figures);
    } else {
      lrid::bad_input("no command: expected run, fit, predict, report or --list (lrid-classify --help)");
    }
  });
}
