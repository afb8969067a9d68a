#include "comparisons.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <lrid/identify/uncertainty.hpp>

namespace lrid::identify {

namespace {

namespace key = io::condition_key;

using Labels = std::map<std::string, io::ConditionValue>;

Labels without(Labels labels, const std::string& name) {
  labels.erase(name);
  return labels;
}

std::string text_at(const Labels& labels, const std::string& name) {
  const auto found = labels.find(name);
  if (found == labels.end()) return "";
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

/// What the two rows differ in, if they can be compared in that; a is set against b.
std::optional<std::string> differing(const io::ResultRow& a, const io::ResultRow& b) {
  const bool same_classifier = a.classifier == b.classifier;
  if (a.condition == b.condition) return same_classifier ? std::nullopt : std::optional("classifier");
  if (!same_classifier) return std::nullopt;
  for (const char* name : {key::measure, key::split, key::transform})
    if (a.condition.contains(name) && b.condition.contains(name) &&
        without(a.condition, name) == without(b.condition, name))
      return name;
  return std::nullopt;
}

/// Among the rows of the same classifier, measure and split, the one that `row` departs from; nothing if it
/// is that itself or there is none.
std::optional<std::size_t> point_of_departure(const std::vector<io::ResultRow>& rows, std::size_t row) {
  const Labels& condition = rows[row].condition;
  // The value from which each condition departs, given those that occur.
  const auto value_of = [&](const char* name, const auto& better) -> std::optional<io::ConditionValue> {
    std::optional<io::ConditionValue> best;
    for (const io::ResultRow& other : rows)
      if (const auto found = other.condition.find(name); found != other.condition.end())
        if (!best || better(found->second, *best)) best = found->second;
    return best;
  };
  Labels wanted = condition;
  const std::greater<> larger;
  const std::less<> smaller;
  for (const auto& [name, value] : condition) {
    std::optional<io::ConditionValue> base;
    if (name == key::train_points || name == key::test_points) base = std::string("all");
    if (name == key::unit_fraction) base = value_of(key::unit_fraction, larger);
    if (name == key::noise) base = value_of(key::noise, smaller);
    if (name == key::train_networks) base = value_of(key::train_networks, larger);
    if (name == key::matched) base = false;
    if (base) wanted[name] = *base;
  }
  if (wanted == condition)
    for (const char* name : {key::observables, key::position}) wanted.erase(name);
  if (wanted == condition) return std::nullopt;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].classifier == rows[row].classifier && rows[i].condition == wanted) return i;
  return std::nullopt;
}

}  // namespace

std::vector<io::RowComparison> compare_rows(const std::vector<io::ResultRow>& rows) {
  std::vector<std::optional<NetworkScores>> scores;
  for (const io::ResultRow& row : rows) scores.push_back(layer_scores(row));
  std::vector<io::RowComparison> result;
  std::map<std::string, std::vector<std::size_t>> families;  // compared in the same way → indices into result
  const auto add = [&](const std::string& about, std::size_t a, std::size_t b) {
    if (!scores[a] || !scores[b]) return;
    const auto found = difference(*scores[a], *scores[b]);
    if (!found) return;
    families[about + "|" + (about == key::split ? "" : text_at(rows[a].condition, key::split))].push_back(
        result.size());
    result.push_back({.about = about,
                      .a = a,
                      .b = b,
                      .difference = found->mean,
                      .interval = found->interval,
                      .p = found->p,
                      .p_holm = found->p,
                      .networks = found->networks});
  };
  for (std::size_t a = 0; a < rows.size(); ++a)
    for (std::size_t b = a + 1; b < rows.size(); ++b)
      if (const auto about = differing(rows[a], rows[b])) add(*about, a, b);
  for (std::size_t a = 0; a < rows.size(); ++a)
    if (const auto b = point_of_departure(rows, a)) add("condition", a, *b);
  for (const auto& [family, members] : families) {
    std::vector<double> p;
    for (const std::size_t i : members) p.push_back(result[i].p);
    const std::vector<double> corrected = holm(p);
    for (std::size_t i = 0; i < members.size(); ++i) result[members[i]].p_holm = corrected[i];
  }
  return result;
}

}  // namespace lrid::identify
