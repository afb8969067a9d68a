#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/identify/transform.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

namespace key = io::condition_key;

/// Which features hold for networks of kinds never seen? Compares transforms of the trajectories on the same
/// splits: within the pool, and with each value of a metadata column (architecture, task, ...) left out of
/// training.
class Transforms : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("transforms", transforms_, Accepts::one_of(transforms().names()),
                "the transforms to compare");
    options.add("hold_out", column_, Accepts::one_of(Metadata::column_names()),
                "metadata column whose values are left out in turn");
    if (transforms_.empty()) options.fail("transforms", "is empty: expected at least one");
  }

  std::vector<Condition> conditions(Study& study) const override {
    if (column_ == study.protocol().target)
      bad_input("hold_out: {} is also the target: expected another column", column_);
    const std::vector<std::string> values = study.metadata()->values(column_, study.pool_rows());
    std::map<std::pair<std::string, std::string>, std::shared_ptr<const FeatureTable>> tables;
    for (const std::string& measure : study.protocol().measures)
      for (const std::string& transform : transforms_) {
        FeatureTable table = study.table(measure)->transformed(transform);
        tables[{measure, transform}] = std::make_shared<FeatureTable>(
            study.protocol().position ? std::move(table) : table.without_position());
      }
    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds()) {
      const auto add = [&](const std::shared_ptr<const SplitPlan>& plan, const Labels& labels) {
        for (const auto& [name, table] : tables) {
          Condition condition = Condition::on(labels, table, study.target(), plan);
          condition.labels[key::measure] = name.first;
          condition.labels[key::transform] = name.second;
          condition.labels[key::split] = name_of(kind);
          result.push_back(std::move(condition));
        }
      };
      add(study.plan(kind, study.pool(), study.pool(), *study.target()), {});
      if (values.size() < 2) continue;
      for (const std::string& value : values)
        add(study.plan(kind, study.pool().without(column_, {value}), study.pool().only(column_, {value}),
                       *study.target()),
            {{key::held_out, value}});
    }
    return result;
  }

 private:
  std::vector<std::string> transforms_ = {"none", "log_increments", "shape", "rank", "profile_sorted"};
  std::string column_ = "architecture";
};

}  // namespace

std::unique_ptr<Experiment> make_transforms() {
  return std::make_unique<Transforms>();
}

}  // namespace lrid::identify
