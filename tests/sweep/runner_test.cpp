// Effects of one network's error on a sweep: which networks fail and which go on.
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <set>

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/sweep/plans.hpp>
#include <lrid/sweep/runner.hpp>

#include "testing.hpp"

namespace lrid::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = RunOutcome::Kind;

/// Files that callbacks keep, by the run's learning rule, and the fault to inject.
struct Kept {
  std::mutex mutex;
  std::map<std::string, train::Existing> files;
  std::function<void(const std::string& rule, std::int64_t point)> at_point = [](const auto&, auto) {};
  std::optional<c10::weak_intrusive_ptr<c10::TensorImpl>> batch{};  ///< of the last point
};

/// Keeps no trajectory, only the number of points and steps.
class CountingCallback : public train::TrainingCallback {
 public:
  CountingCallback(const train::RunPlan& plan, Kept& kept)
      : rule_(plan.config.learning_rule), toml_(plan.toml), kept_(kept) {}
  train::Existing existing() override {
    const std::lock_guard lock(kept_.mutex);
    return kept_.files[rule_];
  }
  std::string find_fault() override { return ""; }
  bool restore(std::int64_t points) override { return points <= existing().points; }
  void start(nn::Network&, const rules::LearningRule&, const tasks::Task&) override {}
  void begin_point(const train::Point& point) override {
    kept_.batch.emplace(point.next_batch().inputs.getIntrusivePtr());
    kept_.at_point(rule_, point.index);
  }
  nn::LayerSink sink() override {
    return [](std::size_t, const nn::Tensor&, const nn::Tensor&) {};
  }
  void end_point(const train::Point& point, const train::Metrics&) override {
    points_ = point.index + 1;
    step_ = point.step;
  }
  void save() override { keep(train::Existing::Kind::unfinished, ""); }
  void finish(const std::string& failure) override {
    keep(failure.empty() ? train::Existing::Kind::complete : train::Existing::Kind::failed, failure);
  }

 private:
  void keep(train::Existing::Kind kind, const std::string& reason) {
    train::Existing file;
    file.kind = kind;
    file.reason = reason;
    file.config = toml_;
    file.points = points_;
    file.step = step_;
    const std::lock_guard lock(kept_.mutex);
    kept_.files[rule_] = std::move(file);
  }
  std::string rule_, toml_;
  Kept& kept_;
  std::int64_t points_ = 0, step_ = 0;
};

class RunnerFaults : public ::testing::Test {
 protected:
  RunnerFaults() { options_.data_dir = testing::source_dir() / "data"; }
  std::vector<RunOutcome> run() {
    const auto plans = expand_sweep(
        Config::from_toml(
            "epochs = 2\npoints = 3\nbatch_size = 4\ndataset_seed = 0\n[data]\nfolder = \"cifar10-sample\"\n"
            "training_samples = 8\n[probe]\nsize = 4\n[validation]\nsamples = 4\n[compute]\n"
            "device = \"cpu\"\nthreads = 1\n[sweep]\nlearning_rule = [\"sgdm\", \"fa\", \"ia\"]\n",
            "sweep.toml"),
        folder_.path(), {});
    return run_all(plans, options_,
                   [&](const train::RunPlan& plan) -> std::unique_ptr<train::TrainingCallback> {
                     return std::make_unique<CountingCallback>(plan, kept_);
                   });
  }
  static std::vector<Kind> kinds(const std::vector<RunOutcome>& outcomes) {
    std::vector<Kind> result;
    for (const RunOutcome& outcome : outcomes) result.push_back(outcome.kind);
    return result;
  }

  const testing::TemporaryFolder folder_;
  RunnerOptions options_;
  Kept kept_;
};

TEST_F(RunnerFaults, AGpusErrorFailsTheNetworkThatMetItAndANewProcessTrainsTheOthers) {
  kept_.at_point = [](const std::string& rule, std::int64_t point) {
    if (rule == "fa" && point == 1)
      throw c10::AcceleratorError({}, 719, "CUDA error: unspecified launch failure\nand more lines");
  };
  try {
    run();
    FAIL() << "went on with a broken device";
  } catch (const DeviceFailure& failure) {
    EXPECT_STREQ(failure.what(), "cpu: CUDA error: unspecified launch failure");
  }
  // Freed, it would have LibTorch ask the device about it: from a destructor, an error there is the end.
  EXPECT_FALSE(kept_.batch->expired());
  EXPECT_EQ(kept_.files["fa"].kind, train::Existing::Kind::failed);
  EXPECT_EQ(kept_.files["fa"].reason, "CUDA error: unspecified launch failure");
  EXPECT_NE(kept_.files["sgdm"].kind, train::Existing::Kind::failed);
  EXPECT_NE(kept_.files["ia"].kind, train::Existing::Kind::failed);

  // The process that follows leaves the failed one alone.
  EXPECT_THAT(kinds(run()), ElementsAre(Kind::trained, Kind::failed, Kind::trained));
  kept_.at_point = [](const auto&, auto) {};
  options_.retry_failed = true;
  EXPECT_THAT(kinds(run()), ElementsAre(Kind::already_complete, Kind::trained, Kind::already_complete));
}

