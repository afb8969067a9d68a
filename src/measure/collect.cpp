#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <tuple>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::measure {

namespace fs = std::filesystem;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The first complete network of a kind, which the others of that kind must fit.
struct Model {
  std::string file;
  std::int64_t points, probe_size;
  std::string probe_checksum, layer_change_kernel;
  std::vector<std::string> observable_names;
};

Model model_of(const std::string& file, const io::Trajectory& t) {
  return {file, t.points(), t.probe_size, t.probe_checksum, t.layer_change_kernel, t.observable_names};
}

/// Checks what all samples of a dataset share.
void require_same_shape(const std::string& file, std::int64_t points, const std::vector<std::string>& names,
                        const Model& first) {
  if (points != first.points)
    bad_input("{}: {}, but {} has {}: expected the same number in all files", file,
              counted(points, "trajectory point"), first.file, first.points);
  if (names != first.observable_names)
    bad_input("{}: its observables are not those of {}: expected the same in all files", file, first.file);
}

/// Checks what all networks of a dataset share.
void require_alike(const std::string& file, const io::Trajectory& t, const Model& first) {
  require_same_shape(file, t.points(), t.observable_names, first);
  if (t.layer_change_kernel != first.layer_change_kernel)
    bad_input("{}: layer change through the {} kernel, but {} has \"{}\": expected the same in all files",
              file, "\"" + t.layer_change_kernel + "\"", first.file, first.layer_change_kernel);
}

/// Checks what all networks of one task, data set and architecture share. Architectures may be shown the same
/// images in other preparations.
void require_same_probe(const std::string& file, const io::Trajectory& t, const Model& first) {
  if (t.probe_size != first.probe_size)
    bad_input("{}: a probe set of {} stimuli, but {} has {}: expected the same in all files", file,
              t.probe_size, first.file, first.probe_size);
  if (t.probe_checksum != first.probe_checksum)
    bad_input("{}: probe checksum {}, but {} has {}: expected the same stimuli in all files", file,
              t.probe_checksum, first.file, first.probe_checksum);
}

/// Appends samples of one network: one per layer, of the perfect or of one imperfect measurement.
class Appender {
 public:
  Appender(io::Dataset& dataset, const io::Trajectory& trajectory, std::string network)
      : dataset_(dataset), t_(trajectory), network_(std::move(network)) {
    const auto accuracy = t_.metrics.find("validation_accuracy");
    final_accuracy_ =
        accuracy == t_.metrics.end() || accuracy->second.empty() ? nan : accuracy->second.back();
    const auto loss = t_.metrics.find("validation_loss");
    if (loss != t_.metrics.end()) loss_.assign(loss->second.begin(), loss->second.end());
    loss_.resize(static_cast<std::size_t>(t_.points()), std::numeric_limits<float>::quiet_NaN());
  }

  /// `observables` is [T, L, K].
  void append(const float* observables, double unit_fraction = 1, double noise = 0, std::int64_t units = 0,
              const std::string& noise_unit = "absolute") {
    const std::size_t layers = t_.layers.size(), columns = t_.observable_names.size();
    io::SampleMeta& meta = dataset_.meta;
    for (std::size_t layer = 0; layer < layers; ++layer) {
      for (std::int64_t point = 0; point < t_.points(); ++point) {
        const float* row = observables + (static_cast<std::size_t>(point) * layers + layer) * columns;
        dataset_.x.insert(dataset_.x.end(), row, row + columns);
      }
      meta.architecture.push_back(t_.architecture);
      meta.task.push_back(t_.task);
      meta.dataset.push_back(t_.dataset);
      meta.learning_rule.push_back(t_.learning_rule);
      meta.layer.push_back(t_.layers[layer]);
      meta.layer_position.push_back(t_.layer_position[layer]);
      meta.network.push_back(network_);
      meta.batch_size.push_back(t_.batch_size);
      meta.model_seed.push_back(t_.model_seed_drawn ? -1 : t_.model_seed);
      meta.dataset_seed.push_back(t_.dataset_seed_drawn ? -1 : t_.dataset_seed);
      meta.noise.push_back(noise);
      meta.unit_fraction.push_back(unit_fraction);
      meta.units.push_back(units);
      meta.noise_unit.push_back(noise_unit);
      meta.final_accuracy.push_back(final_accuracy_);
      dataset_.validation_loss.insert(dataset_.validation_loss.end(), loss_.begin(), loss_.end());
      ++dataset_.samples;
    }
  }

