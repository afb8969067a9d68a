#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

namespace key = io::condition_key;

/// How robust is identification when only some units are recorded, or with noise (Nayebi et al. 2020, §6)?
/// Trains and tests at each level of the dataset.
class Imperfection : public Experiment {
 public:
  void declare(Options& /*options*/) override {}

  std::vector<Condition> conditions(Study& study) const override {
    const io::SampleMeta& meta = study.data().meta;
    std::set<std::pair<double, double>> levels;  // unit fraction, noise
    for (const std::int64_t row : study.pool_rows())
      levels.emplace(meta.unit_fraction[to_size(row)], meta.noise[to_size(row)]);
    if (levels.size() < 2)
      bad_input(
          "imperfection: all samples were measured alike (unit fraction {}, noise {}): expected a dataset "
          "with several levels, as made by lrid-train's [probe] unit_fraction and noise or lrid-observe "
          "remeasure",
          levels.begin()->first, levels.begin()->second);
    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds())
      for (const auto& [fraction, noise] : levels) {
        const Filter level = study.pool()
                                 .only("unit_fraction", {format_double(fraction)})
                                 .only("noise", {format_double(noise)});
        const auto plan = study.plan(kind, level, level, *study.target());
        for (const std::string& measure : study.protocol().measures)
          result.push_back(Condition::on({{key::measure, measure},
                                          {key::split, name_of(kind)},
                                          {key::unit_fraction, fraction},
                                          {key::noise, noise}},
                                         study.table(measure), study.target(), plan));
      }
    return result;
  }
};

}  // namespace

std::unique_ptr<Experiment> make_imperfection() {
  return std::make_unique<Imperfection>();
}

}  // namespace lrid::identify
