#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <lrid/core/app.hpp>

namespace lrid::apps {

/// An option by which an earlier version named a command, and the command line that replaced it.
struct Retired {
  std::string option, now;
};

/// A command's options, and the arguments that they fill.
template <class Arguments>
struct Command {
  CLI::App& options;
  Arguments& arguments;
};

/// A program made of commands, with one layout of help, one contract of errors (exit code 2 and one line that
/// names the option, what is wrong and what was expected) and the options that all commands have.
class Program {
 public:
  /// `examples` are command lines; what `retired` names ends with exit code 2 and the new spelling.
  Program(const std::string& name, const std::string& summary, const std::vector<std::string>& examples,
          std::vector<Retired> retired = {});

  /// Declares a command. `run` is called with the parsed arguments once logging and interrupts are set up;
  /// what it throws becomes the exit code, as run_app says.
  template <class Arguments>
  Command<Arguments> add(const std::string& name, const std::string& summary,
                         const std::vector<std::string>& examples,
                         void (*run)(const Arguments&, const CommonOptions&)) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App& options =
        add_command(name, summary, examples, [this, arguments, run] { run(*arguments, common_); });
    return {options, *arguments};
  }

  /// Parses the command line and runs its command; the exit code. Without a command it prints help to stderr
  /// and returns 2.
  int main(int argc, char** argv);

 private:
  CLI::App& add_command(const std::string& name, const std::string& summary,
                        const std::vector<std::string>& examples, const std::function<void()>& run);
  void add_common_options(CLI::App& app);
  void refuse_retired(const std::vector<std::string>& words) const;
  [[noreturn]] void refuse(const CLI::ParseError& error) const;

  CLI::App app_;
  CommonOptions common_;
  std::vector<Retired> retired_;
  std::function<void()> run_;  // the command's that was parsed
};

/// Checks that a value is one of these words; help and completion show them.
CLI::Validator one_of(std::vector<std::string> words);

/// An option that may be given several times, one value each.
CLI::Option* repeatable(CLI::Option* option);

/// A flag, or an option with a value, that prints a text and ends the program, whatever else is missing.
void add_printing_flag(CLI::App& app, const std::string& name, const std::string& help,
                       const std::function<std::string()>& text);
CLI::Option* add_printing_option(CLI::App& app, const std::string& name, const std::string& help,
                                 const std::function<std::string(const std::string&)>& text);

}  // namespace lrid::apps
