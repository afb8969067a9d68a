#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/random.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/stats/layer_fold.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::measure {

io::Observables measure_recording(const io::Recording& recording, const stats::Imperfection& imperfection) {
  imperfection.validate();
  const auto layers = recording.layers().size();
  const auto points = static_cast<std::size_t>(recording.points());

  io::Observables result;
  result.points = recording.points();
  result.unit_fraction = imperfection.unit_fraction;
  result.noise = imperfection.noise;
  result.seed = static_cast<std::int64_t>(imperfection.seed);
  for (const stats::Observable& observable : stats::observables())
    result.observable_names.push_back(observable.name);
  for (const io::Recording::Layer& layer : recording.layers()) result.layers.push_back(layer.name);
  result.values.resize(points * layers * stats::observable_count);

  Progress progress("measuring", static_cast<double>(points * layers), "layers");
  for (std::size_t l = 0; l < layers; ++l) {
    const io::Recording::Layer& layer = recording.layers()[l];
    stats::LayerShape shape;
    shape.units = layer.units;
    shape.weights = layer.weights;
    shape.missing = stats::Missing::leave_out;
    const stats::LayerPlan plan(shape, {imperfection});
    for (std::size_t t = 0; t < points; ++t) {
      check_interrupt();
      const auto point = static_cast<std::int64_t>(t);
      stats::LayerFold fold(plan, Key(0, layer.id, {t}));
      if (layer.weights > 0) {
        const std::vector<double> weights = recording.weights(l, point);
        fold.set_weights(stats::View::of(weights));
      }
      if (layer.layer_change_stimuli > 0) fold.set_measured_layer_change(recording.layer_change(l, point));
      if (layer.units > 0) {
        const std::vector<double> activations = recording.activations(l, point);
        fold.add(stats::View::of(activations, layer.stimuli));
      }
      const stats::ObservableRow row = fold.row(0);
      std::copy(row.begin(), row.end(), result.values.data() + (t * layers + l) * row.size());
      progress.advance();
    }
  }
  return result;
}

}  // namespace lrid::measure
