#include <filesystem>
#include <iostream>

#include <lrid/measure/show.hpp>

#include "commands.hpp"

namespace lrid::apps {

namespace {

struct ShowArguments {
  std::filesystem::path input;
  bool config = false;
};

void show(const ShowArguments& arguments, const CommonOptions& /*common*/) {
  measure::show(arguments.input, std::cout, {.config = arguments.config});
}

}  // namespace

void add_show(Program& program) {
  auto [command, arguments] = program.add<ShowArguments>(
      "show", "Show what a file holds.", {"lrid-observe show runs/KNet4_cifar10_fa_b128_m0_d0.h5"}, show);
  command
      .add_option("FILE", arguments.input, "trajectory, dataset, recording, observables, results or NWB file")
      ->required();
  command.add_flag("--config", arguments.config, "also print the configuration that the file keeps");
}

}  // namespace lrid::apps
