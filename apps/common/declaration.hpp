#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace lrid::apps {

inline const std::string common_group = "Common options";

/// The words that `one_of` accepts, in declaration order; empty for any other option.
std::vector<std::string> choices_of(const CLI::Option& option);

/// What help calls an option's value, "" for a flag: "RUN.toml", "N", "{csv,csv-wide}".
std::string value_name(const CLI::Option& option);

/// Whether an option is shown: hidden ones have the group "".
bool is_shown(const CLI::Option& option);

/// "lrid-train", "lrid-train run".
std::string full_name(const CLI::App& app);

/// Help on a program or one of its commands, as wide as the terminal.
class HelpFormatter final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

/// Scripts that complete a program's commands, options, words and file names.
std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);

}  // namespace lrid::apps
