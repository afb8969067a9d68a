#include <filesystem>
#include <iostream>
#include <map>

#include <lrid/measure/export.hpp>

#include "commands.hpp"

namespace lrid::apps {

namespace {

struct ExportArguments {
  std::filesystem::path input;
  std::string format = "csv";
  std::string table = "values";
};

const std::map<std::string, measure::TableOf> tables = {{"values", measure::TableOf::values},
                                                        {"metrics", measure::TableOf::metrics},
                                                        {"alignment", measure::TableOf::alignment}};

void export_table(const ExportArguments& arguments, const CommonOptions& /*common*/) {
  const bool is_wide = arguments.format == "csv-wide";
  measure::export_csv(arguments.input, std::cout,
                      is_wide ? measure::TableForm::wide : measure::TableForm::long_form,
                      tables.at(arguments.table));
}

}  // namespace

void add_export(Program& program) {
  auto [command, arguments] = program.add<ExportArguments>(
      "export", "Print a trajectory, dataset, observables or results file as a table.",
      {"lrid-observe export mouse-observables.h5 --format csv-wide > mouse.csv",
       "lrid-observe export ia.h5 --table alignment > angles.csv"},
      export_table);
  command.add_option("FILE", arguments.input, "file to export")->required();
  command
      .add_option("--format", arguments.format,
                  "csv: a row for each layer, point and observable; csv-wide: a column for each observable")
      ->check(one_of({"csv", "csv-wide"}))
      ->capture_default_str();
  command
      .add_option(
          "--table", arguments.table,
          "values: observables, or figures of results; of a trajectory also metrics: losses and accuracies "
          "along training; alignment: angles between backward and forward kernels")
      ->check(one_of({"values", "metrics", "alignment"}))
      ->capture_default_str();
}

}  // namespace lrid::apps
