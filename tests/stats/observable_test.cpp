#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/stats/observable.hpp>

namespace lrid::stats {
namespace {

TEST(Observable, FortyFiveInAlphabeticalOrder) {
  const auto& all = observables();
  ASSERT_EQ(all.size(), static_cast<std::size_t>(observable_count));
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &Observable::name));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(observable_index(all[i].name), static_cast<int>(i));
    EXPECT_EQ(observable_index(all[i].measure, all[i].function, all[i].statistic), static_cast<int>(i));
  }
  EXPECT_EQ(observable_index("actraw_mode"), -1);
  EXPECT_EQ(observable_index(Measure::weight, Function::raw, Statistic::id), -1);
  EXPECT_EQ(all.front().name, "actabs_kurtosis");
  EXPECT_EQ(all.back().name, "weightsq_var");
}

TEST(Observable, TwentyFourAreAdmissible) {
  std::set<std::string> admissible;
  for (const Observable& observable : observables())
    if (observable.admissible) admissible.insert(observable.name);
  // observables.md, "Admissible 24".
  std::set<std::string> expected{"gradavgraw_id", "gradavgabs_id", "gradavgsq_id"};
  for (const char* statistic : {"mean", "median", "norm", "thirdquartile", "var"})
    for (const char* function : {"abs", "raw"})
      expected.insert(std::string("weight") + function + "_" + statistic);
  for (const char* statistic : {"mean", "median", "thirdquartile"})
    expected.insert(std::string("weightsq_") + statistic);
  for (const char* statistic : {"mean", "median", "norm", "thirdquartile"})
    for (const char* function : {"abs", "raw"})
      expected.insert(std::string("act") + function + "_" + statistic);
  EXPECT_EQ(admissible, expected);
  EXPECT_EQ(admissible.size(), 24U);
}

}  // namespace
}  // namespace lrid::stats
