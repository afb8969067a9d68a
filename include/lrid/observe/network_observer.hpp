#pragma once

#include <memory>
#include <vector>

#include <lrid/core/random.hpp>
#include <lrid/nn/network.hpp>
#include <lrid/rules/learning_rule.hpp>
#include <lrid/stats/layer_fold.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::observe {

/// Measures the observables of all layers of a network while the probe set passes through it: the one place
/// where tensors become the spans that lrid::stats sees. Layer outputs are folded as they come; no second
/// copy of a network's activations is held. On a CUDA device they are measured where they are, if lrid::stats
/// has kernels for them (LayerFold::takes), else copied to the host.
///
///     NetworkObserver observer(network, measurements, inputs);     // once per network
///     observer.begin(rule, use_backward_kernel, where);     // at each trajectory point
///     network.set_sink(observer.sink()); ... forward passes in evaluation mode ...
///     rows = observer.rows(measurement);
class NetworkObserver {
 public:
  /// `inputs` [≥ 1, C, H, W]: a few samples, from which the layers' shapes and memory layouts are learnt.
  NetworkObserver(nn::Network& network, const std::vector<stats::Imperfection>& measurements,
                  const nn::Tensor& inputs);

  /// Measures the weights and computes S = kernel∗1 for each layer. `backward`: a rule from whose backward
  /// kernels S is computed where it has them, or null. `where` names network and point (noise of imperfect
  /// measurements).
  void begin(const rules::LearningRule* backward, Key where);
  [[nodiscard]] nn::LayerSink sink();
  /// One row of 45 for each observed layer.
  [[nodiscard]] std::vector<stats::ObservableRow> rows(std::size_t measurement) const;
  [[nodiscard]] std::size_t measurements() const { return measured_as_.size(); }

 private:
  struct Layer {
    std::unique_ptr<stats::LayerPlan> plan;  // stays where it is: the folds refer to it
    std::vector<std::int64_t> input_sizes;   // of one sample
    bool channels_last = false;
  };

  /// Values on a device, to be measured with the next batch of launches.
  struct Waiting {
    nn::Tensor values;
    std::int64_t version;
    stats::LayerFold::Data data;
  };
  void measure(stats::LayerFold& fold, const nn::Tensor& values, bool weights);
  void launch_waiting();

  nn::Network& network_;
  std::vector<stats::Imperfection>
      measured_;                          ///< the measurements, each once: there is one perfect measurement
  std::vector<std::size_t> measured_as_;  ///< of each measurement
  std::vector<Layer> layers_;
  std::vector<stats::LayerFold> folds_;
  std::vector<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace lrid::observe
