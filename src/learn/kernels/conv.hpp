#pragma once

#include <cmath>

#include <Eigen/Core>

#include "kernels.hpp"

// NOLINTNEXTLINE(google-build-namespaces): every target has its own
namespace lrid::learn::LRID_TARGET {

// Samples are worked on in blocks of `conv_lanes`, side by side in vector registers: a block's rows in
// patches and outputs are position by position, each for all of its samples.
constexpr std::int64_t conv_lanes = 32;
template <class Scalar>
using Lanes = Eigen::Array<Scalar, conv_lanes, 1>;

// Some blocks at a time, so that the matrix products are large and what is between them stays in cache.
inline std::int64_t blocks_at_a_time(std::int64_t positions) {
  constexpr std::int64_t rows = 512;
  return rows > conv_lanes * positions ? rows / (conv_lanes * positions) : 1;
}

// A mini-batch's chunk of samples on its way there and back. `fixed_classes`: their number if it is known at
// compile time, else −1.
template <class Scalar>
class ConvChunk {
 public:
  using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using ColMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  static std::int64_t scratch_size(const ConvBatch<Scalar>& batch) {
    const std::int64_t rows = blocks_at_a_time(batch.positions) * batch.positions * conv_lanes;
    return rows * (columns(batch) + batch.filters) + conv_lanes * (2 * largest_part(batch) + batch.classes);
  }

  ConvChunk(const ConvBatch<Scalar>& batch, Scalar* scratch)
      : batch_(batch),
        block_rows_(batch.positions * conv_lanes),
        columns_(columns(batch)),
        patches_(scratch),
        output_(patches_ + blocks_at_a_time(batch.positions) * block_rows_ * columns_),
        pooled_(output_ + blocks_at_a_time(batch.positions) * block_rows_ * batch.filters),
        argument_(pooled_ + conv_lanes * largest_part(batch)),
        logits_(argument_ + conv_lanes * largest_part(batch)) {}

  // Patches (then the constant values, and a 1 for the bias) of samples begin … begin+count−1, and the
  // convolution's outputs. A patch is contiguous in a sample that is stored time by time. Lanes without a
  // sample are 0.
  void convolve(std::int64_t begin, std::int64_t count) {
    blocks_ = (count + conv_lanes - 1) / conv_lanes;
    for (std::int64_t b = 0; b < blocks_; ++b)
      for (std::int64_t i = 0; i < conv_lanes; ++i) {
        const std::int64_t sample = b * conv_lanes + i;
        Scalar* to = patches_ + (b * block_rows_ + i) * columns_;
        const Scalar* from =
            sample < count ? batch_.x + batch_.rows[begin + sample] * batch_.row_size : nullptr;
        for (std::int64_t p = 0; p < batch_.positions; ++p, to += conv_lanes * columns_) {
          if (from == nullptr) {
            for (std::int64_t k = 0; k < columns_; ++k) to[k] = 0;
          } else {
            for (std::int64_t k = 0; k < batch_.patch; ++k) to[k] = from[p * batch_.step + k];
            for (std::int64_t k = 0; k < batch_.constants; ++k)
              to[batch_.patch + k] = from[batch_.row_size - batch_.constants + k];
            to[columns_ - 1] = 1;
          }
        }
      }
    const Eigen::Map<const RowMajor> weights(batch_.parameters, columns_, batch_.filters);
    output().noalias() = patches() * weights;
  }

  // Adds ∂/∂(convolution's weights and bias), once outputs have become derivatives.
  void add_gradient(Scalar* gradient) const {
    Eigen::Map<RowMajor>(gradient, columns_, batch_.filters).noalias() += patches().transpose() * output();
  }

