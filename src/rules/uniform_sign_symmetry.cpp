// Uniform sign-concordant feedback, uSF (Moskovitz et al. 2018): the error travels down through W's signs,
// all of one size.
//
//     error sent down   Bᵀδ,   B = √(2/(fan_in + fan_out))·sign(W)
#include <cmath>

#include <torch/types.h>

#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

namespace {

class UniformSignSymmetry final : public SignSymmetry {
 public:
  using SignSymmetry::SignSymmetry;

 protected:
  [[nodiscard]] Tensor magnitude(std::size_t layer) const override {
    const auto [in, out] = nn::fans(network().layers()[layer]->weight.sizes());
    return at::scalar_tensor(std::sqrt(2.0 / static_cast<double>(in + out)), torch::kFloat64);
  }
};

}  // namespace

RuleEntry uniform_sign_symmetry() {
  return {.name = "usf",
          .summary = "sign symmetry: the forward kernels' signs, all of one size",
          .own_learning_rate = {},
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            return std::make_unique<UniformSignSymmetry>(SgdSettings::declare(options, default_weight_decay));
          }};
}

}  // namespace lrid::rules
