#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <type_traits>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/text.hpp>
#include <lrid/core/text_layout.hpp>

namespace lrid {

namespace {

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", c);
    else if (c == '\n')
      quoted += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += fmt::format("\\u{:04X}", static_cast<int>(c));
    else
      quoted += c;
  }
  return quoted + "\"";
}

ConfigValue convert(const toml::node& node, const std::string& where) {
  if (const auto* value = node.as_boolean()) return {value->get()};
  if (const auto* value = node.as_integer()) return {static_cast<std::int64_t>(value->get())};
  if (const auto* value = node.as_floating_point()) return {value->get()};
  if (const auto* value = node.as_string()) return {value->get()};
  if (const auto* array = node.as_array()) {
    ConfigValue::Array items;
    for (const toml::node& item : *array) items.push_back(convert(item, where));
    return {std::move(items)};
  }
  bad_input("{}: dates, times and inline tables are not accepted here", where);
}

std::string line_of(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

bool is_array_of_tables(const toml::node& node) {
  const auto* array = node.as_array();
  return array != nullptr && !array->empty() && array->is_homogeneous(toml::node_type::table);
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& file, Config& config) {
  for (auto&& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table())
      flatten(*inner, name + ".", file, config);
    else
      config.assign(name, convert(node, line_of(file, node) + ": " + name), line_of(file, node));
  }
}

// One overload set per option type: `read` assigns a value of that type and returns whether it is one;
// `write` is its inverse.

bool read(const ConfigValue& value, bool& field) {
  const bool* given = std::get_if<bool>(&value.data);
  if (given != nullptr) field = *given;
  return given != nullptr;
}
bool read(const ConfigValue& value, std::int64_t& field) {
  const std::int64_t* given = std::get_if<std::int64_t>(&value.data);
  if (given != nullptr) field = *given;
  return given != nullptr;
}
bool read(const ConfigValue& value, double& field) {
  if (const double* given = std::get_if<double>(&value.data))
    field = *given;
  else if (const std::int64_t* whole = std::get_if<std::int64_t>(&value.data))
    field = static_cast<double>(*whole);
  else
    return false;
  return std::isfinite(field);
}
bool read(const ConfigValue& value, std::string& field) {
  const std::string* given = std::get_if<std::string>(&value.data);
  if (given != nullptr) field = *given;
  return given != nullptr;
}
bool read(const ConfigValue& value, SeedSetting& field) {
  std::string word;
  if (read(value, field.value)) {
    field.kind = SeedSetting::Kind::fixed;
    return field.value >= 0;
  }
  if (!read(value, word) || (word != "none" && word != "random")) return false;
  field = {word == "none" ? SeedSetting::Kind::none : SeedSetting::Kind::random, 0};
  return true;
}
template <class T>
bool read(const ConfigValue& value, std::vector<T>& field) {
  const ConfigValue::Array* given = std::get_if<ConfigValue::Array>(&value.data);
  if (given == nullptr) return false;
  field.clear();
  for (const ConfigValue& item : *given) {
    T element{};
    if (!read(item, element)) return false;
    field.push_back(std::move(element));
  }
  return true;
}
template <class T>
bool read(const ConfigValue& value, std::optional<T>& field) {
  if (const std::string* word = std::get_if<std::string>(&value.data); word != nullptr && *word == "auto") {
    field.reset();
    return true;
  }
  T inner{};
  if (!read(value, inner)) return false;
  field = std::move(inner);
  return true;
}

ConfigValue write(bool field) {
  return {field};
}
ConfigValue write(std::int64_t field) {
  return {field};
}
ConfigValue write(double field) {
  return {field};
}
ConfigValue write(const std::string& field) {
  return {field};
}
ConfigValue write(const SeedSetting& field) {
  return field.kind == SeedSetting::Kind::fixed ? ConfigValue{field.value} : ConfigValue{field.text()};
}
template <class T>
ConfigValue write(const std::vector<T>& field) {
  ConfigValue::Array items;
  for (const T& item : field) items.push_back(write(item));
  return {std::move(items)};
}
template <class T>
ConfigValue write(const std::optional<T>& field) {
  return field ? write(*field) : ConfigValue{std::string("auto")};
}