  // The fully connected layer's input of a block, lane by lane: the output itself, after ReLU, or pooled.
  // `argument` remembers where the (first) maximum was.
  void pool(std::int64_t block, const ConvPart& part) {
    if (part.pool == Pool::none) return;
    const auto share = Scalar(1) / static_cast<Scalar>(batch_.positions);
    for (std::int64_t f = 0; f < part.filters; ++f) {
      Lanes<Scalar> result = Lanes<Scalar>::Zero(), argument = Lanes<Scalar>::Constant(-1);
      for (std::int64_t p = 0; p < batch_.positions; ++p) {
        const Lanes<Scalar> value = lane(at(block, part, p, f));
        if (part.pool == Pool::mean) {
          result += value.max(Scalar(0));
        } else {
          argument = (value > result).select(Lanes<Scalar>::Constant(static_cast<Scalar>(p)), argument);
          result = value.max(result);
        }
      }
      lane(pooled_ + f * conv_lanes) = part.pool == Pool::mean ? Lanes<Scalar>(result * share) : result;
      lane(argument_ + f * conv_lanes) = argument;
    }
  }

  // [classes] lanes of logits; ReLU happens here where there is no pooling.
  template <int fixed_classes>
  void forward(std::int64_t block, const ConvPart& part) {
    constexpr std::int64_t half = conv_lanes / 2;  // so that the sums of four classes stay in registers
    using Half = Eigen::Array<Scalar, half, 1>;
    const std::int64_t classes = fixed_classes > 0 ? fixed_classes : batch_.classes;
    const Scalar* bias = batch_.parameters + part.bias;
    const std::int64_t positions = part.pool == Pool::none ? batch_.positions : 1;
    for (std::int64_t side = 0; side < conv_lanes; side += half) {
      Half sums[fixed_classes > 0 ? fixed_classes : 1];
      for (std::int64_t first = 0; first<classes; first += fixed_classes> 0 ? fixed_classes : 1) {
        constexpr int together = fixed_classes > 0 ? fixed_classes : 1;
        for (int c = 0; c < together; ++c) sums[c].setConstant(bias[first + c]);
        const Scalar* weight = batch_.parameters + part.weights + first;
        for (std::int64_t p = 0; p < positions; ++p)
          for (std::int64_t f = 0; f < part.filters; ++f, weight += classes) {
            Scalar* place =
                (part.pool == Pool::none ? at(block, part, p, f) : pooled_ + f * conv_lanes) + side;
            const Half value = Eigen::Map<Half>(place).max(Scalar(0));
            Eigen::Map<Half> stored(place);
            stored = value;
            for (int c = 0; c < together; ++c) sums[c] += value * weight[c];
          }
        for (int c = 0; c < together; ++c)
          Eigen::Map<Half>(logits_ + (first + c) * conv_lanes + side) = sums[c];
      }
    }
  }

  // Logits become probabilities; returns the lanes' log Σ exp.
  Lanes<Scalar> softmax() {
    Lanes<Scalar> top = lane(logits_);
    for (std::int64_t c = 1; c < batch_.classes; ++c) top = top.max(lane(logits_ + c * conv_lanes));
    Lanes<Scalar> sum = Lanes<Scalar>::Zero();
    for (std::int64_t c = 0; c < batch_.classes; ++c) {
      lane(logits_ + c * conv_lanes) = (lane(logits_ + c * conv_lanes) - top).exp();
      sum += lane(logits_ + c * conv_lanes);
    }
    for (std::int64_t c = 0; c < batch_.classes; ++c) lane(logits_ + c * conv_lanes) /= sum;
    return top + sum.log();
  }

  // With the derivatives by the logits in place of these: adds those by the fully connected layer, and turns
  // the block's outputs into the derivatives by them.
  template <int fixed_classes>
  void backward(std::int64_t block, const ConvPart& part, Scalar* gradient) {
    const std::int64_t classes = fixed_classes > 0 ? fixed_classes : batch_.classes;
    for (std::int64_t c = 0; c < classes; ++c)
      gradient[part.bias + c] += lane(logits_ + c * conv_lanes).sum();
    const Scalar* weight = batch_.parameters + part.weights;
    Scalar* sum = gradient + part.weights;
    const std::int64_t positions = part.pool == Pool::none ? batch_.positions : 1;
    for (std::int64_t p = 0; p < positions; ++p)
      for (std::int64_t f = 0; f < part.filters; ++f, weight += classes, sum += classes) {
        Scalar* place = part.pool == Pool::none ? at(block, part, p, f) : pooled_ + f * conv_lanes;
        const Lanes<Scalar> value = lane(place);
        Lanes<Scalar> arriving = Lanes<Scalar>::Zero();
        for (std::int64_t c = 0; c < classes; ++c) {
          const auto derivative = lane(logits_ + c * conv_lanes);
          arriving += derivative * weight[c];
          sum[c] += (derivative * value).sum();
        }
        lane(place) = part.pool == Pool::none
                          ? Lanes<Scalar>((value > Scalar(0)).select(arriving, Lanes<Scalar>::Zero()))
                          : arriving;
      }
    if (part.pool != Pool::none) unpool(block, part);
  }