TEST_F(RunnerFaults, AGpuSurvivesAnErrorOfWantOfMemory) {
  int failures = 0;
  kept_.at_point = [&](const std::string& rule, std::int64_t point) {
    if (rule == "fa" && point == 1 && failures++ == 0)
      throw c10::AcceleratorError({}, 2, "CUDA error: out of memory");
  };
  EXPECT_THAT(kinds(run()), ElementsAre(Kind::trained, Kind::trained, Kind::trained));
  EXPECT_EQ(failures, 2);
}

TEST_F(RunnerFaults, CohortsAreAsLargeAsWasMeasuredToBeFastestForAllTheirKinds) {
  std::vector<std::string> order;
  kept_.at_point = [&](const std::string& rule, std::int64_t point) {
    if (point < 2) order.push_back(rule + std::to_string(point));
  };
  std::map<std::string, std::int64_t> best = {{"sgdm", 2}, {"fa", 3}};  // ia was not measured
  options_.best_cohort = [&](const train::RunPlan& plan) -> std::optional<std::int64_t> {
    const auto found = best.find(plan.config.learning_rule);
    return found == best.end() ? std::nullopt : std::optional(found->second);
  };
  run();
  EXPECT_THAT(order, ElementsAre("sgdm0", "fa0", "sgdm1", "fa1", "ia0", "ia1"));

  // --cohort is a bound as well, and so is memory.
  for (const auto& [cohort, memory_share] : {std::pair{1, 0.5}, std::pair{0, 1e-12}}) {
    order.clear();
    kept_.files.clear();
    options_.cohort = cohort;
    options_.memory_share = memory_share;
    run();
    EXPECT_THAT(order, ElementsAre("sgdm0", "sgdm1", "fa0", "fa1", "ia0", "ia1"));
  }

  order.clear();
  kept_.files.clear();
  best.clear();
  options_.cohort = 0;
  options_.memory_share = 0.5;
  run();
  EXPECT_THAT(order, ElementsAre("sgdm0", "fa0", "ia0", "sgdm1", "fa1", "ia1"));

  // Where nothing was measured, who sets --cohort is believed to know what memory allows.
  order.clear();
  kept_.files.clear();
  options_.cohort = 2;
  options_.memory_share = 1e-12;
  run();
  EXPECT_THAT(order, ElementsAre("sgdm0", "fa0", "sgdm1", "fa1", "ia0", "ia1"));
}

TEST_F(RunnerFaults, AnErrorOfTheStatisticsOnAGpuIsAGpusError) {
  kept_.at_point = [](const std::string& rule, std::int64_t point) {
    if (rule == "fa" && point == 1) throw DeviceError("statistics on a CUDA device: a launch failed");
  };
  EXPECT_THROW(run(), DeviceFailure);
  EXPECT_EQ(kept_.files["fa"].reason, "statistics on a CUDA device: a launch failed");
  EXPECT_NE(kept_.files["sgdm"].kind, train::Existing::Kind::failed);
}

TEST_F(RunnerFaults, WhatFailsBesideOthersIsTriedAlone) {
  int failures = 0;
  kept_.at_point = [&](const std::string& rule, std::int64_t point) {
    if (rule == "ia" && point == 1 && failures++ == 0) throw std::bad_alloc();
  };
  EXPECT_THAT(kinds(run()), ElementsAre(Kind::trained, Kind::trained, Kind::trained));
  EXPECT_EQ(failures, 2);
}

TEST_F(RunnerFaults, WhatDoesNotFitEvenAloneIsFailedAndTheOthersGoOn) {
  kept_.at_point = [](const std::string& rule, std::int64_t point) {
    if (rule == "ia" && point == 1) TORCH_CHECK_WITH(OutOfMemoryError, false, "not enough memory");
  };
  const auto outcomes = run();
  EXPECT_THAT(kinds(outcomes), ElementsAre(Kind::trained, Kind::trained, Kind::failed));
  EXPECT_THAT(outcomes[2].reason, HasSubstr("not enough memory"));
}

TEST_F(RunnerFaults, AFileThatCannotBeWrittenStopsAllAndFailsNobody) {
  kept_.at_point = [](const std::string& rule, std::int64_t point) {
    if (rule == "fa" && point == 1) work_failed("x.h5: cannot write 7 bytes: No space left on device");
  };
  EXPECT_THROW(run(), WorkError);
  for (const auto& [rule, file] : kept_.files) EXPECT_NE(file.kind, train::Existing::Kind::failed) << rule;
  kept_.at_point = [](const auto&, auto) {};
  EXPECT_THAT(kinds(run()), ElementsAre(Kind::trained, Kind::trained, Kind::trained));
}

}  // namespace
}  // namespace lrid::sweep
