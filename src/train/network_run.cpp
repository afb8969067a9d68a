#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/nn/checkpoint.hpp>
#include <lrid/train/memory.hpp>
#include <lrid/train/network_run.hpp>
#include <lrid/train/run_log.hpp>

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

Tensor text_tensor(const std::string& text) {
  return torch::from_blob(const_cast<char*>(text.data()), {static_cast<std::int64_t>(text.size())},
                          torch::kUInt8)
      .clone();
}

std::string tensor_text(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.const_data_ptr<std::uint8_t>()),
          static_cast<std::size_t>(tensor.numel())};
}

/// Weights, gradients and one moment, the least that any rule needs, must fit into the machine: Linux
/// promises more memory than there is, and kills whoever uses it.
void require_memory(const RunConfig& config, nn::NetworkSpec spec) {
  if (config.compute.device != "cpu") return;  // there, an allocation fails
  spec.options = spec.options.device(torch::kMeta);
  std::int64_t needed = 0;
  for (const nn::Parameter& parameter : nn::architectures().at(config.architecture).build(spec)->parameters())
    needed += 3 * static_cast<std::int64_t>(parameter.tensor.nbytes());
  if (const std::int64_t there = device_memory(config.compute); needed > there)
    throw std::runtime_error(
        fmt::format("out of memory: {} for inputs of {} x {} pixels needs {:.1f} GB for its weights, "
                    "gradients and moments alone, this machine has {:.1f} GB",
                    config.architecture, spec.input.height, spec.input.width,
                    static_cast<double>(needed) / 1e9, static_cast<double>(there) / 1e9));
}

}  // namespace

std::unique_ptr<nn::Network> build_network(const RunConfig& config, const tasks::TaskShape& shape) {
  nn::NetworkSpec spec;
  spec.input = {shape.channels, shape.height, shape.width};
  spec.classes = shape.outputs;
  spec.contrastive_head = shape.contrastive;
  spec.initial_values = Key(static_cast<std::uint64_t>(config.model_seed), "initial values");
  spec.options = torch::TensorOptions(torch::kFloat32).device(config.compute.torch_device());
  spec.channels_last = config.compute.channels_last;
  require_memory(config, spec);
  return nn::architectures().at(config.architecture).build(spec);
}

std::unique_ptr<nn::Network> build_on_cpu(RunConfig config, const tasks::TaskShape& shape) {
  config.compute.device = "cpu";
  return build_network(config, shape);
}

std::unique_ptr<nn::Network> outline_network(const std::string& architecture, const std::string& task) {
  const tasks::TaskShape shape = tasks::tasks().at(task).usual_shape(architecture);
  return nn::architectures()
      .at(architecture)
      .build({.input = {shape.channels, shape.height, shape.width},
              .classes = shape.outputs,
              .contrastive_head = shape.contrastive,
              .options = torch::TensorOptions(torch::kMeta)});
}

fs::path state_path(const fs::path& out) {
  return fs::path(out).concat(".state");
}

void remove_leftovers(const fs::path& out) {
  std::error_code ignored;
  fs::remove(state_path(out), ignored);
  remove_temporaries_of({out, state_path(out), fs::path(out).concat(".claim")});
}

NetworkRun::NetworkRun(const RunPlan& plan, std::shared_ptr<const tasks::Task> task,
                       std::unique_ptr<Watcher> watcher, Claim claim, bool report_epochs,
                       const DeviceGraphs& graphs)
    : plan_(plan),
      task_(std::move(task)),
      watcher_(std::move(watcher)),
      claim_(std::move(claim)),
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
  const bool resumed = restore();
  watcher_->start(*network_, *rule_, *task_);
  progress_ = {.step = step_, .steps = steps_, .first_step = step_, .device = device_.str()};
  claim_.report(progress_);
  if (const SilentEnds ends = read_silent_ends(plan_.out);
      ends.count > SilentEnds::most_beside_others && ends.step == step_)
    throw std::runtime_error(
        fmt::format("{} processes were killed at step {}, perhaps for want of memory", ends.count, step_));
  write_log_line(plan_.out, resumed ? fmt::format("goes on at step {} of {}", step_, steps_)
                                    : "starts, " + counted(steps_, "step"));
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
  claim_.require();
  count_time();
  stream_.join();
  watcher_->save();
  std::vector<NamedTensor> tensors = live_tensors();
  tensors.push_back(
      {"counters", torch::tensor({step_, points_taken_, since_point_.steps, since_epoch_.steps})});
  tensors.push_back({"device_seconds", torch::tensor(used_.seconds, torch::kFloat64)});
  tensors.push_back({"config", text_tensor(plan_.toml)});
  nn::save_tensors(state_path(plan_.out), tensors);
  last_save_ = std::chrono::steady_clock::now();
}

