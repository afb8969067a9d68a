#include "tasks/ntxent.hpp"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "device.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

/// h[i, j] = sin(1 + 1.7i + 0.9j²), with one row made tiny.
Tensor waves(std::int64_t rows, std::int64_t columns, std::int64_t tiny_row = -1) {
  const Tensor h = torch::empty({rows, columns}, torch::kFloat64);
  auto* values = h.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      *values++ = std::sin(1 + 1.7 * static_cast<double>(i) + 0.9 * static_cast<double>(j * j)) *
                  (i == tiny_row ? 1e-8 : 1);
  return h;
}

TEST(GoldenNtXent, LossesAndGradients) {
  const auto path = testing::golden_path("ntxent.json");
  if (!path) GTEST_SKIP() << testing::skip_reason("ntxent.json");
  const auto golden = nlohmann::json::parse(std::ifstream(*path));
  ASSERT_GT(golden["cases"].size(), 3U);
  for (const auto& one : golden["cases"]) {
    const auto n = one["N"].get<std::int64_t>(), d = one["D"].get<std::int64_t>();
    const auto tau = one["tau"].get<double>();
    const bool tiny = !one["tiny_row"].is_null();
    SCOPED_TRACE("N " + std::to_string(n) + ", D " + std::to_string(d) + ", tau " + std::to_string(tau));
    const Tensor h = waves(2 * n, d, tiny ? one["tiny_row"].get<std::int64_t>() : -1)
                         .to(testing::device())
                         .requires_grad_();
    const LossValue value = ntxent(h, tau, 1);
    EXPECT_NEAR(value.loss.item<double>(), one["loss"].get<double>(),
                1e-10 * std::max(1.0, one["loss"].get<double>()));
    EXPECT_FALSE(value.correct.defined());
    EXPECT_NEAR(value.more.item<double>() / static_cast<double>(n), one["contrastive_accuracy"].get<double>(),
                1e-6);
    value.loss.backward();
    for (std::int64_t i = 0; i < 2 * n; ++i) {
      const Tensor expected = torch::tensor(
          one["gradient"][static_cast<std::size_t>(i)].get<std::vector<double>>(), torch::kFloat64);
      // Row by row: that of a tiny row is 1e8 times as large as the others.
      const double scale = std::max(expected.abs().max().item<double>(), 1e-6);
      EXPECT_LE((h.grad()[i].cpu() - expected).abs().max().item<double>(), 1e-10 * scale) << "row " << i;
    }
  }
}

TEST(NtXent, ValuesOfTheStudyPage) {
  for (const auto& [tau, loss] : {std::pair(1.0, 2.443523181), {0.5, 2.334179695}, {0.1, 6.729874843}})
    EXPECT_NEAR(ntxent(waves(6, 4), tau, 1).loss.item<double>(), loss, 5e-10);
}

TEST(NtXent, ShardsContrastWithinThemselves) {
  // 5 samples in 2 parts: 2 and 3.
  const Tensor h = waves(10, 4);
  const auto part = [&](std::int64_t begin, std::int64_t count) {
    return ntxent(at::cat({h.narrow(0, begin, count), h.narrow(0, 5 + begin, count)}), 0.5, 1);
  };
  const LossValue first = part(0, 2), second = part(2, 3), both = ntxent(h, 0.5, 2);
  EXPECT_NEAR(both.loss.item<double>(), (2 * first.loss.item<double>() + 3 * second.loss.item<double>()) / 5,
              1e-14);
  EXPECT_EQ(both.more.item<double>(), first.more.item<double>() + second.more.item<double>());
  EXPECT_NE(both.loss.item<double>(), ntxent(h, 0.5, 1).loss.item<double>());
  // More shards than samples: each contrasts with nothing.
  EXPECT_EQ(ntxent(h, 0.5, 8).loss.item<double>(), 0);
}

TEST(NtXent, ReducedPrecisionEndsHere) {
  const Tensor h = waves(8, 6).to(torch::kBFloat16);
  const LossValue value = ntxent(h, 0.1, 1);
  EXPECT_EQ(value.loss.scalar_type(), torch::kFloat32);
  EXPECT_NEAR(value.loss.item<double>(), ntxent(h.to(torch::kFloat64), 0.1, 1).loss.item<double>(), 1e-4);
}

}  // namespace
}  // namespace lrid::tasks
