#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>
#include <lrid/nn/checkpoint.hpp>
#include <lrid/train/arithmetic.hpp>
#include <lrid/train/build_network.hpp>
#include <lrid/train/network_run.hpp>
#include <lrid/train/run_state.hpp>

namespace lrid::train {

namespace {

namespace fs = std::filesystem;
using nn::NamedTensor;
using nn::Tensor;

/// Samples a pass through the network in evaluation mode takes at once. Fixed: it must not change bits.
constexpr std::int64_t evaluation_chunk = 128;

/// Mixed precision for a scope: training steps only, so that what is measured is exact.
class PrecisionScope {
 public:
  PrecisionScope(const Compute& compute, nn::Network& network) : network_(network) {
    if (compute.precision == "bf16") set(torch::kBFloat16);
  }
  ~PrecisionScope() { set(torch::kFloat32); }
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  void set(torch::ScalarType type) {
    for (const auto& layer : network_.layers()) layer->arithmetic = type;
  }
  nn::Network& network_;
};

}  // namespace

NetworkRun::NetworkRun(const RunPlan& plan, std::shared_ptr<const tasks::Task> task,
                       std::unique_ptr<TrainingCallback> callback, std::unique_ptr<Lease> lease,
                       bool report_epochs, const DeviceGraphs& graphs)
    : plan_(plan),
      task_(std::move(task)),
      callback_(std::move(callback)),
      lease_(std::move(lease)),
      device_(plan.config.compute.torch_device()),
      stream_(device_),
      replay_(plan.config.compute.record_steps ? graphs(device_) : MakeDeviceGraph()),
      report_epochs_(report_epochs),
      last_save_(std::chrono::steady_clock::now()),
      last_count_(last_save_) {
  const RunConfig& config = plan_.config;
  steps_per_epoch_ = task_->steps_per_epoch(config.batch_size);
  steps_ = config.steps(steps_per_epoch_);
  if (steps_ < config.points - 1)
    bad_input("points = {}: {} of {} make {}, expected at least points − 1", config.points,
              counted(config.epochs, "epoch"), counted(steps_per_epoch_, "step"), counted(steps_, "step"));
  network_ = build_network(config, task_->shape());
  network_->set_dropout_key(Key(static_cast<std::uint64_t>(config.model_seed), "step").with("dropout"));
  if (!device_.is_cpu() || replay_.records()) network_->keep_step_on(device_);
  rule_ = plan_.make_rule();
  rule_->attach(*network_, Key(static_cast<std::uint64_t>(config.model_seed), "learning rule"));
  const auto sums = torch::TensorOptions(torch::kFloat64).device(device_);
  since_point_.values = torch::zeros({2}, sums);
  since_epoch_.values = torch::zeros({2}, sums);
  used_.gpu = device_.is_cuda();
  resumed_ = restore();
  callback_->start(*network_, *rule_, *task_);
  progress_ = {.step = step_, .steps = steps_, .first_step = step_, .device = device_.str()};
  report_progress();
}

NetworkRun::~NetworkRun() {
  try {
    stream_.join();  // memory goes back to the default stream
  } catch (const c10::Error& error) {
    spdlog::debug("{}: {}", plan_.name(), error.what_without_backtrace());
  }
}

std::vector<NamedTensor> NetworkRun::live_tensors() {
  std::vector<NamedTensor> tensors;
  for (const NamedTensor& tensor : nn::tensors_of(*network_))
    tensors.push_back({"network/" + tensor.name, tensor.tensor});
  for (const NamedTensor& tensor : rule_->state()) tensors.push_back({"rule/" + tensor.name, tensor.tensor});
  tensors.push_back({"sums/point", since_point_.values});
  tensors.push_back({"sums/epoch", since_epoch_.values});
  return tensors;
}

void NetworkRun::save() {
  require_lease();
  count_time();
  stream_.join();
  callback_->save();
  RunState::write(plan_.out, live_tensors(),
                  {.step = step_,
                   .points = points_taken_,
                   .steps_since_point = since_point_.steps,
                   .steps_since_epoch = since_epoch_.steps,
                   .device_seconds = used_.seconds},
                  plan_.toml);
  last_save_ = std::chrono::steady_clock::now();
}

bool NetworkRun::restore() {
  const std::optional<RunState> state = RunState::read(plan_.out, plan_.toml);
  if (!state) return false;
  const RunCounters& counters = state->counters();
  if (!callback_->restore(counters.points)) {
    spdlog::warn("{}.state: the trajectory it belongs to is not there; starting anew", plan_.out.string());
    return false;
  }
  state->restore(live_tensors());
  step_ = counters.step;
  points_taken_ = counters.points;
  since_point_.steps = counters.steps_since_point;
  since_epoch_.steps = counters.steps_since_epoch;
  used_.seconds = counters.device_seconds;
  return true;
}

void NetworkRun::require_lease() const {
  if (lease_) lease_->require();
}

void NetworkRun::report_progress() const {
  if (lease_) lease_->report(progress_);
}

Metrics NetworkRun::evaluate(bool at_point) {
  const torch::NoGradGuard no_grad;
  const bool contrastive = task_->shape().contrastive;
  const std::int64_t probe = at_point ? task_->probe_size() : 0;
  const std::int64_t samples = std::min(plan_.config.validation_samples.value_or(task_->validation_samples()),
                                        task_->validation_samples());
  // A contrastive loss depends on how many samples there are to tell apart.
  const std::int64_t chunk = contrastive ? plan_.config.batch_size : evaluation_chunk;
  const auto shares = to_index(task_->more_metrics().size());
  const Tensor sums = torch::zeros({2 + shares}, torch::TensorOptions(torch::kFloat64).device(device_));
  const auto count = [&](const Tensor& outputs, const Tensor& targets, std::int64_t counted) {
    const tasks::LossValue value = task_->loss(outputs, targets);
    sums[0] += value.loss.to(torch::kFloat64) * counted;
    sums[1] += value.correct.defined() ? value.correct.to(torch::kFloat64) : torch::full_like(sums[1], NAN);
    if (shares > 0) sums.narrow(0, 2, shares) += value.more.to(torch::kFloat64);
  };
  const auto pass = [&](std::int64_t begin, std::int64_t end) {
    check_interrupt();
    const tasks::Batch batch = task_->validation(begin, end, device_);
    const Tensor outputs = network_->forward(batch.inputs);
    if (begin >= samples) return;
    const std::int64_t counted = std::min(end, samples) - begin;
    // Of views there are two a sample, and never more than are counted.
    const std::int64_t rows = contrastive ? outputs.size(0) : counted;
    count(outputs.narrow(0, 0, rows), batch.targets.narrow(0, 0, counted), counted);
  };
  network_->set_sink(at_point ? callback_->sink() : nn::LayerSink{});
  for (std::int64_t begin = 0; begin < probe; begin += evaluation_chunk) {
    const std::int64_t end = std::min(begin + evaluation_chunk, probe);
    if (contrastive)
      network_->forward(task_->probe(begin, end, device_));
    else
      pass(begin, end);  // the probe is the beginning of the validation data: one pass serves both
  }
  network_->set_sink({});
  for (std::int64_t begin = contrastive ? 0 : probe; begin < samples; begin += chunk)
    pass(begin, std::min(begin + chunk, samples));
  const Tensor host = sums.cpu() / samples;
  const auto* means = host.const_data_ptr<double>();
  return {NAN, NAN, means[0], means[1], {means + 2, means + 2 + shares}};
}

void NetworkRun::take_point_if_due(const std::function<tasks::Batch()>& next_batch) {
  if (finished_ || step_ != plan_.config.point_step(points_taken_, steps_)) return;
  const Arithmetic exact(plan_.config.compute, Arithmetic::For::measuring);
  stream_.join();
  const Tensor sums = since_point_.values.cpu();
  const auto* sum = sums.const_data_ptr<double>();
  const auto steps = static_cast<double>(since_point_.steps);
  Tensor weights = torch::zeros({}, torch::TensorOptions(torch::kFloat64).device(device_));
  {
    const torch::NoGradGuard no_grad;
    for (const nn::Parameter& parameter : network_->parameters())
      weights += parameter.tensor.abs().sum().to(torch::kFloat64);
  }
  if (!std::isfinite(sum[0]) || !std::isfinite(weights.item<double>())) {
    diverge(fmt::format("{} is not finite by step {}",
                        std::isfinite(sum[0]) ? "a weight" : "the training loss", step_));
    return;
  }
  begin_step();
  network_->set_training(false);
  const Point point{points_taken_, step_,  static_cast<double>(step_) / static_cast<double>(steps_per_epoch_),
                    *network_,     *rule_, *task_,
                    next_batch};
  callback_->begin_point(point);
  Metrics metrics = evaluate(true);
  network_->set_training(true);
  metrics.train_loss = sum[0] / steps;  // 0/0 = NaN at the first point
  metrics.train_accuracy = sum[1] / steps / static_cast<double>(plan_.config.batch_size);
  if (!std::isfinite(metrics.validation_loss)) {
    diverge(fmt::format("the validation loss is not finite at step {}", step_));
    return;
  }
  callback_->end_point(point, metrics);
  last_metrics_ = metrics;
  since_point_.values.zero_();
  since_point_.steps = 0;
  ++points_taken_;
  if (points_taken_ == plan_.config.points) {
    finish("");
    remove_leftovers(plan_.out);
  } else if (std::chrono::duration<double>(std::chrono::steady_clock::now() - last_save_).count() >=
             plan_.config.state_seconds) {
    save();
  }
}

void NetworkRun::begin_step() {
  const RunConfig& config = plan_.config;
  const auto per_epoch = static_cast<double>(steps_per_epoch_);
  const double factor = config.schedule.factor_at(step_, steps_, per_epoch);
  const Schedule::Losses losses = config.schedule.losses_at(step_, steps_, per_epoch);
  rule_->prepare({.step = step_,
                  .learning_rate = config.learning_rate * factor,
                  .schedule_factor = factor,
                  .drop_factor = config.schedule.drop_factor_at(step_, steps_, per_epoch),
                  .epoch = static_cast<double>(step_) / per_epoch,
                  .epochs = config.epochs,
                  .task = losses.task,
                  .layerwise = losses.layerwise,
                  .layerwise_rests = losses.layerwise_rests});
  descends_task_ = losses.task;
}

void NetworkRun::train(const tasks::Batch& batch) {
  {
    const Arithmetic arithmetic(plan_.config.compute, Arithmetic::For::training);
    const OwnStream::Scope on_own_stream(stream_);
    begin_step();
    stream_.reads(batch.inputs);
    stream_.reads(batch.targets);
    replay_.run(
        rule_->step_form(), batch, [this](const tasks::Batch& its) { device_step(its); },
        [this] {
          for (const nn::Parameter& parameter : network_->parameters())
            parameter.tensor.mutable_grad().reset();
        });
  }
  ++since_point_.steps;
  ++since_epoch_.steps;
  ++step_;
  if (step_ % steps_per_epoch_ == 0) report_epoch();
}

void NetworkRun::device_step(const tasks::Batch& batch) {
  tasks::LossValue value;
  {
    const PrecisionScope precision(plan_.config.compute, *network_);
    value = task_->loss(network_->forward(batch.inputs), batch.targets);
  }
  if (descends_task_) value.loss.backward();
  rule_->update();

  const torch::NoGradGuard no_grad;
  const Tensor loss = value.loss.detach().to(torch::kFloat64);
  const Tensor correct =
      value.correct.defined() ? value.correct.to(torch::kFloat64) : torch::full_like(loss, NAN);
  const Tensor both = torch::stack({loss, correct});
  since_point_.values += both;
  since_epoch_.values += both;
}

void NetworkRun::report_epoch() {
  stream_.join();
  if (report_epochs_) {
    const Tensor host = since_epoch_.values.cpu();
    const auto* sum = host.const_data_ptr<double>();
    const auto steps = static_cast<double>(since_epoch_.steps);
    spdlog::info(
        "epoch {}/{}: training loss {:.4f}, accuracy {:.3f}; validation at the last point: loss {:.4f}, "
        "accuracy {:.3f}",
        step_ / steps_per_epoch_, format_double(plan_.config.epochs), sum[0] / steps,
        sum[1] / steps / static_cast<double>(plan_.config.batch_size), last_metrics_.validation_loss,
        last_metrics_.validation_accuracy);
  }
  since_epoch_.values.zero_();
  since_epoch_.steps = 0;
}

void NetworkRun::count_time() {
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - std::exchange(last_count_, now)).count();
  used_.seconds += seconds * share_;
  progress_.seconds += seconds;
  progress_.step = step_;
}

void NetworkRun::set_share(double device_seconds_per_second) {
  count_time();
  share_ = device_seconds_per_second;
  report_progress();
}

void NetworkRun::stop() {
  save();
}

void NetworkRun::fail(const std::string& reason) {
  finish(reason);
}

void NetworkRun::diverge(const std::string& reason) {
  finish(reason);
  remove_leftovers(plan_.out);  // going on from the state would end the same way
}

void NetworkRun::finish(const std::string& failure) {
  require_lease();
  count_time();
  network_->set_training(true);
  callback_->finish(failure);
  finished_ = true;
  failure_ = failure;
}

}  // namespace lrid::train
