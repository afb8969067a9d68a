// What trajectories become before a classifier sees them. Expected values: numpy, from the definitions in
// docs/identification.md.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/identify/transform.hpp>

#include "identify/experiments/experiments.hpp"
#include "synthetic.hpp"

namespace lrid::identify {
namespace {

std::vector<float> features(const std::string& name, const std::vector<float>& trajectory) {
  const Transform& transform = transforms().at(name);
  std::vector<float> result(transform.series.size() * (trajectory.size() - to_size(transform.fewer())));
  transform.apply(trajectory, result);
  return result;
}

void expect_features(const std::string& name, const std::vector<float>& trajectory,
                     const std::vector<double>& expected) {
  const std::vector<float> found = features(name, trajectory);
  ASSERT_EQ(found.size(), expected.size()) << name;
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 2e-7 * std::max(1.0, std::abs(expected[i]))) << name << " " << i;
}

const std::vector<float> mixed = {2, 3, -1, 0, 0, 4}, rising = {1, 2, 4, 4, 8, 5};

TEST(Transforms, AsNumpy) {
  expect_features("none", mixed, {2, 3, -1, 0, 0, 4});
  expect_features("log_increments", mixed, {0.405465108, -1.09861229, -12.4292162, 0, 13.8155106});
  expect_features("log_increments", rising, {0.693147181, 0.693147181, 0, 0.693147181, -0.470003629});
  expect_features("increments", mixed, {0.2, -1, 1, 0, 1});
  expect_features("increments", rising, {0.333333333, 0.333333333, 0, 0.333333333, -0.230769231});
  expect_features("shape", mixed, {0.365148372, 0.547722558, -0.182574186, 0, 0, 0.730296743});
  expect_features("rank", mixed, {0.5, 0, 0.875, 0.25, 0.875});
  expect_features("sorted", rising, {-0.230769231, 0, 0.333333333, 0.333333333, 0.333333333});
  expect_features("profile", rising, {1, 1, 0, 1, -0.692307692});
  expect_features("path_sorted", rising,
                  {0.270833333, 0.541666667, 0.541666667, 0.8125, 1, -0.230769231, 0, 0.333333333,
                   0.333333333, 0.333333333});
  expect_features("profile_sorted", mixed, {0.2, -1, 1, 0, 1, -1, 0, 0.2, 1, 1});
}

TEST(Transforms, ScaleChangesNothingWhereTheySaySo) {
  for (const Transform& transform : transforms().entries())
    for (const std::vector<float>& trajectory : {mixed, rising}) {
      std::vector<float> doubled = trajectory, thousandfold = trajectory;
      for (float& value : doubled) value *= 2;
      for (float& value : thousandfold) value *= 1000;
      EXPECT_EQ(features(transform.name, doubled) == features(transform.name, trajectory),
                transform.scale_free)
          << transform.name;
      if (!transform.scale_free) continue;
      const std::vector<float> before = features(transform.name, trajectory),
                               after = features(transform.name, thousandfold);
      for (std::size_t i = 0; i < before.size(); ++i)
        EXPECT_NEAR(after[i], before[i], 1e-6) << transform.name;
    }
}

TEST(Transforms, AdmitEveryTrajectoryAndKeepNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), large = std::numeric_limits<float>::max(),
              small = std::numeric_limits<float>::denorm_min();
  for (const Transform& transform : transforms().entries()) {
    for (const std::vector<float>& trajectory : std::vector<std::vector<float>>{
             {0, 0, 0}, {7, 7, 7}, {large, -large, large}, {small, 0, -small}, {0, 1e30F, 0}})
      for (const float value : features(transform.name, trajectory))
        EXPECT_TRUE(std::isfinite(value)) << transform.name;
    for (const float value : features(transform.name, {1, nan, 2}))
      EXPECT_TRUE(std::isnan(value)) << transform.name;
    for (const Series& series : transform.series)
      EXPECT_EQ(series.fewer, transform.fewer()) << transform.name;
  }
  expect_features("profile_sorted", {7, 7, 7}, {0, 0, 0, 0});
  // Rounding is no change.
  expect_features("profile", {1.0F, std::nextafter(1.0F, 2.0F), 1.0F}, {0, 0});
}

