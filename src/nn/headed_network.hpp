#pragma once

#include <string>

#include <lrid/nn/architecture.hpp>

namespace lrid::nn {

/// A network that ends in a classifier layer or, for contrastive tasks, in SimCLR's head of two fully
/// connected layers (architectures.md, "SimCLR heads"; Chen et al. 2020).
class HeadedNetwork : public Network {
 protected:
  explicit HeadedNetwork(const NetworkSpec& spec)
      : Network(spec.input), contrastive_(spec.contrastive_head) {}

  /// The last layers to be added: `classifier`, with `in` features, or the contrastive head in its place.
  /// Fills positions().
  void add_head(LayerSpec classifier, const NetworkSpec& spec);
  /// features [N, in] → the network's output.
  Tensor head(const Tensor& features);

 private:
  bool contrastive_;
};

/// InputError where there is nothing to see or to tell apart, or an image side is below `least_side`.
void require_sensible(const std::string& architecture, const NetworkSpec& spec, std::int64_t least_side = 1);

}  // namespace lrid::nn
