#include "conv.hpp"

#include <algorithm>
#include <cmath>

#include "dense.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv.cpp"
#include "targets.hpp"
// Included once for each target, after Highway.
// clang-format off
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace lrid::learn::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

namespace {

/// Samples are processed in blocks of this many, side by side in vector registers: a block's rows in patches
/// and outputs are ordered by position, each for all of its samples.
constexpr std::int64_t block_lanes = 32;

template <class Scalar>
using Tag = hn::CappedTag<Scalar, block_lanes>;
template <class Scalar>
using Vector = hn::Vec<Tag<Scalar>>;
template <class Scalar>
constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Tag<Scalar>()));

/// Blocks processed together, so that matrix products are large and their results stay in cache.
std::int64_t blocks_at_a_time(std::int64_t positions) {
  constexpr std::int64_t rows = 512;
  return std::max<std::int64_t>(rows / (block_lanes * positions), 1);
}

/// A chunk of a mini-batch on its way forward and back. `fixed_classes`: the number of classes if it is known
/// at compile time, else −1.
template <class Scalar>
class ConvChunk {
 public:
  static std::int64_t scratch_size(const ConvBatch<Scalar>& batch) {
    const std::int64_t rows = blocks_at_a_time(batch.positions) * batch.positions * block_lanes;
    return rows * (columns(batch) + batch.filters) + block_lanes * (2 * largest_part(batch) + batch.classes);
  }

  ConvChunk(const ConvBatch<Scalar>& batch, Scalar* scratch)
      : batch_(batch),
        block_rows_(batch.positions * block_lanes),
        columns_(columns(batch)),
        patches_(scratch),
        output_(patches_ + blocks_at_a_time(batch.positions) * block_rows_ * columns_),
        pooled_(output_ + blocks_at_a_time(batch.positions) * block_rows_ * batch.filters),
        argument_(pooled_ + block_lanes * largest_part(batch)),
        logits_(argument_ + block_lanes * largest_part(batch)) {}

  /// Gathers the patches of samples begin … begin+count−1 (each followed by the constants and a 1 for the
  /// bias) and computes the convolution's outputs. A patch is contiguous in a sample stored time by time.
  /// Lanes without a sample are 0.
  void convolve(std::int64_t begin, std::int64_t count) {
    blocks_ = (count + block_lanes - 1) / block_lanes;
    for (std::int64_t b = 0; b < blocks_; ++b)
      for (std::int64_t i = 0; i < block_lanes; ++i) {
        const std::int64_t sample = b * block_lanes + i;
        Scalar* to = patches_ + (b * block_rows_ + i) * columns_;
        const Scalar* from =
            sample < count ? batch_.x + batch_.rows[begin + sample] * batch_.row_size : nullptr;
        for (std::int64_t p = 0; p < batch_.positions; ++p, to += block_lanes * columns_) {
          if (from == nullptr) {
            std::fill_n(to, columns_, Scalar(0));
          } else {
            std::copy_n(from + p * batch_.step, batch_.patch, to);
            std::copy_n(from + batch_.row_size - batch_.constants, batch_.constants, to + batch_.patch);
            to[columns_ - 1] = 1;
          }
        }
      }
    // The output is stored filter by filter: it is the transpose of weightsᵀ · patchesᵀ.
    const std::int64_t rows = blocks_ * block_rows_;
    multiply(batch_.filters, columns_, rows, Factor<Scalar>{batch_.parameters, batch_.filters, true},
             Factor<Scalar>{patches_, columns_, true}, 0, output_, rows);
  }

  /// Adds the derivatives by the convolution's weights and bias, once outputs have become derivatives.
  void add_gradient(Scalar* gradient) const {
    const std::int64_t rows = blocks_ * block_rows_;
    multiply(columns_, rows, batch_.filters, Factor<Scalar>{patches_, columns_, true},
             Factor<Scalar>{output_, rows, true}, 1, gradient, batch_.filters);
  }

