// Steps that are recorded and replayed give the bits of steps that are not, for every learning rule: what
// changes from step to step lies where a replay finds it. The recorder is an imitation of CUDA graphs
// (dispatched_graph.hpp), so that this is known without a GPU; with one, CUDA's own is tested likewise.
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include <lrid/nn/checkpoint.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/train/arithmetic.hpp>
#include <lrid/train/cohort.hpp>
#include <lrid/train/stream_pool.hpp>
#include <lrid/train/task_pool.hpp>

#include "dispatched_graph.hpp"
#include "testing.hpp"

namespace lrid::train {
namespace {

using testing::DispatchedGraph;
/// All tensors of a network at its points, by the run's name.
using Snapshots = std::map<std::string, std::vector<std::vector<nn::NamedTensor>>>;

class SnapshotCallback : public TrainingCallback {
 public:
  explicit SnapshotCallback(std::vector<std::vector<nn::NamedTensor>>& points) : points_(points) {}
  /// Called at each point, before it is measured.
  static inline std::function<void()> at_point = [] {};

  Existing existing() override { return {}; }
  std::string find_fault() override { return ""; }
  bool restore(std::int64_t) override { return false; }
  void start(nn::Network&, const rules::LearningRule& rule, const tasks::Task&) override {
    // The state is that of the rule at any time, its tensors being the live ones.
    state_ = const_cast<rules::LearningRule&>(rule).state();
  }
  void begin_point(const Point&) override { at_point(); }
  nn::LayerSink sink() override {
    return [](std::size_t, const nn::Tensor&, const nn::Tensor&) {};
  }
  void end_point(const Point& point, const Metrics& metrics) override {
    std::vector<nn::NamedTensor> all = nn::tensors_of(point.network);
    all.insert(all.end(), state_.begin(), state_.end());
    for (nn::NamedTensor& tensor : all) tensor.tensor = tensor.tensor.detach().cpu().clone();
    all.push_back({"training loss", torch::tensor(point.index == 0 ? 0 : metrics.train_loss)});
    points_.push_back(std::move(all));
  }
  void save() override {}
  void finish(const std::string& failure) override { EXPECT_EQ(failure, ""); }

 private:
  std::vector<std::vector<nn::NamedTensor>>& points_;
  std::vector<nn::NamedTensor> state_;
};

/// Its recordings never succeed, so that all steps are done as they are.
class FailingGraph final : public DeviceGraph {
 public:
  void record(const std::function<void()>& work) override {
    DispatchedGraph().record(work);  // what that leaves on the host is the caller's to clean away
    TORCH_CHECK(false, "cannot record");
  }
  void replay() override { FAIL() << "was never recorded"; }
};

/// Another graph that counts.
class CountedGraph final : public DeviceGraph {
 public:
  explicit CountedGraph(std::unique_ptr<DeviceGraph> graph) : graph_(std::move(graph)) {}
  void record(const std::function<void()>& work) override { graph_->record(work); }
  void replay() override {
    graph_->replay();
    ++replays;
  }
  static inline std::int64_t replays = 0;  ///< of all of them

 private:
  std::unique_ptr<DeviceGraph> graph_;
};

/// Another graph, whose recording does what none may do: it waits for the device.
class SpoiledGraph final : public DeviceGraph {
 public:
  explicit SpoiledGraph(std::unique_ptr<DeviceGraph> graph) : graph_(std::move(graph)) {}
  void record(const std::function<void()>& work) override {
    graph_->record([&] {
      work();
      static_cast<void>(torch::ones({1}, torch::kCUDA).item<float>());
    });
  }
  void replay() override { FAIL() << "was never recorded"; }

 private:
  std::unique_ptr<DeviceGraph> graph_;
};

/// CUDA's graphs in wrappers.
template <class Wrapper>
MakeDeviceGraph wrapped(c10::Device device) {
  return [make = device_graphs(device)] { return std::make_unique<Wrapper>(make()); };
}

class StepReplayTest : public ::testing::TestWithParam<std::string> {
 protected:
  static inline std::optional<std::string> precision{};  ///< in place of the configuration's

