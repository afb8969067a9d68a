#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <lrid/core/error.hpp>
#include <lrid/stats/distribution.hpp>
#include <lrid/stats/layer_fold.hpp>

#include "kernels.hpp"

namespace lrid::stats {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU, mantissa = bits & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: mantissa · 2⁻²⁴
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 0x1F ? 0xFFU : exponent + 112;
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
}

float bfloat_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// What a thread needs to measure one set.
struct Workspace {
  Scratch scratch;
  std::vector<float> widened, gathered;
  std::vector<double> gathered_wide;
  std::vector<std::uint32_t> ranks;

  std::vector<float>& gather_buffer(float) { return gathered; }
  std::vector<double>& gather_buffer(double) { return gathered_wide; }
};

/// Calls `use(span)` with row `r` as float or double values.
template <class Use>
void with_row(const View& view, std::int64_t r, std::vector<float>& widened, const Use& use) {
  const auto columns = static_cast<std::size_t>(view.columns);
  const auto offset = static_cast<std::size_t>(r * view.row_stride);
  if (view.type == ElementType::f32) {
    use(std::span(static_cast<const float*>(view.data) + offset, columns));
  } else if (view.type == ElementType::f64) {
    use(std::span(static_cast<const double*>(view.data) + offset, columns));
  } else {
    const auto* narrow = static_cast<const std::uint16_t*>(view.data) + offset;
    widened.resize(columns);
    std::transform(narrow, narrow + columns, widened.begin(),
                   view.type == ElementType::f16 ? half_to_float : bfloat_to_float);
    use(std::span<const float>(widened));
  }
}

void require(const View& view, std::int64_t columns, const char* what) {
  if (view.device.kind != Device::Kind::cpu)
    work_failed(
        "statistics of {} on a CUDA device: this build has no kernels for it, expected data on the host",
        what);
  if (view.columns != columns)
    work_failed("statistics of {}: {} values in a set, expected {}", what, view.columns, columns);
}

}  // namespace

// --- LayerPlan -----------------------------------------------------------------------------------------

LayerPlan::LayerPlan(const LayerShape& shape, std::vector<Imperfection> cells)
    : shape_(shape), cells_(std::move(cells)) {
  // Cells with the same seed differ in how much they keep of the same permutation.
  using Ranks = std::shared_ptr<const std::vector<std::uint32_t>>;
  std::map<std::pair<std::int64_t, std::uint64_t>, Ranks> unit_permutations, weight_permutations;
  const auto subset = [](auto& permutations, std::int64_t n, std::uint64_t seed, const UnitOrder& order,
                         double fraction) -> Subset {
    if (fraction == 1.0) return {nullptr, n};
    Ranks& ranks = permutations[{n, seed}];
    if (!ranks) ranks = std::make_shared<const std::vector<std::uint32_t>>(unit_ranks(n, seed, order));
    return {ranks, kept_count(n, fraction)};
  };
  for (const Imperfection& cell : cells_) {
    cell.validate();
    const double fraction = cell.unit_fraction;
    subsets_.push_back(
        {.units = subset(unit_permutations, shape.units, cell.seed, shape.unit_order, fraction),
         .weights = subset(weight_permutations, shape.weights, cell.seed, shape.weight_order, fraction),
         .changed_units = subset(unit_permutations, shape.units, cell.seed + 1, shape.unit_order, fraction),
         .inputs = kept_count(shape.inputs, fraction)});
  }
}

std::vector<std::uint8_t> LayerPlan::kept_inputs(std::size_t cell) const {
  const Imperfection& imperfection = cells_.at(cell);
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(shape_.inputs), 1);
  if (imperfection.unit_fraction == 1.0) return kept;
  const std::vector<std::uint32_t> ranks = unit_ranks(shape_.inputs, imperfection.seed);
  const std::int64_t count = subsets_[cell].inputs;
  std::ranges::transform(ranks, kept.begin(), [&](std::uint32_t rank) { return rank < count ? 1 : 0; });
  return kept;
}

// --- LayerFold -----------------------------------------------------------------------------------------