  /// Computes the fully connected layer's input for a block: pooled outputs, and in `argument_` the position
  /// of the (first) maximum. Without pooling, it is the output itself, after forward()'s ReLU.
  void pool(std::int64_t block, const ConvPart& part) {
    if (part.pool == Pool::none) return;
    constexpr Tag<Scalar> d;
    const Vector<Scalar> zero = hn::Zero(d), share = hn::Set(d, position_share());
    for (std::int64_t f = 0; f < part.filters; ++f)
      for (std::int64_t lane = 0; lane < block_lanes; lane += lanes<Scalar>) {
        const Scalar* from = at(block, part, 0, f) + lane;
        Vector<Scalar> result = zero, argument = hn::Set(d, Scalar(-1));
        for (std::int64_t p = 0; p < batch_.positions; ++p, from += block_lanes) {
          const Vector<Scalar> value = hn::LoadU(d, from);
          if (part.pool == Pool::mean) {
            result = hn::Add(result, hn::Max(value, zero));
          } else {
            argument = hn::IfThenElse(hn::Gt(value, result), hn::Set(d, static_cast<Scalar>(p)), argument);
            result = hn::Max(value, result);
          }
        }
        if (part.pool == Pool::mean) result = hn::Mul(result, share);
        hn::StoreU(result, d, pooled_ + f * block_lanes + lane);
        hn::StoreU(argument, d, argument_ + f * block_lanes + lane);
      }
  }

  /// Computes [classes] lanes of logits, applying ReLU where there is no pooling.
  template <int fixed_classes>
  void forward(std::int64_t block, const ConvPart& part) {
    constexpr Tag<Scalar> d;
    constexpr std::int64_t vectors = std::min<std::int64_t>(2, block_lanes / lanes<Scalar>);
    constexpr int together = std::max(fixed_classes, 1);  // the sums of four classes stay in registers
    const std::int64_t classes = fixed_classes > 0 ? fixed_classes : batch_.classes;
    const Scalar* bias = batch_.parameters + part.bias;
    const std::int64_t positions = part.pool == Pool::none ? batch_.positions : 1;
    const Vector<Scalar> zero = hn::Zero(d);
    for (std::int64_t side = 0; side < block_lanes; side += vectors * lanes<Scalar>)
      for (std::int64_t first = 0; first < classes; first += together) {
        Vector<Scalar> sums[together][vectors];
        for (int c = 0; c < together; ++c)
          for (std::int64_t v = 0; v < vectors; ++v) sums[c][v] = hn::Set(d, bias[first + c]);
        const Scalar* weight = batch_.parameters + part.weights + first;
        for (std::int64_t p = 0; p < positions; ++p)
          for (std::int64_t f = 0; f < part.filters; ++f, weight += classes) {
            Scalar* place =
                (part.pool == Pool::none ? at(block, part, p, f) : pooled_ + f * block_lanes) + side;
            for (std::int64_t v = 0; v < vectors; ++v, place += lanes<Scalar>) {
              const Vector<Scalar> value = hn::Max(hn::LoadU(d, place), zero);
              hn::StoreU(value, d, place);
              for (int c = 0; c < together; ++c)
                sums[c][v] = hn::MulAdd(value, hn::Set(d, weight[c]), sums[c][v]);
            }
          }
        for (int c = 0; c < together; ++c)
          for (std::int64_t v = 0; v < vectors; ++v)
            hn::StoreU(sums[c][v], d, logits_ + (first + c) * block_lanes + side + v * lanes<Scalar>);
      }
  }

  /// Turns logits into probabilities; writes the lanes' log Σ exp.
  void softmax(Scalar* total) {
    constexpr Tag<Scalar> d;
    for (std::int64_t lane = 0; lane < block_lanes; lane += lanes<Scalar>) {
      Scalar* logit = logits_ + lane;
      Vector<Scalar> top = hn::LoadU(d, logit), sum = hn::Zero(d);
      for (std::int64_t c = 1; c < batch_.classes; ++c)
        top = hn::Max(top, hn::LoadU(d, logit + c * block_lanes));
      for (std::int64_t c = 0; c < batch_.classes; ++c) {
        const Vector<Scalar> e = hn::Exp(d, hn::Sub(hn::LoadU(d, logit + c * block_lanes), top));
        hn::StoreU(e, d, logit + c * block_lanes);
        sum = hn::Add(sum, e);
      }
      for (std::int64_t c = 0; c < batch_.classes; ++c)
        hn::StoreU(hn::Div(hn::LoadU(d, logit + c * block_lanes), sum), d, logit + c * block_lanes);
      hn::StoreU(hn::Add(top, hn::Log(d, sum)), d, total + lane);
    }
  }

