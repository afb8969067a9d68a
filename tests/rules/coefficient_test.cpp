#include "rules/coefficient.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <lrid/core/error.hpp>

namespace lrid::rules {
namespace {

constexpr double epochs = 100;

TEST(Coefficient, IsConstantUnlessToldOtherwise) {
  const Coefficient c{.value = 2};
  for (const double epoch : {0.0, 37.5, 99.9}) EXPECT_EQ(c.at(epoch, epochs), 2);
}

TEST(Coefficient, IsZeroOutsideItsShareOfTheRun) {
  const Coefficient c{.value = 2, .start = 0.2, .stop = 0.6};
  EXPECT_EQ(c.at(19.9, epochs), 0);
  EXPECT_EQ(c.at(20, epochs), 2);
  EXPECT_EQ(c.at(60, epochs), 2);
  EXPECT_EQ(c.at(60.1, epochs), 0);
}

TEST(Coefficient, ChangesWithTheEpochsSinceItsStart) {
  Coefficient c{.value = 2, .form = Coefficient::Form::linear, .rate = 0.1, .start = 0.2};
  EXPECT_DOUBLE_EQ(c.at(20, epochs), 2);
  EXPECT_DOUBLE_EQ(c.at(50, epochs), 5);
  c.form = Coefficient::Form::exponential;
  c.rate = -0.1;
  EXPECT_DOUBLE_EQ(c.at(50, epochs), 2 * std::exp(-3));
}

/// A triangle of 8 epochs: 0 → 4 → 0.
TEST(Coefficient, RisesAndFallsInCycles) {
  const Coefficient c{.value = 1, .form = Coefficient::Form::linear, .rate = 1, .cycle = 8};
  for (const auto& [epoch, u] :
       {std::pair{0.0, 0.0}, {3.0, 3.0}, {4.0, 4.0}, {6.0, 2.0}, {8.0, 0.0}, {11.0, 3.0}})
    EXPECT_DOUBLE_EQ(c.at(epoch, epochs), 1 + u) << epoch;
}

TEST(Coefficient, IsDeclaredOnceWithAllThatChangesIt) {
  Config config = Config::from_toml(
      "[rule]\nbeta = 0.5\nbeta_form = 'linear'\nbeta_rate = 2\nbeta_start = 0.5\nbeta_cycle = 4", "test");
  Options options(config);
  const Coefficient c = Coefficient::declare(options, "beta", 1, "a term");
  options.finish();
  EXPECT_DOUBLE_EQ(c.at(51, epochs), 2.5);
  config.assign("rule.beta_stop=0.25");
  Options wrong(config);
  EXPECT_THROW(Coefficient::declare(wrong, "beta", 1, "a term"), InputError);
}

}  // namespace
}  // namespace lrid::rules
