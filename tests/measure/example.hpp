#pragma once

#include <string>

#include <lrid/io/trajectory.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::measure {

/// A complete trajectory of two layers and three points; every value says where it stands:
/// 1000·seed + 100·point + 50·layer + column.
inline io::Trajectory example_trajectory(std::int64_t seed, const std::string& rule = "fa") {
  io::Trajectory t;
  t.architecture = "KNet4";
  t.task = t.dataset = "cifar10";
  t.learning_rule = rule;
  t.batch_size = 128;
  t.model_seed = seed;
  t.dataset_seed = 77;
  t.dataset_seed_drawn = true;
  t.epochs = 1;
  t.status = "complete";
  t.probe_size = 512;
  t.probe_checksum = "abc";
  t.layers = {"conv1", "fc4"};
  t.layer_position = {0, 2};
  t.step = {0, 5, 10};
  t.epoch = {0, 0.5, 1};
  for (int point = 0; point < 3; ++point)
    for (int layer = 0; layer < 2; ++layer)
      for (int column = 0; column < stats::observable_count; ++column)
        t.observables.push_back(static_cast<float>(1000 * seed + 100 * point + 50 * layer + column));
  for (const char* name : {"train_loss", "train_accuracy", "validation_loss", "validation_accuracy"})
    t.metrics[name] = {0.1, 0.2, 0.3};
  return t;
}

}  // namespace lrid::measure
