#include <ATen/ops/empty_like.h>
#include <c10/util/Exception.h>
#include <spdlog/spdlog.h>

#include <lrid/train/step_replay.hpp>

namespace lrid::train {

namespace {

constexpr int steps_before_recording = 3;
/// Forms and shapes; each recording has memory of its own.
constexpr std::size_t most_recordings = 4;

bool same_shape(const torch::Tensor& a, const torch::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.sizes() == b.sizes() && a.strides() == b.strides() && a.scalar_type() == b.scalar_type();
}

}  // namespace

StepReplay::Recording* StepReplay::find(std::uint64_t form, const tasks::Batch& batch) {
  for (Recording& recording : recordings_)
    if (recording.form == form && same_shape(recording.batch.inputs, batch.inputs) &&
        same_shape(recording.batch.targets, batch.targets))
      return &recording;
  if (recordings_.size() == most_recordings) return nullptr;
  Recording& recording = recordings_.emplace_back();
  recording.form = form;
  for (auto [ours, theirs] : {std::pair{&recording.batch.inputs, &batch.inputs},
                              std::pair{&recording.batch.targets, &batch.targets}})
    if (theirs->defined()) *ours = at::empty_like(*theirs);
  return &recording;
}

void StepReplay::run(std::uint64_t form, const tasks::Batch& batch, const Step& step,
                     const std::function<void()>& clean) {
  Recording* const recording = records() ? find(form, batch) : nullptr;
  if (recording == nullptr || recording->steps < steps_before_recording) {
    if (recording != nullptr) ++recording->steps;
    return step(batch);
  }
  recording->batch.inputs.copy_(batch.inputs, /*non_blocking=*/true);
  if (batch.targets.defined()) recording->batch.targets.copy_(batch.targets, /*non_blocking=*/true);
  if (!recording->graph) {
    auto graph = make_graph_();
    try {
      graph->record([&] { step(recording->batch); });
      recording->graph = std::move(graph);
    } catch (const c10::Error& error) {
      const std::string reason = error.what_without_backtrace();
      spdlog::warn("steps are not recorded, which makes them slower: {}",
                   reason.substr(0, reason.find('\n')));
      graph.reset();
      recordings_.clear();
      make_graph_ = nullptr;
      clean();
      return step(batch);
    }
  }
  recording->graph->replay();
}

}  // namespace lrid::train
