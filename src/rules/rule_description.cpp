#include <functional>
#include <map>
#include <stdexcept>

#include <lrid/rules/rule_description.hpp>

namespace lrid::rules {

namespace {

const char* const two_routes =
    "Kunin et al. 2020, Two routes to scalable credit assignment without weight symmetry";
const char* const sign_symmetry =
    "Moskovitz, Litwin-Kumar & Abbott 2018, Feedback alignment in deep convolutional networks";

}  // namespace

const RuleDescription& description_of(std::string_view rule) {
  static const std::map<std::string, RuleDescription, std::less<>> descriptions{
      {"sgdm",
       {"e = Wᵀδ; W by SGD with Nesterov momentum",
        "Sutskever et al. 2013, On the importance of initialization and momentum in deep learning"}},
      {"adam", {"e = Wᵀδ; W by Adam", "Kingma & Ba 2015, Adam: a method for stochastic optimization"}},
      {"fa",
       {"e = Bᵀδ; B random, fixed",
        "Lillicrap et al. 2016, Random synaptic feedback weights support error backpropagation"}},
      {"ia", {"e = Bᵀδ; B by Adam on R = −α⟨Fwd·Bwd⟩ + β⟨‖Rec‖²⟩ + γ(‖W‖² + ‖B‖²)", two_routes}},
      {"wm",
       {"e = Bᵀδ; B by Adam on R = α(‖W‖² + ‖B‖²) − β⟨Fwd·Bwd⟩ with noise as x",
        "Akrout et al. 2019, Deep learning without weight transport"}},
      {"sa", {"e = Bᵀδ; B by Adam on R = α(‖W‖² + ‖B‖²) − β W·B", two_routes}},
      {"aa", {"e = Bᵀδ; B by Adam on R = α⟨‖Fwd‖² + ‖Bwd‖²⟩ − β⟨Fwd·Bwd⟩", two_routes}},
      {"kp",
       {"e = Bᵀδ; B by W's updates of the task loss, and by R = α(‖W‖² + ‖B‖²)",
        "Kolen & Pollack 1994, Backpropagation without weight transport"}},
      {"dfa",
       {"e = M ∂L/∂logits at each hidden layer; M random, fixed",
        "Nøkland 2016, Direct feedback alignment provides learning in deep neural networks"}},
      {"usf", {"e = Bᵀδ; B = sign(W) √(2/(fan_in + fan_out))", sign_symmetry}},
      {"brsf", {"e = Bᵀδ; B = sign(W) ⊙ |G|, G Glorot-uniform, drawn for each batch", sign_symmetry}},
      {"frsf", {"e = Bᵀδ; B = sign(W) ⊙ |B₀|, B₀ random, fixed", sign_symmetry}},
  };
  const auto found = descriptions.find(rule);
  if (found == descriptions.end()) throw std::out_of_range("no description of rule " + std::string(rule));
  return found->second;
}

}  // namespace lrid::rules