bool NetworkRun::restore() {
  const fs::path path = state_path(plan_.out);
  if (!fs::exists(path)) return false;
  const std::string source = path.string();
  std::vector<NamedTensor> saved = nn::load_tensors(path);
  const auto take = [&](const std::string& name) {
    const auto found = std::ranges::find(saved, name, &NamedTensor::name);
    if (found == saved.end()) bad_input("{}: has no {}, expected the state of a training run", source, name);
    Tensor tensor = found->tensor;
    saved.erase(found);
    return tensor;
  };
  if (const std::string difference = first_difference(tensor_text(take("config")), plan_.toml, false);
      !difference.empty())
    bad_input("{}: {}; expected the configuration it was made with (or remove the file to start anew)",
              source, difference);
  const Tensor counters = take("counters");
  const auto* counter = counters.const_data_ptr<std::int64_t>();
  const auto seconds = take("device_seconds").item<double>();
  if (!watcher_->restore(counter[1])) {
    spdlog::warn("{}: the trajectory it belongs to is not there; starting anew", source);
    return false;
  }
  const torch::NoGradGuard no_grad;
  nn::restore(live_tensors(), saved, source);
  step_ = counter[0];
  points_taken_ = counter[1];
  since_point_.steps = counter[2];
  since_epoch_.steps = counter[3];
  used_.seconds = seconds;
  return true;
}

Metrics NetworkRun::evaluate(bool offer_to_watcher) {
  const torch::NoGradGuard no_grad;
  const bool contrastive = task_->shape().contrastive;
  const std::int64_t probe = offer_to_watcher ? task_->probe_size() : 0;
  const std::int64_t samples = std::min(plan_.config.validation_samples.value_or(task_->validation_samples()),
                                        task_->validation_samples());
  // A contrastive loss depends on how many samples there are to tell apart.
  const std::int64_t chunk = contrastive ? plan_.config.batch_size : evaluation_chunk;
  const auto shares = static_cast<std::int64_t>(task_->more_metrics().size());
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
  network_->set_sink(offer_to_watcher ? watcher_->sink() : nn::LayerSink{});
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
  watcher_->begin_point(point);
  Metrics metrics = evaluate(true);
  network_->set_training(true);
  metrics.train_loss = sum[0] / steps;  // 0/0 = NaN at the first point
  metrics.train_accuracy = sum[1] / steps / static_cast<double>(plan_.config.batch_size);
  if (!std::isfinite(metrics.validation_loss)) {
    diverge(fmt::format("the validation loss is not finite at step {}", step_));
    return;
  }
  watcher_->end_point(point, metrics);
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
  claim_.report(progress_);
}

void NetworkRun::stop() {
  save();
  write_log_line(plan_.out, fmt::format("stops at step {} of {}", step_, steps_), used_);
}

void NetworkRun::fail(const std::string& reason) {
  finish(reason);
}

void NetworkRun::diverge(const std::string& reason) {
  finish(reason);
  remove_leftovers(plan_.out);  // going on from the state would end the same way
}

void NetworkRun::finish(const std::string& failure) {
  claim_.require();
  count_time();
  network_->set_training(true);
  watcher_->finish(failure);
  finished_ = true;
  failure_ = failure;
  write_log_line(plan_.out, failure.empty() ? "complete" : "failed (" + failure + ")", used_);
}

}  // namespace lrid::train
