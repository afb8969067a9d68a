// configs/study/ is the study's design: 1,056 networks with 20,736 observed layers (architectures.md, "Which
// architecture meets which task").
#include <map>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/nn/architecture.hpp>
#include <lrid/observe/observer_options.hpp>
#include <lrid/sweep/plans.hpp>
#include <lrid/train/build_network.hpp>

#include "testing.hpp"

namespace lrid::sweep {
namespace {

/// Shapes of the study's data.
const std::map<std::string, tasks::TaskShape> shapes = {{"cifar10", {3, 32, 32, 10, false}},
                                                        {"imagenet", {3, 224, 224, 1000, false}},
                                                        {"simclr", {3, 224, 224, 128, true}},
                                                        {"wsn", {1, 203, 400, 587, false}}};

/// The keys of lrid-train's recordings, which recipes may set.
void declare_observer(Options& options) {
  observe::ObserverOptions().declare(options);
}

TEST(Study, IsTheWholeDesign) {
  std::set<std::string> names;
  std::map<std::pair<std::string, std::string>, std::int64_t> networks;  // of each architecture and task
  for (const auto& [task, shape] : shapes) {
    if (!tasks::tasks().contains(task)) GTEST_SKIP() << "there is no task " << task;
    const auto file = testing::source_dir() / "configs/study" / (task + ".toml");
    for (const train::RunPlan& plan : expand_sweep(Config::from_file(file), "out", declare_observer)) {
      EXPECT_TRUE(names.insert(plan.name()).second) << plan.name();
      EXPECT_EQ(plan.config.points, 21);
      ++networks[{plan.config.architecture, task}];
    }
  }
  EXPECT_EQ(names.size(), 1056U);
  EXPECT_EQ(networks.size(), 22U);
  std::int64_t layers = 0;
  for (const auto& [pair, count] : networks) {
    EXPECT_EQ(count, 48);
    train::RunConfig config;
    config.architecture = pair.first;
    config.compute.device = "cpu";
    layers += count * std::ssize(train::build_network(config, shapes.at(pair.second))->layers());
  }
  EXPECT_EQ(layers, 20736);
}

TEST(Study, ANetworkLargerThanTheMachineIsRefused) {
  train::RunConfig config;
  config.architecture = "KNet4";
  config.compute.device = "cpu";
  // 3 TB: its first fully connected layer grows with the image.
  EXPECT_THAT(
      [&] {
        train::build_network(config, {3, 2240, 2240, 128, true});
      },
      ::testing::ThrowsMessage<std::runtime_error>(
          ::testing::StartsWith("out of memory: KNet4 for inputs of 2240 x 2240 pixels needs ")));
}

TEST(Study, RecipesAreValid) {
  for (const std::string name : {"base", "imagenet", "simclr", "wsn"})
    EXPECT_NO_THROW(train::make_plan(
        Config::from_file(testing::source_dir() / "configs/train" / (name + ".toml")), "out.h5", {}))
        << name;
}

TEST(Study, ItsNeighboursExpand) {
  for (const char* folder : {"configs/two-routes", "configs/smoke"})
    for (const auto& entry : std::filesystem::directory_iterator(testing::source_dir() / folder)) {
      SCOPED_TRACE(entry.path());
      Config config = Config::from_file(entry.path());
      if (const auto* task = config.find("task");
          task != nullptr && !tasks::tasks().contains(std::get<std::string>(task->value.data)))
        GTEST_SKIP() << "there is no task " << std::get<std::string>(task->value.data);
      EXPECT_GE(expand_sweep(std::move(config), "out", declare_observer).size(), 10U);
    }
}

}  // namespace
}  // namespace lrid::sweep
