#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/classify/classifier.hpp>
#include <lrid/classify/experiment.hpp>
#include <lrid/classify/run.hpp>
#include <lrid/classify/trajectories.hpp>
#include <lrid/core/error.hpp>

#include "synthetic.hpp"

namespace lrid::classify {
namespace {

/// The conditions of an experiment on a dataset.
struct Made {
  Made(const io::Dataset& data, const std::string& toml) {
    Options options(Config::from_toml(toml, "e.toml"));
    Protocol protocol;
    protocol.declare(options);
    const auto experiment = experiments().at(protocol.experiment).make();
    experiment->declare(options);
    options.finish();
    study = std::make_unique<Study>(protocol, data, "d.h5");
    conditions = experiment->conditions(*study);
  }
  std::unique_ptr<Study> study;
  std::vector<Condition> conditions;
};

std::string message_of(const io::Dataset& data, const std::string& toml) {
  try {
    Made made(data, toml);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Experiments, AllHaveHelpAndDefaultsThatWork) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  for (const ExperimentEntry& entry : experiments().entries()) {
    EXPECT_FALSE(entry.summary.empty());
    EXPECT_FALSE(Made(data, "experiment = '" + entry.name + "'").conditions.empty()) << entry.name;
    const std::string help = options_help(entry.name);
    for (const ClassifierEntry& classifier : classifiers().entries())
      EXPECT_THAT(help, ::testing::HasSubstr(classifier.name + "."));
  }
}

TEST(Separability, AConditionPerMeasureAndSplitKind) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(data, "experiment = 'separability'\nsplits = 2");
  ASSERT_EQ(made.conditions.size(), 8U);
  EXPECT_EQ(made.conditions[1].labels,
            (std::map<std::string, io::ConditionValue>{{"measure", std::string("weight")},
                                                       {"split", std::string("sample")}}));
  EXPECT_EQ(made.conditions[1].train->layout.columns(), 3 + 13 * 2);
  // Measures share the splits, so they can be compared split by split.
  EXPECT_EQ(made.conditions[0].plan, made.conditions[3].plan);
  EXPECT_NE(made.conditions[0].plan, made.conditions[4].plan);
}

TEST(Separability, PerPositionStaysWithinIt) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(data, "per_position = true\nsplits = 2\nsplit = ['network']\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 4U);
  for (std::int64_t position = 0; position < 3; ++position) {
    const Condition& condition = made.conditions[static_cast<std::size_t>(position) + 1];
    EXPECT_EQ(condition.labels.at("position"), io::ConditionValue(position));
    for (const Split& split : condition.plan->splits)
      for (const Rows* side : {&split.train, &split.test})
        for (const std::int64_t row : *side)
          EXPECT_EQ(data.meta.layer_position[static_cast<std::size_t>(row)], position);
  }
}

TEST(HeldOut, NothingOfTheHeldOutValueIsTrainedOn) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(
      data, "experiment = 'held-out'\nhold_out = 'architecture'\nsplits = 2\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 4U);
  for (const Condition& condition : made.conditions) {
    const std::string out = std::get<std::string>(condition.labels.at("held_out"));
    for (const Split& split : condition.plan->splits) {
      for (const std::int64_t row : split.train)
        EXPECT_NE(data.meta.architecture[static_cast<std::size_t>(row)], out);
      for (const std::int64_t row : split.test)
        EXPECT_EQ(data.meta.architecture[static_cast<std::size_t>(row)], out);
    }
  }
}

TEST(HeldOut, OtherColumnsAndValuesByName) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(data,
                  "experiment = 'held-out'\nhold_out = 'batch_size'\nhold_out_values = ['64']\nsplits = 1\n"
                  "split = ['network']\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 1U);
  EXPECT_EQ(made.conditions[0].labels.at("held_out"), io::ConditionValue(std::string("64")));
  EXPECT_THAT(message_of(data, "experiment = 'held-out'\nhold_out_values = ['KNet6']"),
              ::testing::HasSubstr(
                  "hold_out_values: no sample has architecture KNet6: expected one of KNet4, KNet5"));
  EXPECT_THAT(message_of(data, "experiment = 'held-out'\nhold_out = 'task'"),
              ::testing::HasSubstr("the same task"));
  EXPECT_THAT(message_of(data, "experiment = 'held-out'\nhold_out = 'learning_rule'"),
              ::testing::HasSubstr("target"));
}

TEST(Controls, FinalAccuracyIsTheOnlyFeature) {
  io::Dataset data = testing::tiny_dataset(8, 2);
  for (std::size_t i = 0; i < 40; ++i) {
    data.meta.task[i] = "simclr";
    data.meta.final_accuracy[i] = std::numeric_limits<double>::quiet_NaN();
  }
  const Made made(data, "experiment = 'controls'\ncontrols = ['final_accuracy']\nsplits = 1");
  for (const Condition& condition : made.conditions) {
    EXPECT_EQ(condition.train->layout.columns(), 1);
    for (const Split& split : condition.plan->splits)
      for (const Rows* side : {&split.train, &split.test})
        for (const std::int64_t row : *side) EXPECT_TRUE(std::isfinite(condition.train->x(row, 0)));
  }
}

TEST(Controls, ShuffledLabelsKeepTheClassesSizes) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(
      data,
      "experiment = 'controls'\ncontrols = ['shuffled_labels']\nsplits = 1\nfeatures.measures = ['all']");
  for (const Condition& condition : made.conditions) {
    std::map<int, int> count;
    std::size_t moved = 0;
    std::map<std::string, std::set<int>> of_network;
    for (std::size_t i = 0; i < condition.target->labels.size(); ++i) {
      ++count[condition.target->labels[i]];
      moved += condition.target->labels[i] != made.study->target()->labels[i] ? 1U : 0U;
      of_network[data.meta.network[i]].insert(condition.target->labels[i]);
    }
    EXPECT_THAT(count, ::testing::Each(::testing::Pair(::testing::_, 72)));
    EXPECT_GT(moved, 150U);
    if (condition.plan->kind == SplitKind::network) {
      for (const auto& [name, labels] : of_network) EXPECT_EQ(labels.size(), 1U) << name;
    }
  }
}

