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

/// A value as written in a configuration file: TOML's scalars and arrays of them.
struct ConfigValue {
  using Array = std::vector<ConfigValue>;
  std::variant<bool, std::int64_t, double, std::string, Array> data;

  /// As TOML text.
  [[nodiscard]] std::string to_toml() const;
  bool operator==(const ConfigValue&) const = default;
};

/// Dotted keys with values and where each was written ("run.toml:12", "--set optimizer.momentum=2"), from
/// a TOML file and overrides on top of it. Knows nothing of what the keys mean: `Options` does.
class Config {
 public:
  struct Entry {
    ConfigValue value;
    std::string origin;
  };

  Config() = default;
  /// InputError with file and line for unreadable files and TOML errors. `name` stands for the file.
  static Config from_file(const std::filesystem::path& path);
  static Config from_toml(std::string_view text, const std::string& name);

  /// "key=value": the value is read as TOML, or taken as a string where it is no TOML (`--set task=cifar10`).
  void assign(std::string_view assignment);
  void assign(const std::string& key, ConfigValue value, std::string origin);
  void erase(const std::string& key) { entries_.erase(key); }

  [[nodiscard]] const Entry* find(const std::string& key) const;
  [[nodiscard]] const std::map<std::string, Entry>& entries() const { return entries_; }
  /// Takes the tables of an array of tables (`[[sweep]]`) out of the configuration, each as a Config; one
  /// plain table `[sweep]` counts as an array of one. What is not taken is unknown to `Options`.
  [[nodiscard]] std::vector<Config> take_tables(const std::string& name);
  [[nodiscard]] const std::map<std::string, std::vector<Config>>& tables() const { return tables_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::vector<Config>> tables_;
  std::string name_;
};

/// What an option accepts beyond its type. For lists, what each element must be.
struct Accepts {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;               ///< low itself is not accepted
  std::vector<std::string> choices{};  ///< for strings; empty: any

  static Accepts anything() { return {}; }
  static Accepts at_least(double low) { return {.low = low}; }
  static Accepts above(double low) { return {.low = low, .low_open = true}; }
  static Accepts between(double low, double high) { return {.low = low, .high = high}; }
  static Accepts one_of(std::vector<std::string> names) { return {.choices = std::move(names)}; }

  /// "a number ≥ 0", "one of a, b".
  [[nodiscard]] std::string describe(std::string_view type) const;
};

/// A seed as the user sets it: an integer 0…2^63−1, "none" (derived from everything that names the network)
/// or "random" (drawn from the system).
struct SeedSetting {
  enum class Kind { fixed, none, random } kind = Kind::none;
  std::int64_t value = 0;
  /// "none", "random" or the number.
  [[nodiscard]] std::string text() const;
  bool operator==(const SeedSetting&) const = default;
};

/// The options of one run. `add` declares an option and reads it in the same breath: the field's value is
/// the default and receives what the configuration says. What is declared is also what help prints and what
/// output files record, so there is one source of truth.
///
///     Options options(Config::from_file("run.toml"));
///     options.add("optimizer.momentum", momentum, Accepts::between(0, 1), "Nesterov momentum");
///     options.finish();                       // InputError for keys nobody declared
///
/// Field types: bool, int64_t, double, string, SeedSetting, vectors of int64_t, double or string, and
/// std::optional of these, whose empty value is written "auto". Numbers must be finite. Errors are
/// InputError with origin, key, and what is accepted.
class Options {
 public:
  explicit Options(Config config = {});

  template <class T>
  void add(const std::string& key, T& field, const Accepts& accepts, const std::string& help);

  /// Records the value that was chosen for a declared option ("auto", a derived seed), so that files hold
  /// what was used.
  void resolve(const std::string& key, const ConfigValue& value);

  /// InputError for a key of the configuration that no declaration has read, with the nearest known key.
  void finish() const;
  /// InputError about a declared key, with its origin (or "default") in front.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;
  [[nodiscard]] bool is_set(const std::string& key) const { return config_.find(key) != nullptr; }

  /// All declared options with their values: top-level keys first, then tables. Reads back to the same
  /// options.
  [[nodiscard]] std::string to_toml() const;
  /// Key → TOML text of its value, of all declared options.
  [[nodiscard]] const std::map<std::string, std::string>& values() const { return values_; }
  /// One line per option: key, default, what is accepted, help.
  [[nodiscard]] std::string help() const;
  /// The same for what `other` does not declare, or declares with another default.
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
