#include <algorithm>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/sweep/verify.hpp>

#include "commands.hpp"
#include "recording_callback.hpp"
#include "training.hpp"

namespace lrid::apps {

namespace {

struct VerifyArguments {
  SweepArguments sweep;
  bool json = false;
};

void verify(const VerifyArguments& arguments, const CommonOptions& common) {
  require_sweep_folder(arguments.sweep.out_dir);
  const auto plans = arguments.sweep.expand(arguments.sweep.config.read(common));
  const std::vector<sweep::Verdict> verdicts = sweep::verify(plans, make_callback);
  fmt::print("{}", arguments.json ? to_json(verdicts) : to_text(verdicts));
  const auto sound = std::ranges::count(verdicts, "", &sweep::Verdict::fault);
  if (sound < std::ssize(verdicts))
    work_failed("{}: {} of {} not sound", arguments.sweep.out_dir, std::ssize(verdicts) - sound,
                counted(verdicts.size(), "network"));
}

}  // namespace

void add_verify(Program& program) {
  auto [command, arguments] = program.add<VerifyArguments>(
      "verify",
      "Read every trajectory of a sweep and check that it is complete, finite and made with this "
      "configuration. "
      "Exit code 1 if one is not.",
      {"lrid-train verify configs/train/quickstart.toml --out-dir runs"}, verify);
  arguments.sweep.declare(command);
  arguments.sweep.declare_out_dir(command, "folder of the sweep");
  command.add_flag("--json", arguments.json, "print JSON");
}

}  // namespace lrid::apps
