#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <tbb/global_control.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/stats/distribution.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "device_batch.hpp"
#include "grid_fold.hpp"
#include "kernels.hpp"

namespace lrid::stats {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Stimuli whose results are kept until they are added up in order.
constexpr std::int64_t batch = 256;

/// Working memory of a thread, for all layers; nothing that is in it matters to the next set.
template <class T>
GridFold<T>& grid_fold() {
  thread_local GridFold<T> fold;
  return fold;
}

void require(const View& view, std::int64_t columns, const char* what) {
  if (view.columns != columns)
    work_failed("statistics of {}: {} values in a set, expected {}", what, view.columns, columns);
}

}  // namespace

// --- LayerPlan -----------------------------------------------------------------------------------------

struct LayerPlan::Parts {
  /// How measurements that see the same units see the layer change: through a subset of the outputs and one
  /// of the inputs.
  struct Change {
    UnitSubset outputs;
    std::int64_t inputs;  ///< number of input units seen
    std::size_t first_measurement;
  };

  Parts(const LayerShape& shape_in, std::vector<Imperfection> measurements_in)
      : shape(shape_in),
        measurements(std::move(measurements_in)),
        units(shape.units, shape.unit_order, measurements),
        weights(shape.weights, shape.weight_order, measurements),
        change_of(measurements.size()) {
    for (const GridPlan::Subset& subset : units.subsets()) {
      const std::size_t first = subset.measurements.front();
      const Imperfection& imperfection = measurements[first];
      for (const std::size_t measurement : subset.measurements) change_of[measurement] = changes.size();
      changes.push_back({UnitSubset(shape.units, imperfection.kept(shape.units),
                                    imperfection.subset_seed() + 1, shape.unit_order),
                         imperfection.kept(shape.inputs), first});
    }
  }

  LayerShape shape;
  std::vector<Imperfection> measurements;
  GridPlan units, weights;
  std::vector<Change> changes;
  std::vector<std::size_t> change_of;  ///< of each measurement
};

namespace {

std::vector<Imperfection> validated(std::vector<Imperfection> measurements) {
  for (const Imperfection& measurement : measurements) measurement.validate();
  return measurements;
}

}  // namespace

LayerPlan::LayerPlan(const LayerShape& shape, std::vector<Imperfection> measurements)
    : parts_(std::make_unique<const Parts>(shape, validated(std::move(measurements)))) {}
LayerPlan::~LayerPlan() = default;
LayerPlan::LayerPlan(LayerPlan&&) noexcept = default;

const LayerShape& LayerPlan::shape() const {
  return parts_->shape;
}
const std::vector<Imperfection>& LayerPlan::measurements() const {
  return parts_->measurements;
}

std::vector<std::uint8_t> LayerPlan::kept_inputs(std::size_t measurement) const {
  const Imperfection& imperfection = parts_->measurements.at(measurement);
  const std::int64_t n = parts_->shape.inputs;
  const UnitSubset inputs(n, imperfection.kept(n), imperfection.subset_seed());
  std::vector<std::uint8_t> kept(to_size(inputs.size()));
  for (std::int64_t i = 0; i < inputs.size(); ++i) kept[to_size(i)] = inputs[i] ? 1 : 0;
  return kept;
}

std::size_t LayerPlan::first_with_same_units(std::size_t measurement) const {
  return parts_->changes[parts_->change_of.at(measurement)].first_measurement;
}

// --- LayerFold -----------------------------------------------------------------------------------------

struct LayerFold::State {
  /// Σ S_j and, where noise is relative, Σ S_j² over the active outputs that are seen.
  struct ChangeSum {
    double sum = 0, squares = 0;
  };
  struct Totals {
    std::optional<Distribution> weights;
    Distribution activation_sums{};       ///< over the stimuli
    std::array<double, 3> change_sums{};  ///< of g, |g|, g²
  };
  /// S of the measurements that see the same units.
  struct Change {
    std::vector<double> s;        ///< 0 for outputs that are not seen; empty: not given
    std::vector<double> squares;  ///< of s, where noise is relative
    ChangeSum all;                ///< over all outputs
  };

