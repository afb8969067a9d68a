#include "recording_callback.hpp"

#include <map>
#include <string>
#include <vector>

#include <lrid/io/trajectory.hpp>
#include <lrid/observe/trajectory_recorder.hpp>

namespace lrid::apps {

namespace {

class RecordingCallback final : public train::TrainingCallback {
 public:
  explicit RecordingCallback(const train::RunPlan& plan)
      : plan_(plan), recorder_(plan.out, header(plan), observe::ObserverOptions::read(plan.source)) {}

  train::Existing existing() override {
    const auto recorded = recorder_.recorded();
    if (!recorded) return {};
    using Kind = train::Existing::Kind;
    const Kind kind = recorded->complete          ? Kind::complete
                      : recorded->failure.empty() ? Kind::unfinished
                                                  : Kind::failed;
    return {kind, recorded->failure, recorded->config, recorded->software, recorded->points, recorded->step};
  }
  std::string find_fault() override {
    return io::find_fault(plan_.out, plan_.config.points, plan_.config.keep_checkpoints);
  }
  bool restore(std::int64_t points) override { return recorder_.restore(points); }
  void start(nn::Network& network, const rules::LearningRule& rule, const tasks::Task& task) override {
    recorder_.start(network, rule, task);
  }
  void begin_point(const train::Point& point) override {
    recorder_.begin_point(point.network, point.rule, point.task, point.next_batch);
  }
  nn::LayerSink sink() override { return recorder_.sink(); }
  void end_point(const train::Point& point, const train::Metrics& metrics) override {
    std::map<std::string, double> named{{"train_loss", metrics.train_loss},
                                        {"train_accuracy", metrics.train_accuracy},
                                        {"validation_loss", metrics.validation_loss},
                                        {"validation_accuracy", metrics.validation_accuracy}};
    const std::vector<std::string> more = point.task.more_metrics();
    for (std::size_t i = 0; i < more.size(); ++i) named[more[i]] = metrics.more[i];
    recorder_.end_point(point.step, point.epoch, named,
                        plan_.config.keep_checkpoints ? &point.network : nullptr);
  }
  void save() override { recorder_.save(); }
  void finish(const std::string& failure) override { recorder_.finish(failure); }

 private:
  static observe::TrajectoryHeader header(const train::RunPlan& plan) {
    const train::RunConfig& config = plan.config;
    return {.architecture = config.architecture,
            .task = config.task,
            .learning_rule = config.learning_rule,
            .batch_size = config.batch_size,
            .model_seed = config.model_seed,
            .dataset_seed = config.dataset_seed,
            .model_seed_drawn = config.model_seed_setting.kind != SeedSetting::Kind::fixed,
            .dataset_seed_drawn = config.dataset_seed_setting.kind != SeedSetting::Kind::fixed,
            .epochs = config.epochs,
            .config = plan.toml};
  }

  const train::RunPlan& plan_;
  observe::TrajectoryRecorder recorder_;
};

}  // namespace

std::unique_ptr<train::TrainingCallback> make_callback(const train::RunPlan& plan) {
  return std::make_unique<RecordingCallback>(plan);
}

void declare_observer(Options& options) {
  observe::ObserverOptions().declare(options);
}

}  // namespace lrid::apps
