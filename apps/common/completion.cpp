#include <algorithm>

#include <fmt/format.h>

#include <lrid/core/text.hpp>

#include "declaration.hpp"

namespace lrid::apps {

namespace {

/// What may follow an option, or stand as an argument.
enum class Value { none, any, words, files, folders };

Value value_of(const CLI::Option& option) {
  if (!choices_of(option).empty()) return Value::words;
  const std::string name = option.get_positional() ? option.get_name() : value_name(option);
  if (name.empty()) return Value::none;
  if (name.starts_with("DIR")) return Value::folders;
  const std::size_t dot = name.rfind('.');  // of "RUN.h5", not of "X,..."
  const bool has_ending = dot != std::string::npos && dot + 1 < name.size();
  return name.starts_with("FILE") || has_ending ? Value::files : Value::any;
}

std::vector<const CLI::App*> commands_of(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> shown_options(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return is_shown(*option); });
}

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

/// The statement that completes a value in bash.
std::string bash_reply(const CLI::Option& option) {
  switch (value_of(option)) {
    case Value::words:
      return fmt::format("_lrid_reply -W '{}'", join(choices_of(option), " "));
    case Value::files:
      return "compopt -o filenames; _lrid_reply -f";
    case Value::folders:
      return "compopt -o filenames; _lrid_reply -d";
    case Value::none:
    case Value::any:
      break;
  }
  return "COMPREPLY=()";
}

/// The body of a case: values of options, then names of options, then arguments.
std::string bash_case(const CLI::App& app, const std::vector<std::string>& words) {
  std::string values, argument = fmt::format("_lrid_reply -W '{}'", join(words, " "));
  std::vector<std::string> names;
  for (const CLI::Option* option : shown_options(app)) {
    if (option->get_positional()) {
      argument = bash_reply(*option);
      continue;
    }
    const std::vector<std::string> spelt = spellings(*option);
    names.insert(names.end(), spelt.begin(), spelt.end());
    if (value_of(*option) != Value::none)
      values += fmt::format("        {}) {}; return ;;\n", join(spelt, "|"), bash_reply(*option));
  }
  return fmt::format(
      "      case $previous in\n{}      esac\n      if [[ $current == -* ]]; then _lrid_reply -W '{}'; else "
      "{}; fi ;;\n",
      values, join(names, " "), argument);
}

/// Text within single quotes of a zsh specification.
std::string zsh_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'')
      escaped += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      escaped += fmt::format("\\{}", c);
    else
      escaped += c;
  }
  return escaped;
}

std::string zsh_action(const CLI::Option& option) {
  switch (value_of(option)) {
    case Value::words:
      return "(" + join(choices_of(option), " ") + ")";
    case Value::files:
      return "_files";
    case Value::folders:
      return "_files -/";
    case Value::none:
    case Value::any:
      break;
  }
  return " ";
}

/// The arguments of _arguments for one program or command.
std::string zsh_specifications(const CLI::App& app, const std::string& indent) {
  std::string text;
  for (const CLI::Option* option : shown_options(app)) {
    if (option->get_positional()) {
      text += fmt::format(" \\\n{}'{}:{}:{}'", indent, option->get_items_expected_max() > 1 ? "*" : "1",
                          zsh_text(option->get_name()), zsh_action(*option));
      continue;
    }
    for (const std::string& name : spellings(*option)) {
      const bool repeats = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll &&
                           option->get_items_expected_max() > 1;
      text += fmt::format(" \\\n{}'{}{}", indent, repeats ? "*" : "", name);
      if (value_of(*option) == Value::none)
        text += fmt::format("[{}]'", zsh_text(option->get_description()));
      else
        text += fmt::format("=[{}]:{}:{}'", zsh_text(option->get_description()),
                            zsh_text(value_name(*option)), zsh_action(*option));
    }
  }
  return text;
}

}  // namespace

std::string bash_completion(const CLI::App& program) {
  const std::string& name = program.get_name();
  std::string function = "_" + name;
  std::ranges::replace(function, '-', '_');
  std::vector<std::string> commands;
  std::string cases;
  for (const CLI::App* command : commands_of(program)) {
    commands.push_back(command->get_name());
    cases += fmt::format("    {})\n{}", command->get_name(), bash_case(*command, {}));
  }
  return fmt::format(
      R"(# bash completion of {name}, printed by {name} --completion bash

_lrid_reply() {{ mapfile -t COMPREPLY < <(compgen "$@" -- "${{COMP_WORDS[COMP_CWORD]}}"); }}

{function}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command='' word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in {commands}) command=$word; break ;; esac
  done
  case $command in
{cases}    *)
{program}  esac
}}
complete -F {function} {name}
)",
      fmt::arg("name", name), fmt::arg("function", function), fmt::arg("commands", join(commands, "|")),
      fmt::arg("cases", cases), fmt::arg("program", bash_case(program, commands)));
}

std::string zsh_completion(const CLI::App& program) {
  const std::string& name = program.get_name();
  std::string described, cases;
  for (const CLI::App* command : commands_of(program)) {
    described += fmt::format("\n        '{}:{}'", command->get_name(), zsh_text(command->get_description()));
    cases += fmt::format("        {})\n          _arguments{} ;;\n", command->get_name(),
                         zsh_specifications(*command, "            "));
  }
  return fmt::format(
      R"(#compdef {name}
# zsh completion of {name}, printed by {name} --completion zsh

_{name}() {{
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C{options} \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=({described}
      )
      _describe command commands ;;
    argument)
      case $words[1] in
{cases}      esac ;;
  esac
}}

_{name} "$@"
)",
      fmt::arg("name", name), fmt::arg("options", zsh_specifications(program, "    ")),
      fmt::arg("described", described), fmt::arg("cases", cases));
}

}  // namespace lrid::apps