  State(const LayerPlan::Parts& plan_in, Key where_in)
      : plan(plan_in), where(where_in), totals(plan.measurements.size()), changes(plan.changes.size()) {}

  [[nodiscard]] Key noise_key(std::uint64_t seed, const char* purpose) const {
    return Key(seed, purpose).with(where.value());
  }
  template <class T>
  void measure_stimulus(const View& stimuli, std::int64_t row, std::int64_t stimulus,
                        std::span<Distribution> activations, std::span<ChangeSum> change_sums) const;
  void add_up(std::int64_t stimulus, std::span<const Distribution> activations,
              std::span<const ChangeSum> change_sums);
  /// Results that a device owes, in the order in which they were asked for.
  void take_results();

  /// A view's rows in a batch.
  struct Pending {
    std::shared_ptr<DeviceBatch> batch;
    std::size_t first, rows;
    bool weights;
  };

  const LayerPlan::Parts& plan;
  const Key where;
  std::int64_t stimuli = 0;
  std::vector<Totals> totals;
  std::vector<Change> changes;
  std::optional<std::array<double, 3>> measured_change;
  std::vector<Pending> pending;
  std::shared_ptr<const double> s_on_device;
};

LayerFold::LayerFold(const LayerPlan& plan, Key where)
    : state_(std::make_unique<State>(*plan.parts_, where)) {}
LayerFold::~LayerFold() = default;
LayerFold::LayerFold(LayerFold&&) noexcept = default;

void LayerFold::set_weights(const View& weights) {
  if (weights.device.kind != Device::Kind::cpu)
    return measure_on_device(std::array{Data{this, weights, true}});
  State& state = *state_;
  const LayerPlan::Parts& plan = state.plan;
  require(weights, plan.shape.weights, "weights");
  std::vector<Distribution> results(plan.measurements.size());
  const auto measure = [&]<class T>(T) {
    grid_fold<T>().measure(
        plan.weights, Row<T>(weights, 0),
        [&](std::uint64_t seed) { return state.noise_key(seed, "weight noise"); }, plan.shape.missing, {},
        results);
  };
  if (weights.type == ElementType::f64)
    measure(double{});
  else
    measure(float{});
  for (std::size_t measurement = 0; measurement < results.size(); ++measurement)
    state.totals[measurement].weights = results[measurement];
}

void LayerFold::set_layer_change(std::size_t measurement, const View& s) {
  State& state = *state_;
  require(s, state.plan.shape.units, "the kernel's response to ones");
  const std::size_t index = state.plan.change_of.at(measurement);
  const UnitSubset& outputs = state.plan.changes[index].outputs;
  State::Change& change = state.changes[index];
  state.s_on_device.reset();
  const auto take = [&]<class T>(const Row<T>& row) {
    change.s.resize(row.size());
    for (std::size_t unit = 0; unit < row.size(); ++unit)
      change.s[unit] = outputs[to_index(unit)] ? static_cast<double>(row[unit]) : 0.0;
  };
  if (s.type == ElementType::f64)
    take(Row<double>(s, 0));
  else
    take(Row<float>(s, 0));
  change.all = {};
  change.squares.assign(state.plan.units.relative() ? change.s.size() : 0, 0.0);
  for (std::size_t unit = 0; unit < change.s.size(); ++unit) {
    const double value = change.s[unit];
    change.all.sum += value;
    change.all.squares += value * value;
    if (!change.squares.empty()) change.squares[unit] = value * value;
  }
}

void LayerFold::set_measured_layer_change(std::span<const double> g) {
  state_->measured_change = layer_change_statistics(g);
}

