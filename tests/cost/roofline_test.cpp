// The roofline of a step against numbers worked out by hand from KNet4's layers at 32 × 32 pixels.
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <lrid/cost/roofline.hpp>

namespace lrid::cost {
namespace {

constexpr double N = 2;  // samples

/// A layer's weights, the numbers of a sample that go in and come out, and the multiply-adds of a product.
struct Layer {
  double weights, in, out, multiply_adds;
};
/// 5 × 5 kernels over n outputs of an axis, padded by 2: 5n pairs, of which 2 + 1 at either end meet padding.
constexpr double pairs(double n) {
  return 5 * n - 6;
}
constexpr Layer conv1{32 * 3 * 25, 3 * 32 * 32, 32 * 32 * 32, 32 * 3 * pairs(32) * pairs(32)};
constexpr Layer conv2{32 * 32 * 25, 32 * 16 * 16, 32 * 16 * 16, 32 * 32 * pairs(16) * pairs(16)};
constexpr Layer conv3{64 * 32 * 25, 32 * 8 * 8, 64 * 8 * 8, 64 * 32 * pairs(8) * pairs(8)};
constexpr Layer fc4{10 * 1024, 64 * 4 * 4, 10, 10.0 * 1024};

constexpr double weights = conv1.weights + conv2.weights + conv3.weights + fc4.weights;
constexpr double upper_weights = weights - conv1.weights;
constexpr double parameters = weights + (32 + 32 + 64 + 10) + 2 * (32 + 32 + 64);  // biases, batch norms

/// The first layer's products and those of each other layer.
constexpr double flops(int first, int others) {
  return 2 * N *
         (first * conv1.multiply_adds +
          others * (conv2.multiply_adds + conv3.multiply_adds + fc4.multiply_adds));
}
constexpr double activations(int first, int others) {
  return N * (first * (conv1.in + conv1.out) +
              others * (conv2.in + conv2.out + conv3.in + conv3.out + fc4.in + fc4.out));
}

StepRoofline roofline_of(const std::string& rule, const std::string& more = "") {
  const train::RunPlan plan = train::make_plan(
      Config::from_toml(fmt::format("batch_size = 2\nlearning_rule = \"{}\"\n[compute]\ndevice = \"cpu\"\n"
                                    "threads = 1\n{}",
                                    rule, more),
                        "run.toml"),
      "out.h5", {});
  return step_roofline(plan, {});
}

TEST(StepRoofline, OfBackpropagation) {
  const StepRoofline roofline = roofline_of("sgdm");
  // Forward and weight gradient; all but the first layer send an error down.
  EXPECT_EQ(roofline.flops, flops(2, 3));
  EXPECT_EQ(roofline.flops, 114035712);
  // Parameters, their gradients and momentum read and written, in float32.
  EXPECT_EQ(roofline.bytes, 4 * (6 * parameters + activations(2, 3)));
  // Adam has two moments.
  EXPECT_EQ(roofline_of("adam").bytes, 4 * (8 * parameters + activations(2, 3)));
  // Shorter numbers between layers; parameters stay what they are.
  EXPECT_EQ(roofline_of("sgdm", "precision = \"bf16\"\n").bytes, 4 * 6 * parameters + 2 * activations(2, 3));
}

TEST(StepRoofline, OfFeedbackAlignmentReadsItsKernelsInBesides) {
  const StepRoofline roofline = roofline_of("fa");
  EXPECT_EQ(roofline.flops, flops(2, 3));
  EXPECT_EQ(roofline.bytes, 4 * (6 * parameters + upper_weights + activations(2, 3)));
}

TEST(StepRoofline, OfInformationAlignmentHasTwoMoreProductsALayer) {
  const StepRoofline roofline = roofline_of("ia");
  EXPECT_EQ(roofline.flops, flops(4, 5));
  // B, its gradient and two moments read and written.
  EXPECT_EQ(roofline.bytes, 4 * (6 * parameters + 8 * weights + activations(4, 5)));
  // Another form of the null term needs B∗x, Wᵀ∗Bwd, W∗(Wᵀ∗Bwd) and a gradient at x.
  EXPECT_EQ(roofline_of("ia", "[rule]\nnull_form = \"reversal\"\n").flops, flops(6, 7));
}

TEST(StepRoofline, OfTheOtherRules) {
  const std::map<std::string, int> more_products = {{"wm", 2},  {"aa", 2},   {"sa", 0},  {"kp", 0},
                                                    {"usf", 0}, {"brsf", 0}, {"frsf", 0}};
  for (const auto& [rule, more] : more_products)
    EXPECT_EQ(roofline_of(rule).flops, flops(2 + more, 3 + more)) << rule;
  EXPECT_EQ(roofline_of("kp").bytes, 4 * (6 * parameters + 6 * weights + activations(2, 3)));
  EXPECT_EQ(roofline_of("usf").bytes, roofline_of("sgdm").bytes);

  // Direct feedback: no errors from layer to layer, but from 10 outputs to the units of three hidden places.
  constexpr double units = 32 * 16 * 16 + 32 * 8 * 8 + 64 * 4 * 4;
  const StepRoofline direct = roofline_of("dfa");
  EXPECT_EQ(direct.flops, flops(2, 2) + 2 * N * 10 * units);
  EXPECT_EQ(direct.bytes, 4 * (6 * parameters + activations(2, 2) + 10 * units + N * (units + 3 * 10)));
}

TEST(StepRoofline, IsWhatTakesLongerAtTheDevicesPeak) {
  const StepRoofline roofline{.flops = 6e9, .bytes = 2e9};
  EXPECT_DOUBLE_EQ(roofline.seconds({.flops = 1e9, .bytes = 1e9}), 6);
  EXPECT_EQ(roofline.bound({.flops = 1e9, .bytes = 1e9}), "flops");
  EXPECT_DOUBLE_EQ(roofline.seconds({.flops = 1e12, .bytes = 1e9}), 2);
  EXPECT_EQ(roofline.bound({.flops = 1e12, .bytes = 1e9}), "bytes");
}

TEST(DevicePeak, IsThatOfThisMachine) {
  const train::RunPlan plan = train::make_plan(
      Config::from_toml("[compute]\ndevice = \"cpu\"\nthreads = 1\n", "run.toml"), "out.h5", {});
  const DevicePeak peak = measure_peak(plan.config.compute);
  // Between a very slow core and more than any core does.
  EXPECT_GT(peak.flops, 1e8);
  EXPECT_LT(peak.flops, 1e13);
  EXPECT_GT(peak.bytes, 1e8);
  EXPECT_LT(peak.bytes, 1e12);
}

}  // namespace
}  // namespace lrid::cost
