#include "trajectories.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <lrid/core/index.hpp>

namespace lrid::identify {

std::vector<io::Results::MeanTrajectory> mean_trajectories(const FeatureTable& table, const Rows& rows,
                                                           const Target& target,
                                                           const std::vector<std::string>& observables) {
  const FeatureLayout& layout = table.layout;
  const Metadata& metadata = *table.metadata;
  std::map<std::string, Rows> layers;
  for (const std::int64_t row : rows) {
    const std::size_t r = to_size(row);
    layers[metadata.column("architecture")[r] + "|" + metadata.column("task")[r] + "|" +
           metadata.column("layer")[r]]
        .push_back(row);
  }

  const std::size_t classes = target.classes.size(), points = to_size(layout.points);
  std::vector<io::Results::MeanTrajectory> result;
  for (const std::string& observable : observables) {
    const std::int64_t k = std::ranges::find(layout.observables, observable) - layout.observables.begin();
    const std::int64_t first = layout.position_columns() + k * layout.points;
    const auto values = [&](std::int64_t row) {
      return table.x.row(row).segment(first, layout.points).cast<double>().array();
    };
    struct NetworkSum {
      std::size_t label = 0;
      double layers = 0;
      std::vector<double> z;  // [points]
    };
    std::map<std::string, NetworkSum> networks;
    for (const auto& [layer, members] : layers) {
      const double n = static_cast<double>(members.size()) * static_cast<double>(points);
      double mean = 0, variance = 0;
      for (const std::int64_t row : members) mean += values(row).sum() / n;
      for (const std::int64_t row : members) variance += (values(row) - mean).square().sum() / n;
      const double sd = variance > 0 ? std::sqrt(variance) : 1.0;
      for (const std::int64_t row : members) {
        const std::size_t c = to_size(target.labels[to_size(row)]);
        // A network whose layers differ in class counts in each.
        NetworkSum& network = networks[metadata.column("network")[to_size(row)] + "|" + std::to_string(c)];
        network.label = c;
        ++network.layers;
        network.z.resize(points, 0.0);
        for (std::size_t t = 0; t < points; ++t) network.z[t] += (values(row)(to_index(t)) - mean) / sd;
      }
    }
    std::vector<std::vector<double>> sum(classes, std::vector<double>(points, 0.0)), squares = sum;
    std::vector<double> count(classes, 0.0);
    for (const auto& [name, network] : networks) {
      ++count[network.label];
      for (std::size_t t = 0; t < points; ++t) {
        const double z = network.z[t] / network.layers;
        sum[network.label][t] += z;
        squares[network.label][t] += z * z;
      }
    }
    io::Results::MeanTrajectory trajectory{
        .observable = observable, .labels = target.classes, .mean = sum, .sem = sum};
    for (std::size_t c = 0; c < classes; ++c)
      for (std::size_t t = 0; t < points; ++t) {
        const double n = count[c], mean = sum[c][t] / n;
        trajectory.mean[c][t] = mean;
        trajectory.sem[c][t] =
            n > 1 ? std::sqrt(std::max(0.0, squares[c][t] / n - mean * mean) / (n - 1)) : 0.0;
      }
    result.push_back(std::move(trajectory));
  }
  return result;
}

}  // namespace lrid::identify
