#pragma once

#include <utility>

#include <lrid/nn/layer.hpp>

namespace lrid::testing {

/// Carries the error down through the given kernel, or sends nothing down if that is undefined.
class FixedKernel final : public nn::FeedbackPath {
 public:
  explicit FixedKernel(nn::Tensor kernel = {}) : kernel_(std::move(kernel)) {}
  [[nodiscard]] nn::Tensor kernel(const nn::Tensor& /*weight*/) const override { return kernel_; }

 private:
  nn::Tensor kernel_;
};

}  // namespace lrid::testing
