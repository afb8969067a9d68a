#include <algorithm>
#include <cmath>

#include <ATen/Context.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/version.hpp>
#include <lrid/nn/checkpoint.hpp>
#include <lrid/observe/trajectory_recorder.hpp>

#include "alignment.hpp"

namespace lrid::observe {

namespace {

constexpr std::string_view failed_prefix = "failed: ";

Key named(Key key, const io::Trajectory& network) {
  return key.with(network.architecture)
      .with(network.task)
      .with(network.learning_rule)
      .with(static_cast<std::uint64_t>(network.batch_size))
      .with(static_cast<std::uint64_t>(network.model_seed))
      .with(static_cast<std::uint64_t>(network.dataset_seed));
}

template <class T>
void keep_first(std::vector<T>& values, std::size_t count) {
  if (values.size() > count) values.resize(count);
}

}  // namespace

Key measurement_key(const io::Trajectory& network, std::uint64_t seed, std::int64_t point) {
  return named(Key(seed, "measurement"), network).with(static_cast<std::uint64_t>(point));
}

std::uint64_t network_hash(const io::Trajectory& network) {
  return std::max<std::uint64_t>(1, named(Key(0, "network"), network).value());
}

void declare_measurement(io::Trajectory::Imperfect& imperfect, const stats::Imperfection& measurement) {
  const bool by_number = measurement.units > 0;
  imperfect.unit_fraction.push_back(by_number ? NAN : measurement.unit_fraction);
  imperfect.units.push_back(measurement.units);
  imperfect.noise.push_back(measurement.noise);
  imperfect.noise_unit = name_of(measurement.noise_unit);
}

void append_point(io::Trajectory& trajectory, const NetworkObserver& observer) {
  const auto append = [](std::vector<float>& values, std::size_t at,
                         const std::vector<stats::ObservableRow>& rows) {
    std::vector<float> flat;
    for (const stats::ObservableRow& row : rows)
      for (const double value : row) flat.push_back(static_cast<float>(value));
    values.insert(values.begin() + static_cast<std::ptrdiff_t>(at), flat.begin(), flat.end());
  };
  const std::size_t row = trajectory.layers.size() * stats::observable_count;
  const std::size_t points = trajectory.observables.size() / row + 1;  // with this one
  append(trajectory.observables, trajectory.observables.size(), observer.rows(0));
  for (std::size_t measurement = 1; measurement < observer.measurements(); ++measurement)
    append(trajectory.imperfect->observables, (measurement * points - 1) * row, observer.rows(measurement));
}

TrajectoryRecorder::TrajectoryRecorder(std::filesystem::path path, TrajectoryHeader header,
                                       ObserverOptions options)
    : path_(std::move(path)), options_(std::move(options)) {
  trajectory_.architecture = std::move(header.architecture);
  trajectory_.task = std::move(header.task);
  trajectory_.learning_rule = std::move(header.learning_rule);
  trajectory_.batch_size = header.batch_size;
  trajectory_.model_seed = header.model_seed;
  trajectory_.dataset_seed = header.dataset_seed;
  trajectory_.model_seed_drawn = header.model_seed_drawn;
  trajectory_.dataset_seed_drawn = header.dataset_seed_drawn;
  trajectory_.epochs = header.epochs;
  trajectory_.config = std::move(header.config);
  trajectory_.software = fmt::format("{}; torch {}", software(), TORCH_VERSION);
  trajectory_.layer_change_kernel = options_.layer_change_kernel;
}

std::optional<TrajectoryRecorder::Recorded> TrajectoryRecorder::recorded() const {
  if (!std::filesystem::exists(path_)) return std::nullopt;
  const io::Trajectory found = io::read_trajectory_header(path_);
  Recorded result{.complete = found.complete(),
                  .failure = "",
                  .config = found.config,
                  .software = found.software,
                  .points = found.points(),
                  .step = found.step.empty() ? 0 : found.step.back()};
  if (found.failed())
    result.failure =
        found.status.starts_with(failed_prefix) ? found.status.substr(failed_prefix.size()) : found.status;
  return result;
}

bool TrajectoryRecorder::restore(std::int64_t points) {
  if (!std::filesystem::exists(path_)) return points == 0;
  io::Trajectory found = io::read_trajectory(path_);
  if (found.points() < points) return false;
  // Rows after the state's are measured again, to the same bits.
  const auto count = to_size(points);
  const std::size_t layers = found.layers.size(), row = layers * found.observable_names.size();
  trajectory_.dataset = std::move(found.dataset);
  trajectory_.probe_size = found.probe_size;
  trajectory_.probe_checksum = std::move(found.probe_checksum);
  trajectory_.layers = std::move(found.layers);
  trajectory_.layer_position = std::move(found.layer_position);
  trajectory_.observable_names = std::move(found.observable_names);
  trajectory_.step = std::move(found.step);
  trajectory_.epoch = std::move(found.epoch);
  trajectory_.observables = std::move(found.observables);
  trajectory_.metrics = std::move(found.metrics);
  trajectory_.alignment = std::move(found.alignment);
  keep_first(trajectory_.step, count);
  keep_first(trajectory_.epoch, count);
  keep_first(trajectory_.observables, count * row);
  for (auto& [name, values] : trajectory_.metrics) keep_first(values, count);
  if (trajectory_.alignment) {
    keep_first(trajectory_.alignment->weight_angle, count * layers);
    keep_first(trajectory_.alignment->error_angle, count * layers);
    keep_first(trajectory_.alignment->norm_ratio, count * layers);
  }
  if (found.imperfect) {
    trajectory_.imperfect = std::move(found.imperfect);
    // [C, T, L, K]: each measurement's first rows.
    std::vector<float> kept;
    const std::size_t measurements = trajectory_.imperfect->noise.size();
    const std::vector<float>& all = trajectory_.imperfect->observables;
    const std::size_t per_measurement = measurements == 0 ? 0 : all.size() / measurements;
    for (std::size_t measurement = 0; measurement < measurements; ++measurement) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(measurement * per_measurement);
      kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(count * row));
    }
    trajectory_.imperfect->observables = std::move(kept);
  }
  for (const std::int64_t point : io::checkpoint_points(path_))
    if (point < points)
      std::ranges::move(io::read_checkpoint(path_, point), std::back_inserter(trajectory_.checkpoints));
  return true;
}

