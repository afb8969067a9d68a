#include "program.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>

#include "declaration.hpp"

namespace lrid::apps {

namespace {

void add_examples(CLI::App& app, const std::vector<std::string>& examples) {
  if (!examples.empty()) app.footer("Examples:\n  " + join(examples, "\n  "));
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

std::vector<const CLI::App*> commands_of(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    if (is_shown(*option))
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

/// "; see lrid-train run --help".
std::string see_help(const CLI::App& command) {
  return fmt::format("; see {} --help", full_name(command));
}

/// CLI11's message as ours: the option, what is wrong, what was expected.
std::string message_of(const CLI::ParseError& error, const CLI::App& command) {
  std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    for (const CLI::Option* option : command.get_options())
      if (message == option->get_name() + " is required")
        return fmt::format("{} is missing: expected {}{}", option->get_name(),
                           option->get_positional() ? option->get_description()
                                                    : option->get_name() + " " + value_name(*option),
                           see_help(command));
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    for (const CLI::Option* option : command.get_options())
      if (message.starts_with(option->get_name() + ": "))
        return fmt::format("{}: its value is missing, expected {} {}{}", option->get_name(),
                           option->get_name(), value_name(*option), see_help(command));
  }
  const std::string prefix = "Could not convert: ";
  if (message.starts_with(prefix)) message = message.substr(prefix.size()) + ": expected a number";
  return message + see_help(command);
}

}  // namespace

Program::Program(const std::string& name, const std::string& summary,
                 const std::vector<std::string>& examples, std::vector<Retired> retired)
    : app_(summary, name), retired_(std::move(retired)) {
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app_.require_subcommand(0, 1);
  add_examples(app_, examples);
  add_common_options(app_);
  app_.add_option_function<std::string>(
          "--completion",
          [this](const std::string& shell) {
            throw CLI::Success(shell == "bash" ? bash_completion(app_) : zsh_completion(app_),
                               CLI::ExitCodes::Success);
          },
          "print a script that completes command lines")
      ->check(one_of({"bash", "zsh"}))
      ->group("");
}

void Program::add_common_options(CLI::App& app) {
  app.set_help_flag("-h,--help", "print this help")->group(common_group);
  app.set_version_flag("--version", software(), "print version, revision and compiler")->group(common_group);
  app.add_option("--threads", common_.threads, "worker threads, 0: all cores")
      ->type_name("N")
      ->capture_default_str()
      ->group(common_group);
  app.add_option("--log-level", common_.log_level, "what is logged to stderr")
      ->check(one_of({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str()
      ->group(common_group);
  app.add_flag("--quiet", common_.quiet, "log errors only, show no progress")->group(common_group);
}

CLI::App& Program::add_command(const std::string& name, const std::string& summary,
                               const std::vector<std::string>& examples, const std::function<void()>& run) {
  CLI::App& command = *app_.add_subcommand(name, summary);
  add_examples(command, examples);
  add_common_options(command);
  command.callback([this, run] { run_ = run; });
  return command;
}

void Program::refuse_retired(const std::vector<std::string>& words) const {
  const std::vector<std::string> commands = names_of(commands_of(app_));
  const auto end = std::ranges::find_first_of(words, commands);  // from there on options are the command's
  for (const Retired& retired : retired_)
    for (auto word = words.begin(); word != end; ++word)
      if (*word == retired.option || word->starts_with(retired.option + "="))
        bad_input("{}: is now a command, expected {}", retired.option, retired.now);
}

void Program::refuse(const CLI::ParseError& error) const {
  const std::vector<CLI::App*> parsed = app_.get_subcommands();
  const CLI::App& command = parsed.empty() ? app_ : *parsed.front();
  // Words that nobody declared come first: what else is missing is often the same slip.
  if (const std::vector<std::string> unknown = command.remaining(); !unknown.empty()) {
    const std::string word = unknown.front().substr(0, unknown.front().find('='));
    if (word.starts_with('-')) {
      const std::string near = nearest(word, option_names(command));
      bad_input("unknown option {}{}{}", word, near.empty() ? "" : ": the nearest is " + near,
                see_help(command));
    }
    if (parsed.empty())
      bad_input("unknown command \"{}\": expected {}", word,
                expected_one_of(names_of(commands_of(app_)), word));
    bad_input("unexpected argument \"{}\"{}", unknown.front(), see_help(command));
  }
  bad_input("{}", message_of(error, command));
}

int Program::main(int argc, char** argv) {
  bool lacks_command = false;
  const int code = run_app(app_.get_name(), [&] {
    std::vector<std::string> words(argv + 1, argv + argc);
    refuse_retired(words);
    // Scripts ask for names with --list, as before there were commands.
    if (!words.empty() && words.front() == "--list") words.front() = "list";
    std::ranges::reverse(words);  // the order in which CLI11 takes them
    try {
      app_.parse(words);
    } catch (const CLI::CallForHelp&) {
      fmt::print("{}", app_.help());
      return;
    } catch (const CLI::Success& asked) {  // --version, printing flags
      fmt::print("{}\n", asked.what());
      return;
    } catch (const CLI::ParseError& error) {
      refuse(error);
    }
    if (!run_) {
      lacks_command = true;
      std::fputs(app_.help().c_str(), stderr);
      return;
    }
    common_.apply();
    run_();
  });
  return lacks_command ? static_cast<int>(ExitCode::bad_input) : code;
}

CLI::Validator one_of(std::vector<std::string> words) {
  const std::string shown = "{" + join(words, ",") + "}";
  return {[words = std::move(words)](std::string& word) {
            return std::ranges::find(words, word) != words.end()
                       ? std::string()
                       : fmt::format("{}: expected {}", word, expected_one_of(words, word));
          },
          shown, "one_of"};
}

CLI::Option* repeatable(CLI::Option* option) {
  return option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

// A callback runs before CLI11 checks what is required.
void add_printing_flag(CLI::App& app, const std::string& name, const std::string& help,
                       const std::function<std::string()>& text) {
  app.add_flag_callback(
      name, [text] { throw CLI::Success(text(), CLI::ExitCodes::Success); }, help);
}

CLI::Option* add_printing_option(CLI::App& app, const std::string& name, const std::string& help,
                                 const std::function<std::string(const std::string&)>& text) {
  return app.add_option_function<std::string>(
      name, [text](const std::string& value) { throw CLI::Success(text(value), CLI::ExitCodes::Success); },
      help);
}

}  // namespace lrid::apps
