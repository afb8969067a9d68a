#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// Nayebi et al. 2020, §6: what is left when only some units are recorded, and with noise? Trained and tested
/// at each level that the dataset has.
class Imperfection : public Experiment {
 public:
  void declare(Options& /*options*/) override {}

  std::vector<Condition> conditions(Study& study) const override {
    const io::SampleMeta& meta = study.data().meta;
    std::set<std::pair<double, double>> cells;  // unit fraction, noise
    for (const std::int64_t row : study.pool_rows())
      cells.emplace(meta.unit_fraction[static_cast<std::size_t>(row)],
                    meta.noise[static_cast<std::size_t>(row)]);
    if (cells.size() < 2)
      bad_input(
          "imperfection: all samples were measured alike (unit fraction {}, noise {}): expected a dataset "
          "with several "
          "levels, as lrid-train's [probe] unit_fraction and noise or lrid-observe remeasure make",
          cells.begin()->first, cells.begin()->second);
    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds())
      for (const auto& [fraction, noise] : cells) {
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
