#include <utility>

#include "rules.hpp"

namespace lrid::rules {

namespace {

// δ: the error that arrives at a layer's output, e: the one it sends down. Fwd = W∗x + b, Bwd = B∗x + b,
// Rec = Bᵀ∗Fwd; ⟨·⟩: the mean over the batch, · a sum over units.
RuleEntry with(RuleEntry rule, std::string equation, std::string paper) {
  rule.equation = std::move(equation);
  rule.paper = std::move(paper);
  return rule;
}

const char* const two_routes =
    "Kunin et al. 2020, Two routes to scalable credit assignment without weight symmetry";
const char* const sign_symmetry =
    "Moskovitz, Litwin-Kumar & Abbott 2018, Feedback alignment in deep convolutional networks";

}  // namespace

const Registry<RuleEntry>& learning_rules() {
  static const Registry<RuleEntry> registry(
      "learning rule",
      {
          with(sgdm(), "e = Wᵀδ; W by SGD with Nesterov momentum",
               "Sutskever et al. 2013, On the importance of initialization and momentum in deep learning"),
          with(adam(), "e = Wᵀδ; W by Adam", "Kingma & Ba 2015, Adam: a method for stochastic optimization"),
          with(feedback_alignment(), "e = Bᵀδ; B random, fixed",
               "Lillicrap et al. 2016, Random synaptic feedback weights support error backpropagation"),
          with(information_alignment(), "e = Bᵀδ; B by Adam on R = −α⟨Fwd·Bwd⟩ + β⟨‖Rec‖²⟩ + γ(‖W‖² + ‖B‖²)",
               two_routes),
          with(weight_mirror(), "e = Bᵀδ; B by Adam on R = α(‖W‖² + ‖B‖²) − β⟨Fwd·Bwd⟩ with noise as x",
               "Akrout et al. 2019, Deep learning without weight transport"),
          with(symmetric_alignment(), "e = Bᵀδ; B by Adam on R = α(‖W‖² + ‖B‖²) − β W·B", two_routes),
          with(activation_alignment(), "e = Bᵀδ; B by Adam on R = α⟨‖Fwd‖² + ‖Bwd‖²⟩ − β⟨Fwd·Bwd⟩",
               two_routes),
          with(kolen_pollack(), "e = Bᵀδ; B by W's updates of the task loss, and by R = α(‖W‖² + ‖B‖²)",
               "Kolen & Pollack 1994, Backpropagation without weight transport"),
          with(direct_feedback_alignment(), "e = M ∂L/∂logits at each hidden layer; M random, fixed",
               "Nøkland 2016, Direct feedback alignment provides learning in deep neural networks"),
          with(uniform_sign_symmetry(), "e = Bᵀδ; B = sign(W) √(2/(fan_in + fan_out))", sign_symmetry),
          with(batchwise_sign_symmetry(),
               "e = Bᵀδ; B = sign(W) ⊙ |G|, G Glorot-uniform, drawn for each batch", sign_symmetry),
          with(fixed_sign_symmetry(), "e = Bᵀδ; B = sign(W) ⊙ |B₀|, B₀ random, fixed", sign_symmetry),
      });
  return registry;
}

}  // namespace lrid::rules
