#include <algorithm>
#include <map>
#include <memory>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/types.h>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/nn/checkpoint.hpp>
#include <lrid/observe/network_observer.hpp>
#include <lrid/observe/remeasure.hpp>
#include <lrid/observe/trajectory_recorder.hpp>
#include <lrid/tasks/task.hpp>

namespace lrid::observe {

namespace {

namespace fs = std::filesystem;

/// Stimuli that pass through a network at once; as along training, since it may change the last bits.
constexpr std::int64_t chunk = 128;

/// Tasks by their options: networks that were trained on the same data share it.
class Tasks {
 public:
  Tasks(fs::path data_dir, int threads) : data_dir_(std::move(data_dir)), threads_(threads) {}

  const tasks::Task& get(const io::Trajectory& t, const Config& config) {
    Options options(config);
    std::unique_ptr<tasks::Task> made = tasks::tasks().at(t.task).make(options, t.architecture);
    std::unique_ptr<tasks::Task>& task =
        tasks_[fmt::format("{} {}", t.task, fmt::join(options.values(), " "))];
    if (!task) {
      made->load(data_dir_, threads_);
      task = std::move(made);
    }
    return *task;
  }

 private:
  fs::path data_dir_;
  int threads_;
  std::map<std::string, std::unique_ptr<tasks::Task>> tasks_;
};

/// The file with its points' checkpoints, checked.
io::Trajectory read_measurable(const fs::path& path) {
  io::Trajectory t = io::read_trajectory(path);
  const std::string file = path.string();
  if (!t.complete()) bad_input("{}: status \"{}\", expected a complete trajectory", file, t.status);
  const auto kept = std::ssize(io::checkpoint_points(path));
  if (kept != t.points())
    bad_input("{}: checkpoints of {} of {} points, expected all (a run with [checkpoint] keep = true)", file,
              kept, t.points());
  if (t.layer_change_kernel != "forward" && t.alignment)
    bad_input(
        "{}: its layer change goes through backward kernels, which checkpoints do not hold: expected a "
        "run with [observe] layer_change_kernel = \"forward\"",
        file);
  return t;
}

std::unique_ptr<nn::Network> build_network(const io::Trajectory& t, const Config& config,
                                           const tasks::TaskShape& shape) {
  bool channels_last = true;
  Options(config).add("compute.channels_last", channels_last, Accepts::anything(), "");
  nn::NetworkSpec spec;
  spec.input = {shape.channels, shape.height, shape.width};
  spec.classes = shape.outputs;
  spec.contrastive_head = shape.contrastive;
  spec.initial_values = Key(0);  // all are replaced
  spec.channels_last = channels_last;
  return nn::architectures().at(t.architecture).build(spec);
}

void load_checkpoint(nn::Network& network, const fs::path& file, std::int64_t point) {
  std::vector<nn::NamedTensor> saved;
  for (io::CheckpointTensor& tensor : io::read_checkpoint(file, point))
    saved.push_back(
        {tensor.name, torch::from_blob(tensor.data.data(), tensor.shape, torch::kFloat32).clone()});
  const torch::NoGradGuard no_grad;
  std::vector<nn::NamedTensor> live = nn::tensors_of(network);
  for (nn::NamedTensor& tensor : saved) {
    const auto found = std::ranges::find(live, tensor.name, &nn::NamedTensor::name);
    if (found != live.end()) tensor.tensor = tensor.tensor.to(found->tensor.scalar_type());
  }
  nn::restore(live, saved, fmt::format("{}: checkpoint {}", file.string(), point));
}

constexpr std::size_t part_hash_size = 16;

/// One network measured again, kept in a file of `parts` until all are done.
class Part {
 public:
  Part(fs::path source, io::Trajectory trained, const stats::ImperfectionGrid& grid, const fs::path& parts)
      : source_(std::move(source)), trained_(std::move(trained)), measurements_{stats::Imperfection{}} {
    const std::vector<stats::Imperfection> imperfect = grid.measurements(network_hash(trained_));
    measurements_.insert(measurements_.end(), imperfect.begin(), imperfect.end());
    std::string name = fmt::format("{} {}", source_.string(), sha256_of_file(source_));
    for (const stats::Imperfection& m : measurements_)
      name += fmt::format(" {} {} {} {} {} {}", m.unit_fraction, m.units, m.noise, name_of(m.noise_unit),
                          m.seed, m.network);
    path_ = parts / (sha256(name).substr(0, part_hash_size) + ".h5");
    if (fs::exists(path_)) {
      measured_ = io::read_trajectory(path_);
      return;
    }
    measured_ = trained_;
    measured_.observables.clear();
    measured_.step.clear();
    measured_.epoch.clear();
    measured_.metrics.clear();
    measured_.alignment.reset();
    measured_.status = "running";
    measured_.imperfect.emplace();
    for (const stats::Imperfection& measurement : imperfect)
      declare_measurement(*measured_.imperfect, measurement);
  }

