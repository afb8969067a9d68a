#include <fmt/format.h>

#include <lrid/sweep/status.hpp>

#include "commands.hpp"
#include "recording_callback.hpp"
#include "training.hpp"

namespace lrid::apps {

namespace {

struct StatusArguments {
  SweepArguments sweep;
  bool json = false;
};

void status(const StatusArguments& arguments, const CommonOptions& common) {
  require_sweep_folder(arguments.sweep.out_dir);
  const auto plans = arguments.sweep.expand(arguments.sweep.config.read(common));
  const sweep::SweepStatus found = sweep::sweep_status(plans, make_callback);
  fmt::print("{}", arguments.json ? to_json(found) : to_text(found));
}

}  // namespace

void add_status(Program& program) {
  auto [command, arguments] = program.add<StatusArguments>(
      "status", "Show which networks of a sweep are done, running, failed and waiting.",
      {"lrid-train status configs/train/quickstart.toml --out-dir runs"}, status);
  arguments.sweep.declare(command);
  arguments.sweep.declare_out_dir(command, "folder of the sweep");
  command.add_flag("--json", arguments.json, "print JSON");
}

}  // namespace lrid::apps
