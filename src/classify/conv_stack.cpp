#include <algorithm>
#include <cmath>
#include <numeric>

#include <lrid/classify/conv_stack.hpp>

namespace lrid::classify {

template <class Scalar>
ConvStack<Scalar>::ConvStack(const ConvShape& shape, std::vector<ConvMember> members, Key key)
    : shape_(shape), members_(std::move(members)) {
  for (const ConvMember& member : members_) filters_ += member.filters;
  std::int64_t size = (shape_.patch() + 1) * filters_, filter = 0;
  for (const ConvMember& member : members_) {
    const std::int64_t bias = size + member.features(shape_) * shape_.classes;
    places_.push_back({filter, size, bias});
    filter += member.filters;
    size = bias + shape_.classes;
  }
  parameters_ = gradient_ = first_moment_ = second_moment_ = learning_rate_ = l2_ = Vector::Zero(size);

  const std::int64_t conv_bias = shape_.patch() * filters_;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const ConvMember& member = members_[m];
    const Place& place = places_[m];
    const auto rate = static_cast<Scalar>(member.learning_rate), l2 = static_cast<Scalar>(member.l2);
    const std::int64_t fully = member.features(shape_) * shape_.classes;
    const double conv_limit =
        std::sqrt(6.0 / static_cast<double>(shape_.kernel * (shape_.channels + member.filters)));
    const double full_limit = std::sqrt(6.0 / static_cast<double>(member.features(shape_) + shape_.classes));
    Stream conv(key.with("convolution").with(static_cast<std::uint64_t>(member.filters)));
    for (std::int64_t row = 0; row <= shape_.patch(); ++row) {  // the last one is the bias
      for (std::int64_t f = 0; f < member.filters; ++f) {
        const std::int64_t i = row * filters_ + place.filter + f;
        if (i < conv_bias) parameters_(i) = static_cast<Scalar>(conv.uniform(-conv_limit, conv_limit));
        learning_rate_(i) = rate;
        l2_(i) = l2;
      }
    }
    Stream full(key.with("fully connected").with(static_cast<std::uint64_t>(fully)));
    for (std::int64_t i = 0; i < fully; ++i)
      parameters_(place.weights + i) = static_cast<Scalar>(full.uniform(-full_limit, full_limit));
    learning_rate_.segment(place.weights, fully + shape_.classes).setConstant(rate);
    l2_.segment(place.weights, fully + shape_.classes).setConstant(l2);
  }
}

// Samples whose patches and outputs stay in a core's cache together.
template <class Scalar>
std::int64_t ConvStack<Scalar>::chunk_size() const {
  constexpr std::int64_t cache = 512 * 1024;
  const std::int64_t bytes =
      shape_.positions() * (shape_.patch() + filters_) * static_cast<std::int64_t>(sizeof(Scalar));
  return std::clamp<std::int64_t>(cache / bytes, 8, 256);
}

// A patch is contiguous in a sample that is stored time by time.
template <class Scalar>
void ConvStack<Scalar>::gather_patches(const Array& x, const std::int64_t* rows, std::int64_t count) {
  const std::int64_t positions = shape_.positions(), patch = shape_.patch();
  patches_.resize(count * positions, patch);
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t p = 0; p < positions; ++p)
      std::copy_n(x.data() + rows[i] * x.cols() + p * shape_.stride * shape_.channels, patch,
                  patches_.data() + (i * positions + p) * patch);
}

template <class Scalar>
void ConvStack<Scalar>::convolve() {
  const ConstMap weights(parameters_.data(), shape_.patch(), filters_);
  const auto bias = parameters_.segment(shape_.patch() * filters_, filters_).transpose();
  output_.resize(patches_.rows(), filters_);
  output_.noalias() = patches_ * weights;
  for (Eigen::Index row = 0; row < output_.rows(); ++row)
    output_.row(row) = (output_.row(row) + bias).cwiseMax(Scalar(0));
}

template <class Scalar>
void ConvStack<Scalar>::pool(const ConvMember& member, const Place& place, std::int64_t count) {
  const std::int64_t positions = shape_.positions(), filters = member.filters;
  features_.resize(count, member.features(shape_));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto output = output_.block(i * positions, place.filter, positions, filters);
    if (member.pool == Pool::none)
      Map(features_.row(i).data(), positions, filters) = output;
    else if (member.pool == Pool::max)
      features_.row(i) = output.colwise().maxCoeff();
    else
      features_.row(i) = output.colwise().sum() / static_cast<Scalar>(positions);
  }
}

// features_ holds the loss's derivative by the pooled features; output_ becomes its derivative by the
// convolution. ReLU stopped what is 0 there; under max pooling the first of equal maxima carries all.
template <class Scalar>
void ConvStack<Scalar>::unpool(const ConvMember& member, const Place& place, std::int64_t count) {
  const std::int64_t positions = shape_.positions(), filters = member.filters;
  for (std::int64_t i = 0; i < count; ++i) {
    auto output = output_.block(i * positions, place.filter, positions, filters);
    if (member.pool == Pool::max) {
      for (std::int64_t f = 0; f < filters; ++f) {
        Eigen::Index first = 0;
        const Scalar top = output.col(f).maxCoeff(&first);
        output.col(f).setZero();
        if (top > 0) output(first, f) = features_(i, f);
      }
    } else if (member.pool == Pool::none) {
      const ConstMap arriving(features_.row(i).data(), positions, filters);
      output = (output.array() > 0).select(arriving, Scalar(0));
    } else {
      const Scalar share = Scalar(1) / static_cast<Scalar>(positions);
      for (std::int64_t p = 0; p < positions; ++p)
        output.row(p) = (output.row(p).array() > 0).select(features_.row(i) * share, Scalar(0));
    }
  }
}