 private:
  io::Dataset& dataset_;
  const io::Trajectory& t_;
  std::string network_;
  double final_accuracy_;
  std::vector<float> loss_;  // [T]
};

/// What the file says it is; "" if it does not say, or can't be read.
std::string format_of(const fs::path& file) {
  try {
    return io::hdf5::InputFile(file).format();
  } catch (const InputError&) {
    return "";
  }
}

constexpr const char* dataset_format = "lrid-dataset";

std::string fingerprint(const io::Trajectory& t) {
  return sha256({reinterpret_cast<const char*>(t.observables.data()), t.observables.size() * sizeof(float)});
}

}  // namespace

std::vector<fs::path> trajectory_files(const std::vector<fs::path>& paths, const fs::path& out) {
  std::error_code error;
  std::set<fs::path> seen;  // canonical
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& file, bool is_named) {
    if (!out.empty() && same_file(file, out)) {
      if (is_named || format_of(file) == "lrid-trajectory")
        bad_input("--out {}: is the input {}, expected another file", out.string(), file.string());
      return;
    }
    if (seen.insert(fs::weakly_canonical(file, error)).second) files.push_back(file);
  };
  for (const fs::path& path : paths) {
    const fs::file_type type = type_of(path);
    if (type == fs::file_type::not_found) bad_input("{}: no such file or folder", path.string());
    if (type != fs::file_type::directory) {
      add(path, true);
      continue;
    }
    std::vector<fs::path> found;
    auto entries = fs::recursive_directory_iterator(path, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      std::error_code broken_link;
      if (entries->path().filename().string().starts_with('.')) {  // snapshots, what other systems leave
        if (entries->is_directory(broken_link)) entries.disable_recursion_pending();
      } else if (entries->path().extension() == ".h5" && entries->is_regular_file(broken_link)) {
        found.push_back(entries->path());
      }
    }
    if (error) bad_input("{}: cannot read the folder: {}", path.string(), error.message());
    if (found.empty()) bad_input("{}: a folder without .h5 files, expected trajectory files", path.string());
    std::ranges::sort(found);
    for (const fs::path& file : found) add(file, false);
  }
  return files;
}

struct DatasetBuilder::State {
  std::map<fs::path, int> stems;
  io::Dataset dataset;
  std::map<std::tuple<std::string, std::string, std::string>, Model>
      models;                               // by task, data set, architecture
  std::map<std::string, std::string> seen;  // fingerprint → file
  const Model* first = nullptr;
  std::int64_t networks = 0;

  /// The first file says what the dataset is like.
  void begin_with(const Model& model) {
    if (first != nullptr) return;
    first = &model;
    dataset.points = model.points;
    dataset.observable_names = model.observable_names;
  }
};

DatasetBuilder::DatasetBuilder(const std::vector<fs::path>& files) : state_(std::make_unique<State>()) {
  for (const fs::path& file : files) ++state_->stems[file.stem()];
}
DatasetBuilder::~DatasetBuilder() = default;

std::int64_t DatasetBuilder::networks() const {
  return state_->networks;
}
const io::Dataset& DatasetBuilder::dataset() const {
  return state_->dataset;
}

