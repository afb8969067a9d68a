// What all programs have in common: help, version, complaints about the command line, completion.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/text.hpp>
#include <lrid/core/text_layout.hpp>
#include <lrid/core/version.hpp>

#include "testing.hpp"

namespace lrid {
namespace {

using testing::CommandResult;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Programs : public ::testing::TestWithParam<std::string> {
 protected:
  static CommandResult run(const std::string& arguments, const std::string& before = "") {
    return testing::run_command(
        fmt::format("{} '{}' {}", before, testing::program(GetParam()).string(), arguments));
  }
  /// The names under "Commands:".
  static std::vector<std::string> commands() {
    const std::string help = run("--help").out;
    const std::size_t begin = help.find("Commands:\n") + 10;
    std::vector<std::string> names;
    for (const std::string& line : split(help.substr(begin, help.find("\n\n", begin) - begin), '\n'))
      if (!line.starts_with("   ")) names.push_back(split(line.substr(2), ' ').front());
    return names;
  }
};

TEST_P(Programs, HelpOfEveryCommandHasOneLayoutAndKeepsToTheWidth) {
  ASSERT_GE(commands().size(), 5U);
  EXPECT_THAT(run("--help").out, StartsWith("Usage: " + GetParam() + " COMMAND [OPTIONS]\n\n"));
  for (const std::string& command : commands())
    for (const int width : {80, 120}) {
      const CommandResult help = run(command + " --help", fmt::format("COLUMNS={}", width));
      EXPECT_EQ(help.exit_code, 0) << help.err;
      EXPECT_THAT(help.out, StartsWith("Usage: " + GetParam() + " " + command + " "));
      EXPECT_THAT(help.out, HasSubstr("\nCommon options:\n  -h, --help"));
      EXPECT_THAT(help.out, HasSubstr("\nExamples:\n  " + GetParam() + " "));
      for (const std::string& line : split(help.out, '\n'))
        EXPECT_LE(text_width(line), static_cast<std::size_t>(width)) << line;
    }
}

TEST_P(Programs, VersionNamesRevisionAndCompiler) {
  EXPECT_EQ(run("--version").out, software() + "\n");
  EXPECT_EQ(run(commands().front() + " --version").out, software() + "\n");
}

TEST_P(Programs, WithoutACommandHelpGoesToStderr) {
  for (const char* arguments : {"", "--quiet"}) {
    const CommandResult nothing = run(arguments);
    EXPECT_EQ(nothing.exit_code, 2);
    EXPECT_EQ(nothing.out, "");
    EXPECT_EQ(nothing.err, run("--help").out);
  }
}

TEST_P(Programs, WordsThatNobodyDeclaredGetTheNearest) {
  const auto complaint = [](const std::string& arguments) {
    const CommandResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  };
  for (const std::string& command : commands()) {
    EXPECT_THAT(complaint(command + "x --out a"), HasSubstr("(nearest: " + command + ")"));
    EXPECT_THAT(complaint(command + " --thraeds 3"),
                HasSubstr("unknown option --thraeds: the nearest is --threads"));
    EXPECT_THAT(complaint(command + " --threads"), HasSubstr("--threads"));
  }
  EXPECT_THAT(complaint("--threads x " + commands().front()), HasSubstr("--threads = x: expected a number"));
  EXPECT_THAT(complaint("--log-level lound " + commands().front()),
              HasSubstr("expected one of trace, debug"));
}

TEST_P(Programs, BashCompletesCommandsOptionsAndValues) {
  const testing::TemporaryFolder folder;
  const auto complete = [&](const std::string& words) {
    const std::vector<std::string> all = split(words, ' ');
    const CommandResult result = testing::run_command(fmt::format(
        "bash -c 'compopt() {{ :; }}; source <(\"{}\" --completion bash) && COMP_WORDS=({} {}) && "
        "COMP_CWORD={} && {} "
        "&& printf \"%s\\n\" \"${{COMPREPLY[@]}}\"'",
        testing::program(GetParam()).string(), GetParam(), words.ends_with(' ') ? words + "\"\"" : words,
        all.size(), "_lrid_" + GetParam().substr(5)));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return split(result.out, '\n');
  };
  for (const std::string& command : commands()) {
    EXPECT_THAT(complete(command.substr(0, command.size() - 1)), Contains(command));
    EXPECT_THAT(complete(command + " --th"), Contains("--threads"));
    EXPECT_THAT(complete(command + " --log-level wa"), Contains("warn"));
  }
}

TEST_P(Programs, ZshAcceptsItsCompletion) {
  const CommandResult result = testing::run_command(
      fmt::format("'{}' --completion zsh | zsh -n /dev/stdin", testing::program(GetParam()).string()));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(run("--completion zsh").out, StartsWith("#compdef " + GetParam() + "\n"));
}

std::vector<std::string> programs() {
#ifdef LRID_WITH_TORCH
  return {"lrid-observe", "lrid-classify", "lrid-train"};
#else
  return {"lrid-observe", "lrid-classify"};
#endif
}

INSTANTIATE_TEST_SUITE_P(All, Programs, ::testing::ValuesIn(programs()),
                         [](const auto& test) { return test.param.substr(5); });

}  // namespace
}  // namespace lrid