struct LayerFold::State {
  struct Cell {
    Distribution weights{};
    bool has_weights = false;
    std::vector<double> s;                  ///< S, 0 for outputs that are not seen; empty: not given
    double s_sum = 0;                       ///< its sum
    std::vector<Distribution> activations;  ///< of each stimulus
    std::vector<double> layer_change;       ///< g of each stimulus
  };

  State(const LayerPlan& plan_in, Key where_in)
      : plan(plan_in), where(where_in), cells(plan.cells().size()) {}

  [[nodiscard]] Key noise_key(std::size_t cell, const char* purpose) const {
    return Key(plan.cells()[cell].seed, purpose).with(where.value());
  }
  template <class T>
  std::span<const T> see(std::span<const T> values, std::size_t cell, const LayerPlan::Subset& subset,
                         Key noise_key, const UnitOrder& order, Workspace& work) const;
  template <class T>
  double layer_change(std::span<const T> y, std::size_t cell, std::size_t stimulus) const;

  const LayerPlan& plan;
  const Key where;
  std::size_t stimuli = 0;
  std::vector<Cell> cells;
  std::vector<double> measured_change;
  tbb::enumerable_thread_specific<Workspace> workspaces;
};

/// A set as a cell sees it: noise on every value, then only the kept ones. Noise is keyed by the canonical
/// index, so neither the memory order nor what else is kept changes a value.
template <class T>
std::span<const T> LayerFold::State::see(std::span<const T> values, std::size_t cell,
                                         const LayerPlan::Subset& subset, Key noise_key,
                                         const UnitOrder& order, Workspace& work) const {
  const auto& [unit_fraction, noise, seed] = plan.cells()[cell];
  const bool leave_out = plan.shape().missing == Missing::leave_out;
  if (!subset.ranks && noise == 0 && !leave_out) return values;

  const std::uint32_t* ranks = subset.ranks ? subset.ranks->data() : nullptr;
  auto limit = static_cast<std::uint64_t>(subset.count);
  if (ranks != nullptr && leave_out) {  // keep the same share of those that are there
    std::vector<std::uint32_t>& present = work.ranks;
    present.clear();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isnan(values[i])) present.push_back(ranks[i]);
    if (!present.empty()) {
      const auto kept = static_cast<std::ptrdiff_t>(kept_count(std::ssize(present), unit_fraction));
      std::ranges::nth_element(present, present.begin() + kept - 1);
      limit = std::uint64_t{present[static_cast<std::size_t>(kept - 1)]} + 1;
    }
  }
  std::vector<T>& seen = work.gather_buffer(T{});
  seen.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((ranks != nullptr && ranks[i] >= limit) || (leave_out && std::isnan(values[i]))) continue;
    auto value = static_cast<double>(values[i]);
    if (noise != 0) {
      const std::int64_t unit = order.canonical_index(static_cast<std::int64_t>(i));
      value += noise * noise_key.normal(static_cast<std::uint64_t>(unit));
    }
    seen.push_back(static_cast<T>(value));
  }
  return seen;
}

template <class T>
double LayerFold::State::layer_change(std::span<const T> y, std::size_t cell, std::size_t stimulus) const {
  const std::vector<double>& s = cells[cell].s;
  const LayerPlan::Cell& subset = plan.subsets_[cell];
  double sum = plan.shape().activation == Activation::identity
                   ? cells[cell].s_sum
                   : sum_where_positive(y.data(), s.data(), s.size());
  // Noise σ on each of the input units' Jacobian sums, of which this is the total.
  if (const double noise = plan.cells()[cell].noise; noise != 0)
    sum += noise * std::sqrt(static_cast<double>(subset.inputs)) *
           noise_key(cell, "layer change noise").normal(stimulus);
  return sum / static_cast<double>(subset.changed_units.count);
}

LayerFold::LayerFold(const LayerPlan& plan, Key where) : state_(std::make_unique<State>(plan, where)) {}
LayerFold::~LayerFold() = default;
LayerFold::LayerFold(LayerFold&&) noexcept = default;

