#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lrid/core/text.hpp>
#include <lrid/core/text_layout.hpp>

#include "declaration.hpp"
#include "layout.hpp"

namespace lrid::apps {

std::size_t columns() {
  std::size_t width = 80;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    width = size.ws_col;
  else if (const char* text = std::getenv("COLUMNS"); text != nullptr)
    if (const auto number = parse_number<std::uint64_t>(text)) width = *number;
  return std::clamp<std::size_t>(width, 60, 110);
}

std::string two_columns(const std::vector<Row>& rows, std::size_t indent, std::size_t gap) {
  constexpr std::size_t widest_name = 30;
  std::size_t name_width = 0;
  for (const Row& row : rows)
    if (const std::size_t width = text_width(row.name); width <= widest_name)
      name_width = std::max(name_width, width);
  const std::size_t start = indent + name_width + gap;
  std::string text;
  for (const Row& row : rows) {
    text += std::string(indent, ' ') + row.name;
    std::size_t at = indent + text_width(row.name);
    if (at + gap > start) {
      text += "\n";
      at = 0;
    }
    for (const std::string& line : wrap(row.text, columns() - start)) {
      text += std::string(start - at, ' ') + line + "\n";
      at = 0;
    }
  }
  return text;
}

namespace {

/// The first sentence, up to its first colon or semicolon.
std::string in_short(const std::string& description) {
  const std::size_t end = std::min({description.find(". "), description.find(": "), description.find("; ")});
  const std::string sentence = description.substr(0, end);
  return sentence.ends_with('.') ? sentence.substr(0, sentence.size() - 1) : sentence;
}

std::string usage(const CLI::App& app) {
  std::string arguments;
  if (!app.get_subcommands([](const CLI::App*) { return true; }).empty()) arguments = "COMMAND ";
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional())
      arguments += option->get_name() + (option->get_items_expected_max() > 1 ? "... " : " ");
  for (const CLI::Option* option : app.get_options())
    if (!option->get_positional() && option->get_required())
      arguments += option->get_name() + " " + value_name(*option) + " ";
  return two_columns({{"Usage: " + full_name(app), arguments + "[OPTIONS]"}}, 0, 1);
}

Row row_of(const CLI::Option& option) {
  std::string name = option.get_positional()       ? option.get_name()
                     : option.get_snames().empty() ? "    "
                                                   : "-" + option.get_snames().front() + ", ";
  if (!option.get_positional()) name += "--" + option.get_lnames().front();
  if (const std::string value = value_name(option); !value.empty() && !option.get_positional())
    name += " " + value;
  std::string help = option.get_description();
  if (std::string value = option.get_default_str(); !value.empty()) {
    if (value.starts_with('[')) value = value.substr(1, value.size() - 2);  // a list
    help += fmt::format(" [default: {}]", value);
  }
  return {name, help};
}

std::string options_table(const CLI::App& app, const std::string& title,
                          const std::function<bool(const CLI::Option&)>& belongs) {
  std::vector<Row> rows;
  for (const CLI::Option* option : app.get_options())
    if (is_shown(*option) && belongs(*option)) rows.push_back(row_of(*option));
  return rows.empty() ? "" : fmt::format("\n{}:\n{}", title, two_columns(rows, 2));
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string /*name*/,
                                     CLI::AppFormatMode /*mode*/) const {
  std::string text = usage(*app) + "\n";
  for (const std::string& line : wrap(app->get_description(), columns())) text += line + "\n";
  std::vector<Row> commands;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
    commands.push_back({command->get_name(), in_short(command->get_description())});
  if (!commands.empty()) text += "\nCommands:\n" + two_columns(commands, 2);
  text += options_table(*app, "Arguments", [](const CLI::Option& option) { return option.get_positional(); });
  const auto is_common = [](const CLI::Option& option) { return option.get_group() == common_group; };
  text += options_table(*app, "Options", [&](const CLI::Option& option) {
    return !option.get_positional() && !is_common(option);
  });
  text += options_table(*app, common_group, is_common);
  if (!app->get_footer().empty()) text += "\n" + app->get_footer() + "\n";
  if (!commands.empty())
    text += fmt::format("\n{} COMMAND --help shows what a command takes.\n", full_name(*app));
  return text;
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  return split(type.substr(open + 1, close - open - 1), ',');
}

std::string value_name(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return "";
  if (const std::vector<std::string> choices = choices_of(option); !choices.empty())
    return "{" + join(choices, ",") + "}";
  return option.get_type_name();
}

bool is_shown(const CLI::Option& option) {
  return !option.get_group().empty();
}

std::string full_name(const CLI::App& app) {
  return (app.get_parent() == nullptr ? "" : full_name(*app.get_parent()) + " ") + app.get_name();
}

}  // namespace lrid::apps
