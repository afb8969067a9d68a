#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <lrid/core/log.hpp>
#include <lrid/identify/shipped_models.hpp>

#include "commands.hpp"
#include "threads.hpp"

namespace lrid::apps {

namespace {

struct PredictArguments {
  std::filesystem::path model;
  std::vector<std::filesystem::path> inputs;
  bool json = false, layers = false, interpolate = false;
};

void predict(const PredictArguments& arguments, const CommonOptions& common) {
  const ThreadLimit threads(common);
  const bool is_named = !arguments.model.empty();
  const auto [model, fitted, files] =
      identify::predict_by_best(is_named ? std::vector{arguments.model} : identify::shipped_models(),
                                arguments.inputs, arguments.interpolate || !is_named);
  if (!is_named) spdlog::info("judged by the shipped model {}", model.stem().string());
  if (const std::string why = identify::why_none_is_refused(fitted); !why.empty())
    spdlog::warn("{}: {}", model.string(), why);
  fmt::print("{}", arguments.json ? identify::predictions_json(fitted, files, model)
                                  : identify::predictions_text(fitted, files, arguments.layers));
}

}  // namespace

void add_predict(Program& program) {
  auto [command, arguments] = program.add<PredictArguments>(
      "predict", "Say which rule trained a network, or what can be excluded, by a model.",
      {"lrid-classify predict mouse-observables.h5",
       "lrid-classify predict --model model.h5 mouse-observables.h5"},
      predict);
  command.add_option("FILE.h5", arguments.inputs, "datasets, trajectory files, or observables of recordings")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  command
      .add_option(
          "--model", arguments.model,
          "model file that fit wrote; default: of the shipped models (list models) the one that uses most "
          "of what was measured, trajectories interpolated to its points")
      ->check([](const std::string& file) { return file.empty() ? "expected a model file" : ""; })
      ->type_name("MODEL.h5");
  command.add_flag(
      "--layers", arguments.layers,
      "also print the verdict on each layer and the observables that speak most for the network's");
  command.add_flag("--json", arguments.json, "print JSON");
  command.add_flag("--interpolate", arguments.interpolate,
                   "accept trajectories of another number of points: interpolate linearly in time");
}

}  // namespace lrid::apps
