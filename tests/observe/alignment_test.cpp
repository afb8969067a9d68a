#include "observe/alignment.hpp"

#include <cmath>

#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <lrid/core/error.hpp>

#include "networks.hpp"

namespace lrid::observe {
namespace {

using nn::Tensor;

/// A task of one batch.
class OneBatch final : public tasks::Task {
 public:
  void load(const std::filesystem::path&, int) override {}
  [[nodiscard]] tasks::TaskShape shape() const override { return {3, 16, 16, 10, false}; }
  [[nodiscard]] std::string dataset_name() const override { return "one batch"; }
  [[nodiscard]] std::int64_t training_samples() const override { return 8; }
  [[nodiscard]] std::int64_t validation_samples() const override { return 8; }
  [[nodiscard]] std::int64_t bytes() const override { return 0; }
  [[nodiscard]] std::unique_ptr<tasks::BatchSource> batches(std::int64_t, std::int64_t,
                                                            torch::Device) const override {
    return nullptr;
  }
  [[nodiscard]] tasks::Batch validation(std::int64_t, std::int64_t, torch::Device) const override {
    return batch();
  }
  [[nodiscard]] std::int64_t probe_size() const override { return 8; }
  [[nodiscard]] Tensor probe(std::int64_t, std::int64_t, torch::Device) const override {
    return batch().inputs;
  }
  [[nodiscard]] std::string probe_checksum() const override { return ""; }
  [[nodiscard]] tasks::LossValue loss(const Tensor& outputs, const Tensor& targets) const override {
    return {at::cross_entropy_loss(outputs, targets), Tensor()};
  }
  static tasks::Batch batch() {
    return {torch::linspace(-50, 50, 8 * 3 * 16 * 16).sin().mul(50).reshape({8, 3, 16, 16}),
            torch::arange(8, torch::kInt64)};
  }
};

TEST(Alignment, IsPerfectWhereBIsW) {
  const auto network = small_network("KNet4", true);
  const auto rule = rule_on(*network, "fa");
  {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < network->layers().size(); ++i)
      rule->backward_kernel(i).copy_(network->layers()[i]->weight * 2);
  }
  const auto alignment = measure_alignment(*network, *rule, OneBatch(), OneBatch::batch());
  ASSERT_EQ(alignment.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(alignment[i].weight_angle, 0, 1e-4);
    EXPECT_NEAR(alignment[i].norm_ratio, 2, 1e-6);
    if (i == 0)
      EXPECT_TRUE(std::isnan(alignment[i].error_angle));
    else
      EXPECT_NEAR(alignment[i].error_angle, 0, 1e-3);
  }
}

TEST(Alignment, IndependentKernelsAreNearlyOrthogonalAndTheNetworkIsLeftAsItWas) {
  const auto network = small_network("KNet4", true);
  const auto rule = rule_on(*network, "fa");
  std::vector<Tensor> before;
  for (const auto& p : network->parameters()) before.push_back(p.tensor.detach().clone());
  for (const auto& b : network->buffers()) before.push_back(b.tensor.clone());
  network->set_training(false);

  const auto alignment = measure_alignment(*network, *rule, OneBatch(), OneBatch::batch());
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(alignment[i].weight_angle, 90, 8) << i;

  EXPECT_FALSE(network->training());
  std::size_t k = 0;
  for (const auto& p : network->parameters()) {
    EXPECT_TRUE(torch::equal(p.tensor, before[k++])) << p.name;
    EXPECT_FALSE(p.tensor.grad().defined()) << p.name;
  }
  for (const auto& b : network->buffers()) EXPECT_TRUE(torch::equal(b.tensor, before[k++])) << b.name;
}

}  // namespace
}  // namespace lrid::observe