  /// With derivatives in place of the logits: adds those by the fully connected layer, and turns the block's
  /// outputs into the derivatives by them.
  template <int fixed_classes>
  void backward(std::int64_t block, const ConvPart& part, Scalar* gradient) {
    constexpr Tag<Scalar> d;
    const std::int64_t classes = fixed_classes > 0 ? fixed_classes : batch_.classes;
    for (std::int64_t c = 0; c < classes; ++c) {
      Vector<Scalar> sum = hn::Zero(d);
      for (std::int64_t lane = 0; lane < block_lanes; lane += lanes<Scalar>)
        sum = hn::Add(sum, hn::LoadU(d, logits_ + c * block_lanes + lane));
      gradient[part.bias + c] += hn::GetLane(hn::SumOfLanes(d, sum));
    }
    const Scalar* weight = batch_.parameters + part.weights;
    Scalar* sum = gradient + part.weights;
    const std::int64_t positions = part.pool == Pool::none ? batch_.positions : 1;
    for (std::int64_t p = 0; p < positions; ++p)
      for (std::int64_t f = 0; f < part.filters; ++f, weight += classes, sum += classes)
        back_through<fixed_classes>(
            part.pool == Pool::none ? at(block, part, p, f) : pooled_ + f * block_lanes, weight, sum,
            part.pool == Pool::none);
    if (part.pool != Pool::none) unpool(block, part);
  }

  [[nodiscard]] std::int64_t blocks() const { return blocks_; }
  [[nodiscard]] Scalar* logits() { return logits_; }

 private:
  static std::int64_t columns(const ConvBatch<Scalar>& batch) { return batch.patch + batch.constants + 1; }
  static std::int64_t largest_part(const ConvBatch<Scalar>& batch) {
    std::int64_t largest = 0;
    for (std::int64_t m = 0; m < batch.part_count; ++m) largest = std::max(largest, batch.parts[m].filters);
    return largest;
  }

  [[nodiscard]] Scalar position_share() const { return Scalar(1) / static_cast<Scalar>(batch_.positions); }
  [[nodiscard]] Scalar* at(std::int64_t block, const ConvPart& part, std::int64_t p, std::int64_t f) const {
    return output_ + (part.filter + f) * blocks_ * block_rows_ + block * block_rows_ + p * block_lanes;
  }

  /// One input of the fully connected layer, in all lanes: adds the derivatives by its weights to `sum`, and
  /// replaces the input by the derivatives by it, 0 where `relu` stopped it.
  template <int fixed_classes>
  HWY_INLINE void back_through(Scalar* place, const Scalar* weight, Scalar* sum, bool relu) {
    constexpr Tag<Scalar> d;
    constexpr int together = std::max(fixed_classes, 1);
    constexpr std::int64_t vectors = block_lanes / lanes<Scalar>;
    const std::int64_t classes = fixed_classes > 0 ? fixed_classes : batch_.classes;
    Scalar arriving[block_lanes];
    for (std::int64_t first = 0; first < classes; first += together) {
      Vector<Scalar> products[together];
      for (int c = 0; c < together; ++c) products[c] = hn::Zero(d);
      for (std::int64_t v = 0; v < vectors; ++v) {
        const Vector<Scalar> value = hn::LoadU(d, place + v * lanes<Scalar>);
        Vector<Scalar> arrived = first == 0 ? hn::Zero(d) : hn::LoadU(d, arriving + v * lanes<Scalar>);
        for (int c = 0; c < together; ++c) {
          const Vector<Scalar> derivative =
              hn::LoadU(d, logits_ + (first + c) * block_lanes + v * lanes<Scalar>);
          arrived = hn::MulAdd(derivative, hn::Set(d, weight[first + c]), arrived);
          products[c] = hn::MulAdd(derivative, value, products[c]);
        }
        hn::StoreU(arrived, d, arriving + v * lanes<Scalar>);
      }
      for (int c = 0; c < together; ++c) sum[first + c] += hn::GetLane(hn::SumOfLanes(d, products[c]));
    }
    for (std::int64_t v = 0; v < vectors; ++v) {
      Scalar* to = place + v * lanes<Scalar>;
      const Vector<Scalar> arrived = hn::LoadU(d, arriving + v * lanes<Scalar>);
      hn::StoreU(relu ? hn::IfThenElseZero(hn::Gt(hn::LoadU(d, to), hn::Zero(d)), arrived) : arrived, d, to);
    }
  }

