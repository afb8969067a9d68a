#include "conv_stack.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <lrid/core/index.hpp>
#include <lrid/core/parallel.hpp>

namespace lrid::learn {

namespace {

template <class Array, class Vector, class Scalar = typename Vector::Scalar>
ConvBatch<Scalar> conv_batch(const ConvShape& shape, std::int64_t filters, const std::vector<ConvPart>& parts,
                             const Vector& parameters, const Array& x,
                             const std::vector<std::int64_t>& rows) {
  return {.positions = shape.positions(),
          .patch = shape.kernel * shape.channels,
          .constants = shape.constants,
          .step = shape.stride * shape.channels,
          .classes = shape.classes,
          .filters = filters,
          .parts = parts.data(),
          .part_count = std::ssize(parts),
          .parameters = parameters.data(),
          .x = x.data(),
          .row_size = x.cols(),
          .rows = rows.data(),
          .count = std::ssize(rows)};
}

}  // namespace

template <class Scalar>
ConvStack<Scalar>::ConvStack(const ConvShape& shape, std::vector<ConvMember> members, Key key)
    : shape_(shape), members_(std::move(members)) {
  for (const ConvMember& member : members_) filters_ += member.filters;
  std::int64_t size = (shape_.weights() + 1) * filters_, filter = 0;
  for (const ConvMember& member : members_) {
    const std::int64_t bias = size + member.features(shape_) * shape_.classes;
    places_.push_back({filter, size, bias});
    filter += member.filters;
    size = bias + shape_.classes;
  }
  parameters_ = gradient_ = first_moment_ = second_moment_ = learning_rate_ = l2_ = Vector::Zero(size);

  const std::int64_t conv_bias = shape_.weights() * filters_;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const ConvMember& member = members_[m];
    const Place& place = places_[m];
    const auto rate = static_cast<Scalar>(member.learning_rate), l2 = static_cast<Scalar>(member.l2);
    const std::int64_t fully = member.features(shape_) * shape_.classes;
    const double conv_limit =
        std::sqrt(6.0 / static_cast<double>(shape_.weights() + shape_.kernel * member.filters));
    const double full_limit = std::sqrt(6.0 / static_cast<double>(member.features(shape_) + shape_.classes));
    Stream conv(key.with("convolution").with(static_cast<std::uint64_t>(member.filters)));
    for (std::int64_t row = 0; row <= shape_.weights(); ++row) {  // the last one is the bias
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

template <class Scalar>
std::int64_t ConvStack<Scalar>::summed_row(std::int64_t row) const {
  const std::int64_t all = shape_.channels + shape_.constants, time = row / all, channel = row % all;
  if (time == shape_.kernel) return shape_.patch();  // the bias
  return channel < shape_.channels ? time * shape_.channels + channel
                                   : (shape_.kernel - 1) * shape_.channels + channel;
}

template <class Scalar>
typename ConvStack<Scalar>::Vector ConvStack<Scalar>::summed() const {
  const std::int64_t conv = (shape_.weights() + 1) * filters_, summed_conv = (shape_.patch() + 1) * filters_,
                     rest = parameters_.size() - conv;
  Vector result(summed_conv + rest);
  result.head(summed_conv).setZero();
  for (std::int64_t row = 0; row <= shape_.weights(); ++row)
    result.segment(summed_row(row) * filters_, filters_) += parameters_.segment(row * filters_, filters_);
  result.tail(rest) = parameters_.tail(rest);
  return result;
}

template <class Scalar>
void ConvStack<Scalar>::add_spread(const Vector& by_summed) {
  for (std::int64_t row = 0; row <= shape_.weights(); ++row)
    gradient_.segment(row * filters_, filters_) += by_summed.segment(summed_row(row) * filters_, filters_);
  const std::int64_t rest = parameters_.size() - (shape_.weights() + 1) * filters_;
  gradient_.tail(rest) += by_summed.tail(rest);
}

template <class Scalar>
std::vector<ConvPart> ConvStack<Scalar>::parts() const {
  const std::int64_t fewer = (shape_.weights() - shape_.patch()) * filters_;
  std::vector<ConvPart> result;
  for (std::size_t m = 0; m < members_.size(); ++m)
    result.push_back({members_[m].filters, members_[m].pool, places_[m].filter, places_[m].weights - fewer,
                      places_[m].bias - fewer});
  return result;
}

template <class Scalar>
Scalar ConvStack<Scalar>::loss_and_gradient(const Array& x, const std::vector<int>& labels,
                                            const std::vector<std::int64_t>& rows) {
  const std::vector<ConvPart> where = parts();
  const Vector parameters = summed();
  const ConvBatch<Scalar> all = conv_batch(shape_, filters_, where, parameters, x, rows);
  const auto share = Scalar(1) / static_cast<Scalar>(all.count);
  gradient_ = l2_.cwiseProduct(parameters_);
  const Scalar penalty = gradient_.dot(parameters_) / 2;

  // Parts of whole blocks of samples: few, as each has a gradient of its own.
  constexpr std::int64_t block = 128, most = 4;
  const std::int64_t blocks = (all.count + block - 1) / block,
                     count = std::clamp<std::int64_t>(blocks, 1, most);
  part_gradient_.resize(to_size(count));
  scratch_.resize(to_size(count));
  std::vector<double> loss(to_size(count));
  const ConvKernels<Scalar>& kernel = conv_kernels<Scalar>();
  parallel_each(loss.size(), [&](std::size_t i) {
    const auto part = static_cast<std::int64_t>(i);
    const std::int64_t begin = blocks * part / count * block, end = blocks * (part + 1) / count * block;
    ConvBatch<Scalar> batch = all;
    batch.rows += begin;
    batch.count = std::min(end, all.count) - begin;
    scratch_[i].resize(kernel.scratch_size(batch));
    part_gradient_[i].setZero(parameters.size());
    loss[i] = kernel.add_gradient(batch, labels.data(), share, part_gradient_[i].data(), scratch_[i].data());
  });
  for (const Vector& part : part_gradient_) add_spread(part);
  return penalty + static_cast<Scalar>(std::accumulate(loss.begin(), loss.end(), 0.0));
}

template <class Scalar>
void ConvStack<Scalar>::adam_step() {
  conv_kernels<Scalar>().adam(parameters_.size(), ++step_, learning_rate_.data(), gradient_.data(),
                              first_moment_.data(), second_moment_.data(), parameters_.data());
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
std::vector<typename ConvStack<Scalar>::Array> ConvStack<Scalar>::probabilities(const Array& x) const {
  std::vector<std::int64_t> rows(to_size(x.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  const std::vector<ConvPart> where = parts();
  const Vector parameters = summed();
  const ConvBatch<Scalar> batch = conv_batch(shape_, filters_, where, parameters, x, rows);
  const ConvKernels<Scalar>& kernel = conv_kernels<Scalar>();
  std::vector<Array> result(members_.size(), Array(x.rows(), shape_.classes));
  std::vector<Scalar*> places;
  for (Array& of_member : result) places.push_back(of_member.data());
  Vector scratch(kernel.scratch_size(batch));
  kernel.probabilities(batch, places.data(), scratch.data());
  return result;
}

template <class Scalar>
void ConvStack<Scalar>::keep(const std::vector<std::size_t>& which) {
  std::vector<ConvMember> members;
  for (const std::size_t m : which) members.push_back(members_[m]);
  ConvStack kept(shape_, std::move(members), Key(0));
  kept.step_ = step_;
  for (Vector ConvStack::*array :
       {&ConvStack::parameters_, &ConvStack::first_moment_, &ConvStack::second_moment_})
    for (std::size_t m = 0; m < which.size(); ++m) {
      const Place &from = places_[which[m]], &to = kept.places_[m];
      const std::int64_t filters = kept.members_[m].filters,
                         full = (kept.members_[m].features(shape_) + 1) * shape_.classes;
      for (std::int64_t row = 0; row <= shape_.weights(); ++row)
        (kept.*array).segment(row * kept.filters_ + to.filter, filters) =
            (this->*array).segment(row * filters_ + from.filter, filters);
      (kept.*array).segment(to.weights, full) = (this->*array).segment(from.weights, full);
    }
  *this = std::move(kept);
}

template class ConvStack<float>;
template class ConvStack<double>;

}  // namespace lrid::learn