void DatasetBuilder::add(const fs::path& path, const io::Trajectory& t, bool with_perfect) {
  State& state = *state_;
  const std::string file = path.string();
  const Model& model =
      state.models.try_emplace({t.task, t.dataset, t.architecture}, model_of(file, t)).first->second;
  state.begin_with(model);
  require_alike(file, t, *state.first);
  require_same_probe(file, t, model);
  if (const auto [same, is_new] = state.seen.try_emplace(fingerprint(t), file); !is_new)
    bad_input("{}: holds the same trajectory as {}: expected each network once", file, same->second);

  const bool unique = state.stems[path.stem()] <= 1;
  Appender appender(state.dataset, t,
                    (unique ? path.stem() : fs::path(path).replace_extension()).generic_string());
  if (with_perfect) appender.append(t.observables.data());
  if (t.imperfect) {
    const std::size_t size = t.observables.size();
    for (std::size_t i = 0; i < t.imperfect->noise.size(); ++i) {
      const double unit_fraction = t.imperfect->unit_fraction[i], noise = t.imperfect->noise[i];
      if (unit_fraction == 1 && noise == 0) continue;  // that is the perfect one
      appender.append(t.imperfect->observables.data() + i * size, unit_fraction, noise,
                      t.imperfect->units.empty() ? 0 : t.imperfect->units[i], t.imperfect->noise_unit);
    }
  }
  ++state.networks;
}

void DatasetBuilder::add(const fs::path& path, const io::Dataset& samples) {
  State& state = *state_;
  const std::string file = path.string();
  const Model model{file, samples.points, 0, "", "", samples.observable_names};
  if (state.first == nullptr) state.begin_with(state.models.try_emplace({"", "", file}, model).first->second);
  require_same_shape(file, samples.points, samples.observable_names, *state.first);
  const std::set<std::string> there(state.dataset.meta.network.begin(), state.dataset.meta.network.end()),
      added(samples.meta.network.begin(), samples.meta.network.end());
  for (const std::string& network : added)
    if (there.contains(network))
      bad_input("{}: holds network {}, as a file before it does: expected each network once", file, network);
  io::append(state.dataset, samples);
  state.networks += std::ssize(added);
}

Collection collect(const std::vector<fs::path>& files) {
  Collection result;
  DatasetBuilder builder(files);
  Progress progress("collecting", static_cast<double>(files.size()), "files");
  for (const fs::path& path : files) {
    check_interrupt();
    progress.advance();
    if (format_of(path) == dataset_format) {
      builder.add(path, io::read_dataset(path));
      continue;
    }
    const io::Trajectory t = io::read_trajectory(path);
    if (t.failed()) {
      constexpr std::string_view prefix = "failed: ";
      ++result.failed[t.status.starts_with(prefix) ? t.status.substr(prefix.size()) : t.status];
    } else if (!t.complete()) {
      ++result.running;
    } else {
      builder.add(path, t);
    }
  }
  progress.finish();
  result.networks = builder.networks();
  result.dataset = builder.dataset();
  if (result.networks == 0) {
    std::int64_t failures = 0;
    for (const auto& [reason, count] : result.failed) failures += count;
    bad_input(
        "no complete network: {} running, {} failed; expected trajectory files with status \"complete\"",
        result.running, failures);
  }
  return result;
}

void keep_admissible(io::Dataset& dataset) {
  std::vector<std::size_t> kept;
  std::vector<std::string> names;
  for (std::size_t k = 0; k < dataset.observable_names.size(); ++k)
    if (const int column = stats::observable_index(dataset.observable_names[k]);
        column >= 0 && stats::observables()[static_cast<std::size_t>(column)].admissible) {
      kept.push_back(k);
      names.push_back(dataset.observable_names[k]);
    }
  const std::size_t columns = dataset.observable_names.size(), rows = dataset.x.size() / columns;
  std::vector<float> x;
  x.reserve(rows * kept.size());
  for (std::size_t row = 0; row < rows; ++row)
    for (const std::size_t k : kept) x.push_back(dataset.x[row * columns + k]);
  dataset.x = std::move(x);
  dataset.observable_names = std::move(names);
}

void round_mantissas(io::Dataset& dataset, int bits) {
  const auto dropped = static_cast<std::uint32_t>(float_mantissa - bits);
  if (dropped == 0) return;
  for (float& value : dataset.x) {
    if (!std::isfinite(value)) continue;
    const auto code = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t half = (1U << (dropped - 1)) - 1 + ((code >> dropped) & 1U);
    const auto rounded = std::bit_cast<float>((code + half) & ~((1U << dropped) - 1));
    if (std::isfinite(rounded)) value = rounded;  // the largest values would become infinite
  }
}

}  // namespace lrid::measure
