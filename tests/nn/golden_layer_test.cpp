// The unit cases of rules.h5: one layer with every kind of padding.
#include <lrid/nn/layer.hpp>

#include "feedback.hpp"
#include "tensors.hpp"
#include "testing.hpp"

namespace lrid::nn {
namespace {

using testing::close;
using testing::FixedKernel;
using testing::read_tensor;

TEST(GoldenLayer, UnitCases) {
  const auto path = testing::golden_path("rules.h5");
  if (!path) GTEST_SKIP() << testing::skip_reason("rules.h5");
  const io::hdf5::InputFile file(*path);
  const io::hdf5::Group units = file.root().group("unit");
  ASSERT_FALSE(units.names().empty());
  for (const std::string& name : units.names()) {
    SCOPED_TRACE(name);
    const io::hdf5::Group unit = units.group(name);
    const Tensor w = read_tensor(unit, "W"), b = read_tensor(unit, "B"), x = read_tensor(unit, "x");
    LayerSpec spec{.name = name, .in = w.size(1), .out = w.size(0)};
    spec.kind = unit.attribute<std::string>("kind") == "conv" ? LayerKind::conv : LayerKind::fc;
    if (spec.kind == LayerKind::conv) {
      spec.kernel = w.size(2);
      spec.stride = unit.attribute<std::int64_t>("stride");
      const auto padding = unit.attribute<std::string>("padding");
      spec.padding = padding == "SAME" ? Padding::same : padding == "VALID" ? Padding::valid : Padding::fixed;
    }
    spec.bias = unit.has_dataset("b");
    for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
      ObservedLayer layer(spec, Key(0), torch::TensorOptions(torch::kFloat64).memory_format(format));
      {
        const torch::NoGradGuard no_grad;
        layer.weight.copy_(w);
        if (spec.bias) layer.bias.copy_(read_tensor(unit, "b"));
      }
      constexpr double tolerance = 1e-10;
      const auto sent_through = [&](const Tensor& kernel) {
        layer.set_feedback(std::make_shared<FixedKernel>(kernel));
        layer.weight.mutable_grad().reset();
        if (spec.bias) layer.bias.mutable_grad().reset();
        Tensor leaf = x.clone().set_requires_grad(true);
        const Tensor y = layer.forward(leaf);
        EXPECT_TRUE(close(y, read_tensor(unit, "fwd"), tolerance));
        y.backward(read_tensor(unit, "delta"));
        EXPECT_TRUE(close(layer.weight.grad(), read_tensor(unit, "grad_W"), tolerance));
        if (spec.bias) {
          EXPECT_TRUE(close(layer.bias.grad(), read_tensor(unit, "grad_b"), tolerance));
        }
        return leaf.grad();
      };
      EXPECT_TRUE(close(sent_through(w), read_tensor(unit, "sent_W"), tolerance));
      EXPECT_TRUE(close(sent_through(b), read_tensor(unit, "sent_B"), tolerance));
      EXPECT_TRUE(close(layer.apply_transposed(b, read_tensor(unit, "fwd"), x.sizes()),
                        read_tensor(unit, "rec"), tolerance));
      EXPECT_TRUE(close(layer.kernel_gradient(x, read_tensor(unit, "delta")), read_tensor(unit, "grad_W"),
                        tolerance));
    }
  }
}

}  // namespace
}  // namespace lrid::nn
