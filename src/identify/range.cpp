#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <lrid/core/index.hpp>
#include <lrid/identify/range.hpp>
#include <lrid/io/results.hpp>

namespace lrid::identify {

namespace {

/// A quantity is the median over layers and points of an observable, or of its square over a second one: the
/// Euclidean norm squared over the mean square is the number of values.
struct Quantity {
  const char *name, *measure, *observable, *mean_square;
};

constexpr Quantity quantities[] = {
    {"weights", io::measure_name::weight, "weightabs_norm", nullptr},
    {"activations", io::measure_name::activation, "actabs_norm", nullptr},
    {"layer change", io::measure_name::layer_change, "gradavgabs_id", nullptr},
    {"number of weights", io::measure_name::weight, "weightabs_norm", "weightsq_mean"},
    {"number of units", io::measure_name::activation, "actabs_norm", "actsq_mean"},
};

}  // namespace

std::map<std::string, double> scales_of(const io::Dataset& data, const Rows& rows,
                                        const std::vector<std::string>& measures) {
  std::map<std::string, double> result;
  const std::size_t k_data = data.observable_names.size();
  const auto place = [&](const char* name) {
    return to_size(std::ranges::find(data.observable_names, name) - data.observable_names.begin());
  };
  for (const Quantity& quantity : quantities) {
    if (std::ranges::find(measures, quantity.measure) == measures.end()) continue;
    const std::size_t k = place(quantity.observable),
                      squares = quantity.mean_square == nullptr ? 0 : place(quantity.mean_square);
    if (std::max(k, squares) >= k_data) continue;
    std::vector<double> values;
    for (const std::int64_t row : rows)
      for (std::size_t t = 0; t < to_size(data.points); ++t) {
        const float* at = data.x.data() + (to_size(row) * to_size(data.points) + t) * k_data;
        const double norm = std::abs(static_cast<double>(at[k]));
        const double value =
            quantity.mean_square == nullptr ? norm : norm * norm / static_cast<double>(at[squares]);
        if (std::isfinite(value) && value > 0) values.push_back(std::log10(value));
      }
    if (values.empty()) continue;
    const auto middle = values.begin() + std::ssize(values) / 2;
    std::ranges::nth_element(values, middle);
    result[quantity.name] = *middle;
  }
  return result;
}

void widen(Ranges& ranges, const std::map<std::string, double>& scales) {
  for (const auto& [quantity, scale] : scales) {
    const auto [entry, is_new] = ranges.try_emplace(quantity, Range{scale, scale});
    entry->second.low = std::min(entry->second.low, scale);
    entry->second.high = std::max(entry->second.high, scale);
  }
}

std::vector<Outside> outside(const Ranges& ranges, const std::map<std::string, double>& scales) {
  static const double tolerance = std::log10(1.25);
  std::vector<Outside> result;
  for (const auto& [quantity, scale] : scales) {
    const auto range = ranges.find(quantity);
    if (range == ranges.end()) continue;
    const double below = range->second.low - scale, above = scale - range->second.high;
    if (std::max(below, above) <= tolerance) continue;
    const double factor = std::pow(10.0, std::max(below, above));
    result.push_back({quantity, fmt::format("{} {:.{}f} × {} the range of the training networks", quantity,
                                            factor, factor < 10 ? 1 : 0, below > above ? "below" : "above")});
  }
  return result;
}

}  // namespace lrid::identify
