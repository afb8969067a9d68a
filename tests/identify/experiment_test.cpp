#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/identify/run.hpp>
#include <lrid/learn/classifier.hpp>

#include "identify/experiments/experiments.hpp"
#include "identify/trajectories.hpp"
#include "synthetic.hpp"

namespace lrid::identify {
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
  io::Dataset data = testing::tiny_dataset(16, 12);
  for (std::size_t i = 0; i < data.meta.network.size(); ++i)  // every other network: noisy
    data.meta.noise[i] = data.meta.network[i].back() % 2 == 0 ? 0.0 : 1.0;
  data.meta.final_accuracy.assign(data.meta.network.size(), 0.5);  // all match
  for (const ExperimentEntry& entry : experiments().entries()) {
    EXPECT_FALSE(entry.summary.empty());
    EXPECT_FALSE(Made(data, "experiment = '" + entry.name + "'").conditions.empty()) << entry.name;
    const std::string help = options_help(entry.name);
    for (const learn::ClassifierEntry& classifier : learn::classifiers().entries())
      if (classifier.name != "majority") {  // has no options
        EXPECT_THAT(help, ::testing::HasSubstr(classifier.name + "."));
      }
  }
}

TEST(Study, NetworksWithTheSameStatisticsCountAsOne) {
  io::Dataset data = testing::tiny_dataset(8, 2);
  const std::int64_t network_size =  // in values, of a KNet4; these come first
      4 * data.points * std::ssize(data.observable_names);
  const auto copy_first_to = [&](std::int64_t network) {
    std::copy_n(data.x.begin(), network_size, data.x.begin() + network * network_size);
  };
  const auto note = [&] {
    std::vector<std::string> notes;
    const io::SampleMeta meta = with_equal_networks_merged(data, notes);
    EXPECT_EQ(meta.network[4], notes.empty() ? "KNet4/sgdm/1" : "KNet4/sgdm/0");
    return notes.empty() ? "" : notes.front();
  };
  EXPECT_EQ(note(), "");
  copy_first_to(1);
  EXPECT_EQ(note(),
            "1 network has the same statistics as another and counts as one with it: KNet4/sgdm/1 (as "
            "KNet4/sgdm/0)");
  copy_first_to(2);
  EXPECT_THAT(note(), ::testing::HasSubstr("networks have the same statistics as another and count as one"));
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
    const Condition& condition = made.conditions[to_size(position) + 1];
    EXPECT_EQ(condition.labels.at("position"), io::ConditionValue(position));
    for (const Split& split : condition.plan->splits)
      for (const Rows* side : {&split.train, &split.test})
        for (const std::int64_t row : *side) EXPECT_EQ(data.meta.layer_position[to_size(row)], position);
  }
}

TEST(Separability, AsksForOptimiserAndCreditAssignmentApart) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(data,
                  "questions = ['optimiser', 'credit_assignment']\nsplits = 2\nsplit = ['network']\n"
                  "features.measures = ['weight', 'activation']");
  ASSERT_EQ(made.conditions.size(), 4U);
  EXPECT_EQ(made.conditions[2].labels.at("question"), io::ConditionValue(std::string("optimiser")));
  EXPECT_EQ(made.conditions[2].target->classes, (std::vector<std::string>{"adam", "sgdm"}));
  EXPECT_EQ(made.conditions[3].target->classes, (std::vector<std::string>{"fa", "ia", "sgdm"}));
  for (const std::int64_t row : made.conditions[3].plan->splits[0].test)
    EXPECT_NE(data.meta.learning_rule[to_size(row)], "adam");
  const Made other(data, "questions = ['optimiser']\nsplits = 1\ntarget = 'architecture'");
  EXPECT_EQ(other.conditions.size(), 8U);
  EXPECT_THAT(other.study->notes(),
              ::testing::Contains(::testing::HasSubstr("question optimiser: left out")));
}

TEST(HeldOut, SplitsRepeatTheSameNetworks) {
  const Made made(testing::tiny_dataset(8, 2),
                  "experiment = 'held-out'\nsplits = 2\nsplit = ['network']\nfeatures.measures = ['all']");
  EXPECT_EQ(made.conditions[0].plan->overlap, 1);
  const Made grouped(testing::tiny_dataset(8, 2), "splits = 2\nfeatures.measures = ['all']");
  EXPECT_EQ(grouped.conditions[0].plan->overlap, 1) << "by sample, networks are on both sides of all splits";
  EXPECT_NEAR(grouped.conditions[1].plan->overlap, 0.25, 0.01);
}

