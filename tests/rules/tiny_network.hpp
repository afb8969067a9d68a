#pragma once

#include <lrid/nn/network.hpp>
#include <lrid/nn/pool.hpp>

namespace lrid::testing {

/// The network of golden/README.md, "rules.h5": 3×9×9 → convA → max pool → convB → BN → ReLU → fcC → fcD.
class TinyNetwork final : public nn::Network {
 public:
  explicit TinyNetwork(Key key = Key(1), torch::TensorOptions options = torch::kFloat64)
      : Network({3, 9, 9}) {
    nn::LayerSpec a{.name = "convA", .kind = nn::LayerKind::conv, .in = 3, .out = 6, .kernel = 5};
    a.relu = true;
    nn::LayerSpec b{
        .name = "convB", .kind = nn::LayerKind::conv, .in = 6, .out = 8, .kernel = 3, .stride = 2};
    b.padding = nn::Padding::fixed;
    b.bias = false;
    nn::LayerSpec c{.name = "fcC", .kind = nn::LayerKind::fc, .in = 72, .out = 12};
    c.relu = true;
    nn::LayerSpec d{.name = "fcD", .kind = nn::LayerKind::fc, .in = 12, .out = 5};
    for (nn::LayerSpec* spec : {&a, &b, &c, &d})
      spec->initial = {.kind = nn::Initializer::Kind::glorot_uniform};
    add_layer(a, key, options);
    add_layer(b, key, options);
    add_batch_norm("convB/bn", 8, {.epsilon = 1e-5, .decay = 0.9}, options);
    add_layer(c, key, options);
    add_layer(d, key, options);
    assign_positions(4);
  }

 protected:
  torch::Tensor compute(const torch::Tensor& images) override {
    torch::Tensor x = nn::max_pool(hidden(0, observe(0, images)));
    x = hidden(1, norms_[0]->forward(observe(1, x), training_, /*relu=*/true));
    return observe(3, hidden(2, observe(2, x.flatten(1))));
  }
};

}  // namespace lrid::testing
