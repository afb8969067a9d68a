// Batchwise random-magnitude sign-concordant feedback, brSF (Moskovitz et al. 2018): the error travels down
// through W's signs with magnitudes drawn anew for each batch.
//
//     error sent down   Bᵀδ,   B = |draw|∘sign(W),   draw Glorot uniform: |draw| is uniform in
//     [0, √(6/(fan_in + fan_out)))
#include <cmath>

#include <torch/types.h>

#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

namespace {

class BatchwiseSignSymmetry final : public SignSymmetry {
 public:
  using SignSymmetry::SignSymmetry;

 protected:
  [[nodiscard]] Tensor magnitude(std::size_t layer) const override {
    const Tensor& weight = network().layers()[layer]->weight;
    const auto [in, out] = nn::fans(weight.sizes());
    return draws()
        .uniform("magnitude", layer_name(layer), network().step(), weight.sizes(), weight.options())
        .mul_(std::sqrt(6.0 / static_cast<double>(in + out)));
  }
};

}  // namespace

RuleEntry batchwise_sign_symmetry() {
  return {
      .name = "brsf",
      .summary = "sign symmetry: the forward kernels' signs, sizes drawn for each batch",
      .own_learning_rate = {},
      .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
        return std::make_unique<BatchwiseSignSymmetry>(SgdSettings::declare(options, default_weight_decay));
      }};
}

}  // namespace lrid::rules