TEST(HeldOut, NothingOfTheHeldOutValueIsTrainedOn) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(
      data, "experiment = 'held-out'\nhold_out = 'architecture'\nsplits = 2\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 4U);
  for (const Condition& condition : made.conditions) {
    const std::string out = std::get<std::string>(condition.labels.at("held_out"));
    for (const Split& split : condition.plan->splits) {
      for (const std::int64_t row : split.train) EXPECT_NE(data.meta.architecture[to_size(row)], out);
      for (const std::int64_t row : split.test) EXPECT_EQ(data.meta.architecture[to_size(row)], out);
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

TEST(Controls, ShapesAloneHaveNoScale) {
  const io::Dataset data = testing::tiny_dataset(8, 3);
  const Made made(data,
                  "experiment = 'controls'\ncontrols = ['unit_norm', 'unit_range']\nsplits = 1\n"
                  "split = ['network']\nfeatures.measures = ['weight']");
  ASSERT_EQ(made.conditions.size(), 2U);
  for (std::int64_t row = 0; row < data.samples; ++row) {
    const Eigen::RowVectorXf norm = made.conditions[0].train->x.row(row),
                             range = made.conditions[1].train->x.row(row);
    EXPECT_NEAR(norm.segment(3, 3).norm(), 1, 1e-6);
    EXPECT_EQ(range.segment(3, 3).minCoeff(), 0);
    EXPECT_EQ(range.segment(3, 3).maxCoeff(), 1);
    EXPECT_EQ(norm.head(3), range.head(3));  // the position stays
  }
  FeatureTable flat = *made.conditions[0].train;
  flat.x.rightCols(3).setConstant(7);
  flat.x.middleCols(3, 3).setZero();
  EXPECT_EQ(flat.with_unit_range().x.rightCols(3).norm(), 0);
  EXPECT_EQ(flat.with_unit_norm().x.middleCols(3, 3).norm(), 0);
}

TEST(Controls, ScaleAloneHasNoShape) {
  io::Dataset data = testing::tiny_dataset(8, 3);
  for (std::size_t t = 0; t < 3; ++t) data.x[t * data.observable_names.size()] = static_cast<float>(t + 1);
  const Made made(data,
                  "experiment = 'controls'\ncontrols = ['scale_only']\nsplits = 1\nsplit = ['network']\n"
                  "features.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 1U);
  const FeatureTable& table = *made.conditions[0].train;
  EXPECT_EQ(table.layout.columns(), 3 + 24 * 4);
  EXPECT_NEAR(table.x(0, 3), std::sqrt(14.0), 1e-6);  // of 1, 2, 3: norm, mean, first, last
  EXPECT_EQ(table.x.row(0).segment(4, 3), Eigen::RowVector3f(2, 1, 3));
}

TEST(Trajectory, PortionsAreOfEqualSizeAndTestedOnEachOther) {
  const io::Dataset data = testing::tiny_dataset(8, 21);
  const Made made(data,
                  "experiment = 'trajectory'\nevery = [4]\nsplits = 1\nsplit = ['network']\n"
                  "features.measures = ['layer_change']");
  ASSERT_EQ(made.conditions.size(), 1U + 4U);
  const Condition &whole = made.conditions[0], &middle = made.conditions[2], &sparse = made.conditions[4];
  EXPECT_EQ(middle.labels.at("train_points"), io::ConditionValue(std::string("middle 25 %")));
  EXPECT_EQ(sparse.labels.at("train_points"), io::ConditionValue(std::string("every 4th")));
  ASSERT_EQ(sparse.tests.size(), 4U);
  EXPECT_EQ(sparse.tests[1].labels.at("test_points"), io::ConditionValue(std::string("middle 25 %")));
  for (const std::int64_t row : {0, 100}) {
    for (std::int64_t i = 0; i < 6; ++i) {
      EXPECT_EQ(sparse.train->x(row, 3 + i), whole.train->x(row, 3 + 4 * i));
      EXPECT_EQ(middle.train->x(row, 3 + i), whole.train->x(row, 3 + 7 + i));
      EXPECT_EQ(middle.train->x(row, 3 + 6 + i), whole.train->x(row, 3 + 21 + 7 + i));  // the next observable
    }
    EXPECT_EQ(sparse.train->x.row(row).head(3), whole.train->x.row(row).head(3));
  }
  EXPECT_THAT(message_of(data, "experiment = 'trajectory'\nevery = [22]"), ::testing::HasSubstr("every: 22"));
}

TEST(Imperfection, TrainsAndTestsWithinEachLevel) {
  io::Dataset data = testing::tiny_dataset(16, 2);
  for (std::size_t i = 0; i < data.meta.network.size(); ++i)
    if (data.meta.network[i].back() % 2 == 1) data.meta.unit_fraction[i] = 0.1;
  const Made made(
      data, "experiment = 'imperfection'\nsplits = 1\nsplit = ['network']\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 2U);
  for (const Condition& condition : made.conditions)
    for (const Rows* side : {&condition.plan->splits[0].train, &condition.plan->splits[0].test})
      for (const std::int64_t row : *side)
        EXPECT_EQ(io::ConditionValue(data.meta.unit_fraction[to_size(row)]),
                  condition.labels.at("unit_fraction"));
  EXPECT_THAT(message_of(testing::tiny_dataset(8, 2), "experiment = 'imperfection'"),
              ::testing::HasSubstr("measured alike"));
}

/// All levels of the same networks share their splits, layer by layer, so that they can be compared.
TEST(Imperfection, LevelsShareTheirSplits) {
  io::Dataset data = testing::tiny_dataset(8, 2), noisy = data;
  for (double& noise : noisy.meta.noise) noise = 0.5;
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(data.x, noisy.x);
  for (auto column : {&io::SampleMeta::architecture, &io::SampleMeta::task, &io::SampleMeta::dataset,
                      &io::SampleMeta::learning_rule, &io::SampleMeta::layer, &io::SampleMeta::network})
    append(data.meta.*column, noisy.meta.*column);
  append(data.meta.layer_position, noisy.meta.layer_position);
  for (auto column :
       {&io::SampleMeta::batch_size, &io::SampleMeta::model_seed, &io::SampleMeta::dataset_seed})
    append(data.meta.*column, noisy.meta.*column);
  for (auto column :
       {&io::SampleMeta::noise, &io::SampleMeta::unit_fraction, &io::SampleMeta::final_accuracy})
    append(data.meta.*column, noisy.meta.*column);
  const std::int64_t half = data.samples;
  data.samples *= 2;
  const Made made(data, "experiment = 'imperfection'\nsplits = 3\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 4U);
  for (std::size_t kind = 0; kind < 4; kind += 2)
    for (std::size_t s = 0; s < 3; ++s) {
      const Split &perfect = made.conditions[kind].plan->splits[s],
                  &imperfect = made.conditions[kind + 1].plan->splits[s];
      for (const auto& [one, other] :
           {std::pair{&perfect.train, &imperfect.train}, {&perfect.test, &imperfect.test}}) {
        Rows shifted = *one;
        for (std::int64_t& row : shifted) row += half;
        EXPECT_EQ(shifted, *other);
      }
      EXPECT_EQ(perfect.inner, imperfect.inner);
    }
}

TEST(NoneOfThese, TheUnknownClassIsNeverTrainedOn) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(data, "experiment = 'none-of-these'\nsplits = 2\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 8U);
  for (const Condition& condition : made.conditions) {
    const std::string unknown = std::get<std::string>(condition.labels.at("unknown"));
    EXPECT_EQ(condition.target->classes.size(), 3U);
    EXPECT_EQ(condition.unknown.size(), 72U);
    for (const std::int64_t row : condition.unknown)
      EXPECT_EQ(data.meta.learning_rule[to_size(row)], unknown);
    for (const Split& split : condition.plan->splits)
      for (const Rows* side : {&split.train, &split.test})
        for (const std::int64_t row : *side) EXPECT_NE(data.meta.learning_rule[to_size(row)], unknown);
  }
  EXPECT_THAT(message_of(data, "experiment = 'none-of-these'\nfilter.learning_rule = ['fa', 'ia']"),
              ::testing::HasSubstr("at least three"));
}

TEST(LearningCurve, GrowsTheTrainingPartOnly) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(data,
                  "experiment = 'learning-curve'\nshares = [0.05, 0.5, 1.0]\nsplits = 2\ninner_folds = 3\n"
                  "split = ['network']\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 2U);  // one network a class cannot be cut into folds
  EXPECT_THAT(made.study->notes(),
              ::testing::ElementsAre(::testing::HasSubstr("share 0.05 by network left out")));
  const SplitPlan &half = *made.conditions[0].plan, &whole = *made.conditions[1].plan;
  EXPECT_EQ(made.conditions[0].labels.at("train_networks"), io::ConditionValue(std::int64_t{24}));
  EXPECT_EQ(made.conditions[1].labels.at("train_networks"), io::ConditionValue(std::int64_t{48}));
  for (std::size_t s = 0; s < 2; ++s) {
    EXPECT_EQ(half.splits[s].test, whole.splits[s].test);
    EXPECT_LT(half.splits[s].train.size(), whole.splits[s].train.size());
    EXPECT_TRUE(std::ranges::includes(whole.splits[s].train, half.splits[s].train));
  }
}

TEST(Transfer, GoesFromOneKindToAnother) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(data,
                  "experiment = 'transfer'\nsplits = 1\nfeatures.measures = ['all']\nsplit = ['network']");
  ASSERT_EQ(made.conditions.size(), 4U);
  for (const Condition& condition : made.conditions) {
    for (const std::int64_t row : condition.plan->splits[0].train)
      EXPECT_EQ(io::ConditionValue(data.meta.architecture[to_size(row)]), condition.labels.at("train_on"));
    for (const std::int64_t row : condition.plan->splits[0].test)
      EXPECT_EQ(io::ConditionValue(data.meta.architecture[to_size(row)]), condition.labels.at("test_on"));
  }
  EXPECT_THAT(message_of(data, "experiment = 'transfer'\ntrain_on = ['KNet9']"),
              ::testing::HasSubstr("KNet4, KNet5"));
}

TEST(Pairs, HaveTwoClasses) {
  const Made made(testing::tiny_dataset(8, 2),
                  "experiment = 'pairs'\nsplits = 1\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 12U);
  EXPECT_EQ(made.conditions[0].labels.at("pair"), io::ConditionValue(std::string("adam / fa")));
  EXPECT_EQ(made.conditions[0].target->classes, (std::vector<std::string>{"adam", "fa"}));
}

TEST(Matched, OnlyNetworksWithinABandAreLeft) {
  io::Dataset data = testing::tiny_dataset(16, 2);
  // sgdm ends between 0.5 and 0.8, the others between 0.5 and 0.6: bands of 0.1 hold a third of sgdm's
  // networks. Networks of one class and batch size have a standard deviation of 0.098 or 0.033, pooled
  // 0.0566.
  for (std::size_t i = 0; i < data.meta.network.size(); ++i) {
    const double rank = std::stod(data.meta.network[i].substr(data.meta.network[i].rfind('/') + 1)) / 15;
    data.meta.final_accuracy[i] = 0.5 + (data.meta.learning_rule[i] == "sgdm" ? 0.3 : 0.1) * rank;
  }
  const Made made(
      data,
      "experiment = 'matched'\ntolerance = 1.8\nsplits = 1\ninner_folds = 3\nsplit = ['network']\n"
      "features.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 4U);
  EXPECT_EQ(made.conditions[1].labels.at("measure"), io::ConditionValue(std::string("final_accuracy")));
  const auto networks = [&](const Condition& condition) {
    std::map<std::string, std::set<std::string>> of_rule;
    for (const Rows* side : {&condition.plan->splits[0].train, &condition.plan->splits[0].test})
      for (const std::int64_t row : *side) {
        const auto r = to_size(row);
        of_rule[data.meta.learning_rule[r]].insert(data.meta.network[r]);
        if (condition.labels.at("matched") == io::ConditionValue(true)) {
          EXPECT_LE(data.meta.final_accuracy[r], 0.602);
        }
      }
    return of_rule;
  };
  EXPECT_LE(networks(made.conditions[0]).at("sgdm").size(), 12U);
  EXPECT_EQ(made.conditions[2].labels.at("matched"), io::ConditionValue(false));
  EXPECT_EQ(made.conditions[0].plan->networks, made.conditions[2].plan->networks);
  EXPECT_THAT(made.study->notes().back(),
              ::testing::HasSubstr("of 128 networks left; KNet4 cifar10: 0.500 to 0.602"));
  for (std::size_t i = 0; i < data.meta.network.size(); ++i)
    if (data.meta.learning_rule[i] == "sgdm") data.meta.final_accuracy[i] = 0.9;
  EXPECT_THAT(message_of(data, "experiment = 'matched'"),
              ::testing::HasSubstr("tolerance: within no architecture"));
}

/// Networks that end alike but learn at another pace match by final accuracy, not by their loss curve.
TEST(Matched, ByTheWholeLossCurve) {
  io::Dataset data = testing::tiny_dataset(16, 3);
  data.meta.final_accuracy.assign(data.meta.network.size(), 0.5);
  EXPECT_THAT(message_of(data, "experiment = 'matched'\nmatch = ['loss_curve']"),
              ::testing::HasSubstr("matched: no sample has a loss curve"));
  for (const std::string& network : data.meta.network) {
    const double number = std::stod(network.substr(network.rfind('/') + 1));
    const bool slow = network.find("/fa/") != std::string::npos && number >= 8;
    for (const double loss : {2.3, slow ? 2.2 : 1.0, 0.5})
      data.validation_loss.push_back(static_cast<float>(loss + 0.001 * number));
  }
  const Made made(data,
                  "experiment = 'matched'\nmatch = ['final_accuracy', 'loss_curve']\nsplits = 1\n"
                  "split = ['network']\ninner_folds = 2\nfeatures.measures = ['all']\ntolerance = 1");
  ASSERT_EQ(made.conditions.size(), 8U);
  const auto slow_ones = [&](const Condition& condition) {
    std::set<std::string> names;
    for (const Rows* side : {&condition.plan->splits[0].train, &condition.plan->splits[0].test})
      for (const std::int64_t row : *side)
        if (data.validation_loss[to_size(row) * 3 + 1] > 2) names.insert(data.meta.network[to_size(row)]);
    return names.size();
  };
  EXPECT_GT(slow_ones(made.conditions[0]), 0U);
  EXPECT_EQ(slow_ones(made.conditions[4]), 0U);
  EXPECT_EQ(made.conditions[4].labels.at("matched_by"), io::ConditionValue(std::string("loss_curve")));
  EXPECT_EQ(made.conditions[5].labels.at("measure"), io::ConditionValue(std::string("loss_curve")));
  EXPECT_EQ(made.conditions[5].train->layout.columns(), 3);
}

TEST(Targets, SkipWhatDoesNotVary) {
  const Made made(testing::tiny_dataset(8, 2),
                  "experiment = 'targets'\nsplits = 1\nfeatures.measures = ['all']");
  EXPECT_EQ(made.conditions.size(), 3U * 2);  // rule, architecture, batch size
  EXPECT_THAT(made.study->notes(), ::testing::ElementsAre(::testing::HasSubstr("same task"),
                                                          ::testing::HasSubstr("same supervision")));
}

TEST(Importances, GroupsCoverAllObservablesOnce) {
  const Made made(
      testing::tiny_dataset(8, 2),
      "experiment = 'importances'\nsplits = 1\nsplit = ['sample']\nalone = ['function', 'statistic']");
  std::int64_t functions = 0, statistics = 0;
  for (const Condition& condition : made.conditions) {
    const auto name = condition.labels.find("observables");
    if (name == condition.labels.end()) continue;
    const std::string group = std::get<std::string>(name->second);
    (group == "raw" || group == "abs" || group == "sq" ? functions : statistics) +=
        condition.train->layout.channels();
  }
  EXPECT_EQ(functions, 24);
  EXPECT_EQ(statistics, 24);
}

/// The same network under two names would end up on both sides of a split by network.
TEST(Study, EqualNetworksNeverStraddleAGroupedSplit) {
  io::Dataset data = testing::tiny_dataset(8, 2);
  const std::size_t length = 2 * data.observable_names.size();
  for (std::size_t i = 0; i < data.meta.network.size(); ++i)  // KNet4/fa/5 becomes a copy of KNet4/fa/2
    if (data.meta.network[i] == "KNet4/fa/5")
      for (std::size_t j = 0; j < data.meta.network.size(); ++j)
        if (data.meta.network[j] == "KNet4/fa/2" && data.meta.layer[j] == data.meta.layer[i])
          std::copy_n(data.x.begin() + static_cast<std::ptrdiff_t>(j * length), length,
                      data.x.begin() + static_cast<std::ptrdiff_t>(i * length));
  const Made made(data, "split = ['network']\nfeatures.measures = ['all']");
  EXPECT_THAT(made.study->notes(),
              ::testing::ElementsAre(::testing::HasSubstr("KNet4/fa/5 (as KNet4/fa/2)")));
  EXPECT_EQ(made.conditions[0].plan->networks, 63);
  for (const Split& split : made.conditions[0].plan->splits) {
    std::set<bool> in_test;
    for (const auto& [rows, test] : {std::pair{&split.train, false}, {&split.test, true}})
      for (const std::int64_t row : *rows) {
        const std::string& name = data.meta.network[to_size(row)];
        if (name == "KNet4/fa/5" || name == "KNet4/fa/2") in_test.insert(test);
      }
    EXPECT_LE(in_test.size(), 1U);
  }
}

/// Once for all splits, over networks: a null hypothesis about these networks.
TEST(Controls, LabelsAreShuffledOverNetworksWithinArchitectures) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  const Made made(
      data,
      "experiment = 'controls'\ncontrols = ['shuffled_labels']\nsplits = 3\nfeatures.measures = ['all']");
  ASSERT_EQ(made.conditions.size(), 2U);
  EXPECT_EQ(made.conditions[0].target->labels, made.conditions[1].target->labels) << "both kinds of split";
  for (const Condition& condition : made.conditions) {
    EXPECT_EQ(condition.plan->splits.size(), 3U);
    const std::vector<int>& labels = condition.target->labels;
    std::map<std::string, std::map<int, int>> count;  // of a class, in all and in an architecture
    std::size_t moved = 0;
    std::map<std::string, std::set<int>> of_network;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      ++count["all"][labels[i]];
      ++count[data.meta.architecture[i]][labels[i]];
      moved += labels[i] != made.study->target()->labels[i] ? 1U : 0U;
      of_network[data.meta.network[i]].insert(labels[i]);
    }
    EXPECT_THAT(count["all"], ::testing::Each(::testing::Pair(::testing::_, 72)));
    EXPECT_GT(moved, 150U);
    for (const auto& [name, labels_of_it] : of_network) EXPECT_EQ(labels_of_it.size(), 1U) << name;
    EXPECT_THAT(count["KNet4"], ::testing::Each(::testing::Pair(::testing::_, 32)));
    EXPECT_NO_THROW(condition.plan->validate(*made.study->metadata(), *condition.target));
  }
}

TEST(Controls, ShuffledLabelsOfWhateverIsIdentified) {
  const io::Dataset data = testing::tiny_dataset(8, 2);
  for (const char* const target : {"layer_position", "architecture"}) {
    const Made made(data, std::string("experiment = 'controls'\ncontrols = ['shuffled_labels']\nsplits = 1\n"
                                      "split = ['network']\nfeatures.measures = ['all']\ntarget = '") +
                              target + "'");
    std::size_t moved = 0;
    for (std::size_t i = 0; i < data.meta.network.size(); ++i)
      moved += made.conditions[0].target->labels[i] != made.study->target()->labels[i] ? 1U : 0U;
    EXPECT_GT(moved, 100U) << target;
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
  data.meta.learning_rule[5] = "dfa";  // a class with one sample
  EXPECT_THAT(message_of(data, "split = ['sample']"),
              ::testing::HasSubstr("learning_rule dfa has 1 sample: expected at least 4"));
  EXPECT_THAT(message_of(data, "split = ['network']"),
              ::testing::HasSubstr("no samples of learning_rule dfa"));
  data.meta.learning_rule[5] = data.meta.learning_rule[4];
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
}  // namespace lrid::identify
