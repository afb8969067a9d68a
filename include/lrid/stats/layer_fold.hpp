#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include <lrid/core/random.hpp>
#include <lrid/stats/imperfection.hpp>
#include <lrid/stats/observable.hpp>
#include <lrid/stats/view.hpp>

namespace lrid::stats {

/// The nonlinearity inside a layer: y = φ(W∗x + b).
enum class Activation { identity, relu };

/// Meaning of NaN among activations or weights: a broken network (the statistics are NaN), or a lost unit of
/// a recording, left out of the sets it is missing from before anything is subsampled.
enum class Missing { propagate, leave_out };

/// Properties of a layer that its statistics depend on.
struct LayerShape {
  std::int64_t units = 0;  ///< of its output, for one stimulus
  std::int64_t inputs =
      0;  ///< units of its (unpadded) input; needed for the layer change of imperfect measurements
  std::int64_t weights = 0;  ///< entries of its kernel
  UnitOrder unit_order{}, weight_order{};
  Activation activation = Activation::identity;
  Missing missing = Missing::propagate;
};

/// How one layer is measured, the same at every trajectory point: its shape, and the measurements (one
/// perfect measurement, or a grid of imperfect ones) with the units that each of them sees. Immutable; may be
/// shared by threads and by the folds of many points.
class LayerPlan {
 public:
  /// InputError for imperfections out of range, and for sets of 2³² values or more.
  explicit LayerPlan(const LayerShape& shape, std::vector<Imperfection> measurements = {Imperfection{}});
  ~LayerPlan();
  LayerPlan(LayerPlan&&) noexcept;

  [[nodiscard]] const LayerShape& shape() const;
  [[nodiscard]] const std::vector<Imperfection>& measurements() const;

  /// 0/1 for each input unit in canonical order: which of them measurement `measurement` sees. S of that
  /// measurement is the kernel applied to this indicator. All ones where the fraction is 1.
  [[nodiscard]] std::vector<std::uint8_t> kept_inputs(std::size_t measurement) const;
  /// The first measurement that sees the same units as measurement `measurement`, and so has the same S.
  [[nodiscard]] std::size_t first_with_same_units(std::size_t measurement) const;

 private:
  friend class LayerFold;
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

/// A device has too little memory left. Nothing is lost: with less beside it, the work may succeed.
class DeviceOutOfMemory : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One layer at one trajectory point: chunks of stimuli go in, one row of 45 per measurement comes out. What
/// was not given (no weights, no stimuli, no S) is NaN in the row.
///
///     LayerFold fold(plan, key);
///     fold.set_weights(kernel);
///     fold.set_layer_change(0, s);                 // S = W∗1, before the stimuli
///     for (chunk : probe) fold.add(chunk);
///     ObservableRow row = fold.row(0);
///
/// Work on the host is spread over oneTBB's threads; the numbers depend neither on how many there are nor on
/// how the stimuli were cut into chunks. All measurements share one pass over the data, for which they need
/// little memory, whatever the size of a set.
class LayerFold {
 public:
  /// `where` names network, layer and point: the noise of imperfect measurements is drawn from it and their
  /// seeds. The plan must outlive the fold.
  LayerFold(const LayerPlan& plan, Key where);
  ~LayerFold();
  LayerFold(LayerFold&&) noexcept;

  /// All entries of the kernel, one row in memory order (LayerShape::weight_order).
  void set_weights(const View& weights);

  /// S of a measurement, and of all that see the same units: one row of `units` values in the memory order of
  /// the units; the kernel applied, with the layer's own padding and without bias, to ones (perfect) or to
  /// the indicator of the kept inputs. Then for every stimulus g = (1/N) Σ_j 1[j active] S_j over the N
  /// outputs that the measurement sees, which is the mean over outputs of the sum over inputs of ∂y_j/∂x_i
  /// (observables.md, "Layer-wise activity change"). Before the first `add`.
  void set_layer_change(std::size_t measurement, const View& s);

  /// g of every stimulus as it was measured (recordings); measurements that are not perfect keep NaN.
  void set_measured_layer_change(std::span<const double> g);

  /// A chunk of stimuli: rows × units, units in memory order (LayerShape::unit_order).
  void add(const View& stimuli);

  /// Whether set_weights and add take data where they are: on the host always; on a CUDA device if this
  /// program has kernels for it, and for one perfect measurement without lost units, in float32, float16 or
  /// bfloat16.
  [[nodiscard]] bool takes(const View& view) const;
  /// Data for several folds, all taken where they are, on one device: one batch of launches for all, however
  /// many and small. Does not wait for the device, on whose default stream it works: later work there may
  /// change or free the data. DeviceOutOfMemory leaves all folds as they were.
  struct Data {
    LayerFold* fold;
    View view;
    bool weights;  ///< as for set_weights; else as for add
  };
  static void measure_on_device(std::span<const Data> data);

  /// Means over the stimuli so far of the per-stimulus statistics, and the statistics of the weights.
  [[nodiscard]] ObservableRow row(std::size_t measurement) const;
  [[nodiscard]] std::int64_t stimuli() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// At most so many oneTBB threads while one of these lives (--threads); 0: all.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  struct Control;
  std::unique_ptr<Control> control_;
};

}  // namespace lrid::stats
