// Whether anything changes over time, and whether statistics are as large as the training networks'.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/identify/change.hpp>
#include <lrid/identify/range.hpp>

#include "synthetic.hpp"

namespace lrid::identify {
namespace {

using ::testing::Key;  // the matcher; lrid::Key below

/// One sample with the same trajectory in these observables.
io::Dataset of_trajectory(const std::vector<std::string>& observables, const std::vector<float>& trajectory) {
  io::Dataset data;
  data.observable_names = observables;
  data.samples = 1;
  data.points = static_cast<std::int64_t>(trajectory.size());
  for (const float value : trajectory) data.x.insert(data.x.end(), observables.size(), value);
  return data;
}

TEST(Change, PValueIsThatOfAllOrders) {
  // e^1, e^2, e^4, e^3, …: ranks 1 2 4 3 6 5 7, S = 0.714. Of all 5040 orders 2.62 % are as regular.
  std::vector<float> trajectory;
  for (const double x : {1, 2, 4, 3, 6, 5, 8}) trajectory.push_back(static_cast<float>(std::exp(x)));
  const io::Dataset data = of_trajectory({"actabs_mean", "actabs_norm"}, trajectory);
  const ChangeTest test = test_change(data, {0}, {"activation", "weight"}, change_key("a network"));
  EXPECT_TRUE(test.enough_points);
  ASSERT_THAT(test.measures, ::testing::ElementsAre(Key("activation"))) << "no observable of the weights";
  EXPECT_NEAR(test.measures.at("activation").p, 0.0262, 0.011);
  EXPECT_TRUE(test.finds_none()) << "at 1 %";
}

TEST(Change, RoundingAndConstantsAreNone) {
  const io::Dataset constant = of_trajectory({"actabs_mean"}, std::vector<float>(10, 3.0F));
  EXPECT_EQ(test_change(constant, {0}, {"activation"}, change_key("n")).measures.at("activation").p, 1);
  std::vector<float> rounding(10, 3.0F);
  for (std::size_t t = 5; t < 10; ++t) rounding[t] = std::nextafter(3.0F, 4.0F);
  const ChangeTest test =
      test_change(of_trajectory({"actabs_mean"}, rounding), {0}, {"activation"}, change_key("n"));
  EXPECT_EQ(test.measures.at("activation").p, 1);
  EXPECT_EQ(test.measures.at("activation").change, 0);
  EXPECT_TRUE(test.finds_none());
}

TEST(Change, IsFoundWhereThereIsAny) {
  std::vector<float> rising;
  for (int t = 0; t < 10; ++t) rising.push_back(1 + 1e-4F * static_cast<float>(t));
  const ChangeTest test =
      test_change(of_trajectory({"actabs_mean"}, rising), {0}, {"activation"}, change_key("n"));
  EXPECT_LE(test.measures.at("activation").p, 0.002);
  EXPECT_FALSE(test.finds_none());
  EXPECT_FALSE(test_change(of_trajectory({"actabs_mean"}, {1, 1, 1}), {0}, {"activation"}, change_key("n"))
                   .finds_none())
      << "three points can't tell";
}

TEST(Change, FalseAlarmsAreRare) {
  // Noise around a constant: "no change" in all but about 1 %.
  std::size_t found = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    Stream stream(lrid::Key(i, "noise"));
    std::vector<float> noise;
    for (int t = 0; t < 15; ++t) noise.push_back(static_cast<float>(1 + 0.01 * stream.normal()));
    const ChangeTest test = test_change(of_trajectory({"actabs_mean"}, noise), {0}, {"activation"},
                                        change_key(std::to_string(i)));
    found += test.finds_none() ? 0U : 1U;
  }
  EXPECT_LE(found, 5U);
}

TEST(Range, NamesWhatIsOutside) {
  const auto scales = [](float norm, float mean_square) {
    io::Dataset data = of_trajectory({"weightabs_norm", "weightsq_mean"}, {1, 1, 1});
    for (std::size_t i = 0; i < data.x.size(); ++i) data.x[i] = i % 2 == 0 ? norm : mean_square;
    return scales_of(data, {0}, {"weight", "activation"});
  };
  Ranges ranges;
  widen(ranges, scales(10, 0.1F));  // 1000 weights
  widen(ranges, scales(20, 0.1F));  // 4000
  EXPECT_TRUE(outside(ranges, scales(12, 0.1F)).empty());
  EXPECT_TRUE(outside(ranges, scales(22, 0.12F)).empty()) << "within a quarter";
  const std::vector<Outside> small = outside(ranges, scales(0.25F, 6.25e-5F));  // 1000 weights
  ASSERT_EQ(small.size(), 1U);
  EXPECT_EQ(small.front().text, "weights 40 × below the range of the training networks");
  const std::vector<Outside> many = outside(ranges, scales(20, 0.01F));  // 40000 weights
  ASSERT_EQ(many.size(), 1U);
  EXPECT_EQ(many.front().text, "number of weights 10 × above the range of the training networks");
}

}  // namespace
}  // namespace lrid::identify
