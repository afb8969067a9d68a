#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/index.hpp>
#include <lrid/core/random.hpp>
#include <lrid/learn/calibration.hpp>
#include <lrid/learn/metrics.hpp>
#include <lrid/learn/novelty.hpp>

#include "testing.hpp"

namespace lrid::learn {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

/// Logits of three classes, and labels drawn from their softmax.
struct Drawn {
  explicit Drawn(std::int64_t n, std::uint64_t seed) : logits(n, 3) {
    Stream stream(Key(seed, "logits"));
    for (std::int64_t i = 0; i < n; ++i) {
      for (int c = 0; c < 3; ++c) logits(i, c) = 2 * stream.normal();
      const Matrix p = Calibration().probabilities(logits.row(i));
      double left = stream.uniform();
      int label = 0;
      while (label < 2 && (left -= p(0, label)) >= 0) ++label;
      labels.push_back(label);
    }
  }
  Matrix logits;
  std::vector<int> labels;
};

TEST(Calibration, FindsTheTemperature) {
  const Drawn drawn(4000, 1);
  // Scores five times too sure.
  const Calibration calibration("temperature", 5 * drawn.logits, drawn.labels);
  EXPECT_NEAR(calibration.inverse_temperature(), 0.2, 0.02);
}

TEST(Calibration, MakesProbabilitiesMeanWhatTheySay) {
  const Drawn fitted(4000, 2), fresh(4000, 3);
  const double raw =
      calibration_error(reliability(Calibration().probabilities(5 * fresh.logits), fresh.labels));
  EXPECT_GT(raw, 0.1);
  for (const std::string method : {"temperature", "isotonic"}) {
    const Calibration calibration(method, 5 * fitted.logits, fitted.labels);
    const Matrix p = calibration.probabilities(5 * fresh.logits);
    EXPECT_LT(calibration_error(reliability(p, fresh.labels)), 0.04) << method;
    EXPECT_LT((p.rowwise().sum().array() - 1).abs().maxCoeff(), 1e-12) << method;
    EXPECT_GT(p.minCoeff(), 0) << method;
  }
}

TEST(Calibration, StaysFiniteWhereSamplesAreSeparable) {
  Matrix logits(4, 2);
  logits << 1, -1, 2, -2, -1, 1, -3, 3;
  const Matrix p = Calibration("temperature", logits, {0, 0, 1, 1}).probabilities(logits);
  EXPECT_LT(p.maxCoeff(), 1.0);
  EXPECT_GT(p(0, 0), 0.75);
  // Scores that say nothing.
  EXPECT_NEAR(Calibration("temperature", Matrix::Zero(4, 2), {0, 1, 1, 1}).probabilities(logits.row(0)).sum(),
              1, 1e-12);
}

TEST(Calibration, IsReadBackBitForBit) {
  const Drawn drawn(200, 4);
  for (const std::string method : {"temperature", "isotonic", "none"}) {
    const Calibration calibration(method, drawn.logits, drawn.labels);
    io::hdf5::OutputFile file("test");
    calibration.save(file.root());
    const testing::TemporaryFolder folder;
    std::move(file).save(folder / "c.h5");
    const io::hdf5::InputFile input(folder / "c.h5");
    EXPECT_EQ(Calibration::load(input.root(), 3).probabilities(drawn.logits),
              calibration.probabilities(drawn.logits))
        << method;
  }
}

TEST(IsotonicCurve, PoolsAdjacentViolators) {
  const IsotonicCurve curve = IsotonicCurve::fit({5, 1, 2, 3, 4}, {0, 1, 0, 1, 1});
  // (1, 0) pool to ½, (1, 1, 0) to ⅔; linear in between, constant beyond.
  EXPECT_DOUBLE_EQ(curve(-7), 0.5);
  EXPECT_DOUBLE_EQ(curve(2), 0.5);
  EXPECT_DOUBLE_EQ(curve(2.5), (0.5 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(curve(3), 2.0 / 3);
  EXPECT_DOUBLE_EQ(curve(9), 2.0 / 3);
  // Ties are one point, whatever their order.
  EXPECT_DOUBLE_EQ(IsotonicCurve::fit({1, 1, 2}, {1, 0, 1})(1), 0.5);
  EXPECT_DOUBLE_EQ(IsotonicCurve::fit({1, 1, 2}, {0, 1, 1})(1), 0.5);
}

TEST(Metrics, CalibrationErrorByHand) {
  Matrix p(4, 2);
  p << 0.95, 0.05, 0.92, 0.08, 0.3, 0.7, 0.75, 0.25;
  const auto bins = reliability(p, {0, 1, 1, 0});
  EXPECT_EQ(bins[9].count, 2);
  EXPECT_EQ(bins[9].right, 1);
  EXPECT_DOUBLE_EQ(bins[7].confidence, 0.7 + 0.75);
  EXPECT_NEAR(calibration_error(bins), (std::abs(1 - 1.87) + std::abs(2 - 1.45)) / 4, 1e-12);
  EXPECT_NEAR(log_loss(p, {0, 1, 1, 0}),
              -(std::log(0.95) + std::log(0.08) + std::log(0.7) + std::log(0.75)) / 4, 1e-12);
}

TEST(Metrics, AurocByHand) {
  EXPECT_DOUBLE_EQ(auroc({1, 2, 3}, {4, 5}), 1);
  EXPECT_DOUBLE_EQ(auroc({1, 3}, {2, 3}), (1 + 1.5) / 4);
  EXPECT_DOUBLE_EQ(auroc({2}, {2}), 0.5);
  EXPECT_TRUE(std::isnan(auroc({}, {1})));
}

TEST(Novelty, NearestDistanceIsThatOfBruteForce) {
  Stream stream(Key(5, "points"));
  FloatMatrix known(300, 7), samples(513, 7);
  for (FloatMatrix* matrix : {&known, &samples})
    for (Eigen::Index i = 0; i < matrix->size(); ++i) matrix->data()[i] = static_cast<float>(stream.normal());
  samples.row(512) = known.row(17);
  const std::vector<double> distances = nearest_distances(known, samples);
  for (Eigen::Index i = 0; i < samples.rows(); ++i)
    EXPECT_NEAR(distances[to_size(i)], (known.rowwise() - samples.row(i)).rowwise().norm().minCoeff(), 1e-4);
  EXPECT_EQ(distances[512], 0);
}

TEST(Novelty, TypicalityIsAPValue) {
  Stream stream(Key(6, "scores"));
  const auto draw = [&](std::size_t n) {
    std::vector<double> values(n);
    for (double& value : values) value = stream.normal();
    return values;
  };
  const NoveltyReference reference(draw(4000), draw(4000));
  const std::vector<double> known = reference.typicality(draw(2000), draw(2000));
  for (const double level : {0.05, 0.2, 0.5}) {
    const auto below = std::ranges::count_if(known, [&](double p) { return p <= level; });
    EXPECT_NEAR(static_cast<double>(below) / 2000, level, 0.04);
  }
  // Odd in one way or the other.
  EXPECT_THAT(reference.typicality({9, 0, 0}, {0, 9, 0}),
              ElementsAre(DoubleNear(1.0 / 4001, 0.003), DoubleNear(1.0 / 4001, 0.003), ::testing::Gt(0.1)));
}

TEST(Novelty, EntropyOfCertaintyIsZero) {
  Matrix p(2, 4);
  p << 1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25;
  EXPECT_THAT(entropies(p), ElementsAre(0, DoubleNear(std::log(4.0), 1e-12)));
}

}  // namespace
}  // namespace lrid::learn