  [[nodiscard]] const fs::path& source() const { return source_; }
  [[nodiscard]] const io::Trajectory& trained() const { return trained_; }
  [[nodiscard]] std::int64_t points_done() const { return measured_.points(); }
  [[nodiscard]] std::int64_t points() const { return trained_.points(); }

  void measure(const tasks::Task& task, const Config& config, Progress& progress);
  /// The trajectory with the new measurements.
  [[nodiscard]] io::Trajectory result() const {
    io::Trajectory t = trained_;
    t.observables = measured_.observables;
    t.imperfect = measured_.imperfect;
    return t;
  }

 private:
  fs::path source_, path_;
  io::Trajectory trained_, measured_;
  std::vector<stats::Imperfection> measurements_;  ///< the perfect one first
};

void Part::measure(const tasks::Task& task, const Config& config, Progress& progress) {
  if (task.probe_size() != trained_.probe_size || task.probe_checksum() != trained_.probe_checksum)
    bad_input(
        "{}: measured with {} stimuli of checksum {}, but --data-dir gives {} of checksum {}: expected "
        "the data that it was trained on",
        source_.string(), trained_.probe_size, trained_.probe_checksum, task.probe_size(),
        task.probe_checksum());
  const torch::NoGradGuard no_grad;
  const auto network = build_network(trained_, config, task.shape());
  network->set_training(false);
  std::vector<std::string> layers;
  for (const auto& layer : network->layers()) layers.push_back(layer->spec().name);
  if (layers != trained_.layers)
    bad_input("{}: layers {}, but {} has {}: made by another version?", source_.string(),
              fmt::join(trained_.layers, " "), trained_.architecture, fmt::join(layers, " "));

  NetworkObserver observer(*network, measurements_,
                           task.probe(0, std::min<std::int64_t>(2, task.probe_size()), torch::kCPU));
  progress.skip(static_cast<double>(points_done()));
  while (points_done() < points()) {
    check_interrupt();
    const std::int64_t point = points_done();
    load_checkpoint(*network, source_, point);
    observer.begin(nullptr, measurement_key(trained_, measurements_.back().seed, point));
    network->set_sink(observer.sink());
    for (std::int64_t begin = 0; begin < task.probe_size(); begin += chunk)
      network->forward(task.probe(begin, std::min(begin + chunk, task.probe_size()), torch::kCPU));
    network->set_sink({});
    append_point(measured_, observer);
    measured_.step.push_back(trained_.step[to_size(point)]);
    measured_.epoch.push_back(trained_.epoch[to_size(point)]);
    io::write_trajectory(path_, measured_);
    progress.advance();
  }
}

}  // namespace

io::Dataset remeasure(const std::vector<fs::path>& files, const RemeasureOptions& options,
                      const fs::path& parts) {
  const std::vector<stats::Imperfection> measurements = options.grid.measurements(1);
  const bool with_perfect = std::ranges::any_of(measurements, &stats::Imperfection::perfect);
  const int threads = threads_or_all(options.threads);
  at::set_num_threads(threads);

  // All that can be wrong with the files, before hours of work.
  std::error_code error;
  fs::create_directories(parts, error);
  if (error) bad_input("{}: cannot be made: {}", parts.string(), error.message());
  std::vector<Part> work;
  double points = 0;
  for (const fs::path& file : files) {
    work.emplace_back(file, read_measurable(file), options.grid, parts);
    points += static_cast<double>(work.back().points());
  }

  Tasks tasks(options.data_dir, threads);
  measure::DatasetBuilder builder(files);
  Progress progress("remeasuring", points, "points");
  for (Part& part : work) {
    const Config config = Config::from_toml(part.trained().config, part.source().string());
    part.measure(tasks.get(part.trained(), config), config, progress);
    builder.add(part.source(), part.result(), with_perfect);
  }
  progress.finish();
  return builder.dataset();
}

void remove_parts(const fs::path& parts) {
  remove_files(parts, [](std::string_view name) {
    return name.size() == part_hash_size + 3 && name.ends_with(".h5") &&
           name.find_first_not_of("0123456789abcdef") == part_hash_size;
  });
}

}  // namespace lrid::observe
