#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <lrid/core/error.hpp>
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
  /// How cells that see the same units see the layer change: through a subset of the outputs and one of the
  /// inputs.
  struct Change {
    UnitSubset outputs;
    std::int64_t inputs;  ///< number of input units seen
    std::size_t first_cell;
  };

  Parts(const LayerShape& shape_in, std::vector<Imperfection> cells_in)
      : shape(shape_in),
        cells(std::move(cells_in)),
        units(shape.units, shape.unit_order, cells),
        weights(shape.weights, shape.weight_order, cells),
        change_of(cells.size()) {
    for (const GridPlan::Sight& sight : units.sights()) {
      const std::size_t first = sight.cells.front();
      const double fraction = cells[first].unit_fraction;
      for (const std::size_t cell : sight.cells) change_of[cell] = changes.size();
      changes.push_back({UnitSubset(shape.units, fraction, sight.seed + 1, shape.unit_order),
                         kept_count(shape.inputs, fraction), first});
    }
  }

  LayerShape shape;
  std::vector<Imperfection> cells;
  GridPlan units, weights;
  std::vector<Change> changes;
  std::vector<std::size_t> change_of;  ///< of each cell
};

namespace {

std::vector<Imperfection> validated(std::vector<Imperfection> cells) {
  for (const Imperfection& cell : cells) cell.validate();
  return cells;
}

}  // namespace

LayerPlan::LayerPlan(const LayerShape& shape, std::vector<Imperfection> cells)
    : parts_(std::make_unique<const Parts>(shape, validated(std::move(cells)))) {}
LayerPlan::~LayerPlan() = default;
LayerPlan::LayerPlan(LayerPlan&&) noexcept = default;

const LayerShape& LayerPlan::shape() const {
  return parts_->shape;
}
const std::vector<Imperfection>& LayerPlan::cells() const {
  return parts_->cells;
}

std::vector<std::uint8_t> LayerPlan::kept_inputs(std::size_t cell) const {
  const Imperfection& imperfection = parts_->cells.at(cell);
  const UnitSubset inputs(parts_->shape.inputs, imperfection.unit_fraction, imperfection.seed);
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(inputs.size()));
  for (std::int64_t i = 0; i < inputs.size(); ++i) kept[static_cast<std::size_t>(i)] = inputs[i] ? 1 : 0;
  return kept;
}

std::size_t LayerPlan::first_with_same_units(std::size_t cell) const {
  return parts_->changes[parts_->change_of.at(cell)].first_cell;
}

// --- LayerFold -----------------------------------------------------------------------------------------

struct LayerFold::State {
  struct Cell {
    std::optional<Distribution> weights;
    Distribution activation_sums{};       ///< over the stimuli
    std::array<double, 3> change_sums{};  ///< of g, |g|, g²
  };
  /// S as cells see it that see the same units.
  struct Change {
    std::vector<double> s;  ///< 0 for outputs that are not seen; empty: not given
    double sum = 0;
  };

  State(const LayerPlan::Parts& plan_in, Key where_in)
      : plan(plan_in), where(where_in), cells(plan.cells.size()), changes(plan.changes.size()) {}

  [[nodiscard]] Key noise_key(std::uint64_t seed, const char* purpose) const {
    return Key(seed, purpose).with(where.value());
  }
  template <class T>
  void measure_stimulus(const View& stimuli, std::int64_t row, std::int64_t stimulus,
                        std::span<Distribution> activations, std::span<double> change_sums) const;
  void add_up(std::int64_t stimulus, std::span<const Distribution> activations,
              std::span<const double> change_sums);
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
  std::vector<Cell> cells;
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
  std::vector<Distribution> results(plan.cells.size());
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
  for (std::size_t cell = 0; cell < results.size(); ++cell) state.cells[cell].weights = results[cell];
}

void LayerFold::set_layer_change(std::size_t cell, const View& s) {
  State& state = *state_;
  require(s, state.plan.shape.units, "the kernel's response to ones");
  const std::size_t index = state.plan.change_of.at(cell);
  const UnitSubset& outputs = state.plan.changes[index].outputs;
  State::Change& change = state.changes[index];
  state.s_on_device.reset();
  const auto take = [&]<class T>(const Row<T>& row) {
    change.s.resize(row.size());
    for (std::size_t unit = 0; unit < row.size(); ++unit)
      change.s[unit] = outputs[static_cast<std::int64_t>(unit)] ? static_cast<double>(row[unit]) : 0.0;
  };
  if (s.type == ElementType::f64)
    take(Row<double>(s, 0));
  else
    take(Row<float>(s, 0));
  change.sum = 0;
  for (const double value : change.s) change.sum += value;
}

void LayerFold::set_measured_layer_change(std::span<const double> g) {
  state_->measured_change = layer_change_statistics(g);
}

template <class T>
void LayerFold::State::measure_stimulus(const View& view, std::int64_t row, std::int64_t stimulus,
                                        std::span<Distribution> activations,
                                        std::span<double> change_sums) const {
  std::vector<std::array<double, lane_count>> lanes(changes.size());
  const bool all_active = plan.shape.activation == Activation::identity;
  const auto add_active = [&](std::span<const T> y, std::size_t begin) {
    for (std::size_t c = 0; c < changes.size(); ++c)
      if (!changes[c].s.empty())
        kernels<T>().add_where_positive(y.data(), changes[c].s.data() + begin, y.size(), lanes[c].data());
  };
  grid_fold<T>().measure(
      plan.units, Row<T>(view, row),
      [&](std::uint64_t seed) {
        return noise_key(seed, "activation noise").with(static_cast<std::uint64_t>(stimulus));
      },
      plan.shape.missing, all_active ? typename GridFold<T>::OnBlock() : add_active, activations);
  for (std::size_t c = 0; c < changes.size(); ++c)
    change_sums[c] = all_active ? changes[c].sum : sum_of_lanes(lanes[c].data());
}