TEST(FeatureTable, TransformsEveryObservableAndNamesItsColumns) {
  const io::Dataset data = testing::tiny_dataset(1, 4);
  const FeatureTable table = FeatureTable::of_observables(data, std::make_shared<Metadata>(data.meta),
                                                          {"weightsq_mean", "actabs_norm"});
  const FeatureTable transformed = table.transformed("profile_sorted");
  ASSERT_EQ(transformed.x.cols(), 3 + 2 * 2 * 3);
  EXPECT_EQ(transformed.layout.column_name(3), "weightsq_mean.profile@0");
  EXPECT_EQ(transformed.layout.column_name(8), "weightsq_mean.sorted@2");
  EXPECT_EQ(transformed.layout.column_name(9), "actabs_norm.profile@0");
  EXPECT_EQ(transformed.layout.group_name(8), "weightsq_mean");
  EXPECT_EQ(transformed.layout.trajectory_points(), 4);
  EXPECT_EQ(transformed.layout.columns_only().channels, 4);
  for (Eigen::Index row = 0; row < table.x.rows(); ++row) {
    EXPECT_EQ(transformed.x.row(row).head(3), table.x.row(row).head(3));
    const std::vector<float> expected =
        features("profile_sorted", {table.x.row(row).data() + 3 + 4, table.x.row(row).data() + 3 + 8});
    const auto found = transformed.x.row(row).tail(6);
    EXPECT_EQ(std::vector<float>(found.begin(), found.end()), expected);
  }
  const FeatureTable bare = transformed.without_position();
  EXPECT_EQ(bare.x, transformed.x.rightCols(12));
  EXPECT_EQ(bare.layout.column_name(0), "weightsq_mean.profile@0");
  EXPECT_THROW((void)table.at_points({0}).transformed("profile"), InputError);
}

TEST(Study, AppliesTheTransformToWhatExperimentsMade) {
  const io::Dataset data = testing::tiny_dataset(8, 4);
  Options options(Config::from_toml("features.transform = 'sorted'\nfeatures.position = false\n", "e.toml"));
  Protocol protocol;
  protocol.declare(options);
  Study study(protocol, data, "d.h5");
  const auto plan = study.plan(SplitKind::network, study.pool(), study.pool(), *study.target());
  const auto accuracy = std::make_shared<FeatureTable>(
      FeatureTable::of_scalar("final_accuracy", data.meta.final_accuracy, study.metadata()));
  std::vector<Condition> conditions = {Condition::on({}, study.table("all"), study.target(), plan),
                                       Condition::on({}, study.table("all"), study.target(), plan),
                                       Condition::on({}, accuracy, study.target(), plan)};
  apply_transform(protocol, conditions);
  EXPECT_EQ(conditions[0].train->x, study.table("all")->transformed("sorted").without_position().x);
  EXPECT_EQ(conditions[0].train, conditions[0].tests[0].table);
  EXPECT_EQ(conditions[0].train, conditions[1].train);
  EXPECT_EQ(conditions[2].train, accuracy);
}

TEST(Experiments, TransformsShareTheirSplits) {
  const io::Dataset data = testing::tiny_dataset(8, 4);
  Options options(
      Config::from_toml("experiment = 'transforms'\ntransforms = ['none', 'sorted']\nsplit = "
                        "['network']\nfeatures.measures = ['all', 'weight']\n",
                        "e.toml"));
  Protocol protocol;
  protocol.declare(options);
  const auto experiment = experiments().at("transforms").make();
  experiment->declare(options);
  Study study(protocol, data, "d.h5");
  const std::vector<Condition> conditions = experiment->conditions(study);
  ASSERT_EQ(conditions.size(), 3U * 2U * 2U);  // within, and without either architecture
  for (const Condition& condition : conditions) {
    const std::size_t group = static_cast<std::size_t>(&condition - conditions.data()) / 4;
    EXPECT_EQ(condition.plan, conditions[group * 4].plan);
    EXPECT_EQ(condition.labels.contains("held_out"), group > 0);
    EXPECT_EQ(std::get<std::string>(condition.labels.at("transform")), condition.train->layout.transform);
  }
}

}  // namespace
}  // namespace lrid::identify
