#include <algorithm>
#include <optional>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/metadata.hpp>

namespace lrid::identify {

namespace {

/// Orders numbers by size, then words alphabetically; layer positions along the network.
bool natural_less(const std::string& a, const std::string& b) {
  static const std::vector<std::string> positions = {"early", "middle", "deep"};
  const auto rank_a = std::ranges::find(positions, a), rank_b = std::ranges::find(positions, b);
  if (rank_a != positions.end() && rank_b != positions.end()) return rank_a < rank_b;
  const std::optional<double> x = parse_number<double>(a), y = parse_number<double>(b);
  if (x.has_value() && y.has_value()) return *x < *y;
  if (x.has_value() != y.has_value()) return x.has_value();
  return a < b;
}

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::ranges::find(values, value) != values.end();
}

}  // namespace

Metadata::Metadata(const io::SampleMeta& meta) : samples_(std::ssize(meta.network)) {
  const auto text = [](const auto& values, auto convert) {
    std::vector<std::string> column;
    column.reserve(values.size());
    for (const auto& value : values) column.push_back(convert(value));
    return column;
  };
  const auto seed = [](std::int64_t value) {
    return value < 0 ? std::string("none") : std::to_string(value);
  };
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  const auto position = [](std::uint8_t value) {
    return std::string(value == 0 ? "early" : value == 1 ? "middle" : value == 2 ? "deep" : "unknown");
  };
  columns_ = {{"architecture", meta.architecture},
              {"task", meta.task},
              {"dataset", meta.dataset},
              {"learning_rule", meta.learning_rule},
              {"layer", meta.layer},
              {"network", meta.network},
              {"layer_position", text(meta.layer_position, position)},
              {"batch_size", text(meta.batch_size, number)},
              {"model_seed", text(meta.model_seed, seed)},
              {"dataset_seed", text(meta.dataset_seed, seed)},
              {"noise", text(meta.noise, format_double)},
              {"unit_fraction", text(meta.unit_fraction, format_double)},
              {"units", text(meta.units, number)},
              {"noise_unit", meta.noise_unit}};
  if (meta.units.empty()) columns_["units"].assign(meta.network.size(), "0");
  if (meta.noise_unit.empty()) columns_["noise_unit"].assign(meta.network.size(), "absolute");
  std::vector<std::string>&setting = columns_["setting"], &supervision = columns_["supervision"];
  for (std::size_t i = 0; i < meta.network.size(); ++i) {
    setting.push_back(
        fmt::format("b{}_m{}_d{}", meta.batch_size[i], seed(meta.model_seed[i]), seed(meta.dataset_seed[i])));
    supervision.emplace_back(meta.task[i] == "simclr" ? "self-supervised" : "supervised");
  }
}

const std::vector<std::string>& Metadata::column_names() {
  static const std::vector<std::string> names = {
      "architecture",   "task",       "dataset",    "learning_rule", "layer", "network",
      "layer_position", "batch_size", "model_seed", "dataset_seed",  "noise", "unit_fraction",
      "units",          "noise_unit", "setting",    "supervision"};
  return names;
}

const std::vector<std::string>& Metadata::column(const std::string& name) const {
  const auto found = columns_.find(name);
  if (found == columns_.end())
    bad_input("unknown metadata column \"{}\": expected {}", name, expected_one_of(column_names(), name));
  return found->second;
}

std::vector<std::string> Metadata::values(const std::string& name, const Rows& rows) const {
  const std::vector<std::string>& all = column(name);
  std::set<std::string> distinct;
  for (const std::int64_t row : rows) distinct.insert(all[to_size(row)]);
  std::vector<std::string> result(distinct.begin(), distinct.end());
  std::ranges::stable_sort(result, natural_less);
  return result;
}

Filter Filter::only(const std::string& column, std::vector<std::string> values) const {
  Filter result = *this;
  result.terms_.push_back({column, std::move(values), true});
  return result;
}

Filter Filter::without(const std::string& column, std::vector<std::string> values) const {
  Filter result = *this;
  result.terms_.push_back({column, std::move(values), false});
  return result;
}

Rows Filter::rows(const Metadata& metadata) const {
  std::vector<const std::vector<std::string>*> columns;
  for (const Term& term : terms_) columns.push_back(&metadata.column(term.column));
  Rows result;
  for (std::int64_t row = 0; row < metadata.samples(); ++row) {
    bool passes = true;
    for (std::size_t t = 0; t < terms_.size() && passes; ++t)
      passes = contains(terms_[t].values, (*columns[t])[to_size(row)]) == terms_[t].accept;
    if (passes) result.push_back(row);
  }
  return result;
}

std::string Filter::describe() const {
  constexpr std::size_t most_named = 12;
  if (terms_.empty()) return "everything";
  std::vector<std::string> parts;
  for (const Term& term : terms_)
    parts.push_back(term.column + (term.accept ? " is " : " is not ") +
                    (term.values.size() > most_named ? fmt::format("one of {}", term.values.size())
                                                     : join(term.values, " or ")));
  return join(parts, ", ");
}

std::vector<int> Target::labels_of(const Rows& rows) const {
  std::vector<int> result;
  result.reserve(rows.size());
  for (const std::int64_t row : rows) result.push_back(labels[to_size(row)]);
  return result;
}

Target Target::of(const Metadata& metadata, const std::string& column, const Rows& pool) {
  Target target{.column = column,
                .classes = metadata.values(column, pool),
                .labels = std::vector<int>(to_size(metadata.samples()), -1)};
  if (target.classes.size() < 2)
    bad_input("target: {} with the same {}{}: expected at least two classes", counted(pool.size(), "sample"),
              column, target.classes.empty() ? "" : " (" + target.classes.front() + ")");
  const std::vector<std::string>& values = metadata.column(column);
  for (const std::int64_t row : pool) {
    const std::size_t r = to_size(row);
    target.labels[r] =
        static_cast<int>(std::ranges::find(target.classes, values[r]) - target.classes.begin());
  }
  return target;
}

}  // namespace lrid::identify