/// In the order of the stimuli, whoever measured them.
void LayerFold::State::add_up(std::int64_t stimulus, std::span<const Distribution> activations,
                              std::span<const double> change_sums) {
  for (std::size_t c = 0; c < cells.size(); ++c) {
    for (std::size_t f = 0; f < Distribution::function_count; ++f)
      for (std::size_t s = 0; s < Distribution::statistic_count; ++s)
        cells[c].activation_sums.values[f][s] += activations[c].values[f][s];

    const LayerPlan::Parts::Change& seen = plan.changes[plan.change_of[c]];
    double g = change_sums[plan.change_of[c]];
    // Noise σ on each of the input units' Jacobian sums, of which this is the total.
    if (const auto& [unit_fraction, noise, seed] = plan.cells[c]; noise != 0)
      g += noise * std::sqrt(static_cast<double>(seen.inputs)) *
           noise_key(seed, "layer change noise").normal(static_cast<std::uint64_t>(stimulus));
    g /= static_cast<double>(seen.outputs.count());
    cells[c].change_sums[0] += g;
    cells[c].change_sums[1] += std::abs(g);
    cells[c].change_sums[2] += g * g;
  }
}

void LayerFold::add(const View& stimuli) {
  if (stimuli.device.kind != Device::Kind::cpu)
    return measure_on_device(std::array{Data{this, stimuli, false}});
  State& state = *state_;
  state.take_results();
  require(stimuli, state.plan.shape.units, "activations");
  const std::size_t cells = state.cells.size(), changes = state.changes.size();
  std::vector<Distribution> activations(static_cast<std::size_t>(std::min(batch, stimuli.rows)) * cells);
  std::vector<double> change_sums(static_cast<std::size_t>(std::min(batch, stimuli.rows)) * changes);
  for (std::int64_t begin = 0; begin < stimuli.rows; begin += batch) {
    const std::int64_t count = std::min(batch, stimuli.rows - begin);
    const auto part = [](auto& all, std::int64_t i, std::size_t size) {
      return std::span(all).subspan(static_cast<std::size_t>(i) * size, size);
    };
    tbb::parallel_for(std::int64_t{0}, count, [&](std::int64_t i) {
      const auto measure = [&]<class T>(T) {
        state.measure_stimulus<T>(stimuli, begin + i, state.stimuli + i, part(activations, i, cells),
                                  part(change_sums, i, changes));
      };
      if (stimuli.type == ElementType::f64)
        measure(double{});
      else
        measure(float{});
    });
    for (std::int64_t i = 0; i < count; ++i)
      state.add_up(state.stimuli + i, part(activations, i, cells), part(change_sums, i, changes));
    state.stimuli += count;
  }
}

bool LayerFold::takes(const View& view) const {
  if (view.device.kind == Device::Kind::cpu) return true;
  const LayerPlan::Parts& plan = state_->plan;
  return has_device_kernels() && view.type != ElementType::f64 && plan.cells.size() == 1 &&
         plan.cells.front().perfect() && plan.shape.missing == Missing::propagate;
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
    const auto count = static_cast<std::size_t>(view.rows);
    fold->state_->pending.push_back({batch, first, count, weights});
    first += count;
  }
}

void LayerFold::State::take_results() {
  for (const auto& [batch, first, rows, weights] : std::exchange(pending, {}))
    for (const DeviceBatch::Result& result : std::span(batch->results()).subspan(first, rows)) {
      const bool all_active = plan.shape.activation == Activation::identity;
      const double change = all_active ? changes.front().sum : result.positive_s;
      if (weights)
        cells.front().weights = result.statistics;
      else
        add_up(stimuli++, std::span(&result.statistics, 1), std::span(&change, 1));
    }
}

ObservableRow LayerFold::row(std::size_t index) const {
  state_->take_results();
  const State& state = *state_;
  const State::Cell& cell = state.cells.at(index);
  const auto stimuli = static_cast<double>(state.stimuli);  // 0: means become NaN
  std::array<double, 3> change{nan, nan, nan};
  if (state.measured_change && state.plan.cells[index].perfect())
    change = *state.measured_change;
  else if (!state.changes[state.plan.change_of[index]].s.empty())
    std::ranges::transform(cell.change_sums, change.begin(), [&](double sum) { return sum / stimuli; });

  ObservableRow row;
  std::ranges::transform(observables(), row.begin(), [&](const Observable& o) {
    if (o.measure == Measure::layer_change) return change[static_cast<std::size_t>(o.function)];
    if (o.measure == Measure::activation) return cell.activation_sums(o.function, o.statistic) / stimuli;
    return cell.weights ? (*cell.weights)(o.function, o.statistic) : nan;
  });
  return row;
}

std::int64_t LayerFold::stimuli() const {
  state_->take_results();
  return state_->stimuli;
}

// --- ThreadLimit ---------------------------------------------------------------------------------------

struct ThreadLimit::Control : tbb::global_control {
  explicit Control(int threads)
      : global_control(max_allowed_parallelism, static_cast<std::size_t>(threads)) {}
};

ThreadLimit::ThreadLimit(int threads) {
  if (threads > 0) control_ = std::make_unique<Control>(threads);
}
ThreadLimit::~ThreadLimit() = default;

}  // namespace lrid::stats
