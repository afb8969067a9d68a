#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

namespace lrid {

/// A table of named things (learning rules, architectures, tasks, classifiers, experiments). Each library
/// fills its table from an explicit list, because the linker drops static initialisers that nothing refers
/// to. `Entry` has at least `std::string name` and `std::string summary`.
template <class Entry>
class Registry {
 public:
  Registry(std::string kind, std::vector<Entry> entries)
      : kind_(std::move(kind)), entries_(std::move(entries)) {}

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const Entry& entry : entries_) result.push_back(entry.name);
    return result;
  }
  [[nodiscard]] bool contains(std::string_view name) const {
    return std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.name == name; });
  }
  /// Returns the entry of that name, or throws InputError with the known names and the nearest.
  [[nodiscard]] const Entry& at(std::string_view name) const {
    for (const Entry& entry : entries_)
      if (entry.name == name) return entry;
    bad_input("unknown {} \"{}\": expected {}", kind_, name, expected_one_of(names(), name));
  }

 private:
  std::string kind_;
  std::vector<Entry> entries_;
};

}  // namespace lrid