  /// Trains a network, or one of each of `rules` in a cohort.
  static Snapshots train(const std::string& toml, const DeviceGraphs& graphs, bool record = true,
                         const std::string& device = "cpu", const std::vector<std::string>& rules = {}) {
    const testing::TemporaryFolder folder;
    Config config = Config::from_toml(
        "epochs = 4\npoints = 3\nbatch_size = 4\ndataset_seed = 0\n[data]\nfolder = \"cifar10-sample\"\n"
        "training_samples = 8\n[probe]\nsize = 4\n[validation]\nsamples = 4\n[compute]\nthreads = 1\n",
        "run.toml");
    config.assign("compute.device", {device}, "test");
    config.assign("compute.record_steps", {record}, "test");
    const Config more = Config::from_toml(toml, "test");
    for (const auto& [key, entry] : more.entries()) config.assign(key, entry.value, "test");
    std::vector<RunPlan> plans;
    if (rules.empty()) plans.push_back(make_plan(config, folder.path() / "run.h5", {}));
    for (const std::string& rule : rules) {
      config.assign("learning_rule", {rule}, "test");
      plans.push_back(make_plan(config, folder.path() / (rule + ".h5"), {}));
    }
    if (precision)
      for (RunPlan& plan : plans) plan.config.compute.precision = *precision;
    Snapshots snapshots;
    plans.front().config.compute.apply();
    at::set_num_threads(1);
    TaskPool pool(testing::source_dir() / "data", plans);
    const auto task = pool.get(plans.front());
    Cohort cohort(task, plans.front());
    for (const RunPlan& plan : plans)
      cohort.add(std::make_unique<NetworkRun>(
          plan, task, std::make_unique<SnapshotCallback>(snapshots[plan.name()]), nullptr, false, graphs));
    while (!cohort.runs().empty())
      cohort.step([](std::unique_ptr<NetworkRun>& run, const Cohort::MakeBatch& make_batch) {
        run->take_point_if_due(make_batch);
        if (run->finished())
          run.reset();
        else
          run->train(make_batch());
      });
    return snapshots;
  }
  static Snapshots replayed(const std::string& toml, const std::vector<std::string>& rules = {}) {
    const std::int64_t before = DispatchedGraph::replays;
    Snapshots snapshots = train(
        toml, [](c10::Device) { return [] { return std::make_unique<DispatchedGraph>(); }; }, true, "cpu",
        rules);
    EXPECT_GT(DispatchedGraph::replays, before) << "no step was replayed";
    return snapshots;
  }
  static Snapshots as_they_are(const std::string& toml, const std::vector<std::string>& rules = {}) {
    return train(
        toml, [](c10::Device) { return [] { return std::make_unique<FailingGraph>(); }; }, true, "cpu",
        rules);
  }
  static void expect_same(const Snapshots& a, const Snapshots& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, points] : a) {
      ASSERT_EQ(points.size(), 3U) << name;
      ASSERT_EQ(b.at(name).size(), 3U) << name;
      for (std::size_t point = 0; point < points.size(); ++point)
        for (std::size_t i = 0; i < points[point].size(); ++i)
          EXPECT_TRUE(points[point][i].tensor.equal(b.at(name)[point][i].tensor))
              << name << ": " << points[point][i].name << " at point " << point;
    }
  }
};

TEST_P(StepReplayTest, GivesTheSameBits) {
  const std::string rule = "learning_rule = \"" + GetParam() + "\"\n";
  const std::int64_t before = DispatchedGraph::replays;
  // The rate changes with each step.
  const std::string run = rule + "[schedule]\nunit = \"epochs\"\nwarmup = 2\ndrops = [3]\n";
  expect_same(replayed(run), as_they_are(run));
  EXPECT_EQ(DispatchedGraph::replays - before, 8 - 3);
}

INSTANTIATE_TEST_SUITE_P(Rules, StepReplayTest, ::testing::ValuesIn(rules::learning_rules().names()),
                         [](const auto& rule) { return rule.param; });

