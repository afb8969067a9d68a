#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/import_mat.hpp>

#include "commands.hpp"
#include "write_activity.hpp"

namespace lrid::apps {

namespace {

struct ImportMatArguments {
  std::filesystem::path input, out;
  measure::MatImport mat;
  std::vector<std::string> positions;
  bool list = false;
};

void import_mat(const ImportMatArguments& arguments, const CommonOptions& /*common*/) {
  if (arguments.list) return measure::list_mat(arguments.input, std::cout);
  if (arguments.mat.activations.empty())
    bad_input("--activations is missing: expected a variable that --list shows");
  if (arguments.out.empty()) bad_input("--out is missing: expected a recording file to write");
  require_writable(arguments.out, "--out", {arguments.input}, Sink::file);
  io::Activity activity = measure::import_mat(arguments.input, arguments.mat);
  write_activity(arguments.out, activity, arguments.positions);
}

}  // namespace

void add_import_mat(Program& program) {
  auto [command, arguments] = program.add<ImportMatArguments>(
      "import-mat", "Take responses out of a MATLAB file of version 7.3 and write them as a recording.",
      {"lrid-observe import-mat mouse.mat --list",
       "lrid-observe import-mat mouse.mat --out mouse.h5 --axes units,stimuli,time \\\n      --activations "
       "V1=resp_v1 --activations LM=resp_lm"},
      import_mat);
  command.add_option("FILE.mat", arguments.input, "MATLAB file (save with '-v7.3')")->required();
  command.add_flag("--list", arguments.list, "only print the file's variables and their sizes");
  command.add_option("--out", arguments.out, "recording file to write")->type_name("REC.h5");
  repeatable(command.add_option("--activations", arguments.mat.activations,
                                "variable with the responses of a layer, named by itself or by LAYER; fields "
                                "of structures as s.field; may be repeated"))
      ->type_name("[LAYER=]VAR");
  command
      .add_option("--axes", arguments.mat.axes,
                  "the variables' dimensions in MATLAB's order: units, stimuli and time (the points of the "
                  "trajectory)")
      ->type_name("A,B,C")
      ->capture_default_str();
  repeatable(command.add_option("--position", arguments.positions,
                                "where a layer stands: early, middle, deep, or a number from 0 to 1; may be "
                                "repeated"))
      ->type_name("LAYER=POSITION");
}

}  // namespace lrid::apps
