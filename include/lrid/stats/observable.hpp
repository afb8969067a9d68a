#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace lrid::stats {

/// The measured quantity, the function of its values, and the statistic of the resulting set.
enum class Measure { weight, activation, layer_change };
enum class Function { raw, absolute, square };
enum class Statistic { norm, mean, variance, median, third_quartile, skew, kurtosis, id };

/// One observable statistic: a column of every file that lrid writes.
struct Observable {
  std::string name;  ///< as in the published dataset, e.g. "weightabs_median", "gradavgraw_id"
  Measure measure;
  Function function;
  Statistic statistic;
  bool admissible;  ///< one of the 24 that were finite across all networks of the study
};

inline constexpr int observable_count = 45;

/// The 45 observables in alphabetical order of name: the single source of column order.
/// Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", §3.
const std::vector<Observable>& observables();

/// Column of an observable by name, −1 if there is none of that name.
int observable_index(std::string_view name);
int observable_index(Measure measure, Function function, Statistic statistic);

/// One layer at one trajectory point: the 45 numbers in the order of observables().
using ObservableRow = std::array<double, observable_count>;

}  // namespace lrid::stats