TEST_F(StepReplayTest, GivesTheSameBitsWithCoefficientsThatChange) {
  const std::string ia =
      "learning_rule = \"ia\"\n[rule]\nalpha_form = \"linear\"\nalpha_rate = 1e-3\nbeta_start = 0.5\n"
      "noise = \"normal\"\nschedule = \"drops\"\n";
  expect_same(replayed(ia), as_they_are(ia));
  const std::string kp =
      "learning_rule = \"kp\"\n[rule]\nalpha_form = \"exponential\"\nalpha_rate = 0.1\nnoise = \"uniform\"\n";
  expect_same(replayed(kp), as_they_are(kp));
}

TEST_F(StepReplayTest, GivesTheSameBitsWhereStepsTakeTurns) {
  const std::string turns = "learning_rule = \"sa\"\nepochs = 8\n[schedule]\nalternate = 1\n";
  expect_same(replayed(turns), as_they_are(turns));
}

TEST_F(StepReplayTest, GivesTheSameBitsForEveryArchitectureAndLoss) {
  for (const char* architecture : {"KNet5-LRN", "AlexNet", "ResNet-18v2"}) {  // AlexNet drops units
    const std::string network =
        std::string("architecture = \"") + architecture + "\"\nlearning_rule = \"ia\"\n";
    expect_same(replayed(network), as_they_are(network));
  }
  const std::string simclr = "task = \"simclr\"\nlearning_rule = \"adam\"\n[data]\nsize = 32\n";
  expect_same(replayed(simclr), as_they_are(simclr));
  const std::string wsn = "task = \"wsn\"\n[data]\nfolder = \"wsn-sample\"\n";
  expect_same(replayed(wsn), as_they_are(wsn));
  const std::string mixed = "learning_rule = \"ia\"\n[compute]\nprecision = \"bf16\"\n";
  expect_same(replayed(mixed), as_they_are(mixed));
}

TEST_F(StepReplayTest, GivesTheSameBitsInACohort) {
  const std::vector<std::string> rules = {"sgdm", "adam", "fa", "ia"};
  expect_same(replayed("", rules), as_they_are("", rules));
}

TEST_F(StepReplayTest, TheImitationRefusesToWaitForTheDevice) {
  const torch::Tensor x = torch::ones({3});
  DispatchedGraph graph;
  EXPECT_THROW(graph.record([&] { static_cast<void>(x.sum().item<double>()); }), c10::Error);
  EXPECT_THROW(graph.record([&] { static_cast<void>(x.nonzero()); }), c10::Error);
}

TEST_F(StepReplayTest, TheImitationKeepsHostValuesAndReadsTensorsAnew) {
  torch::Tensor x = torch::ones({3});
  const torch::Tensor sum = torch::zeros({3});
  double host = 2;
  DispatchedGraph graph;
  graph.record([&] { sum.add_(x * host); });
  EXPECT_TRUE(sum.equal(torch::zeros({3})));  // was taken note of, not done
  x.fill_(5);
  host = 100;
  graph.replay();
  EXPECT_TRUE(sum.equal(torch::full({3}, 10.0F)));
}

class CudaGraphTest : public StepReplayTest {
 protected:
  void SetUp() override {
    if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device here";
    if (!device_graphs(torch::kCUDA)) GTEST_SKIP() << "built without the CUDA toolkit";
  }
  void TearDown() override {
    SnapshotCallback::at_point = [] {};
    // For the table of scripts/gpu-run.sh.
    if (replays_ > 0) std::cout << "NOTE: " << replays_ << " steps replayed" << std::endl;
  }
  /// The same bits, all steps but the first few of `steps` replayed.
  void expect_same_bits(const std::string& toml, std::int64_t steps = 8) {
    SCOPED_TRACE(toml);
    CountedGraph::replays = 0;
    const Snapshots replayed = train(toml, wrapped<CountedGraph>, true, "cuda");
    EXPECT_EQ(CountedGraph::replays, steps - 3);
    replays_ += CountedGraph::replays;
    expect_same(replayed, train(toml, device_graphs, false, "cuda"));
  }

