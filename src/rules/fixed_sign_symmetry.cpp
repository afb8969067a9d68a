// Fixed random-magnitude sign-concordant feedback, frSF (Moskovitz et al. 2018): the error travels down
// through W's signs with magnitudes that never change.
//
//     error sent down   Bᵀδ,   B = |B₀|∘sign(W),   B₀ a draw from W's initial distribution
#include <torch/types.h>

#include "rule_parts.hpp"
#include "rules.hpp"

namespace lrid::rules {

namespace {

class FixedSignSymmetry final : public SignSymmetry {
 public:
  FixedSignSymmetry(const SgdSettings& sgd, BackwardInitial initial) : SignSymmetry(sgd), initial_(initial) {}

  void attach(nn::Network& network, Key key) override {
    SignSymmetry::attach(network, key);
    magnitudes_.clear();
    for (Tensor& kernel : draw_backward_kernels(network, initial_, key)) magnitudes_.push_back(kernel.abs_());
  }

  [[nodiscard]] std::vector<nn::NamedTensor> constants() override {
    std::vector<nn::NamedTensor> result;
    for (std::size_t i = 0; i < magnitudes_.size(); ++i)
      result.push_back({"magnitude/" + layer_name(i), magnitudes_[i]});
    return result;
  }

 protected:
  [[nodiscard]] Tensor magnitude(std::size_t layer) const override { return magnitudes_[layer]; }

 private:
  BackwardInitial initial_;
  std::vector<Tensor> magnitudes_;
};

}  // namespace

RuleEntry fixed_sign_symmetry() {
  return {.name = "frsf",
          .summary = "sign symmetry: the forward kernels' signs, fixed random sizes",
          .own_learning_rate = {},
          .make = [](Options& options, double default_weight_decay) -> std::unique_ptr<LearningRule> {
            const SgdSettings sgd = SgdSettings::declare(options, default_weight_decay);
            return std::make_unique<FixedSignSymmetry>(sgd, declare_backward_initial(options));
          }};
}

}  // namespace lrid::rules