std::string type_name(const bool&) {
  return "true or false";
}
std::string type_name(const std::int64_t&) {
  return "an integer";
}
std::string type_name(const double&) {
  return "a number";
}
std::string type_name(const std::string&) {
  return "a string";
}
std::string type_name(const SeedSetting&) {
  return "an integer 0…2^63−1, \"none\" or \"random\"";
}

// An option's type around the scalars that `Accepts` restricts.

template <class T>
struct TypeOf {
  static constexpr bool may_be_auto = false, is_list = false;
  static std::string describe(const Accepts& accepts) { return accepts.describe(type_name(T{})); }
};
template <class T>
struct TypeOf<std::vector<T>> {
  static constexpr bool may_be_auto = false, is_list = true;
  static std::string describe(const Accepts& accepts) {
    return "a list, each " + TypeOf<T>::describe(accepts);
  }
};
template <class T>
struct TypeOf<std::optional<T>> {
  static constexpr bool may_be_auto = true, is_list = TypeOf<T>::is_list;
  static std::string describe(const Accepts& accepts) {
    return "\"auto\" or " + TypeOf<T>::describe(accepts);
  }
};

bool acceptable(const ConfigValue& value, const Accepts& accepts) {
  if (const auto* items = std::get_if<ConfigValue::Array>(&value.data))
    return std::ranges::all_of(*items, [&](const ConfigValue& item) { return acceptable(item, accepts); });
  if (const auto* word = std::get_if<std::string>(&value.data))
    return accepts.choices.empty() || std::ranges::find(accepts.choices, *word) != accepts.choices.end();
  double number = 0;
  if (std::holds_alternative<bool>(value.data) || !read(value, number)) return true;
  return number <= accepts.high && (accepts.low_open ? number > accepts.low : number >= accepts.low);
}

std::string number_text(double value) {
  return std::floor(value) == value && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                              : format_double(value);
}

/// The value with quotes around each word that TOML would not take for a string; "" if it needs none.
std::string with_quotes(std::string_view value) {
  const std::set<std::string_view> keywords = {"true", "false", "inf", "nan"};
  constexpr std::string_view separators = " [],#\"'\t\r\n";
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  std::string text;
  bool added = false;
  for (std::size_t i = 0; i < value.size();) {
    if (value[i] == '#') break;  // a comment
    std::size_t end = i + 1;
    if (value[i] == '"' || value[i] == '\'')
      end = std::min(value.find(value[i], end), value.size() - 1) + 1;
    else if (separators.find(value[i]) == std::string_view::npos)
      end = std::min(value.find_first_of(separators, end), value.size());
    const std::string_view part = value.substr(i, end - i);
    const bool is_bare = is_letter(part.front()) && !keywords.contains(part);
    text += is_bare ? quote(part) : std::string(part);
    added = added || is_bare;
    i = end;
  }
  return added ? trim(text) : "";
}

/// The choice that the first other string among a value's is most likely meant to be, "" if none is near.
std::string nearest_choice(const ConfigValue& value, const std::vector<std::string>& choices) {
  if (const auto* items = std::get_if<ConfigValue::Array>(&value.data)) {
    for (const ConfigValue& item : *items)
      if (std::string near = nearest_choice(item, choices); !near.empty()) return near;
    return "";
  }
  const auto* word = std::get_if<std::string>(&value.data);
  const bool is_other = word != nullptr && std::ranges::find(choices, *word) == choices.end();
  return is_other ? nearest(*word, choices) : "";
}

/// A hint for what is not TOML because a string lacks its quotes: by far the most frequent reason, and one
/// that the parser takes for something else.
std::string quotes_hint(std::string_view text, const toml::parse_error& error) {
  const auto lines = split(text, '\n');
  const std::size_t line = error.source().begin.line;
  if (line < 1 || line > lines.size()) return "";
  const std::size_t equals = lines[line - 1].find('=');
  if (equals == std::string::npos) return "";
  const std::string quoted = with_quotes(std::string_view(lines[line - 1]).substr(equals + 1));
  return quoted.empty() ? "" : "; a string needs quotes: " + quoted;
}

/// Returns the text in lines of at most 100 columns, below a key.
std::string below_key(const std::string& text) {
  std::string lines;
  for (const std::string& line : wrap(text, 94)) lines += "      " + line + "\n";
  return lines;
}

template <class Declaration>
std::vector<std::string> keys_of(const std::vector<Declaration>& declarations) {
  std::vector<std::string> keys;
  for (const Declaration& declaration : declarations) keys.push_back(declaration.key);
  return keys;
}

