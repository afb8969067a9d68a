#include <cmath>
#include <map>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <lrid/core/index.hpp>
#include <lrid/learn/metrics.hpp>

#include "learn/classifiers.hpp"
#include "learn/conv_stack.hpp"
#include "random_samples.hpp"

namespace lrid::learn {
namespace {

using DoubleStack = ConvStack<double>;

DoubleStack::Array random_input(std::int64_t n, std::int64_t columns, std::uint64_t seed) {
  DoubleStack::Array x(n, columns);
  for (std::int64_t i = 0; i < x.size(); ++i) x.data()[i] = Key(seed).normal(static_cast<std::uint64_t>(i));
  return x;
}

const ConvShape shape{.points = 9, .channels = 4, .classes = 3, .kernel = 3, .stride = 2};
const std::vector<ConvMember> members = {
    {.filters = 5, .pool = Pool::none, .learning_rate = 1e-2, .l2 = 1e-2},
    {.filters = 3, .pool = Pool::max, .learning_rate = 1e-3, .l2 = 0},
    {.filters = 4, .pool = Pool::mean, .learning_rate = 1e-3, .l2 = 1e-1}};
const std::vector<int> labels = {0, 1, 2, 0, 1, 2, 2};

TEST(ConvStack, GradientIsThatOfFiniteDifferences) {
  DoubleStack stack(shape, members, Key(1));
  // Biases away from 0, so that they matter.
  for (Eigen::Index i = 0; i < stack.parameters().size(); ++i)
    stack.parameters()(i) += 0.1 * Key(2).normal(static_cast<std::uint64_t>(i));
  const DoubleStack::Array x = random_input(7, 9 * 4, 3);
  const std::vector<std::int64_t> rows = {6, 0, 2, 3, 5};
  stack.loss_and_gradient(x, labels, rows);
  const DoubleStack::Vector gradient = stack.gradient();
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    const double value = stack.parameters()(i), h = 1e-6;
    stack.parameters()(i) = value + h;
    const double up = stack.loss_and_gradient(x, labels, rows);
    stack.parameters()(i) = value - h;
    const double down = stack.loss_and_gradient(x, labels, rows);
    stack.parameters()(i) = value;
    EXPECT_NEAR(gradient(i), (up - down) / (2 * h), 1e-8) << "parameter " << i;
  }
}

TEST(ConvStack, ProbabilitiesAreThoseOfTheDefinition) {
  for (const ConvMember& member : members) {
    DoubleStack stack(shape, {member}, Key(4));
    for (Eigen::Index i = 0; i < stack.parameters().size(); ++i)
      stack.parameters()(i) += 0.1 * Key(5).normal(static_cast<std::uint64_t>(i));
    const DoubleStack::Array x = random_input(7, 9 * 4, 6);
    const DoubleStack::Array probabilities = stack.probabilities(x).front();
    const double* p = stack.parameters().data();
    for (int i = 0; i < 7; ++i) {
      const std::int64_t positions = 4, features = member.features(shape);
      std::vector<double> pooled(to_size(features), 0.0);
      for (std::int64_t f = 0; f < member.filters; ++f)
        for (std::int64_t q = 0; q < positions; ++q) {
          double z = p[12 * member.filters + f];
          for (std::int64_t t = 0; t < 3; ++t)
            for (std::int64_t c = 0; c < 4; ++c)
              z += x(i, (2 * q + t) * 4 + c) * p[(t * 4 + c) * member.filters + f];
          const double a = std::max(z, 0.0);
          if (member.pool == Pool::none)
            pooled[to_size(q * member.filters + f)] = a;
          else if (member.pool == Pool::max)
            pooled[to_size(f)] = std::max(pooled[to_size(f)], a);
          else
            pooled[to_size(f)] += a / static_cast<double>(positions);
        }
      const double* full = p + 13 * member.filters;
      double sum = 0, expected[3];
      for (int k = 0; k < 3; ++k) {
        double logit = full[features * 3 + k];
        for (std::int64_t f = 0; f < features; ++f) logit += pooled[to_size(f)] * full[f * 3 + k];
        sum += expected[k] = std::exp(logit);
      }
      for (int k = 0; k < 3; ++k) EXPECT_NEAR(probabilities(i, k), expected[k] / sum, 1e-12);
    }
  }
}

TEST(ConvStack, MembersDoNotInfluenceEachOther) {
  const DoubleStack::Array x = random_input(7, 9 * 4, 7);
  DoubleStack together(shape, members, Key(8));
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) together.train_epoch(x, labels, 3, Key(9).with(epoch));
  for (std::size_t m = 0; m < members.size(); ++m) {
    DoubleStack alone(shape, {members[m]}, Key(8));
    for (std::uint64_t epoch = 0; epoch < 20; ++epoch) alone.train_epoch(x, labels, 3, Key(9).with(epoch));
    EXPECT_LT((alone.probabilities(x).front() - together.probabilities(x)[m]).cwiseAbs().maxCoeff(), 1e-10);
  }
}