  /// Under max pooling the first of equal maxima gets the whole derivative, and none if ReLU stopped it.
  void unpool(std::int64_t block, const ConvPart& part) {
    constexpr Tag<Scalar> d;
    const Vector<Scalar> zero = hn::Zero(d), share = hn::Set(d, position_share());
    for (std::int64_t f = 0; f < part.filters; ++f)
      for (std::int64_t lane = 0; lane < block_lanes; lane += lanes<Scalar>) {
        const Vector<Scalar> arriving = hn::LoadU(d, pooled_ + f * block_lanes + lane);
        const Vector<Scalar> argument = hn::LoadU(d, argument_ + f * block_lanes + lane);
        const Vector<Scalar> shared = hn::Mul(arriving, share);
        Scalar* output = at(block, part, 0, f) + lane;
        for (std::int64_t p = 0; p < batch_.positions; ++p, output += block_lanes)
          hn::StoreU(part.pool == Pool::mean
                         ? hn::IfThenElseZero(hn::Gt(hn::LoadU(d, output), zero), shared)
                         : hn::IfThenElseZero(hn::Eq(argument, hn::Set(d, static_cast<Scalar>(p))), arriving),
                     d, output);
      }
  }

  const ConvBatch<Scalar>& batch_;
  std::int64_t block_rows_, columns_, blocks_ = 0;
  Scalar *patches_, *output_, *pooled_, *argument_, *logits_;
};

/// Calls `body(chunk, block, first)` for every block of the mini-batch, `first` being its first sample, and
/// `after(chunk)` when the blocks of a chunk are done.
template <class Scalar, class Body, class After>
HWY_INLINE void for_blocks(const ConvBatch<Scalar>& batch, Scalar* scratch, const Body& body,
                           const After& after) {
  ConvChunk<Scalar> chunk(batch, scratch);
  const std::int64_t size = blocks_at_a_time(batch.positions) * block_lanes;
  for (std::int64_t begin = 0; begin < batch.count; begin += size) {
    chunk.convolve(begin, std::min(batch.count - begin, size));
    for (std::int64_t b = 0; b < chunk.blocks(); ++b) body(chunk, b, begin + b * block_lanes);
    after(chunk);
  }
}

template <class Scalar, int fixed_classes>
double add_gradient_of(const ConvBatch<Scalar>& batch, const int* labels, Scalar share, Scalar* gradient,
                       Scalar* scratch) {
  double loss = 0;
  for_blocks<Scalar>(
      batch, scratch,
      [&](ConvChunk<Scalar>& chunk, std::int64_t block, std::int64_t first) HWY_ATTR {
        const std::int64_t here = std::min(batch.count - first, block_lanes);
        for (std::int64_t m = 0; m < batch.part_count; ++m) {
          chunk.pool(block, batch.parts[m]);
          chunk.template forward<fixed_classes>(block, batch.parts[m]);
          Scalar of_label[block_lanes], total[block_lanes];
          for (std::int64_t i = 0; i < here; ++i)
            of_label[i] = chunk.logits()[labels[batch.rows[first + i]] * block_lanes + i];
          chunk.softmax(total);
          for (std::int64_t i = 0; i < here; ++i) {
            loss += static_cast<double>(share * (total[i] - of_label[i]));
            chunk.logits()[labels[batch.rows[first + i]] * block_lanes + i] -= Scalar(1);
          }
          for (std::int64_t c = 0; c < batch.classes; ++c)
            for (std::int64_t i = 0; i < block_lanes; ++i) {
              Scalar& derivative = chunk.logits()[c * block_lanes + i];
              derivative = i < here ? derivative * share : Scalar(0);
            }
          chunk.template backward<fixed_classes>(block, batch.parts[m], gradient);
        }
      },
      [&](const ConvChunk<Scalar>& chunk) HWY_ATTR { chunk.add_gradient(gradient); });
  return loss;
}

template <class Scalar>
double add_gradient(const ConvBatch<Scalar>& batch, const int* labels, Scalar share, Scalar* gradient,
                    Scalar* scratch) {
  return batch.classes == 4 ? add_gradient_of<Scalar, 4>(batch, labels, share, gradient, scratch)
                            : add_gradient_of<Scalar, -1>(batch, labels, share, gradient, scratch);
}