template <class T>
void LayerFold::State::measure_stimulus(const View& view, std::int64_t row, std::int64_t stimulus,
                                        std::span<Distribution> activations,
                                        std::span<ChangeSum> change_sums) const {
  std::vector<std::array<double, lane_count>> lanes(changes.size()), square_lanes(changes.size());
  const bool all_active = plan.shape.activation == Activation::identity;
  const auto add_active = [&](std::span<const T> y, std::size_t begin) {
    for (std::size_t c = 0; c < changes.size(); ++c) {
      const auto add = [&](const std::vector<double>& weights, double* sums) {
        if (!weights.empty())
          kernels<T>().add_where_positive(y.data(), weights.data() + begin, y.size(), sums);
      };
      add(changes[c].s, lanes[c].data());
      add(changes[c].squares, square_lanes[c].data());
    }
  };
  grid_fold<T>().measure(
      plan.units, Row<T>(view, row),
      [&](std::uint64_t seed) {
        return noise_key(seed, "activation noise").with(static_cast<std::uint64_t>(stimulus));
      },
      plan.shape.missing, all_active ? typename GridFold<T>::OnBlock() : add_active, activations);
  for (std::size_t c = 0; c < changes.size(); ++c)
    change_sums[c] = all_active
                         ? changes[c].all
                         : ChangeSum{sum_of_lanes(lanes[c].data()), sum_of_lanes(square_lanes[c].data())};
}

/// In the order of the stimuli, whoever measured them.
void LayerFold::State::add_up(std::int64_t stimulus, std::span<const Distribution> activations,
                              std::span<const ChangeSum> change_sums) {
  for (std::size_t c = 0; c < totals.size(); ++c) {
    for (std::size_t f = 0; f < Distribution::function_count; ++f)
      for (std::size_t s = 0; s < Distribution::statistic_count; ++s)
        totals[c].activation_sums.values[f][s] += activations[c].values[f][s];

    const LayerPlan::Parts::Change& seen = plan.changes[plan.change_of[c]];
    const auto outputs = static_cast<double>(seen.outputs.count());
    double g = change_sums[plan.change_of[c]].sum;
    if (const Imperfection& measurement = plan.measurements[c]; measurement.noise != 0) {
      double sd = 0;  // of the total
      if (measurement.noise_unit == NoiseUnit::relative) {
        // On each output's S, in units of the standard deviation over outputs.
        const double mean = g / outputs, squares = change_sums[plan.change_of[c]].squares / outputs;
        sd = measurement.noise * std::sqrt(std::max(0.0, squares - mean * mean) * outputs);
      } else {
        // σ on each of the input units' Jacobian sums, of which this is the total.
        sd = measurement.noise * std::sqrt(static_cast<double>(seen.inputs));
      }
      g +=
          sd * noise_key(measurement.seed, "layer change noise").normal(static_cast<std::uint64_t>(stimulus));
    }
    g /= outputs;
    totals[c].change_sums[0] += g;
    totals[c].change_sums[1] += std::abs(g);
    totals[c].change_sums[2] += g * g;
  }
}

void LayerFold::add(const View& stimuli) {
  if (stimuli.device.kind != Device::Kind::cpu)
    return measure_on_device(std::array{Data{this, stimuli, false}});
  State& state = *state_;
  state.take_results();
  require(stimuli, state.plan.shape.units, "activations");
  const std::size_t measurements = state.totals.size(), changes = state.changes.size();
  std::vector<Distribution> activations(to_size(std::min(batch, stimuli.rows)) * measurements);
  std::vector<State::ChangeSum> change_sums(to_size(std::min(batch, stimuli.rows)) * changes);
  for (std::int64_t begin = 0; begin < stimuli.rows; begin += batch) {
    const std::int64_t count = std::min(batch, stimuli.rows - begin);
    const auto part = [](auto& all, std::int64_t i, std::size_t size) {
      return std::span(all).subspan(to_size(i) * size, size);
    };
    parallel_each(to_size(count), [&](std::size_t stimulus) {
      const std::int64_t i = to_index(stimulus);
      const auto measure = [&]<class T>(T) {
        state.measure_stimulus<T>(stimuli, begin + i, state.stimuli + i, part(activations, i, measurements),
                                  part(change_sums, i, changes));
      };
      if (stimuli.type == ElementType::f64)
        measure(double{});
      else
        measure(float{});
    });
    for (std::int64_t i = 0; i < count; ++i)
      state.add_up(state.stimuli + i, part(activations, i, measurements), part(change_sums, i, changes));
    state.stimuli += count;
  }
}