TEST(ConvStack, ManyChunksGiveTheGradientOfOne) {
  // Enough samples for several chunks: the gradient of all is the mean of those of single samples.
  const std::int64_t n = 600;
  const DoubleStack::Array x = random_input(n, 9 * 4, 10);
  std::vector<int> many;
  for (std::int64_t i = 0; i < n; ++i) many.push_back(static_cast<int>(i % 3));
  DoubleStack stack(shape, members, Key(11));
  std::vector<std::int64_t> rows(to_size(n));
  DoubleStack::Vector mean = DoubleStack::Vector::Zero(stack.parameters().size());
  for (std::int64_t i = 0; i < n; ++i) {
    rows[to_size(i)] = i;
    stack.loss_and_gradient(x, many, {i});
    mean += stack.gradient() / static_cast<double>(n);
  }
  stack.loss_and_gradient(x, many, rows);
  EXPECT_LT((stack.gradient() - mean).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(ConvStack, ConstantChannelsAreThoseRepeatedAtEveryPoint) {
  // Two of four channels are constant: the same parameters, loss, derivatives and training either way.
  ConvShape fewer = shape;
  fewer.channels = 2;
  fewer.constants = 2;
  const DoubleStack::Array values = random_input(7, 9 * 2 + 2, 14);
  DoubleStack::Array repeated(7, 9 * 4);
  for (int i = 0; i < 7; ++i)
    for (int t = 0; t < 9; ++t)
      repeated.row(i).segment(t * 4, 4) << values(i, t * 2), values(i, t * 2 + 1), values(i, 18),
          values(i, 19);
  DoubleStack once(fewer, members, Key(15)), often(shape, members, Key(15));
  ASSERT_EQ(once.parameters(), often.parameters());
  EXPECT_NEAR(once.loss_and_gradient(values, labels, {6, 0, 2, 3, 5}),
              often.loss_and_gradient(repeated, labels, {6, 0, 2, 3, 5}), 1e-12);
  EXPECT_LT((once.gradient() - often.gradient()).cwiseAbs().maxCoeff(), 1e-13);
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    once.train_epoch(values, labels, 3, Key(16).with(epoch));
    often.train_epoch(repeated, labels, 3, Key(16).with(epoch));
  }
  EXPECT_LT((once.parameters() - often.parameters()).cwiseAbs().maxCoeff(), 1e-10);
  for (std::size_t m = 0; m < members.size(); ++m)
    EXPECT_LT((once.probabilities(values)[m] - often.probabilities(repeated)[m]).cwiseAbs().maxCoeff(),
              1e-10);
}

TEST(ConvStack, AdamStepIsThatOfThePaper) {
  DoubleStack stack(shape, {members[0]}, Key(12));
  const DoubleStack::Array x = random_input(7, 9 * 4, 13);
  DoubleStack::Vector theta = stack.parameters(), m = DoubleStack::Vector::Zero(theta.size()), v = m;
  for (int t = 1; t <= 3; ++t) {
    DoubleStack at(shape, {members[0]}, Key(12));
    at.parameters() = theta;
    at.loss_and_gradient(x, labels, {0, 1, 2, 3, 4, 5, 6});
    for (Eigen::Index i = 0; i < theta.size(); ++i) {
      const double g = at.gradient()(i);
      m(i) = 0.9 * m(i) + 0.1 * g;
      v(i) = 0.999 * v(i) + 0.001 * g * g;
      theta(i) -=
          1e-2 * (m(i) / (1 - std::pow(0.9, t))) / (std::sqrt(v(i) / (1 - std::pow(0.999, t))) + 1e-8);
    }
    stack.train_epoch(x, labels, 100, Key(0));
    EXPECT_LT((stack.parameters() - theta).cwiseAbs().maxCoeff(), 1e-12);
  }
}

TEST(ConvStack, LossFollowsThatOfPyTorch) {
  // The same network in PyTorch 2.11 (Conv1d, ReLU, amax or mean, a product, cross entropy; Adam with
  // weight_decay) in double precision: cross entropy + ½λ‖θ‖² before the first step and after 10, 20, 30, all
  // samples in one batch.
  const std::map<Pool, std::vector<double>> expected = {
      {Pool::none, {1.21640455581173, 1.06950698059727, 0.997802039947129, 0.951962063466875}},
      {Pool::max, {1.14329428089518, 1.09308454763586, 1.04726768538603, 0.991487960336892}},
      {Pool::mean, {1.14926753695341, 1.09997183941367, 1.06979973256133, 1.03265135017944}}};
  const auto wave = [](auto& values, double size, double frequency) {
    for (Eigen::Index i = 0; i < values.size(); ++i)
      values.data()[i] = size * std::sin(frequency * static_cast<double>(i + 1));
  };
  DoubleStack::Array x(7, 9 * 4);
  wave(x, 1.5, 0.7);
  for (const auto& [pool, losses] : expected) {
    DoubleStack stack(shape, {{.filters = 5, .pool = pool, .learning_rate = 1e-2, .l2 = 1e-2}}, Key(0));
    wave(stack.parameters(), 0.5, 1.3);
    for (std::size_t step = 0; step <= 30; ++step) {
      if (step % 10 == 0) {
        EXPECT_NEAR(stack.loss_and_gradient(x, labels, {0, 1, 2, 3, 4, 5, 6}), losses[step / 10], 1e-9);
      }
      stack.train_epoch(x, labels, 7, Key(step));
    }
  }
}

std::unique_ptr<Classifier> with_grid(const std::string& toml) {
  Options options(Config::from_toml("[mlp]\n" + toml, "grid"));
  std::unique_ptr<Classifier> classifier = make_conv_mlp();
  classifier->declare(options);
  return classifier;
}

TEST(ConvMlp, FullGridHas720Points) {
  EXPECT_EQ(make_conv_mlp()->settings().size(), 720U);
}

TEST(ConvMlp, LearnsACourseInTime) {
  // Only the time of the bump tells the classes apart, neither position nor level.
  const auto make = [](std::uint64_t seed) {
    Samples samples = testing::random_samples(200, 2, 2, 8, 0.0, seed);
    for (std::int64_t i = 0; i < samples.size(); ++i)
      samples.x(i, 3 + (samples.labels[to_size(i)] == 0 ? 1 : 6)) += 3;
    return samples;
  };
  const Samples train = make(1), test = make(2);
  const auto classifier = with_grid("batch = [32]\nepochs = 60\n");
  for (const char* const pool : {"none", "max", "mean"}) {
    const auto model = classifier->fit(train,
                                       {{"kernel", std::int64_t{6}},
                                        {"filters", std::int64_t{20}},
                                        {"stride", std::int64_t{1}},
                                        {"pool", std::string(pool)},
                                        {"learning_rate", 1e-2},
                                        {"batch", std::int64_t{32}},
                                        {"l2", 1e-4}},
                                       Key(3));
    const std::vector<int> predicted = predicted_classes(model->scores(test));
    EXPECT_GT(accuracy(predicted, test.labels), 0.85) << pool;
  }
}

TEST(ConvMlp, CoincidingPointsAreComputedOnceAndLongKernelsSkipped) {
  const Samples train = testing::random_samples(30, 2, 3, 5, 1.0, 4),
                test = testing::random_samples(20, 2, 3, 5, 1.0, 5);
  const auto classifier = with_grid(
      "kernel = [2, 5, 6]\nfilters = [4]\nstride = [1, 2]\npool = ['none', 'max']\nlearning_rate = [1e-2]\n"
      "batch = [16, 512, 1024]\nl2 = [0]\nepochs = 5\n");
  const GridOutcome outcome = classifier->fit_grid(train, test, Key(6));
  // Kernel 6 of 5 points: 12 skipped. Batches beyond 30 samples coincide. Kernel 5 leaves one position:
  // stride and pooling make no difference. Left: kernel 2 × (2 strides × 2 pools × 2 batches), kernel 5 × 2
  // batches.
  EXPECT_EQ(outcome.skipped, 12);
  EXPECT_EQ(outcome.computed, 8 + 2);
  EXPECT_EQ(outcome.coinciding, 36 - 12 - 10);
  const std::vector<Setting> settings = classifier->settings();
  for (std::size_t s = 0; s < settings.size(); ++s) {
    if (std::get<std::int64_t>(settings[s].at("kernel")) == 6) {
      EXPECT_EQ(outcome.scores[s].size(), 0);
      continue;
    }
    EXPECT_EQ(predicted_classes(outcome.scores[s]),
              predicted_classes(classifier->fit(train, settings[s], Key(6))->scores(test)));
  }
}

/// With halving, a point that survives gives the same scores as without, and one that is dropped those it had
/// then.
TEST(ConvMlp, HalvingTrainsTheBestToTheEndAndTheOthersToTheirRound) {
  const Samples train = testing::random_samples(200, 2, 3, 5, 0.6, 4),
                test = testing::random_samples(100, 2, 3, 5, 0.6, 5);
  const std::string grid =
      "kernel = [2, 3]\nfilters = [3, 4]\nstride = [1]\npool = ['none', 'max']\nlearning_rate = [1e-2, "
      "1e-5]\n"
      "batch = [16]\nl2 = [0]\n";
  const auto scores_after = [&](int epochs) {
    return with_grid(grid + "epochs = " + std::to_string(epochs))->fit_grid(train, test, Key(6)).scores;
  };
  const std::vector<Matrix> early = scores_after(3), middle = scores_after(12), late = scores_after(20);
  const GridOutcome halved =
      with_grid(grid + "epochs = 20\nhalving = 4\nfirst_round = 3")->fit_grid(train, test, Key(6));
  EXPECT_EQ(halved.computed, 16);
  int given_up = 0, later = 0, to_the_end = 0;
  const auto right = [&](const Matrix& scores) {
    const std::vector<int> predicted = predicted_classes(scores);
    int count = 0;
    for (std::size_t i = 0; i < predicted.size(); ++i) count += predicted[i] == test.labels[i] ? 1 : 0;
    return count;
  };
  int best_given_up = 0, worst_kept = 100;
  for (std::size_t s = 0; s < 16; ++s) {
    const auto equals = [&](const Matrix& scores) {
      return (halved.scores[s] - scores).cwiseAbs().maxCoeff() < 1e-4;
    };
    if (equals(early[s])) {
      ++given_up;
      best_given_up = std::max(best_given_up, right(early[s]));
    } else {
      worst_kept = std::min(worst_kept, right(early[s]));
      (equals(late[s]) ? to_the_end : later) += equals(late[s]) || equals(middle[s]) ? 1 : 0;
    }
  }
  EXPECT_EQ(given_up, 12);
  EXPECT_EQ(later, 3);
  EXPECT_EQ(to_the_end, 1);
  EXPECT_LE(best_given_up, worst_kept);
}

TEST(ConvMlp, PositionEntersAsConstantChannels) {
  // Only the layer's position tells the classes apart.
  Samples train = testing::random_samples(120, 2, 1, 4, 0.0, 7);
  for (std::int64_t i = 0; i < train.size(); ++i) {
    train.x.row(i).setZero();
    train.x(i, i % 2 == 0 ? 0 : 2) = 1;
  }
  const auto classifier = with_grid("epochs = 60\n");
  const Setting setting = {{"kernel", std::int64_t{2}},
                           {"filters", std::int64_t{4}},
                           {"stride", std::int64_t{1}},
                           {"pool", std::string("mean")},
                           {"learning_rate", 1e-2},
                           {"batch", std::int64_t{32}},
                           {"l2", 0.0}};
  EXPECT_EQ(predicted_classes(classifier->fit(train, setting, Key(8))->scores(train)), train.labels);
}

TEST(ConvMlp, DoesNotDependOnTheNumberOfThreads) {
  const Samples train = testing::random_samples(700, 4, 3, 6, 1.0, 9);
  const auto classifier = with_grid("epochs = 3\n");
  Matrix scores[2];
  for (const std::size_t threads : {1U, 4U}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    const auto model = classifier->fit(train,
                                       {{"kernel", std::int64_t{2}},
                                        {"filters", std::int64_t{8}},
                                        {"stride", std::int64_t{1}},
                                        {"pool", std::string("none")},
                                        {"learning_rate", 1e-2},
                                        {"batch", std::int64_t{512}},
                                        {"l2", 0.0}},
                                       Key(10));
    scores[threads / 4] = model->scores(train);
  }
  EXPECT_EQ(scores[0], scores[1]);
}

}  // namespace
}  // namespace lrid::learn