  [[nodiscard]] std::int64_t blocks() const { return blocks_; }
  [[nodiscard]] Scalar* logits() { return logits_; }

 private:
  static std::int64_t columns(const ConvBatch<Scalar>& batch) { return batch.patch + batch.constants + 1; }
  static std::int64_t largest_part(const ConvBatch<Scalar>& batch) {
    std::int64_t largest = 0;
    for (std::int64_t m = 0; m < batch.part_count; ++m)
      if (batch.parts[m].filters > largest) largest = batch.parts[m].filters;
    return largest;
  }

  static Eigen::Map<Lanes<Scalar>> lane(Scalar* place) { return Eigen::Map<Lanes<Scalar>>(place); }
  [[nodiscard]] Scalar* at(std::int64_t block, const ConvPart& part, std::int64_t p, std::int64_t f) const {
    return output_ + (part.filter + f) * blocks_ * block_rows_ + block * block_rows_ + p * conv_lanes;
  }
  [[nodiscard]] Eigen::Map<RowMajor> patches() const { return {patches_, blocks_ * block_rows_, columns_}; }
  [[nodiscard]] Eigen::Map<ColMajor> output() const {
    return {output_, blocks_ * block_rows_, batch_.filters};
  }

  // Under max pooling the first of equal maxima carries all, and nothing if ReLU stopped it.
  void unpool(std::int64_t block, const ConvPart& part) {
    const auto share = Scalar(1) / static_cast<Scalar>(batch_.positions);
    for (std::int64_t f = 0; f < part.filters; ++f) {
      const Lanes<Scalar> arriving = lane(pooled_ + f * conv_lanes),
                          argument = lane(argument_ + f * conv_lanes);
      for (std::int64_t p = 0; p < batch_.positions; ++p) {
        auto output = lane(at(block, part, p, f));
        if (part.pool == Pool::mean)
          output = (output > Scalar(0)).select(arriving * share, Lanes<Scalar>::Zero());
        else
          output = (argument == static_cast<Scalar>(p)).select(arriving, Lanes<Scalar>::Zero());
      }
    }
  }

