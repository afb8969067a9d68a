#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/index.hpp>
#include <lrid/core/random.hpp>
#include <lrid/learn/calibration.hpp>
#include <lrid/learn/conformal.hpp>
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

/// A case with the values of scipy (Nelder-Mead on the same loss) and numpy.
struct DistanceCase {
  DistanceCase() : logits(24, 3) {
    for (int i = 0; i < 24; ++i) {
      logits.row(i) << 2 * std::sin(1.7 * i), 2 * std::cos(2.3 * i), 2 * std::sin(0.9 * i + 1);
      Eigen::Index best = 0;
      logits.row(i).maxCoeff(&best);
      labels.push_back(i % 5 == 4 ? i * 7 % 3 : static_cast<int>(best));
      log_distance.push_back(std::sin(0.7 * i));
      weights.push_back(1.0 / (1 + i % 3));
    }
  }
  Matrix logits;
  std::vector<int> labels;
  std::vector<double> log_distance, weights;
};

TEST(DistanceCalibration, FindsScipysOptimum) {
  const DistanceCase c;
  const DistanceCalibration calibration(c.logits, c.labels, c.log_distance, c.weights);
  EXPECT_NEAR(calibration.level(), 0.5618629, 1e-5);
  EXPECT_NEAR(calibration.slope(), 0.60054502, 1e-5);
  const Matrix p = calibration.probabilities(c.logits, c.log_distance);
  EXPECT_NEAR(p(0, 1), 0.62367399, 1e-5);
  EXPECT_NEAR(p(3, 1), 0.92040858, 1e-5);
}

TEST(Conformal, PValuesOfNumpy) {
  const DistanceCase c;
  const DistanceCalibration calibration(c.logits, c.labels, c.log_distance, c.weights);
  const Matrix p = calibration.probabilities(c.logits, c.log_distance);
  std::vector<double> scores;
  for (std::size_t i = 0; i < c.labels.size(); ++i) scores.push_back(1 - p(to_index(i), c.labels[i]));
  const Conformal conformal(scores, c.log_distance, c.weights);
  Matrix samples(1, 3);
  samples << 0.7, 0.2, 0.1;
  const Matrix values = conformal.p_values(samples, {0.4});
  EXPECT_NEAR(values(0, 0), 0.876631237, 1e-5);
  EXPECT_NEAR(values(0, 1), 0.303822985, 1e-5);
  EXPECT_THAT(conformal_set(values.row(0), 0.9), ElementsAre(0, 1, 2));
  EXPECT_THAT(conformal_set(values.row(0), 0.5), ElementsAre(0));
  EXPECT_THAT(conformal_set(values.row(0), 0.01), ElementsAre(0)) << "never empty";
}

TEST(Conformal, SetsHoldTheClassAsOftenAsAsked) {
  const Drawn fitted(4000, 8), fresh(4000, 9);
  const std::vector<double> none(4000, 0.0), one(4000, 1.0);
  const Matrix p = Calibration().probabilities(fitted.logits), q = Calibration().probabilities(fresh.logits);
  std::vector<double> scores;
  for (std::size_t i = 0; i < 4000; ++i) scores.push_back(1 - p(to_index(i), fitted.labels[i]));
  const Matrix values = Conformal(scores, none, one).p_values(q, none);
  for (const double confidence : {0.8, 0.9, 0.95}) {
    std::size_t held = 0;
    for (std::size_t i = 0; i < 4000; ++i) {
      const std::vector<std::size_t> set = conformal_set(values.row(to_index(i)), confidence);
      held += std::ranges::find(set, to_size(fresh.labels[i])) != set.end() ? 1U : 0U;
    }
    EXPECT_NEAR(static_cast<double>(held) / 4000, confidence, 0.02);
  }
}

TEST(MarginScaling, MakesHeavyTailedMarginsProbabilities) {
  const auto heavy = [](const Matrix& logits) { return Matrix(logits.array().sinh()); };
  const Drawn fitted(4000, 10), fresh(4000, 11);
  const MarginScaling scaling(100 * heavy(fitted.logits), fitted.labels);
  const Matrix p = scaling.probabilities(100 * heavy(fresh.logits));
  EXPECT_LT((p.rowwise().sum().array() - 1).abs().maxCoeff(), 1e-12);
  const std::vector<ReliabilityBin> bins = reliability(p, fresh.labels);
  EXPECT_LT(calibration_error(bins), 0.04);
  double last = 0;  // rises from bin to bin
  for (const ReliabilityBin& bin : bins) {
    if (bin.count < 200) continue;
    EXPECT_GT(bin.right / bin.count, last - 0.03);
    last = bin.right / bin.count;
  }
  EXPECT_GT(last, 0.9);
}

TEST(Calibrations, AreReadBackBitForBit) {
  const DistanceCase c;
  const DistanceCalibration distance(c.logits, c.labels, c.log_distance, c.weights);
  const MarginScaling margins(c.logits, c.labels);
  const Conformal conformal(c.weights, c.log_distance, c.weights);
  io::hdf5::OutputFile file("test");
  io::hdf5::Group a = file.root().create_group("a"), b = file.root().create_group("b"),
                  d = file.root().create_group("d");
  distance.save(a);
  margins.save(b);
  conformal.save(d);
  const testing::TemporaryFolder folder;
  std::move(file).save(folder / "c.h5");
  const io::hdf5::InputFile input(folder / "c.h5");
  EXPECT_EQ(DistanceCalibration::load(input.root().group("a")).probabilities(c.logits, c.log_distance),
            distance.probabilities(c.logits, c.log_distance));
  EXPECT_EQ(MarginScaling::load(input.root().group("b"), 3).probabilities(c.logits),
            margins.probabilities(c.logits));
  const Matrix p = distance.probabilities(c.logits, c.log_distance);
  EXPECT_EQ(Conformal::load(input.root().group("d")).p_values(p, c.log_distance),
            conformal.p_values(p, c.log_distance));
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
  const NoveltyReference reference(draw(4000));
  const std::vector<double> known = reference.typicality(draw(2000));
  for (const double level : {0.05, 0.2, 0.5}) {
    const auto below = std::ranges::count_if(known, [&](double p) { return p <= level; });
    EXPECT_NEAR(static_cast<double>(below) / 2000, level, 0.04);
  }
  EXPECT_THAT(reference.typicality({9, -9}), ElementsAre(DoubleNear(1.0 / 4001, 1e-9), 1));
}

TEST(Novelty, IsUnlikeItsOwnClassToo) {
  std::vector<double> distance;
  std::vector<int> classes;
  for (int i = 0; i < 100;
       ++i) {  // class 1 is farther from everything than class 0; of class 2 little is known
    classes.push_back(i < 75 ? 0 : i < 95 ? 1 : 2);
    distance.push_back(classes.back() + 0.01 * i);
  }
  const NoveltyReference reference(distance, classes);
  const std::vector<double> seen = {2.5, 2.5, 2.5, 1.9};
  EXPECT_THAT(reference.typicality(seen), ElementsAre(6.0 / 101, 6.0 / 101, 6.0 / 101, 11.0 / 101));
  EXPECT_THAT(reference.typicality(seen, {0, 1, 2, 1}),
              ElementsAre(6.0 / 101, 6.0 / 101, 6.0 / 101, 6.0 / 21));
}

TEST(Novelty, EntropyOfCertaintyIsZero) {
  Matrix p(2, 4);
  p << 1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25;
  EXPECT_THAT(entropies(p), ElementsAre(0, DoubleNear(std::log(4.0), 1e-12)));
}

}  // namespace
}  // namespace lrid::learn
