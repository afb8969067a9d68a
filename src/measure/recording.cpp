#include <algorithm>
#include <cmath>
#include <future>
#include <optional>

#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/random.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/stats/layer_fold.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::measure {

namespace {

stats::View view_of(const io::Recording::Values& values, std::int64_t first_row, std::int64_t rows,
                    std::int64_t columns) {
  return std::visit(
      [&](const auto& held) {
        const std::span all(held);
        return stats::View::of(all.subspan(static_cast<std::size_t>(first_row * columns),
                                           static_cast<std::size_t>(rows * columns)),
                               rows);
      },
      values);
}

/// Reads the next block while the last one is measured.
class BlockReader {
 public:
  BlockReader(const io::Recording& recording, std::size_t layer)
      : activations_(recording.activations(layer)) {
    start();
  }

  /// Returns false at the end. The block stays valid until the next call.
  bool next() {
    if (!coming_.valid()) return false;
    coming_.get();
    std::swap(current_, reading_);
    block_ = activations_.blocks()[begun_ - 1];
    start();
    return true;
  }
  [[nodiscard]] const io::Recording::Block& block() const { return block_; }
  [[nodiscard]] const io::Recording::Values& values() const { return current_; }

 private:
  void start() {
    if (begun_ == activations_.blocks().size()) return;
    coming_ = std::async(std::launch::async, [this, &block = activations_.blocks()[begun_]] {
      activations_.read(block, reading_);
    });
    ++begun_;
  }

  const io::Recording::Activations activations_;
  std::size_t begun_ = 0;
  io::Recording::Block block_;
  io::Recording::Values current_, reading_;
  std::future<void> coming_;  // last: destroyed first, which waits for the reading
};

/// One layer at all points; `store(t, row)` takes the results.
template <class Store>
void measure_layer(const io::Recording& recording, std::size_t l, const stats::Imperfection& imperfection,
                   Progress& progress, const Store& store) {
  const io::Recording::Layer& layer = recording.layers()[l];
  stats::LayerShape shape;
  shape.units = layer.units;
  shape.weights = layer.weights;
  shape.missing = stats::Missing::leave_out;
  const stats::LayerPlan plan(shape, {imperfection});

  io::Recording::Values weights;
  const auto start_point = [&](std::int64_t t) {
    stats::LayerFold fold(plan, Key(0, layer.id, {static_cast<std::uint64_t>(t)}));
    if (layer.weights > 0) {
      recording.weights(l, t, weights);
      fold.set_weights(view_of(weights, 0, 1, layer.weights));
    }
    if (layer.layer_change_stimuli > 0) fold.set_measured_layer_change(recording.layer_change(l, t));
    return fold;
  };
  if (layer.units == 0) {
    for (std::int64_t t = 0; t < recording.points(); ++t) {
      check_interrupt();
      store(t, start_point(t).row(0));
    }
    return;
  }

  std::vector<std::optional<stats::LayerFold>> folds(static_cast<std::size_t>(recording.points()));
  BlockReader reader(recording, l);
  while (reader.next()) {
    check_interrupt();
    const io::Recording::Block& block = reader.block();
    for (std::int64_t i = 0; i < block.points; ++i) {
      std::optional<stats::LayerFold>& fold = folds[static_cast<std::size_t>(block.point + i)];
      if (!fold) fold.emplace(start_point(block.point + i));
      fold->add(view_of(reader.values(), i * block.stimuli, block.stimuli, layer.units));
      if (fold->stimuli() < layer.stimuli) continue;
      store(block.point + i, fold->row(0));
      fold.reset();
    }
    progress.advance(1e-6 * static_cast<double>(block.points * block.stimuli * layer.units));
  }
}

/// Says which measures are NaN and why, so that nobody has to find out from the file.
void report_missing(const io::Recording& recording, const io::Observables& result) {
  const auto list = [&](const char* what, auto is_missing) {
    std::string names;
    for (const io::Recording::Layer& layer : recording.layers())
      if (is_missing(layer)) names += (names.empty() ? "" : ", ") + layer.name;
    if (!names.empty()) spdlog::info("{}: NaN for lack of data in layers {}", what, names);
  };
  list("activations", [](const io::Recording::Layer& layer) { return layer.units == 0; });
  list("weights", [](const io::Recording::Layer& layer) { return layer.weights == 0; });
  list("layer change", [](const io::Recording::Layer& layer) { return layer.layer_change_stimuli == 0; });

  const auto mean = static_cast<std::size_t>(stats::observable_index("actabs_mean"));
  for (std::size_t l = 0; l < result.layers.size(); ++l) {
    if (recording.layers()[l].units == 0) continue;
    std::int64_t broken = 0;
    for (std::size_t t = 0; t < static_cast<std::size_t>(result.points); ++t)
      if (!std::isfinite(result.values[(t * result.layers.size() + l) * stats::observable_count + mean]))
        ++broken;
    if (broken > 0)
      spdlog::warn(
          "layer {}: activations not finite at {} of {}: a stimulus there has infinite values, or "
          "none",
          result.layers[l], broken, counted(result.points, "point"));
  }
}

}  // namespace

io::Observables measure_recording(const io::Recording& recording, const stats::Imperfection& imperfection) {
  imperfection.validate();
  const auto layers = recording.layers().size();

  constexpr std::int64_t most_rows = std::int64_t{1} << 26;  // 12 GB of statistics
  if (recording.points() > most_rows / std::ssize(recording.layers()))
    recording.root().fail(fmt::format("{} points of {} layers, expected at most {} together",
                                      recording.points(), layers, most_rows));

  for (const io::Recording::Layer& layer : recording.layers())
    if (std::max(layer.units, layer.weights) >= std::int64_t{1} << 32)
      recording.root().fail(fmt::format("layer {} has {} units and {} weights, expected fewer than 2^32",
                                        layer.name, layer.units, layer.weights));

  io::Observables result;
  result.points = recording.points();
  result.unit_fraction = imperfection.units > 0 ? NAN : imperfection.unit_fraction;
  result.units = imperfection.units;
  result.noise = imperfection.noise;
  result.noise_unit = name_of(imperfection.noise_unit);
  result.seed = static_cast<std::int64_t>(imperfection.seed);
  for (const stats::Observable& observable : stats::observables())
    result.observable_names.push_back(observable.name);
  double values = 0;
  for (const io::Recording::Layer& layer : recording.layers()) {
    result.layers.push_back(layer.name);
    result.layer_position.push_back(layer.position.empty()
                                        ? io::unknown_position
                                        : io::layer_position_of(layer.position, "layer " + layer.name));
    values += static_cast<double>(recording.points()) * static_cast<double>(layer.stimuli) *
              static_cast<double>(layer.units);
  }
  result.values.resize(static_cast<std::size_t>(recording.points()) * layers * stats::observable_count);

  {
    Progress progress("measuring", 1e-6 * values, "million values");
    for (std::size_t l = 0; l < layers; ++l) {
      progress.note(recording.layers()[l].name);
      measure_layer(
          recording, l, imperfection, progress, [&](std::int64_t t, const stats::ObservableRow& row) {
            std::copy(row.begin(), row.end(),
                      result.values.data() + (static_cast<std::size_t>(t) * layers + l) * row.size());
          });
    }
  }
  report_missing(recording, result);
  return result;
}

}  // namespace lrid::measure
