#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/random.hpp>
#include <lrid/data/split.hpp>

#include "pictures.hpp"

namespace lrid::data {
namespace {

using ::testing::HasSubstr;
using testing::input_error;

std::vector<std::int64_t> labels_in_turn(std::int64_t count, std::int64_t classes) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i) labels.push_back(i % classes);
  return labels;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> numbers) {
  std::ranges::sort(numbers);
  return numbers;
}

TEST(Split, GivenValidationDataAreUsedWhole) {
  const Split split = make_split(labels_in_turn(1000, 10), 700, {.probe_size = 128});
  ASSERT_EQ(split.training.size(), 700U);
  for (std::int64_t i = 0; i < 700; ++i) EXPECT_EQ(split.training[static_cast<std::size_t>(i)], i);
  const std::vector<std::int64_t> validation = sorted(split.validation);
  ASSERT_EQ(validation.size(), 300U);
  for (std::int64_t i = 0; i < 300; ++i) EXPECT_EQ(validation[static_cast<std::size_t>(i)], 700 + i);
  EXPECT_NE(validation, split.validation) << "not shuffled";
  EXPECT_EQ(split.probe_size, 128);
}

TEST(Split, TheProbeIsAllOfAFewValidationSamples) {
  EXPECT_EQ(make_split(labels_in_turn(100, 2), 90, {}).probe_size, 10);
  EXPECT_EQ(make_split(labels_in_turn(2000, 2), 1000, {}).probe_size, 512);
}

TEST(Split, HashedShareHasTheSizeAskedFor) {
  constexpr std::int64_t n = 20000;
  for (const double fraction : {0.1, 0.25}) {
    const Split split = make_split(labels_in_turn(n, 10), n, {.validation_fraction = fraction});
    // Binomial: within 5 standard deviations.
    EXPECT_NEAR(static_cast<double>(split.validation.size()), n * fraction,
                5 * std::sqrt(n * fraction * (1 - fraction)));
    std::set<std::int64_t> all(split.training.begin(), split.training.end());
    all.insert(split.validation.begin(), split.validation.end());
    EXPECT_EQ(all.size(), static_cast<std::size_t>(n));
    EXPECT_EQ(split.training.size() + split.validation.size(), static_cast<std::size_t>(n));
  }
}

TEST(Split, ASamplesPartDoesNotDependOnHowManyOthersThereAre) {
  const Split small = make_split(labels_in_turn(500, 5), 500, {});
  const Split large = make_split(labels_in_turn(5000, 5), 5000, {});
  for (const std::int64_t i : small.validation) EXPECT_TRUE(std::ranges::count(large.validation, i)) << i;
  for (const std::int64_t i : small.training) EXPECT_TRUE(std::ranges::count(large.training, i)) << i;
}

TEST(Split, RepeatsWithTheSeedAndChangesWithIt) {
  const auto labels = labels_in_turn(3000, 10);
  EXPECT_EQ(make_split(labels, 3000, {.seed = 4}).validation,
            make_split(labels, 3000, {.seed = 4}).validation);
  EXPECT_NE(sorted(make_split(labels, 3000, {.seed = 4}).validation),
            sorted(make_split(labels, 3000, {.seed = 5}).validation));
  EXPECT_NE(make_split(labels, 2000, {.seed = 4}).validation,
            make_split(labels, 2000, {.seed = 5}).validation);
}

TEST(Split, FewerTrainingSamplesAreBalancedAndNested) {
  // Class 0 has half of the samples, classes 1 and 2 a quarter each.
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 400; ++i) labels.push_back(i % 2 == 0 ? 0 : 1 + i / 2 % 2);
  const auto count_classes = [&](const Split& split) {
    std::map<std::int64_t, int> counts;
    for (const std::int64_t i : split.training) ++counts[labels[static_cast<std::size_t>(i)]];
    return counts;
  };
  const Split thirty = make_split(labels, 300, {.training_samples = 30});
  EXPECT_EQ(count_classes(thirty), (std::map<std::int64_t, int>{{0, 10}, {1, 10}, {2, 10}}));
  EXPECT_TRUE(std::ranges::is_sorted(thirty.training));
  EXPECT_LT(thirty.training.back(), 300);
  const Split forty = make_split(labels, 300, {.training_samples = 40});
  EXPECT_EQ(count_classes(forty), (std::map<std::int64_t, int>{{0, 14}, {1, 13}, {2, 13}}));
  EXPECT_TRUE(std::ranges::includes(forty.training, thirty.training));
  // Classes 1 and 2 end at 75 each: the rest is class 0's.
  EXPECT_EQ(count_classes(make_split(labels, 300, {.training_samples = 240})),
            (std::map<std::int64_t, int>{{0, 90}, {1, 75}, {2, 75}}));
  // The validation samples are those of the whole data set.
  EXPECT_EQ(thirty.validation, make_split(labels, 300, {}).validation);
}

TEST(Split, NothingLeftIsAnError) {
  EXPECT_THAT(input_error([] {
                make_split({0, 1}, 2, {.validation_fraction = 1e-9});
              }),
              HasSubstr("data.validation_fraction = 1e-09: none of 2 samples"));
  EXPECT_THAT(input_error([] {
                make_split({0, 1}, 2, {.validation_fraction = 1.0});
              }),
              HasSubstr("left to train on"));
  EXPECT_THAT(input_error([] {
                make_split({0, 1, 0}, 2, {.training_samples = 3});
              }),
              HasSubstr("data.training_samples = 3: the data set has 2 training samples"));
}

}  // namespace
}  // namespace lrid::data