template <class Scalar>
Scalar ConvStack<Scalar>::loss_and_gradient(const Array& x, const std::vector<int>& labels,
                                            const std::vector<std::int64_t>& rows) {
  const auto n = static_cast<std::int64_t>(rows.size());
  gradient_ = l2_.cwiseProduct(parameters_);
  double loss = 0.5 * static_cast<double>(gradient_.dot(parameters_));
  Map conv_gradient(gradient_.data(), shape_.patch(), filters_);
  auto conv_bias_gradient = gradient_.segment(shape_.patch() * filters_, filters_);

  for (std::int64_t begin = 0; begin < n; begin += chunk_size()) {
    const std::int64_t count = std::min(chunk_size(), n - begin);
    gather_patches(x, rows.data() + begin, count);
    convolve();
    for (std::size_t m = 0; m < members_.size(); ++m) {
      const ConvMember& member = members_[m];
      const Place& place = places_[m];
      pool(member, place, count);
      const ConstMap weights(parameters_.data() + place.weights, features_.cols(), shape_.classes);
      logits_.noalias() = features_ * weights;
      for (std::int64_t i = 0; i < count; ++i) {
        auto logits = logits_.row(i);
        logits += parameters_.segment(place.bias, shape_.classes).transpose();
        logits.array() -= logits.maxCoeff();
        const int label = labels[static_cast<std::size_t>(rows[static_cast<std::size_t>(begin + i)])];
        const Scalar right = logits(label);
        logits = logits.array().exp();
        const Scalar sum = logits.sum();
        loss += static_cast<double>(std::log(sum) - right) / static_cast<double>(n);
        logits /= sum;
        logits(label) -= Scalar(1);
      }
      logits_ /= static_cast<Scalar>(n);  // now the loss's derivative by the logits
      Map(gradient_.data() + place.weights, features_.cols(), shape_.classes).noalias() +=
          features_.transpose() * logits_;
      gradient_.segment(place.bias, shape_.classes) += logits_.colwise().sum().transpose();
      features_.noalias() = logits_ * weights.transpose();
      unpool(member, place, count);
    }
    conv_gradient.noalias() += patches_.transpose() * output_;
    conv_bias_gradient += output_.colwise().sum().transpose();
  }
  return static_cast<Scalar>(loss);
}

template <class Scalar>
void ConvStack<Scalar>::adam_step() {
  constexpr auto beta1 = Scalar(0.9), beta2 = Scalar(0.999), epsilon = Scalar(1e-8);
  ++step_;
  const auto correction1 = static_cast<Scalar>(1.0 - std::pow(0.9, static_cast<double>(step_)));
  const auto correction2 = static_cast<Scalar>(1.0 - std::pow(0.999, static_cast<double>(step_)));
  first_moment_ = beta1 * first_moment_ + (Scalar(1) - beta1) * gradient_;
  second_moment_ = beta2 * second_moment_ + (Scalar(1) - beta2) * gradient_.cwiseAbs2();
  parameters_.array() -= learning_rate_.array() * (first_moment_.array() / correction1) /
                         ((second_moment_.array() / correction2).sqrt() + epsilon);
}

template <class Scalar>
void ConvStack<Scalar>::train_epoch(const Array& x, const std::vector<int>& labels, std::int64_t batch,
                                    Key key) {
  std::vector<std::int64_t> order = permutation(x.rows(), key);
  std::vector<std::int64_t> rows;
  for (std::int64_t begin = 0; begin < x.rows(); begin += batch) {
    rows.assign(order.begin() + begin, order.begin() + std::min<std::int64_t>(begin + batch, x.rows()));
    loss_and_gradient(x, labels, rows);
    adam_step();
  }
}

template <class Scalar>
typename ConvStack<Scalar>::Array ConvStack<Scalar>::probabilities(const Array& x, std::size_t member) const {
  ConvStack work = *this;  // the chunk's arrays are scratch space
  const ConvMember& m = members_[member];
  const Place& place = places_[member];
  Array result(x.rows(), shape_.classes);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(x.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  const ConstMap weights(parameters_.data() + place.weights, m.features(shape_), shape_.classes);
  for (std::int64_t begin = 0; begin < x.rows(); begin += chunk_size()) {
    const std::int64_t count = std::min(chunk_size(), x.rows() - begin);
    work.gather_patches(x, rows.data() + begin, count);
    work.convolve();
    work.pool(m, place, count);
    for (std::int64_t i = 0; i < count; ++i) {
      auto row = result.row(begin + i);
      row = work.features_.row(i) * weights + parameters_.segment(place.bias, shape_.classes).transpose();
      row = (row.array() - row.maxCoeff()).exp();
      row /= row.sum();
    }
  }
  return result;
}

template class ConvStack<float>;
template class ConvStack<double>;

}  // namespace lrid::classify