void TrajectoryRecorder::start(nn::Network& network, const rules::LearningRule& rule,
                               const tasks::Task& task) {
  trajectory_.dataset = task.dataset_name();
  trajectory_.probe_size = task.probe_size();
  trajectory_.probe_checksum = task.probe_checksum();
  trajectory_.layers.clear();
  for (const auto& layer : network.layers()) trajectory_.layers.push_back(layer->spec().name);
  trajectory_.layer_position = network.positions();
  if (trajectory_.observable_names.empty())
    for (const stats::Observable& observable : stats::observables())
      trajectory_.observable_names.push_back(observable.name);
  if (rule.has_backward_kernels() && !trajectory_.alignment) trajectory_.alignment.emplace();

  const std::vector<stats::Imperfection> measurements = options_.measurements(network_hash(trajectory_));
  if (measurements.size() > 1 && !trajectory_.imperfect) {
    trajectory_.imperfect.emplace();
    for (std::size_t i = 1; i < measurements.size(); ++i)
      declare_measurement(*trajectory_.imperfect, measurements[i]);
  }
  const auto device = network.layers().front()->weight.device();
  // Two samples: a batch of one is contiguous in every memory layout.
  observer_ = std::make_unique<NetworkObserver>(
      network, measurements, task.probe(0, std::min<std::int64_t>(2, task.probe_size()), device));
}

void TrajectoryRecorder::begin_point(nn::Network& network, rules::LearningRule& rule, const tasks::Task& task,
                                     const std::function<tasks::Batch()>& next_batch) {
  observer_->begin(options_.layer_change_kernel == "as-study" ? &rule : nullptr,
                   measurement_key(trajectory_, options_.grid.seed, trajectory_.points()));
  if (!trajectory_.alignment) return;
  const std::vector<LayerAlignment> alignment = measure_alignment(network, rule, task, next_batch());
  for (const LayerAlignment& layer : alignment) {
    trajectory_.alignment->weight_angle.push_back(static_cast<float>(layer.weight_angle));
    trajectory_.alignment->error_angle.push_back(static_cast<float>(layer.error_angle));
    trajectory_.alignment->norm_ratio.push_back(static_cast<float>(layer.norm_ratio));
  }
}

void TrajectoryRecorder::end_point(std::int64_t step, double epoch,
                                   const std::map<std::string, double>& metrics, const nn::Network* keep) {
  const std::int64_t point = trajectory_.points();
  append_point(trajectory_, *observer_);
  for (const auto& [name, value] : metrics) trajectory_.metrics[name].push_back(value);
  trajectory_.step.push_back(step);
  trajectory_.epoch.push_back(epoch);
  if (keep == nullptr) return;
  // In order of name, as they are read back: a resumed run writes the same bytes.
  std::vector<nn::NamedTensor> tensors = nn::tensors_of(*keep);
  std::ranges::sort(tensors, {}, &nn::NamedTensor::name);
  for (const nn::NamedTensor& named : tensors) {
    const nn::Tensor host = named.tensor.detach().cpu().to(torch::kFloat32).contiguous();
    const auto* data = host.const_data_ptr<float>();
    trajectory_.checkpoints.push_back({point, named.name, host.sizes().vec(), {data, data + host.numel()}});
  }
}

void TrajectoryRecorder::drop_unfinished_point() {
  if (!trajectory_.alignment) return;
  const auto count = to_size(trajectory_.points()) * trajectory_.layers.size();
  keep_first(trajectory_.alignment->weight_angle, count);
  keep_first(trajectory_.alignment->error_angle, count);
  keep_first(trajectory_.alignment->norm_ratio, count);
}

void TrajectoryRecorder::save() {
  drop_unfinished_point();
  trajectory_.status = "running";
  io::write_trajectory(path_, trajectory_);
}

void TrajectoryRecorder::finish(const std::string& failure) {
  drop_unfinished_point();
  trajectory_.status = failure.empty() ? "complete" : std::string(failed_prefix) + failure;
  io::write_trajectory(path_, trajectory_);
}

}  // namespace lrid::observe