void LayerFold::set_weights(const View& weights) {
  State& state = *state_;
  require(weights, state.plan.shape().weights, "weights");
  tbb::parallel_for(std::size_t{0}, state.cells.size(), [&](std::size_t cell) {
    Workspace& work = state.workspaces.local();
    with_row(weights, 0, work.widened, [&](auto values) {
      const auto seen =
          state.see(values, cell, state.plan.subsets_[cell].weights, state.noise_key(cell, "weight noise"),
                    state.plan.shape().weight_order, work);
      state.cells[cell].weights = describe(seen, work.scratch);
      state.cells[cell].has_weights = true;
    });
  });
}

void LayerFold::set_layer_change(std::size_t cell, const View& s) {
  State& state = *state_;
  require(s, state.plan.shape().units, "S");
  const LayerPlan::Subset& subset = state.plan.subsets_.at(cell).changed_units;
  std::vector<double>& own = state.cells[cell].s;
  std::vector<float> widened;
  with_row(s, 0, widened, [&](auto values) { own.assign(values.begin(), values.end()); });
  if (subset.ranks)
    for (std::size_t unit = 0; unit < own.size(); ++unit)
      if ((*subset.ranks)[unit] >= subset.count) own[unit] = 0;
  state.cells[cell].s_sum = 0;
  for (const double value : own) state.cells[cell].s_sum += value;
}

void LayerFold::set_measured_layer_change(std::span<const double> g) {
  state_->measured_change.assign(g.begin(), g.end());
}

void LayerFold::add(const View& stimuli) {
  State& state = *state_;
  require(stimuli, state.plan.shape().units, "activations");
  const std::size_t first = state.stimuli;
  state.stimuli += static_cast<std::size_t>(stimuli.rows);
  for (State::Cell& cell : state.cells) {
    cell.activations.resize(state.stimuli);
    if (!cell.s.empty()) cell.layer_change.resize(state.stimuli, nan);
  }
  tbb::parallel_for(std::size_t{0}, static_cast<std::size_t>(stimuli.rows), [&](std::size_t r) {
    Workspace& work = state.workspaces.local();
    const std::size_t stimulus = first + r;
    with_row(stimuli, static_cast<std::int64_t>(r), work.widened, [&](auto y) {
      for (std::size_t c = 0; c < state.cells.size(); ++c) {
        State::Cell& cell = state.cells[c];
        const Key noise_key = state.noise_key(c, "activation noise").with(stimulus);
        const auto seen =
            state.see(y, c, state.plan.subsets_[c].units, noise_key, state.plan.shape().unit_order, work);
        cell.activations[stimulus] = describe(seen, work.scratch);
        if (!cell.s.empty()) cell.layer_change[stimulus] = state.layer_change(y, c, stimulus);
      }
    });
  });
}

ObservableRow LayerFold::row(std::size_t index) const {
  const State::Cell& cell = state_->cells.at(index);
  const bool perfect = state_->plan.cells()[index].perfect();
  const std::array<double, 3> change = layer_change_statistics(
      perfect && !state_->measured_change.empty() ? state_->measured_change : cell.layer_change);

  // Added up in the order of the stimuli, whoever measured them.
  Distribution activation;
  for (std::size_t f = 0; f < Distribution::function_count; ++f)
    for (std::size_t s = 0; s < Distribution::statistic_count; ++s) {
      double sum = 0;
      for (const Distribution& stimulus : cell.activations) sum += stimulus.values[f][s];
      activation.values[f][s] = sum / static_cast<double>(cell.activations.size());  // 0/0: none were given
    }

  ObservableRow row;
  std::ranges::transform(observables(), row.begin(), [&](const Observable& o) {
    if (o.measure == Measure::layer_change) return change[static_cast<std::size_t>(o.function)];
    if (o.measure == Measure::activation) return activation(o.function, o.statistic);
    return cell.has_weights ? cell.weights(o.function, o.statistic) : nan;
  });
  return row;
}

std::int64_t LayerFold::stimuli() const {
  return static_cast<std::int64_t>(state_->stimuli);
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