template <class Scalar>
void probabilities(const ConvBatch<Scalar>& batch, Scalar* const* result, Scalar* scratch) {
  for_blocks<Scalar>(
      batch, scratch,
      [&](ConvChunk<Scalar>& chunk, std::int64_t block, std::int64_t first) HWY_ATTR {
        for (std::int64_t m = 0; m < batch.part_count; ++m) {
          chunk.pool(block, batch.parts[m]);
          chunk.template forward<-1>(block, batch.parts[m]);
          Scalar total[block_lanes];
          chunk.softmax(total);
          for (std::int64_t i = 0; i < block_lanes && first + i < batch.count; ++i)
            for (std::int64_t c = 0; c < batch.classes; ++c)
              result[m][(first + i) * batch.classes + c] = chunk.logits()[c * block_lanes + i];
        }
      },
      [](const ConvChunk<Scalar>& /*chunk*/) {});
}

template <class Scalar>
void adam(std::int64_t n, std::int64_t step, const Scalar* learning_rate, const Scalar* gradient,
          Scalar* first_moment, Scalar* second_moment, Scalar* parameters) {
  constexpr Tag<Scalar> d;
  const Vector<Scalar> beta1 = hn::Set(d, Scalar(0.9)), beta2 = hn::Set(d, Scalar(0.999)),
                       other1 = hn::Set(d, Scalar(1) - Scalar(0.9)),
                       other2 = hn::Set(d, Scalar(1) - Scalar(0.999)), epsilon = hn::Set(d, Scalar(1e-8)),
                       correction1 = hn::Set(
                           d, static_cast<Scalar>(1 / (1 - std::pow(0.9, static_cast<double>(step))))),
                       correction2 = hn::Set(
                           d, static_cast<Scalar>(1 / (1 - std::pow(0.999, static_cast<double>(step)))));
  const auto update = [&](const Scalar* rate, const Scalar* g_at, Scalar* m_at, Scalar* v_at,
                          Scalar* theta) HWY_ATTR {
    const Vector<Scalar> g = hn::LoadU(d, g_at);
    const Vector<Scalar> m = hn::MulAdd(beta1, hn::LoadU(d, m_at), hn::Mul(other1, g));
    const Vector<Scalar> v = hn::MulAdd(beta2, hn::LoadU(d, v_at), hn::Mul(other2, hn::Mul(g, g)));
    hn::StoreU(m, d, m_at);
    hn::StoreU(v, d, v_at);
    const Vector<Scalar> root = hn::Add(hn::Sqrt(hn::Mul(v, correction2)), epsilon);
    const Vector<Scalar> change = hn::Div(hn::Mul(hn::LoadU(d, rate), hn::Mul(m, correction1)), root);
    hn::StoreU(hn::Sub(hn::LoadU(d, theta), change), d, theta);
  };
  std::int64_t i = 0;
  for (; i + lanes<Scalar> <= n; i += lanes<Scalar>)
    update(learning_rate + i, gradient + i, first_moment + i, second_moment + i, parameters + i);
  if (i == n) return;
  Scalar few[5][lanes<Scalar>] = {};
  const Scalar* const from[] = {learning_rate + i, gradient + i, first_moment + i, second_moment + i,
                                parameters + i};
  for (int k = 0; k < 5; ++k) std::copy_n(from[k], n - i, few[k]);
  update(few[0], few[1], few[2], few[3], few[4]);
  std::copy_n(few[2], n - i, first_moment + i);
  std::copy_n(few[3], n - i, second_moment + i);
  std::copy_n(few[4], n - i, parameters + i);
}

template <class Scalar>
constexpr ConvKernels<Scalar> kernels_of = {.scratch_size = ConvChunk<Scalar>::scratch_size,
                                            .add_gradient = add_gradient<Scalar>,
                                            .probabilities = probabilities<Scalar>,
                                            .adam = adam<Scalar>};

}  // namespace

const ConvKernels<float>* float_kernels() {
  return &kernels_of<float>;
}
const ConvKernels<double>* double_kernels() {
  return &kernels_of<double>;
}

}  // namespace lrid::learn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lrid::learn {

HWY_EXPORT(float_kernels);
HWY_EXPORT(double_kernels);

template <>
const ConvKernels<float>& conv_kernels() {
  return *HWY_DYNAMIC_DISPATCH(float_kernels)();
}
template <>
const ConvKernels<double>& conv_kernels() {
  return *HWY_DYNAMIC_DISPATCH(double_kernels)();
}

}  // namespace lrid::learn

#endif
