#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include <lrid/core/random.hpp>

#include "kernels/conv.hpp"

namespace lrid::learn {

/// The shape that all members of a stack share.
struct ConvShape {
  std::int64_t points = 0, channels = 0, classes = 0;
  std::int64_t kernel = 1, stride = 1;  ///< kernel ≤ points
  std::int64_t constants = 0;           ///< further channels, constant over the points of a sample
  /// Number of positions of a VALID convolution.
  [[nodiscard]] std::int64_t positions() const { return (points - kernel) / stride + 1; }
  /// Number of weights of a filter.
  [[nodiscard]] std::int64_t weights() const { return kernel * (channels + constants); }
  /// Number of values in a filter's input, constants counted once.
  [[nodiscard]] std::int64_t patch() const { return kernel * channels + constants; }
  [[nodiscard]] std::int64_t row_size() const { return points * channels + constants; }
};

/// One network of a stack.
struct ConvMember {
  std::int64_t filters = 20;
  Pool pool = Pool::none;
  double learning_rate = 1e-3;
  double l2 = 0;  ///< λ of ½λ‖θ‖², on weights and biases of both layers

  [[nodiscard]] std::int64_t features(const ConvShape& shape) const {
    return pool == Pool::none ? shape.positions() * filters : filters;
  }
};

/// Several networks (convolution over time, ReLU, pooling over time, fully connected layer, softmax cross
/// entropy) trained side by side on the same batches, so that their convolutions are one matrix product on
/// shared patches. Members do not influence each other. A mini-batch is divided into parts that are processed
/// in parallel; the division does not depend on the number of threads. Scalar is float; double serves to
/// check gradients.
///
/// All parameters lie in one array: the convolution [kernel·(channels + constants), Σ filters] (row: time
/// within the kernel, then channel, constant ones last; column: members side by side), its bias [Σ filters],
/// then per member the fully connected layer [features, classes] (feature: position, then filter) and its
/// bias [classes].
///
/// A constant channel contributes the sum of its weights over the kernel at every position of a VALID
/// convolution; products use these sums, whose derivative is that of each weight.
template <class Scalar>
class ConvStack {
 public:
  using Array = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

  /// Draws weights as Glorot & Bengio 2010 (uniform), with biases 0; a member's depend on the key and its
  /// number of filters and features only, whatever stack it is in.
  ConvStack(const ConvShape& shape, std::vector<ConvMember> members, Key key);

  /// Makes a pass over the samples `x` ([n, row_size()]: time by time, then constants) in mini-batches of
  /// `batch`, in keyed random order, with a step of Adam after each (Kingma & Ba 2015, β 0.9 and 0.999, ε
  /// 1e-8).
  void train_epoch(const Array& x, const std::vector<int>& labels, std::int64_t batch, Key key);

  /// Class probabilities: [member] of [n, classes].
  [[nodiscard]] std::vector<Array> probabilities(const Array& x) const;

  /// Returns the mean cross entropy + ½λ‖θ‖² over `rows` of x, summed over members; sets gradient().
  Scalar loss_and_gradient(const Array& x, const std::vector<int>& labels,
                           const std::vector<std::int64_t>& rows);

  /// Drops all members but these (ascending).
  void keep(const std::vector<std::size_t>& which);

  Vector& parameters() { return parameters_; }
  [[nodiscard]] const Vector& parameters() const { return parameters_; }
  [[nodiscard]] const Vector& gradient() const { return gradient_; }

 private:
  struct Place {
    std::int64_t filter, weights, bias;  // first indices of a member's parts
  };

  void adam_step();
  /// The parameters with the weights of constant channels summed over the kernel, as ConvKernels take them.
  [[nodiscard]] Vector summed() const;
  /// Adds derivatives by the summed parameters to gradient_.
  void add_spread(const Vector& by_summed);
  /// Row of the summed convolution that contains a row of the convolution.
  [[nodiscard]] std::int64_t summed_row(std::int64_t row) const;
  /// [member] layout, for ConvBatch.
  [[nodiscard]] std::vector<ConvPart> parts() const;

  ConvShape shape_;
  std::vector<ConvMember> members_;
  std::vector<Place> places_;
  std::int64_t filters_ = 0;  // of all members
  Vector parameters_, gradient_, first_moment_, second_moment_, learning_rate_, l2_;
  std::int64_t step_ = 0;
  std::vector<Vector> part_gradient_, scratch_;  // of the parts of a mini-batch
};

extern template class ConvStack<float>;
extern template class ConvStack<double>;

}  // namespace lrid::learn