bool LayerFold::takes(const View& view) const {
  if (view.device.kind == Device::Kind::cpu) return true;
  const LayerPlan::Parts& plan = state_->plan;
  return has_device_kernels() && view.type != ElementType::f64 && plan.measurements.size() == 1 &&
         plan.measurements.front().perfect() && plan.shape.missing == Missing::propagate;
}

void LayerFold::measure_on_device(std::span<const Data> data) {
  std::vector<DeviceBatch::Rows> rows;
  for (const auto& [fold, view, weights] : data) {
    State& state = *fold->state_;
    if (!fold->takes(view))
      work_failed(
          "statistics on a CUDA device: expected float32, float16 or bfloat16, a perfect measurement, and "
          "a program with kernels for it");
    require(view, weights ? state.plan.shape.weights : state.plan.shape.units,
            weights ? "weights" : "activations");
    const std::vector<double>& s = state.changes.front().s;
    const bool with_s = !weights && !s.empty() && state.plan.shape.activation == Activation::relu;
    if (with_s && !state.s_on_device) state.s_on_device = copy_to_device(s, view.device);
    rows.push_back({view, with_s ? state.s_on_device : nullptr});
  }
  const auto batch = std::make_shared<DeviceBatch>(std::move(rows));
  std::size_t first = 0;
  for (const auto& [fold, view, weights] : data) {
    const auto count = to_size(view.rows);
    fold->state_->pending.push_back({batch, first, count, weights});
    first += count;
  }
}

void LayerFold::State::take_results() {
  for (const auto& [batch, first, rows, weights] : std::exchange(pending, {}))
    for (const DeviceBatch::Result& result : std::span(batch->results()).subspan(first, rows)) {
      const bool all_active = plan.shape.activation == Activation::identity;
      const ChangeSum change = all_active ? changes.front().all : ChangeSum{.sum = result.positive_s};
      if (weights)
        totals.front().weights = result.statistics;
      else
        add_up(stimuli++, std::span(&result.statistics, 1), std::span(&change, 1));
    }
}

ObservableRow LayerFold::row(std::size_t index) const {
  state_->take_results();
  const State& state = *state_;
  const State::Totals& totals = state.totals.at(index);
  const auto stimuli = static_cast<double>(state.stimuli);  // 0: means become NaN
  std::array<double, 3> change{nan, nan, nan};
  if (state.measured_change && state.plan.measurements[index].perfect())
    change = *state.measured_change;
  else if (!state.changes[state.plan.change_of[index]].s.empty())
    std::ranges::transform(totals.change_sums, change.begin(), [&](double sum) { return sum / stimuli; });

  ObservableRow row;
  std::ranges::transform(observables(), row.begin(), [&](const Observable& o) {
    if (o.measure == Measure::layer_change) return change[static_cast<std::size_t>(o.function)];
    if (o.measure == Measure::activation) return totals.activation_sums(o.function, o.statistic) / stimuli;
    return totals.weights ? (*totals.weights)(o.function, o.statistic) : nan;
  });
  return row;
}

std::int64_t LayerFold::stimuli() const {
  state_->take_results();
  return state_->stimuli;
}

// --- ThreadLimit ---------------------------------------------------------------------------------------

struct ThreadLimit::Control : tbb::global_control {
  explicit Control(int threads) : global_control(max_allowed_parallelism, to_size(threads)) {}
};

ThreadLimit::ThreadLimit(int threads) {
  if (threads > 0) control_ = std::make_unique<Control>(threads);
}
ThreadLimit::~ThreadLimit() = default;

}  // namespace lrid::stats
