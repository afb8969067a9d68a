#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lrid {

/// A value as written in a configuration file: a scalar of TOML, or an array of values.
struct ConfigValue {
  using Array = std::vector<ConfigValue>;
  std::variant<bool, std::int64_t, double, std::string, Array> data;

  /// As TOML text.
  [[nodiscard]] std::string to_toml() const;
  bool operator==(const ConfigValue&) const = default;
};

/// Dotted keys with their values and where each was written ("run.toml:12", "--set"): a TOML file and the
/// overrides on top of it. `Options` knows what the keys mean.
class Config {
 public:
  struct Entry {
    ConfigValue value;
    std::string origin;
  };

  Config() = default;
  /// Reads TOML. Throws InputError with file (`name`) and line for an unreadable file or a syntax error.
  static Config from_file(const std::filesystem::path& path);
  static Config from_toml(std::string_view text, const std::string& name);

  /// Takes "key=value". The value is TOML, or a string without its quotes (`--set task=cifar10`).
  void assign(std::string_view assignment);
  void assign(const std::string& key, ConfigValue value, std::string origin);
  void erase(const std::string& key) { entries_.erase(key); }

  [[nodiscard]] const Entry* find(const std::string& key) const;
  [[nodiscard]] const std::map<std::string, Entry>& entries() const { return entries_; }
  /// Removes an array of tables (`[[sweep]]`) from the configuration and returns each table as a Config; a
  /// plain table `[sweep]` counts as an array of one. `Options` rejects the tables that nobody takes.
  [[nodiscard]] std::vector<Config> take_tables(const std::string& name);
  [[nodiscard]] const std::map<std::string, std::vector<Config>>& tables() const { return tables_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::vector<Config>> tables_;
  std::string name_;
};

/// Restricts what an option accepts beyond its type; in a list, restricts each element.
struct Accepts {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;               ///< excludes low itself
  std::vector<std::string> choices{};  ///< of strings; empty: any string

  static Accepts anything() { return {}; }
  static Accepts at_least(double low) { return {.low = low}; }
  static Accepts above(double low) { return {.low = low, .low_open = true}; }
  static Accepts between(double low, double high) { return {.low = low, .high = high}; }
  static Accepts one_of(std::vector<std::string> names) { return {.choices = std::move(names)}; }

  /// Returns "a number ≥ 0" or "one of a, b", for help and messages; `type` is "a number".
  [[nodiscard]] std::string describe(std::string_view type) const;
};

/// A seed as the user sets it: an integer 0…2^63−1, "none" (derived from everything that identifies the
/// network) or "random" (drawn by the system).
struct SeedSetting {
  enum class Kind { fixed, none, random } kind = Kind::none;
  std::int64_t value = 0;
  /// Returns "none", "random" or the number.
  [[nodiscard]] std::string text() const;
  bool operator==(const SeedSetting&) const = default;
};

/// The options of one run. `add` declares an option and reads it at once: the field holds the default and
/// receives the configured value. Help and output files list the same declarations, so there is one source
/// of truth.
///
///     Options options(Config::from_file("run.toml"));
///     options.add("optimizer.momentum", momentum, Accepts::between(0, 1), "Nesterov momentum");
///     options.finish();                       // InputError for keys nobody declared
///
/// Fields may be bool, int64_t, double, string, SeedSetting, vectors of int64_t, double or string, and
/// std::optional of scalars, whose empty value is written "auto". Numbers must be finite. Errors are
/// InputErrors with origin, key and what is accepted.
class Options {
 public:
  explicit Options(Config config = {});

  template <class T>
  void add(const std::string& key, T& field, const Accepts& accepts, const std::string& help);

  /// Records the value that a declared option resolved to (for "auto" or a derived seed), so that files hold
  /// the value in use.
  void resolve(const std::string& key, const ConfigValue& value);

  /// Throws InputError for a configured key that nobody declared, naming the nearest declared one.
  void finish() const;
  /// Throws InputError about a declared key, with its origin (or "default") in front.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;
  [[nodiscard]] bool is_set(const std::string& key) const { return config_.find(key) != nullptr; }

  /// Returns all declared options with their values as TOML, top-level keys first; it reads back to the same
  /// options.
  [[nodiscard]] std::string to_toml() const;
  /// Maps each declared key to its value as TOML.
  [[nodiscard]] const std::map<std::string, std::string>& values() const { return values_; }
  /// Returns all declared options by table: key, default, help and accepted values.
  [[nodiscard]] std::string help() const;
  /// The same for the options that `other` does not declare, or declares with another default.
  [[nodiscard]] std::string help_beyond(const Options& other) const;

 private:
  struct Declaration {
    std::string key, default_text, accepted, help;
  };
  Config config_;
  std::vector<Declaration> declarations_;
  std::map<std::string, std::string> values_;
};

}  // namespace lrid
