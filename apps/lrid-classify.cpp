// lrid-classify: which learning rule trained a network, told from its observables.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <oneapi/tbb/global_control.h>

#include <lrid/classify/classifier.hpp>
#include <lrid/classify/experiment.hpp>
#include <lrid/classify/run.hpp>
#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/version.hpp>
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
  std::string help_for;
  run->add_option("--config", config, "the experiment (TOML)");
  run->add_option("--set", assignments, "key=value, on top of the configuration; may be repeated");
  run->add_option("--data", data, "dataset file");
  run->add_option("--out", out, "results file to write (JSON)");
  run->add_option("--save-splits", splits, "also write which samples each split trains and tests on (JSON)");
  run->add_option("--keys", help_for, "print the configuration keys of this experiment, with help");

  CLI::App* report = app.add_subcommand("report", "results files to one self-contained HTML page");
  std::vector<std::filesystem::path> results;
  std::filesystem::path page;
  report->add_option("results", results, "results files")->required();
  report->add_option("--out", page, "page to write (HTML)")->required();

  for (CLI::App* command : {&app, run, report}) lrid::add_common_options(*command, common);

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
    const tbb::global_control threads(
        tbb::global_control::max_allowed_parallelism,
        static_cast<std::size_t>(common.threads > 0 ? common.threads : lrid::available_cores()));
    if (!list.empty()) {
      if (list == "experiments")
        print_registry(lrid::classify::experiments());
      else
        print_registry(lrid::classify::classifiers());
    } else if (run->parsed() && !help_for.empty()) {
      std::fputs(lrid::classify::options_help(help_for).c_str(), stdout);
    } else if (run->parsed()) {
      if (config.empty() || data.empty() || out.empty())
        lrid::bad_input("run: {} is missing: expected --config, --data and --out", config.empty() ? "--config"
                                                                                   : data.empty() ? "--data"
                                                                                                  : "--out");
      lrid::classify::RunRequest request{lrid::Config::from_file(config), data, out, std::nullopt};
      for (const std::string& assignment : assignments) request.config.assign(assignment);
      if (!splits.empty()) request.splits = splits;
      std::fputs(lrid::classify::accuracy_table(lrid::classify::run(request)).c_str(), stdout);
    } else if (report->parsed()) {
      lrid::report::write_report(results, page);
    } else {
      lrid::bad_input("no command: expected run, report or --list (lrid-classify --help)");
    }
  });
}
