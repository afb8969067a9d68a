#include "synthetic.hpp"

#include <string>

#include <lrid/core/random.hpp>
#include <lrid/identify/feature_table.hpp>

namespace lrid::testing {

io::Dataset tiny_dataset(int networks_each, std::int64_t points, double separation, std::uint64_t seed) {
  io::Dataset data;
  data.observable_names = identify::observables_of_measure("all");
  data.points = points;
  const auto k = static_cast<std::int64_t>(data.observable_names.size());
  const char* const rules[] = {"sgdm", "adam", "fa", "ia"};
  for (const std::uint64_t layers : {std::uint64_t{4}, std::uint64_t{5}}) {
    const std::string architecture = "KNet" + std::to_string(layers);
    for (std::uint64_t rule = 0; rule < 4; ++rule) {
      for (std::uint64_t network = 0; network < static_cast<std::uint64_t>(networks_each); ++network) {
        Stream of_network(Key(seed, "network", {layers, rule, network}));
        const double network_offset = 0.5 * of_network.normal();
        for (std::uint64_t layer = 0; layer < layers; ++layer) {
          data.meta.architecture.push_back(architecture);
          data.meta.task.emplace_back("cifar10");
          data.meta.dataset.emplace_back("cifar10");
          data.meta.learning_rule.emplace_back(rules[rule]);
          data.meta.layer.push_back("layer" + std::to_string(layer));
          data.meta.network.push_back(architecture + "/" + rules[rule] + "/" + std::to_string(network));
          data.meta.layer_position.push_back(layer == 0 ? 0 : layer + 1 < layers ? 1 : 2);
          data.meta.batch_size.push_back(network % 2 == 0 ? 32 : 64);
          data.meta.model_seed.push_back(-1);
          data.meta.dataset_seed.push_back(0);
          data.meta.noise.push_back(0);
          data.meta.unit_fraction.push_back(1);
          data.meta.final_accuracy.push_back(0.5 + 0.05 * static_cast<double>(rule) +
                                             0.05 * of_network.normal());
          Stream of_sample(Key(seed, "sample", {layers, rule, network, layer}));
          for (std::int64_t t = 0; t < points; ++t) {
            for (std::int64_t o = 0; o < k; ++o) {
              const Key effect(seed, "effect", {rule, static_cast<std::uint64_t>(o)});
              const double time = static_cast<double>(t) / static_cast<double>(points);
              data.x.push_back(static_cast<float>(separation * effect.normal(0) * time + network_offset +
                                                  static_cast<double>(layer) + of_sample.normal()));
            }
          }
          ++data.samples;
        }
      }
    }
  }
  return data;
}

}  // namespace lrid::testing
