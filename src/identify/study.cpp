#include "study.hpp"

#include <algorithm>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/transform.hpp>

namespace lrid::identify {

Study::Study(const Protocol& protocol, const io::Dataset& data, std::string file)
    : protocol_(protocol),
      data_(data),
      file_(std::move(file)),
      metadata_(std::make_shared<Metadata>(with_equal_networks_merged(data, notes_))) {
  if (data.samples == 0) bad_input("{}: has no samples: expected a dataset with some of each class", file_);
  for (const auto& [column, values] : protocol_.only) {
    if (values.empty()) continue;
    pool_ = pool_.only(column, values);
    if (pool_.rows(*metadata_).empty())
      bad_input("{}: no samples left by [filter] {}: expected some whose {}", file_, column,
                pool_.describe());
  }
  pool_rows_ = pool_.rows(*metadata_);
  target_ = std::make_shared<Target>(Target::of(*metadata_, protocol_.target, pool_rows_));
  const std::vector<std::string> architectures = metadata_->values("architecture", pool_rows_);
  if (std::ranges::any_of(architectures, [](const std::string& name) { return name.starts_with("ResNet"); }))
    note("each observed layer of a ResNet is linear: its activity change is a statistic of the kernel alone");
  if (std::ssize(pool_rows_) < data.samples)
    note(fmt::format("{} of the dataset's {} samples used: {}", pool_rows_.size(), data.samples,
                     pool_.describe()));
}

io::SampleMeta with_equal_networks_merged(const io::Dataset& data, std::vector<std::string>& notes) {
  io::SampleMeta meta = data.meta;
  std::map<std::string, std::vector<std::string>> layers;  // network → contents of its layers
  const std::size_t length = to_size(data.points) * data.observable_names.size();
  for (std::size_t i = 0; i < meta.network.size(); ++i)
    layers[meta.network[i]].push_back(
        fmt::format("{}|{}|{}|{}|", meta.architecture[i], meta.layer[i], meta.noise[i],
                    meta.unit_fraction[i]) +
        std::string(reinterpret_cast<const char*>(data.x.data() + i * length), length * sizeof(float)));
  std::map<std::string, std::string> name_of, merged;  // contents → first name; name → new name
  std::vector<std::string> pairs;
  for (auto& [network, contents] : layers) {
    std::ranges::sort(contents);
    const auto [first, is_new] = name_of.try_emplace(sha256(join(contents, "\n")), network);
    if (is_new) continue;
    merged[network] = first->second;
    pairs.push_back(network + " (as " + first->second + ")");
  }
  if (merged.empty()) return meta;
  notes.push_back(fmt::format("{} {} with it: {}", counted(pairs.size(), "network"),
                              pairs.size() == 1 ? "has the same statistics as another and counts as one"
                                                : "have the same statistics as another and count as one",
                              join(pairs, ", ")));
  for (std::string& network : meta.network)
    if (const auto found = merged.find(network); found != merged.end()) network = found->second;
  return meta;
}

void apply_transform(const Protocol& protocol, std::vector<Condition>& conditions) {
  using Table = std::shared_ptr<const FeatureTable>;
  std::map<Table, Table> done;  // conditions share tables
  const auto apply = [&](Table& table) {
    const std::string& untransformed = transforms().entries().front().name;
    if (table->layout.transform != untransformed) return;
    const bool drop_position = table->layout.with_position && !protocol.position;
    if (protocol.transform == untransformed && !drop_position) return;
    Table& result = done[table];
    if (result == nullptr) {
      FeatureTable changed = table->transformed(protocol.transform);
      result =
          std::make_shared<FeatureTable>(drop_position ? changed.without_position() : std::move(changed));
    }
    table = result;
  };
  for (Condition& condition : conditions) {
    apply(condition.train);
    for (Test& test : condition.tests) apply(test.table);
  }
}

std::vector<SplitKind> Study::split_kinds() const {
  std::vector<SplitKind> kinds;
  for (const std::string& name : protocol_.split) kinds.push_back(split_kind(name));
  return kinds;
}

std::shared_ptr<const FeatureTable> Study::table(const std::string& measure) {
  std::shared_ptr<const FeatureTable>& table = tables_[measure];
  if (table == nullptr) table = table_of(observables_of_measure(measure));
  return table;
}

std::shared_ptr<const FeatureTable> Study::table_of(const std::vector<std::string>& observables) const {
  auto table = std::make_shared<FeatureTable>(FeatureTable::of_observables(data_, metadata_, observables));
  table->require_finite(pool_rows_, file_);
  if (const std::string found = table->outliers(pool_rows_, file_); !found.empty()) spdlog::warn("{}", found);
  return table;
}

SplitRequest Study::request(SplitKind kind, const Filter& train, const Filter& test) const {
  return {.kind = kind,
          .splits = static_cast<int>(protocol_.splits),
          .inner_folds = static_cast<int>(protocol_.inner_folds),
          .train = train,
          .test = test};
}

namespace {

/// The names of a filter's networks, in order.
std::string networks_of(const Filter& filter, const Metadata& metadata) {
  std::set<std::string> names;
  for (const std::int64_t row : filter.rows(metadata)) names.insert(metadata.column("network")[to_size(row)]);
  return fmt::format("{}", fmt::join(names, "\n"));
}

}  // namespace

Key Study::plan_key(const SplitRequest& request) const {
  return Key(static_cast<std::uint64_t>(protocol_.seed), "splits")
      .with(name_of(request.kind))
      .with(networks_of(request.train, *metadata_))
      .with(networks_of(request.test, *metadata_));
}

std::shared_ptr<const SplitPlan> Study::plan(SplitKind kind, const Filter& train, const Filter& test,
                                             const Target& target) const {
  const SplitRequest asked = request(kind, train, test);
  return std::make_shared<SplitPlan>(SplitPlan::make(asked, *metadata_, target, plan_key(asked)));
}

}  // namespace lrid::identify
