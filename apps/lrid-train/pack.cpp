#include <fmt/format.h>

#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/text.hpp>
#include <lrid/data/pack.hpp>

#include "commands.hpp"
#include "training.hpp"

namespace lrid::apps {

namespace {

struct PackArguments {
  ConfigArguments config;
  std::string folder, out;
};

void pack(const PackArguments& arguments, const CommonOptions& common) {
  // The pack of an earlier call may be in the folder that it was made of.
  const bool replaces_pack = data::is_pack(arguments.out) && !same_file(arguments.out, arguments.folder);
  require_writable(arguments.out, "--out", {replaces_pack ? "" : arguments.folder}, Sink::file);
  Options options(arguments.config.read({}));
  data::PackOptions pack_options;
  pack_options.declare(options);
  options.finish();
  const std::int64_t images =
      data::write_pack(arguments.folder, arguments.out, pack_options, threads_or_all(common.threads));
  spdlog::info("{} packed", counted(images, "image"));
  fmt::print("{}\n", arguments.out);
}

std::string pack_keys() {
  Options options;
  data::PackOptions().declare(options);
  return options.help();
}

}  // namespace

void add_pack(Program& program) {
  auto [command, arguments] = program.add<PackArguments>(
      "pack", "Write an image folder into one file, which --data-dir takes in its place.",
      {"lrid-train pack imagenet --out imagenet.pack --set pack.short_side=256"}, pack);
  command
      .add_option("DIR", arguments.folder, "image folder: train/CLASS/*.jpg and val/CLASS/ or test/CLASS/")
      ->required();
  command.add_option("--out", arguments.out, "pack to write")->type_name("FILE.pack")->required();
  arguments.config.declare(command);
  add_printing_flag(command, "--keys", "print every configuration key with its default and range", pack_keys);
}

}  // namespace lrid::apps