/// The table that a key is in, "" for a top-level key.
std::string table_of(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

/// The tables of these keys in order of first appearance; top-level keys come before all tables, as in TOML.
std::vector<std::string> tables_of(const std::vector<std::string>& keys) {
  std::vector<std::string> tables;
  for (const std::string& key : keys)
    if (std::string table = table_of(key); std::ranges::find(tables, table) == tables.end())
      tables.insert(table.empty() ? tables.begin() : tables.end(), std::move(table));
  return tables;
}

}  // namespace

std::string SeedSetting::text() const {
  switch (kind) {
    case Kind::none:
      return "none";
    case Kind::random:
      return "random";
    case Kind::fixed:
      break;
  }
  return std::to_string(value);
}

std::string ConfigValue::to_toml() const {
  return std::visit(
      [](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          return value ? "true" : "false";
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return std::to_string(value);
        } else if constexpr (std::is_same_v<T, double>) {
          return format_double(value);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return quote(value);
        } else {
          std::vector<std::string> items;
          for (const ConfigValue& item : value) items.push_back(item.to_toml());
          return "[" + join(items, ", ") + "]";
        }
      },
      data);
}

Config Config::from_file(const std::filesystem::path& path) {
  return from_toml(read_text(path), path.string());
}

Config Config::from_toml(std::string_view text, const std::string& name) {
  Config config;
  config.name_ = name;
  toml::table root;
  try {
    root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    bad_input("{}:{}: {}, expected TOML{}", name, error.source().begin.line, std::string(error.description()),
              quotes_hint(text, error));
  }
  toml::table plain;
  for (auto&& [key, node] : root) {
    if (!is_array_of_tables(node)) continue;
    std::vector<Config>& tables = config.tables_[std::string(key.str())];
    for (const toml::node& item : *node.as_array()) {
      Config table;
      table.name_ = name;
      flatten(*item.as_table(), "", name, table);
      tables.push_back(std::move(table));
    }
  }
  for (const auto& [key, tables] : config.tables_) root.erase(key);
  flatten(root, "", name, config);
  return config;
}

void Config::assign(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string key = trim(assignment.substr(0, equals));
  if (equals == std::string_view::npos || key.empty()) bad_input("--set {}: expected key=value", assignment);
  const std::string text = trim(assignment.substr(equals + 1));
  ConfigValue value{text};
  try {
    const toml::table table = toml::parse("value = " + text);
    if (table.size() == 1) value = convert(*table.get("value"), "--set " + key);
  } catch (const toml::parse_error&) {
    // A bare word: a string without its quotes.
  }
  assign(key, std::move(value), "--set");
}

void Config::assign(const std::string& key, ConfigValue value, std::string origin) {
  entries_.insert_or_assign(key, Entry{std::move(value), std::move(origin)});
}

const Config::Entry* Config::find(const std::string& key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? nullptr : &entry->second;
}

std::vector<Config> Config::take_tables(const std::string& name) {
  std::vector<Config> result;
  if (const auto found = tables_.find(name); found != tables_.end()) {
    result = std::move(found->second);
    tables_.erase(found);
  }
  Config plain;
  plain.name_ = name_;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->first.starts_with(name + ".")) {
      plain.entries_.emplace(entry->first.substr(name.size() + 1), std::move(entry->second));
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
  if (!plain.entries_.empty()) result.push_back(std::move(plain));
  return result;
}

std::string Accepts::describe(std::string_view type) const {
  if (!choices.empty()) return "one of " + join(choices, ", ");
  std::string text(type);
  if (std::isfinite(low) && std::isfinite(high))
    text += fmt::format(" {}{}…{}", low_open ? "above " : "", number_text(low), number_text(high));
  else if (std::isfinite(low))
    text += fmt::format(" {} {}", low_open ? ">" : "≥", number_text(low));
  else if (std::isfinite(high))
    text += fmt::format(" ≤ {}", number_text(high));
  return text;
}

Options::Options(Config config) : config_(std::move(config)) {}

