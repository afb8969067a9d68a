#include <cmath>

#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/observe/observer_options.hpp>
#include <lrid/observe/trajectory_recorder.hpp>

namespace lrid::observe {
namespace {

std::vector<stats::Imperfection> measurements(const std::string& toml, std::uint64_t network = 7) {
  return ObserverOptions::read(Config::from_toml(toml, "run.toml")).measurements(network);
}

TEST(ObserverOptions, MeasurePerfectlyAndOnTheGridThatIsAskedFor) {
  EXPECT_EQ(measurements(""), std::vector{stats::Imperfection{}});
  const auto grid = measurements(
      "[probe]\nunit_fraction = [0.5]\nunits = [300, 30]\nnoise = [0, 1]\nnoise_unit = \"relative\"\n"
      "imperfect_seed = 3\n");
  ASSERT_EQ(grid.size(), 7U);
  EXPECT_TRUE(grid[0].perfect());
  EXPECT_EQ(grid[1].unit_fraction, 0.5);
  EXPECT_EQ(grid[3].units, 300);
  EXPECT_EQ(grid[6].units, 30);
  EXPECT_EQ(grid[6].noise, 1);
  EXPECT_EQ(grid[6].noise_unit, stats::NoiseUnit::relative);
  EXPECT_EQ(grid[6].seed, 3U);
  EXPECT_EQ(grid[6].network, 0U);
  EXPECT_THROW(measurements("[probe]\nunits = [0]\n"), InputError);
  EXPECT_THROW(measurements("[probe]\nnoise_unit = \"percent\"\n"), InputError);
}

TEST(ObserverOptions, DrawUnitsForEachNetworkWhereAsked) {
  const std::string toml = "[probe]\nunits = [30]\nsubsets = \"network\"\n";
  EXPECT_FALSE(measurements(toml, 7)[1].sees_the_same_units(measurements(toml, 8)[1]));
  io::Trajectory first, second;
  second.model_seed = 1;
  EXPECT_NE(network_hash(first), network_hash(second));
  EXPECT_NE(network_hash(first), 0U);
}

TEST(DeclareMeasurement, SaysWhichCountsFractionOrNumber) {
  io::Trajectory::Imperfect imperfect;
  declare_measurement(imperfect, {.unit_fraction = 0.5, .noise = 2});
  declare_measurement(imperfect, {.units = 30, .noise_unit = stats::NoiseUnit::relative});
  EXPECT_EQ(imperfect.unit_fraction[0], 0.5);
  EXPECT_TRUE(std::isnan(imperfect.unit_fraction[1])) << "not 1, which means all units";
  EXPECT_EQ(imperfect.units, (std::vector<std::int64_t>{0, 30}));
  EXPECT_EQ(imperfect.noise_unit, "relative");
}

}  // namespace
}  // namespace lrid::observe