TEST(Study, ImperfectSamplesAreOutUnlessAskedFor) {
  io::Dataset data = testing::tiny_dataset(8, 2);
  for (std::size_t i = 0; i < data.meta.noise.size(); i += 2) data.meta.noise[i] = 0.5;
  EXPECT_EQ(Made(data, "splits = 1").study->pool_rows().size(), 144U);
  EXPECT_EQ(Made(data, "splits = 1\nfilter.noise = [0.5]").study->pool_rows().size(), 144U);
  EXPECT_EQ(Made(data, "splits = 1\nfilter.noise = []").study->pool_rows().size(), 288U);
}

TEST(Study, AnyMetadataColumnCanBeTheTarget) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  for (const char* const column : {"batch_size", "layer_position", "architecture"}) {
    const Made made(data, std::string("splits = 1\ntarget = '") + column + "'");
    EXPECT_EQ(made.study->target()->column, column);
    EXPECT_EQ(made.conditions.size(), 8U);
  }
}

TEST(Study, SaysWhatIsWrongWithTheData) {
  io::Dataset data = testing::tiny_dataset(8, 2);
  EXPECT_THAT(message_of({}, ""), ::testing::HasSubstr("d.h5: has no samples"));
  EXPECT_THAT(message_of(data, "filter.architecture = ['ResNet-18']"),
              ::testing::HasSubstr("no samples left by [filter] architecture"));
  EXPECT_THAT(message_of(data, "filter.learning_rule = ['fa']"),
              ::testing::HasSubstr("at least two classes"));
  EXPECT_THAT(message_of(data, "target = 'task'"), ::testing::HasSubstr("same task (cifar10)"));
  EXPECT_THAT(message_of(data, "target = 'rule'"), ::testing::HasSubstr("learning_rule"));
  EXPECT_THAT(message_of(data, "split = []"), ::testing::HasSubstr("split"));
  EXPECT_THAT(message_of(data, "features.measures = ['all', 'all']"), ::testing::HasSubstr("twice"));
  EXPECT_THAT(message_of(data, "hold_out = 'task'"),
              ::testing::HasSubstr("hold_out"));  // not of this experiment
  EXPECT_THAT(message_of(testing::tiny_dataset(1, 2), "split = ['network']"),
              ::testing::HasSubstr("inner folds"));
  data.x[7] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(message_of(data, ""), ::testing::HasSubstr("expected a finite number"));
  data.observable_names[3] = "unheard_of";
  EXPECT_THAT(message_of(data, ""), ::testing::HasSubstr("lacks the observable"));
}

TEST(Trajectories, AreZScoredWithinALayer) {
  io::Dataset data = testing::tiny_dataset(4, 3, 2.0);
  // A layer on another scale must not drown the others.
  const std::size_t k = data.observable_names.size();
  for (std::size_t n = 0; n < data.meta.layer.size(); ++n)
    if (data.meta.layer[n] == "layer1")
      for (std::size_t i = 0; i < 3 * k; ++i) data.x[n * 3 * k + i] *= 1e6F;
  const Made made(data, "splits = 1\nsplit = ['sample']\nfeatures.measures = ['all']");
  const std::string name = data.observable_names[5];
  const auto trajectories =
      mean_trajectories(*made.study->table("all"), made.study->pool_rows(), *made.study->target(), {name});
  ASSERT_EQ(trajectories.size(), 1U);
  EXPECT_EQ(trajectories[0].observable, name);
  double sum = 0, largest = 0;
  for (const auto& of_class : trajectories[0].mean)
    for (const double value : of_class) {
      sum += value;
      largest = std::max(largest, std::abs(value));
    }
  EXPECT_NEAR(sum, 0, 1e-9);
  EXPECT_GT(largest, 0.2);
  EXPECT_LT(largest, 3);
  for (const auto& of_class : trajectories[0].sem)
    for (const double value : of_class) EXPECT_TRUE(value > 0 && value < 1);
}

}  // namespace
}  // namespace lrid::classify