template <class T>
void Options::add(const std::string& key, T& field, const Accepts& accepts, const std::string& help) {
  using Type = TypeOf<T>;
  const std::string accepted = Type::describe(accepts);
  declarations_.push_back({key, write(field).to_toml(), accepted, help});
  if (const Config::Entry* entry = config_.find(key)) {
    const std::string* word = std::get_if<std::string>(&entry->value.data);
    const bool is_auto = Type::may_be_auto && word != nullptr && *word == "auto";
    if (!read(entry->value, field) || (!is_auto && !acceptable(entry->value, accepts))) {
      std::string hint;
      if (const std::string near = nearest_choice(entry->value, accepts.choices); !near.empty())
        hint = fmt::format(" (nearest: {})", near);
      else if (Type::is_list && word != nullptr && word->starts_with('['))
        hint = fmt::format("; strings in a list need quotes: --set '{}={}'", key, with_quotes(*word));
      bad_input("{}: {} = {}: expected {}{}", entry->origin, key, entry->value.to_toml(), accepted, hint);
    }
  }
  values_[key] = write(field).to_toml();
}

template void Options::add(const std::string&, bool&, const Accepts&, const std::string&);
template void Options::add(const std::string&, std::int64_t&, const Accepts&, const std::string&);
template void Options::add(const std::string&, double&, const Accepts&, const std::string&);
template void Options::add(const std::string&, std::string&, const Accepts&, const std::string&);
template void Options::add(const std::string&, SeedSetting&, const Accepts&, const std::string&);
template void Options::add(const std::string&, std::vector<std::int64_t>&, const Accepts&,
                           const std::string&);
template void Options::add(const std::string&, std::vector<double>&, const Accepts&, const std::string&);
template void Options::add(const std::string&, std::vector<std::string>&, const Accepts&, const std::string&);
template void Options::add(const std::string&, std::optional<bool>&, const Accepts&, const std::string&);
template void Options::add(const std::string&, std::optional<std::int64_t>&, const Accepts&,
                           const std::string&);
template void Options::add(const std::string&, std::optional<double>&, const Accepts&, const std::string&);
template void Options::add(const std::string&, std::optional<std::string>&, const Accepts&,
                           const std::string&);

void Options::resolve(const std::string& key, const ConfigValue& value) {
  const auto known = values_.find(key);
  if (known == values_.end()) throw std::logic_error("resolve of undeclared option " + key);
  known->second = value.to_toml();
}

void Options::finish() const {
  const std::vector<std::string> keys = keys_of(declarations_);
  const auto complain = [&](const std::string& origin, const std::string& key) {
    const std::string near = nearest(key, keys);
    bad_input("{}: unknown key {}: {}", origin, key,
              near.empty() ? "expected a key that --help lists" : "the nearest known key is " + near);
  };
  for (const auto& [key, entry] : config_.entries())
    if (!values_.contains(key)) complain(entry.origin, key);
  for (const auto& [name, tables] : config_.tables())
    if (!tables.empty()) complain(config_.name(), "[[" + name + "]]");
}

void Options::fail(const std::string& key, const std::string& message) const {
  const Config::Entry* entry = config_.find(key);
  const auto value = values_.find(key);
  bad_input("{}: {}{}: {}", entry != nullptr ? entry->origin : "default", key,
            value != values_.end() ? " = " + value->second : "", message);
}

std::string Options::to_toml() const {
  std::string text;
  const std::vector<std::string> keys = keys_of(declarations_);
  for (const std::string& table : tables_of(keys)) {
    if (!table.empty()) text += fmt::format("\n[{}]\n", table);
    for (const std::string& key : keys)
      if (table_of(key) == table)
        text += fmt::format("{} = {}\n", key.substr(table.empty() ? 0 : table.size() + 1), values_.at(key));
  }
  return text;
}

std::string Options::help() const {
  return help_beyond(Options());
}

std::string Options::help_beyond(const Options& other) const {
  std::vector<Declaration> shown;
  for (const Declaration& mine : declarations_) {
    const bool is_known = std::ranges::any_of(other.declarations_, [&](const Declaration& theirs) {
      return theirs.key == mine.key && theirs.default_text == mine.default_text;
    });
    if (!is_known) shown.push_back(mine);
  }
  std::string text;
  for (const std::string& table : tables_of(keys_of(shown))) {
    if (!table.empty()) text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", table);
    for (const auto& [key, default_text, accepted, help] : shown)
      if (table_of(key) == table)
        text += fmt::format("  {} = {}\n{}{}", key, default_text, below_key(help),
                            below_key("(" + accepted + ")"));
  }
  return text;
}

}  // namespace lrid
