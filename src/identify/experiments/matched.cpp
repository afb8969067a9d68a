#include <algorithm>
#include <cmath>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

struct Network {
  std::string name;
  double accuracy;
};
using ByClass = std::vector<std::vector<Network>>;  // [class] networks by accuracy

/// A band of final accuracy and how many networks of each class lie in it.
struct Band {
  double low = 0, high = 0;
  std::vector<std::size_t> counts;  // [class]
  [[nodiscard]] std::size_t fewest() const { return counts.empty() ? 0 : *std::ranges::min_element(counts); }
};

bool inside(const Network& network, const Band& band) {
  return network.accuracy >= band.low && network.accuracy <= band.high;
}

/// The band of this width with the most networks of the class that has fewest there; the lowest of equals.
Band best_band(const ByClass& classes, double width) {
  Band best;
  for (const std::vector<Network>& starts : classes)
    for (const Network& start : starts) {
      Band band{start.accuracy, start.accuracy + width, {}};
      for (const std::vector<Network>& networks : classes)
        band.counts.push_back(static_cast<std::size_t>(
            std::ranges::count_if(networks, [&](const Network& network) { return inside(network, band); })));
      const bool lower = band.fewest() == best.fewest() && !best.counts.empty() && band.low < best.low;
      if (band.fewest() > best.fewest() || (lower && band.fewest() > 0)) best = band;
    }
  return best;
}

/// Is identification a disguise for "which rule learned better"? Only networks whose final accuracy lies in
/// the same narrow band, within each architecture and task; beside them as many networks of each class
/// whatever their accuracy, and what the final accuracy alone says within the bands.
class Matched : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("tolerance", tolerance_, Accepts::above(0), "width of the band of final accuracies");
  }

  std::vector<Condition> conditions(Study& study) const override {
    const std::vector<double>& accuracy = study.data().meta.final_accuracy;
    const std::size_t classes = study.target()->classes.size();
    const Metadata& metadata = *study.metadata();
    std::map<std::string, std::map<std::string, std::pair<double, int>>>
        strata;  // → network → accuracy, class
    for (const std::int64_t row : study.pool_rows()) {
      const auto r = static_cast<std::size_t>(row);
      if (std::isfinite(accuracy[r]))
        strata[metadata.column("architecture")[r] + " " + metadata.column("task")[r]]
              [metadata.column("network")[r]] = {accuracy[r], study.target()->labels[r]};
    }
    if (strata.empty())
      bad_input("matched: no sample has a final accuracy: expected some, as of supervised tasks");

    std::vector<std::string> matched, random, lines;
    std::size_t all = 0;
    for (const auto& [stratum, networks] : strata) {
      all += networks.size();
      ByClass by_class(classes);
      for (const auto& [name, what] : networks)
        by_class[static_cast<std::size_t>(what.second)].push_back({name, what.first});
      const Band band = best_band(by_class, tolerance_);
      if (band.fewest() == 0) {
        lines.push_back(stratum + ": none");
        continue;
      }
      std::vector<std::string> counts;
      for (std::size_t c = 0; c < classes; ++c) {
        counts.push_back(fmt::format("{} {}", study.target()->classes[c], band.counts[c]));
        std::vector<std::string> names;
        for (const Network& network : by_class[c]) {
          names.push_back(network.name);
          if (inside(network, band)) matched.push_back(network.name);
        }
        shuffle(names,
                Key(static_cast<std::uint64_t>(study.protocol().seed), "matched").with(stratum).with(c));
        random.insert(random.end(), names.begin(),
                      names.begin() + static_cast<std::ptrdiff_t>(band.counts[c]));
      }
      lines.push_back(
          fmt::format("{}: {:.3f} to {:.3f} ({})", stratum, band.low, band.high, join(counts, ", ")));
    }
    if (matched.empty())
      bad_input(
          "tolerance: within no architecture and task do networks of all classes end within {} of each "
          "other: expected "
          "a larger one",
          tolerance_);
    study.note(fmt::format("matched by final accuracy: {} of {} left; {}", matched.size(),
                           counted(all, "network"), join(lines, "; ")));

    std::vector<Condition> result;
    const auto scalar =
        std::make_shared<FeatureTable>(FeatureTable::of_scalar("final_accuracy", accuracy, study.metadata()));
    for (const SplitKind kind : study.split_kinds())
      for (const bool is_matched : {true, false}) {
        const Filter filter = study.pool().only("network", is_matched ? matched : random);
        const auto plan = study.plan(kind, filter, filter, *study.target());
        for (const std::string& measure : study.protocol().measures)
          result.push_back(Condition::on(
              {{key::measure, measure}, {key::split, name_of(kind)}, {key::matched, is_matched}},
              study.table(measure), study.target(), plan));
        result.push_back(Condition::on({{key::measure, std::string(io::measure_name::final_accuracy)},
                                        {key::split, name_of(kind)},
                                        {key::matched, is_matched}},
                                       scalar, study.target(), plan));
      }
    return result;
  }

 private:
  double tolerance_ = 0.05;
};

}  // namespace

std::unique_ptr<Experiment> make_matched() {
  return std::make_unique<Matched>();
}

}  // namespace lrid::identify
