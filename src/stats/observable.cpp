#include <algorithm>

#include <lrid/stats/observable.hpp>

namespace lrid::stats {

namespace {

struct Part {
  const char* name;
  int value;
};

/// The study's classifiers used the statistics that were finite in all of its networks (observables.md,
/// "Admissible 24"): no skew or kurtosis, and neither the variance nor the norm where squares overflowed.
bool is_admissible(Measure measure, Function function, Statistic statistic) {
  if (measure == Measure::layer_change) return true;
  if (statistic == Statistic::skew || statistic == Statistic::kurtosis) return false;
  if (measure == Measure::weight)
    return function != Function::square || (statistic != Statistic::norm && statistic != Statistic::variance);
  return function != Function::square && statistic != Statistic::variance;
}

std::vector<Observable> make_observables() {
  constexpr Part measures[] = {{"weight", static_cast<int>(Measure::weight)},
                               {"act", static_cast<int>(Measure::activation)}};
  constexpr Part functions[] = {{"raw", static_cast<int>(Function::raw)},
                                {"abs", static_cast<int>(Function::absolute)},
                                {"sq", static_cast<int>(Function::square)}};
  constexpr Part statistics[] = {{"norm", static_cast<int>(Statistic::norm)},
                                 {"mean", static_cast<int>(Statistic::mean)},
                                 {"var", static_cast<int>(Statistic::variance)},
                                 {"median", static_cast<int>(Statistic::median)},
                                 {"thirdquartile", static_cast<int>(Statistic::third_quartile)},
                                 {"skew", static_cast<int>(Statistic::skew)},
                                 {"kurtosis", static_cast<int>(Statistic::kurtosis)}};

  std::vector<Observable> result;
  const auto add = [&](const std::string& name, Measure measure, int function, int statistic) {
    const auto f = static_cast<Function>(function);
    const auto s = static_cast<Statistic>(statistic);
    result.push_back({name, measure, f, s, is_admissible(measure, f, s)});
  };
  for (const Part& measure : measures)
    for (const Part& function : functions)
      for (const Part& statistic : statistics)
        add(std::string(measure.name) + function.name + "_" + statistic.name,
            static_cast<Measure>(measure.value), function.value, statistic.value);
  for (const Part& function : functions)
    add(std::string("gradavg") + function.name + "_id", Measure::layer_change, function.value,
        static_cast<int>(Statistic::id));
  std::ranges::sort(result, {}, &Observable::name);
  return result;
}

}  // namespace

const std::vector<Observable>& observables() {
  static const std::vector<Observable> all = make_observables();
  return all;
}

int observable_index(std::string_view name) {
  const auto& all = observables();
  const auto found = std::ranges::lower_bound(all, name, {}, &Observable::name);
  return found != all.end() && found->name == name ? static_cast<int>(found - all.begin()) : -1;
}

int observable_index(Measure measure, Function function, Statistic statistic) {
  const auto& all = observables();
  const auto found = std::ranges::find_if(all, [&](const Observable& o) {
    return o.measure == measure && o.function == function && o.statistic == statistic;
  });
  return found != all.end() ? static_cast<int>(found - all.begin()) : -1;
}

}  // namespace lrid::stats
