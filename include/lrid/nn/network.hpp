#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <lrid/nn/batch_norm.hpp>
#include <lrid/nn/keyed_tensor.hpp>
#include <lrid/nn/layer.hpp>
#include <lrid/nn/named_tensor.hpp>

namespace lrid::nn {

/// Channels, height, width of one input sample.
struct InputShape {
  std::int64_t channels = 3, height = 32, width = 32;
  bool operator==(const InputShape&) const = default;
};

/// A trainable tensor. Weight decay acts on kernels and biases, never on batch norm (learning-rules.md).
struct Parameter : NamedTensor {
  bool decays = false;
};

/// Receives each observed layer's input and output during a forward pass in evaluation mode, in layer order.
/// The tensors may go as soon as the callback returns. `index` counts layers().
using LayerSink = std::function<void(std::size_t index, const Tensor& input, const Tensor& output)>;

/// The output of a hidden layer's nonlinearity: after batch norm and ReLU, before pooling (after it where, as
/// in KNets, the pool comes before the batch norm).
struct HiddenPlace {
  std::size_t layer;                ///< index in layers(); where two layers are summed, the later one
  std::vector<std::int64_t> shape;  ///< of one sample
};

/// The error that a hidden place receives straight from the network's output: (index of its layer,
/// ∂loss/∂output [N, outputs]) → [N, units], units in channel, row, column order.
using DirectFeedback = std::function<Tensor(std::size_t layer, const Tensor& output_error)>;

/// An ordered list of observed layers inside an architecture. Knows shapes and names, not rules.
class Network {
 public:
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// x [N, C, H, W] → logits [N, classes] (or the contrastive head's output).
  Tensor forward(const Tensor& x);

  [[nodiscard]] const InputShape& input() const { return input_; }
  [[nodiscard]] const std::vector<std::shared_ptr<ObservedLayer>>& layers() const { return layers_; }
  /// 0 early, 1 middle, 2 deep, per observed layer (architectures.md, "Layer position").
  [[nodiscard]] const std::vector<std::uint8_t>& positions() const { return positions_; }

  /// All trainable tensors in forward order; the same objects the layers hold.
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Running averages in forward order.
  [[nodiscard]] const std::vector<NamedTensor>& buffers() const { return buffers_; }

  void set_training(bool on) { training_ = on; }
  [[nodiscard]] bool training() const { return training_; }
  /// Keyed randomness of layers that drop units; each step draws anew.
  void set_dropout_key(Key key) { dropout_key_ = key; }
  /// Number of the current step, for everything that draws in it (the learning rule too): set before each
  /// step.
  [[nodiscard]] StepNumber& step() { return step_; }
  [[nodiscard]] const StepNumber& step() const { return step_; }
  /// Allows steps to be recorded and replayed: keeps the step's number in the memory of `device`, too.
  void keep_step_on(torch::Device device) { step_ = StepNumber(device); }
  /// Calls `sink` with every observed layer's output during the following passes; null: no calls.
  void set_sink(LayerSink sink) { sink_ = std::move(sink); }

  /// All places that the architecture marks with hidden(), in forward order, found with a sample of zeros.
  [[nodiscard]] std::vector<HiddenPlace> hidden_places();
  /// Direct feedback alignment: in the backward passes that follow, each hidden place receives what
  /// `feedback` makes of the output's error, whatever arrives there from above, and identity shortcuts carry
  /// nothing down. Null: backpropagation.
  void set_direct_feedback(DirectFeedback feedback) { direct_feedback_ = std::move(feedback); }

 protected:
  explicit Network(const InputShape& input) : input_(input) {}
  /// forward() as the architecture defines it.
  virtual Tensor compute(const Tensor& x) = 0;

  /// To be called by architectures while they are built and in compute().
  ObservedLayer& add_layer(LayerSpec spec, Key initial_values, const torch::TensorOptions& options);
  /// A batch norm, its scale and shift among the parameters, its running averages among the buffers, named
  /// `<name>/scale`, `/shift`, `/running_mean`, `/running_var`.
  BatchNorm& add_batch_norm(const std::string& name, std::int64_t channels,
                            const BatchNorm::Settings& settings, const torch::TensorOptions& options);
  /// Fills positions(), once all layers are there: by the supervised network's number of layers; layers
  /// beyond it (contrastive heads) are deep.
  void assign_positions(std::size_t supervised_layers);
  /// The layer's output, offered to the sink on its way.
  Tensor observe(std::size_t index, const Tensor& x);
  /// Marks h as the output of the nonlinearity of layers()[index]; see HiddenPlace. Every hidden layer's is
  /// marked once; layers that meet in one nonlinearity (a residual block's last convolution and its
  /// projection) share a mark.
  Tensor hidden(std::size_t index, const Tensor& h);
  /// An identity shortcut around layers, where what it joins is not marked itself (pre-activation blocks).
  [[nodiscard]] Tensor shortcut(const Tensor& x) const { return direct_feedback_ ? x.detach() : x; }

  std::vector<std::shared_ptr<ObservedLayer>> layers_;
  std::vector<std::unique_ptr<BatchNorm>> norms_;
  std::vector<std::uint8_t> positions_;
  std::vector<Parameter> parameters_;
  std::vector<NamedTensor> buffers_;
  bool training_ = true;
  Key dropout_key_{0};
  StepNumber step_;
  LayerSink sink_;

 private:
  struct OutputMark;
  struct HiddenMark;

  InputShape input_;
  DirectFeedback direct_feedback_;
  Tensor output_error_;                         // of the backward pass under way
  std::vector<HiddenPlace>* places_ = nullptr;  // filled by hidden() while hidden_places() looks for them
};

}  // namespace lrid::nn
