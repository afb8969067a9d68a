#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/identify/feature_table.hpp>
#include <lrid/learn/scaler.hpp>

#include "synthetic.hpp"

namespace lrid::identify {
namespace {

TEST(Measures, AreTheStudys24Observables) {
  EXPECT_EQ(observables_of_measure("all").size(), 24U);
  EXPECT_EQ(observables_of_measure("weight").size(), 13U);
  EXPECT_EQ(observables_of_measure("activation").size(), 8U);
  EXPECT_EQ(observables_of_measure("layer_change").size(), 3U);
}

TEST(FeatureTable, PositionFirstThenObservableByObservable) {
  io::Dataset data = testing::tiny_dataset(1, 3);
  const FeatureTable table = FeatureTable::of_observables(data, std::make_shared<Metadata>(data.meta),
                                                          {"weightsq_mean", "actabs_norm"});
  ASSERT_EQ(table.layout.columns(), 3 + 2 * 3);
  EXPECT_EQ(table.layout.column_name(1), "position_middle");
  EXPECT_EQ(table.layout.column_name(4), "weightsq_mean@1");
  EXPECT_EQ(table.layout.column_name(8), "actabs_norm@2");
  EXPECT_EQ(table.layout.group_name(2), "layer_position");
  EXPECT_EQ(table.layout.group_name(6), "actabs_norm");
  // Sample 3 is KNet4's last layer.
  EXPECT_EQ(table.x.row(3).head(3), (Eigen::RowVector3f{0, 0, 1}));
  const auto k =
      to_size(std::ranges::find(data.observable_names, "weightsq_mean") - data.observable_names.begin());
  EXPECT_EQ(table.x(3, 4), data.x[(3 * 3 + 1) * data.observable_names.size() + k]);
}

TEST(FeatureTable, NamesTheFeatureThatIsNotFinite) {
  io::Dataset data = testing::tiny_dataset(1, 3);
  FeatureTable table =
      FeatureTable::of_observables(data, std::make_shared<Metadata>(data.meta), {"actabs_norm"});
  table.x(2, 4) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NO_THROW(table.require_finite({0, 1, 3}, "d.h5"));
  try {
    table.require_finite({1, 2}, "d.h5");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr("d.h5: sample 2 (layer layer2 of KNet4/sgdm/0): actabs_norm@1"));
  }
}

TEST(FeatureTable, NamesValuesThatHideAllOthers) {
  io::Dataset data = testing::tiny_dataset(2, 3);
  FeatureTable table = FeatureTable::of_observables(data, std::make_shared<Metadata>(data.meta),
                                                    {"actabs_norm", "actabs_mean"});
  Rows rows(static_cast<std::size_t>(data.samples));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  EXPECT_EQ(table.outliers(rows, "d.h5"), "");
  table.x(2, 4) = 1e12F;
  EXPECT_THAT(
      table.outliers(rows, "d.h5"),
      ::testing::StartsWith("d.h5: sample 2 (layer layer2 of KNet4/sgdm/0) has actabs_norm@1 = 1e+12"));
  table.x(5, 7) = -1e9F;
  EXPECT_THAT(table.outliers(rows, "d.h5"), ::testing::HasSubstr("likewise 1 other feature"));
  EXPECT_EQ(table.outliers({0, 1, 3, 4, 6, 7, 8, 9}, "d.h5"), "") << "samples that are not used";
  // A whole layer of other scale is no outlier.
  table.x(2, 4) = 0;
  table.x(5, 7) = 0;
  for (Eigen::Index row = 0; row < table.x.rows(); row += 4) table.x.row(row).tail(6) *= 1e6F;
  EXPECT_EQ(table.outliers(rows, "d.h5"), "");
}

TEST(FeatureTable, NamesAnObservableThatTheDatasetLacks) {
  const io::Dataset data = testing::tiny_dataset(1, 3);
  EXPECT_THROW(FeatureTable::of_observables(data, std::make_shared<Metadata>(data.meta), {"weightraw_age"}),
               InputError);
}

TEST(Scaler, KnowsOnlyTheRowsItWasFittedOn) {
  io::Dataset data = testing::tiny_dataset(2, 3);
  const auto metadata = std::make_shared<Metadata>(data.meta);
  FeatureTable table = FeatureTable::of_observables(data, metadata, observables_of_measure("all"));
  const Rows train = {0, 2, 4, 6, 20, 30, 40}, test = {1, 3, 5};
  Rows everything(to_size(data.samples));
  for (std::size_t i = 0; i < everything.size(); ++i) everything[i] = static_cast<std::int64_t>(i);
  const Target target = Target::of(*metadata, "learning_rule", everything);
  const learn::Samples before = standardise(fit_scaler(table, train), table, train, target);

  const Eigen::RowVectorXd mean = before.x.colwise().mean();
  EXPECT_LT(mean.tail(mean.size() - 3).cwiseAbs().maxCoeff(), 1e-12);
  const Eigen::RowVectorXd variance = before.x.colwise().squaredNorm() / static_cast<double>(train.size());
  EXPECT_LT((variance.tail(mean.size() - 3).array() - 1.0).abs().maxCoeff(), 1e-12);
  EXPECT_EQ(before.x.leftCols(3), table.x(train, Eigen::seq(0, 2)).cast<double>());

  // Wild test samples must change nothing about the training side.
  for (const std::int64_t row : test) table.x.row(row) *= 1000.0F;
  EXPECT_EQ(standardise(fit_scaler(table, train), table, train, target).x, before.x);
}

TEST(Scaler, ConstantFeaturesBecomeZero) {
  io::Dataset data = testing::tiny_dataset(1, 3);
  const auto metadata = std::make_shared<Metadata>(data.meta);
  FeatureTable table = FeatureTable::of_observables(data, metadata, {"actabs_norm"});
  table.x.col(4).setConstant(7.0F);
  const learn::Scaler scaler = fit_scaler(table, {0, 1, 2, 3});
  EXPECT_EQ(scaler.sd()(4), learn::Scaler::min_sd);
  EXPECT_EQ(scaler.mean()(4), 7.0);
}

}  // namespace
}  // namespace lrid::identify