 private:
  std::int64_t replays_ = 0;
};

TEST_F(CudaGraphTest, GivesTheSameBitsForEveryRule) {
  for (const std::string& name : rules::learning_rules().names())
    expect_same_bits("learning_rule = \"" + name + "\"\n[compute]\ndeterministic = true\n");
}

TEST_F(CudaGraphTest, GivesTheSameBitsForEveryTask) {
  const std::string compute = "[compute]\ndeterministic = true\n";
  expect_same_bits("task = \"simclr\"\n[data]\nsize = 32\n" + compute);
  expect_same_bits("task = \"wsn\"\n[data]\nfolder = \"wsn-sample\"\n" + compute);
}

TEST_F(CudaGraphTest, AfterARecordingThatFailedMemoryStaysAsItIs) {
  std::vector<std::int64_t> reserved;
  SnapshotCallback::at_point = [&] {
    const auto stats = c10::getDeviceAllocator(torch::kCUDA)->getDeviceStats(0);
    reserved.push_back(stats.reserved_bytes[0].current);
  };
  const std::string run = "epochs = 500\npoints = 3\n[compute]\ndeterministic = true\n";  // 1000 steps
  const Snapshots spoiled = train(run, wrapped<SpoiledGraph>, true, "cuda");
  ASSERT_EQ(reserved.size(), 3U);
  EXPECT_EQ(reserved[1], reserved[2]);
  expect_same(spoiled, train(run, device_graphs, false, "cuda"));
  // The next network records as if nothing had been.
  expect_same_bits("[compute]\ndeterministic = true\n");
}

TEST(StreamPool, NobodyElseHasAStreamThatIsLent) {
  c10::StreamId made = 0;
  StreamPool pool([&](c10::Device device) { return c10::Stream(c10::Stream::UNSAFE, device, ++made); });
  const c10::Device gpu(torch::kCUDA, 0);
  std::vector<std::shared_ptr<const c10::Stream>> lent;
  std::set<c10::StreamId> ids;
  for (int i = 0; i < 100; ++i) ids.insert(lent.emplace_back(pool.lend(gpu))->id());
  EXPECT_EQ(ids.size(), 100U);
  const c10::StreamId given_back = lent[40]->id();
  lent.erase(lent.begin() + 40);
  EXPECT_EQ(pool.lend({torch::kCUDA, 1})->device_index(), 1);
  EXPECT_EQ(pool.lend(gpu)->id(), given_back);
  EXPECT_EQ(made, 101);
}

TEST_F(StepReplayTest, PointsAreExactWhereTrainingIsNot) {
  const at::Context& context = at::globalContext();
  int points = 0;
  SnapshotCallback::at_point = [&] {
    ++points;
    EXPECT_FALSE(context.allowTF32CuBLAS() || context.allowTF32CuDNN());
  };
  precision = "tf32";  // which the configuration takes for GPUs only
  train("", device_graphs);
  precision.reset();
  SnapshotCallback::at_point = [] {};
  EXPECT_EQ(points, 3);
  Compute tf32, exact;
  tf32.precision = "tf32";
  {
    const Arithmetic arithmetic(tf32, Arithmetic::For::training);
    EXPECT_TRUE(context.allowTF32CuBLAS() && context.allowTF32CuDNN());
  }
  // Of two jobs, neither gets the other's arithmetic.
  std::vector<std::thread> jobs;
  for (const auto what : {Arithmetic::For::training, Arithmetic::For::measuring})
    jobs.emplace_back([&, what] {
      for (int i = 0; i < 2000; ++i) {
        const Arithmetic arithmetic(tf32, what);
        EXPECT_EQ(context.allowTF32CuBLAS(), what == Arithmetic::For::training);
      }
    });
  for (std::thread& job : jobs) job.join();
  exact.apply();
}

}  // namespace
}  // namespace lrid::train