  const ConvBatch<Scalar>& batch_;
  std::int64_t block_rows_, columns_, blocks_ = 0;
  Scalar *patches_, *output_, *pooled_, *argument_, *logits_;
};

template <class Scalar, int fixed_classes>
double add_conv_gradient(const ConvBatch<Scalar>& batch, const int* labels, Scalar share, Scalar* gradient,
                         Scalar* scratch) {
  double loss = 0;
  ConvChunk<Scalar> chunk(batch, scratch);
  const std::int64_t size = blocks_at_a_time(batch.positions) * conv_lanes;
  for (std::int64_t begin = 0; begin < batch.count; begin += size) {
    const std::int64_t count = batch.count - begin < size ? batch.count - begin : size;
    chunk.convolve(begin, count);
    for (std::int64_t b = 0; b < chunk.blocks(); ++b) {
      const std::int64_t first = begin + b * conv_lanes;
      const std::int64_t here = batch.count - first < conv_lanes ? batch.count - first : conv_lanes;
      for (std::int64_t m = 0; m < batch.part_count; ++m) {
        chunk.pool(b, batch.parts[m]);
        chunk.template forward<fixed_classes>(b, batch.parts[m]);
        Scalar right[conv_lanes];
        for (std::int64_t i = 0; i < here; ++i)
          right[i] = chunk.logits()[labels[batch.rows[first + i]] * conv_lanes + i];
        const Lanes<Scalar> total = chunk.softmax();
        for (std::int64_t i = 0; i < here; ++i) {
          loss += static_cast<double>(share * (total(i) - right[i]));
          chunk.logits()[labels[batch.rows[first + i]] * conv_lanes + i] -= Scalar(1);
        }
        for (std::int64_t c = 0; c < batch.classes; ++c)
          for (std::int64_t i = 0; i < conv_lanes; ++i) {
            Scalar& derivative = chunk.logits()[c * conv_lanes + i];
            derivative = i < here ? derivative * share : Scalar(0);
          }
        chunk.template backward<fixed_classes>(b, batch.parts[m], gradient);
      }
    }
    chunk.add_gradient(gradient);
  }
  return loss;
}

template <class Scalar>
double add_conv_gradient(const ConvBatch<Scalar>& batch, const int* labels, Scalar share, Scalar* gradient,
                         Scalar* scratch) {
  return batch.classes == 4 ? add_conv_gradient<Scalar, 4>(batch, labels, share, gradient, scratch)
                            : add_conv_gradient<Scalar, -1>(batch, labels, share, gradient, scratch);
}

template <class Scalar>
void conv_probabilities(const ConvBatch<Scalar>& batch, Scalar* const* result, Scalar* scratch) {
  ConvChunk<Scalar> chunk(batch, scratch);
  const std::int64_t size = blocks_at_a_time(batch.positions) * conv_lanes;
  for (std::int64_t begin = 0; begin < batch.count; begin += size) {
    const std::int64_t count = batch.count - begin < size ? batch.count - begin : size;
    chunk.convolve(begin, count);
    for (std::int64_t b = 0; b < chunk.blocks(); ++b)
      for (std::int64_t m = 0; m < batch.part_count; ++m) {
        chunk.pool(b, batch.parts[m]);
        chunk.template forward<-1>(b, batch.parts[m]);
        chunk.softmax();
        const std::int64_t first = begin + b * conv_lanes;
        for (std::int64_t i = 0; i < conv_lanes && first + i < batch.count; ++i)
          for (std::int64_t c = 0; c < batch.classes; ++c)
            result[m][(first + i) * batch.classes + c] = chunk.logits()[c * conv_lanes + i];
      }
  }
}

template <class Scalar>
void adam(std::int64_t n, std::int64_t step, const Scalar* learning_rate, const Scalar* gradient,
          Scalar* first_moment, Scalar* second_moment, Scalar* parameters) {
  constexpr auto beta1 = Scalar(0.9), beta2 = Scalar(0.999), epsilon = Scalar(1e-8);
  const auto correction1 = static_cast<Scalar>(1 / (1 - std::pow(0.9, static_cast<double>(step))));
  const auto correction2 = static_cast<Scalar>(1 / (1 - std::pow(0.999, static_cast<double>(step))));
  using Piece = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
  using ConstPiece = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
  constexpr std::int64_t piece = 1024;  // one pass over memory
  for (std::int64_t begin = 0; begin < n; begin += piece) {
    const std::int64_t size = n - begin < piece ? n - begin : piece;
    const ConstPiece rate(learning_rate + begin, size), g(gradient + begin, size);
    Piece m(first_moment + begin, size), v(second_moment + begin, size), theta(parameters + begin, size);
    m = beta1 * m + (Scalar(1) - beta1) * g;
    v = beta2 * v + (Scalar(1) - beta2) * g.square();
    theta -= rate * (m * correction1) / ((v * correction2).sqrt() + epsilon);
  }
}

template <class Scalar>
constexpr ConvKernels<Scalar> conv_kernels = {.scratch_size = ConvChunk<Scalar>::scratch_size,
                                              .add_gradient = add_conv_gradient<Scalar>,
                                              .probabilities = conv_probabilities<Scalar>,
                                              .adam = adam<Scalar>};

}  // namespace lrid::learn::LRID_TARGET
