// Fitted classifiers in files, and what they say of new data.
#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/random.hpp>
#include <lrid/identify/fit.hpp>
#include <lrid/identify/predict.hpp>
#include <lrid/identify/run.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/trajectory.hpp>

#include "python.hpp"
#include "synthetic.hpp"
#include "testing.hpp"

namespace lrid::identify {
namespace {

using ::testing::HasSubstr;

const std::string grids =
    "inner_folds = 3\nsvm.C = [1]\nsvm.pca = [5]\nforest.trees = [30]\nforest.max_features = ['sqrt']\n"
    "mlp.kernel = [2]\nmlp.filters = [4]\nmlp.stride = [1]\nmlp.pool = ['none']\nmlp.learning_rate = [1e-2]\n"
    "mlp.batch = [32]\nmlp.l2 = [0]\nmlp.epochs = 10\n";
/// Features of data made up without regard for scale and sign.
const std::string plain = "features.transform = 'none'\nfeatures.position = true\n";

class Fit : public ::testing::Test {
 protected:
  void SetUp() override { io::write_dataset(folder_ / "d.h5", data_); }

  FittedFile fitted(const std::string& toml, const std::string& out = "m.h5") const {
    return fitted_by_default(toml + plain, out);
  }
  /// With the features that fit() chooses.
  FittedFile fitted_by_default(const std::string& toml, const std::string& out = "m.h5") const {
    return fit({Config::from_toml(toml + grids, "e.toml"), folder_ / "d.h5", folder_ / out});
  }
  /// The statistics of a network of the dataset, as those of a recording.
  io::Observables observables_of(const std::string& network) const {
    io::Observables result;
    result.observable_names = data_.observable_names;
    result.points = data_.points;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < data_.meta.network.size(); ++i)
      if (data_.meta.network[i] == network) rows.push_back(i);
    const std::size_t k = data_.observable_names.size();
    for (const std::size_t row : rows) {
      result.layers.push_back(data_.meta.layer[row]);
      result.layer_position.push_back(data_.meta.layer_position[row]);
    }
    for (std::size_t t = 0; t < to_size(data_.points); ++t)
      for (const std::size_t row : rows)
        for (std::size_t o = 0; o < k; ++o)
          result.values.push_back(data_.x[(row * to_size(data_.points) + t) * k + o]);
    return result;
  }
  std::string refusal(const FittedFile& model, const std::string& file, bool interpolate = false) const {
    try {
      (void)predict(model, folder_ / file, interpolate);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  testing::TemporaryFolder folder_;
  io::Dataset data_ = testing::tiny_dataset(8, 5, 2.0);
};

TEST_F(Fit, RoundTripIsBitForBit) {
  for (const std::string& name : learn::classifiers().names()) {
    const FittedFile made = fitted("classifiers = ['" + name + "']\ncalibration = 'isotonic'\n");
    const FittedFile read = read_fitted(folder_ / "m.h5");
    EXPECT_EQ(predictions_json(read, {predict(made, folder_ / "d.h5", false)}),
              predictions_json(read, {predict(read, folder_ / "d.h5", false)}))
        << name;
    EXPECT_EQ(read.classifier, name);
    EXPECT_EQ(read.networks, 64);
    EXPECT_EQ(read.config, made.config);
    EXPECT_EQ(read.dataset_sha256, sha256_of_file(folder_ / "d.h5"));
    // The same fit gives the same bytes.
    (void)fitted("classifiers = ['" + name + "']\ncalibration = 'isotonic'\n", "again.h5");
    EXPECT_EQ(sha256_of_file(folder_ / "again.h5"), sha256_of_file(folder_ / "m.h5")) << name;
  }
}

TEST_F(Fit, KeepsTheBestOfSeveralClassifiers) {
  const FittedFile best = fitted("");
  EXPECT_GT(best.inner_accuracy, 0.6);
  for (const std::string name : {"svm", "forest", "mlp"})  // those it is fitted from by default
    EXPECT_LE(fitted("classifiers = ['" + name + "']\n").inner_accuracy, best.inner_accuracy) << name;
}

TEST_F(Fit, JudgesWholeNetworksFromAnyKindOfFile) {
  const FittedFile model = fitted("classifiers = ['forest']\n");
  std::size_t right = 0;
  const FilePrediction all = predict(model, folder_ / "d.h5", false);
  ASSERT_EQ(all.networks.size(), 64U);
  for (const NetworkVerdict& network : all.networks)
    right += network.network.find("/" + model.identifier.classes[network.verdict] + "/") != std::string::npos
                 ? 1U
                 : 0U;
  EXPECT_GT(right, 55U);

  const io::Observables o = observables_of("KNet5/fa/3");
  io::write_observables(folder_ / "KNet5_fa_3.h5", o);
  io::Trajectory t;
  t.architecture = "KNet5";
  t.task = t.dataset = "cifar10";
  t.learning_rule = "fa";
  t.status = "complete";
  t.observable_names = o.observable_names;
  t.layers = o.layers;
  t.layer_position = {0, 1, 1, 1, 2};  // as in the dataset
  t.step = {0, 1, 2, 3, 4};
  t.epoch = {0, 1, 2, 3, 4};
  t.observables = o.values;
  for (const char* metric : {"train_loss", "train_accuracy", "validation_loss", "validation_accuracy"})
    t.metrics[metric].assign(5, 0.5);
  io::write_trajectory(folder_ / "t.h5", t);
  const auto in_dataset = std::ranges::find(all.networks, "KNet5/fa/3", &NetworkVerdict::network);
  const FilePrediction of_trajectory = predict(model, folder_ / "t.h5", false);
  EXPECT_EQ(of_trajectory.networks[0].probabilities, in_dataset->probabilities);
  EXPECT_EQ(of_trajectory.networks[0].observables, in_dataset->observables);
  EXPECT_TRUE(of_trajectory.networks[0].is_known_kind);
  // A recording is of no known architecture.
  const FilePrediction of_recording = predict(model, folder_ / "KNet5_fa_3.h5", false);
  ASSERT_EQ(of_recording.networks[0].layers.size(), 5U);
  EXPECT_FALSE(of_recording.networks[0].is_known_kind);
  EXPECT_EQ(of_recording.networks[0].layers[3].position, "middle");
  EXPECT_EQ(of_recording.networks[0].layers[4].position, "deep");
  EXPECT_EQ(of_recording.networks[0].verdict, in_dataset->verdict);
  EXPECT_GE(of_recording.networks[0].set.size(), in_dataset->set.size());

  t.status = "running";
  io::write_trajectory(folder_ / "t.h5", t);
  EXPECT_THAT(refusal(model, "t.h5"), HasSubstr("complete"));
}

TEST_F(Fit, SaysOfARecordingWhatItsReaderAsks) {
  // FA's third quartile of activity changes at once, others' late; all else is noise.
  const std::size_t k = data_.observable_names.size();
  const auto quartile = to_size(std::ranges::find(data_.observable_names, "actraw_thirdquartile") -
                                data_.observable_names.begin());
  ASSERT_LT(quartile, k);
  data_ = testing::tiny_dataset(8, 5, 0.0);
  for (std::size_t i = 0; i < data_.meta.network.size(); ++i)
    for (std::size_t t = 0; t < 5; ++t)
      data_.x[(i * 5 + t) * k + quartile] =
          data_.meta.learning_rule[i] == "fa" ? (t == 0 ? 1.0F : 3.0F) : (t < 4 ? 1.0F : 3.0F);
  io::write_dataset(folder_ / "d.h5", data_);
  const FittedFile written = fitted("classifiers = ['forest']\n");
  const FittedFile model = read_fitted(folder_ / "m.h5");
  ASSERT_EQ(model.courses.size(), model.identifier.classes.size());
  for (std::size_t c = 0; c < model.courses.size(); ++c)
    for (std::size_t i = 0; i < model.courses[c].size(); ++i)
      EXPECT_EQ(model.courses[c][i].half_time, written.courses[c][i].half_time);

  io::write_observables(folder_ / "o.h5", observables_of("KNet5/fa/3"));
  const FilePrediction file = predict(model, folder_ / "o.h5", false);
  EXPECT_TRUE(file.is_recording);
  EXPECT_TRUE(file.absent.empty());
  const std::string text = predictions_text(model, {file});
  EXPECT_THAT(text, HasSubstr("  Set at 90 %: "));
  EXPECT_THAT(
      text,
      HasSubstr("  What speaks for FA:\n    - the third quartile of activity grows earlier than under "));
  EXPECT_THAT(text, HasSubstr("(half of its way by 12 % of the trajectory; under FA 12 %, under "));
  EXPECT_THAT(text, HasSubstr("  Beside the training networks it stands "));
  EXPECT_THAT(text, HasSubstr("  layer "));

  // What was not measured is said, and asked for.
  FilePrediction without = file;
  without.absent = {"weight"};
  without.points = 3;
  without.networks[0].remarks = {"activation changes little"};
  const std::string of_less = predictions_text(model, {without});
  EXPECT_THAT(of_less, HasSubstr("  Not measured: weights.\n"));
  EXPECT_THAT(of_less, HasSubstr("  Would help: more points: it has 3, the training networks 5; weights"));
  EXPECT_THAT(of_less, HasSubstr("  Activation changes little.\n"));
}

TEST_F(Fit, UsesNoPositionUnlessEveryLayerHasOne) {
  io::Observables o = observables_of("KNet5/fa/3");
  o.layer_position[2] = io::unknown_position;
  io::write_observables(folder_ / "o.h5", o);
  (void)fitted("classifiers = ['forest']\n");
  const FittedFile with = read_fitted(folder_ / "m.h5");  // both identifiers are in the file
  ASSERT_TRUE(with.without_position.has_value());
  EXPECT_EQ(with.without_position->layout.columns() + 3, with.identifier.layout.columns());
  const NetworkVerdict of_second = predict(with, folder_ / "o.h5", false).networks[0];
  EXPECT_THAT(of_second.remarks, ::testing::Contains(HasSubstr("without the layers' positions")));
  o.layer_position = observables_of("KNet5/fa/3").layer_position;
  io::write_observables(folder_ / "all.h5", o);
  EXPECT_THAT(predict(with, folder_ / "all.h5", false).networks[0].remarks,
              ::testing::Not(::testing::Contains(HasSubstr("positions"))));
  const FittedFile without = fitted_by_default("classifiers = ['forest']\n");
  EXPECT_FALSE(without.identifier.layout.with_position);
  EXPECT_EQ(without.identifier.layout.transform, "profile_sorted")
      << "two architectures are too few to choose by";
  const NetworkVerdict network = predict(without, folder_ / "o.h5", false).networks[0];
  EXPECT_EQ(network.layers[1].position, "middle");
  EXPECT_EQ(network.layers[2].position, "");
  EXPECT_FALSE(without.without_position.has_value());
}

TEST_F(Fit, ChoosesFeaturesOnKindsLeftOutWhereThereAreThree) {
  for (std::size_t i = 0; i < data_.meta.network.size(); ++i)  // KNet4 … KNet7
    data_.meta.architecture[i].back() =
        static_cast<char>(data_.meta.architecture[i].back() + (data_.meta.network[i].back() % 4 < 2 ? 0 : 2));
  io::write_dataset(folder_ / "d.h5", data_);
  const FittedFile model = fitted_by_default("classifiers = ['forest']\n");
  ASSERT_EQ(model.trials.size(), 3U);
  EXPECT_LT(model.trials[1].accuracy, model.trials[0].accuracy);
  EXPECT_LT(model.trials[2].accuracy, model.trials[0].accuracy + 0.02);
  EXPECT_EQ(model.identifier.layout.transform, "profile_sorted") << "as good as the best, and free of scale";
  EXPECT_THAT(model.config, HasSubstr("transform = \"profile_sorted\""));
  ASSERT_EQ(model.left_out.size(), 4U);
  for (const LeftOutKind& kind : model.left_out) {
    EXPECT_EQ(kind.column, "architecture");
    EXPECT_EQ(kind.networks, 16);
    EXPECT_LT(kind.refused, 0.3) << "as far away as other kinds";
    EXPECT_GE(kind.coverage, 0.8) << kind.value;
    EXPECT_LT(kind.interval.front(), kind.accuracy);
    EXPECT_GT(kind.interval.back(), kind.accuracy);
    EXPECT_LT(kind.network_interval.front(), kind.network_accuracy);
    EXPECT_LT(kind.p, 0.05);
    EXPECT_LE(kind.set_size, 4);
  }
  EXPECT_EQ(model.identifier.known_kinds.names.size(), 4U);
  const FittedFile read = read_fitted(folder_ / "m.h5");
  EXPECT_EQ(describe(read), describe(model));
  EXPECT_THAT(describe(read), HasSubstr("without architecture KNet6: "));

  // The same figures as results, for a report.
  const std::vector<io::NamedResults> of_model = gather({folder_ / "m.h5"}, std::nullopt);
  ASSERT_EQ(of_model.size(), 1U);
  ASSERT_EQ(of_model[0].results.rows.size(), 4U);
  const io::ResultRow& row = of_model[0].results.rows[1];
  EXPECT_EQ(row.condition.at(io::condition_key::held_out), io::ConditionValue(model.left_out[1].value));
  EXPECT_EQ(row.accuracy.mean, model.left_out[1].accuracy);
  EXPECT_EQ(row.accuracy.interval, model.left_out[1].interval);
  EXPECT_EQ(row.extra.at(io::extra_name::set_size).mean, model.left_out[1].set_size);
}

TEST_F(Fit, NamesNoRuleWhereNothingChanges) {
  data_ = testing::tiny_dataset(8, 12, 8.0);
  for (float& value : data_.x) value = std::abs(value);
  io::write_dataset(folder_ / "d.h5", data_);
  const FittedFile model = fitted_by_default("classifiers = ['forest']\n");
  io::Dataset frozen = data_;
  const std::size_t row = frozen.observable_names.size(), sample = 12 * row;
  for (std::size_t i = 0; i < frozen.x.size(); ++i) frozen.x[i] = data_.x[i / sample * sample + i % row];
  io::write_dataset(folder_ / "frozen.h5", frozen);
  const FilePrediction of_frozen = predict(model, folder_ / "frozen.h5", false),
                       of_learning = predict(model, folder_ / "d.h5", false);
  for (const NetworkVerdict& network : of_frozen.networks) EXPECT_TRUE(network.no_change);
  EXPECT_THAT(predictions_text(model, {of_frozen}), HasSubstr(": No change over time; no rule is named. "));
  EXPECT_TRUE(nlohmann::json::parse(predictions_json(model, {of_frozen}))
                  .at("files")
                  .at(0)
                  .at("networks")
                  .at(0)
                  .at("verdict")
                  .is_null());
  const auto unchanged = std::ranges::count_if(of_learning.networks, &NetworkVerdict::no_change);
  EXPECT_LT(unchanged, 4) << "of 64 that learn";
}

TEST_F(Fit, ScaleChangesNothingForScaleFreeFeaturesAndIsNamed) {
  const FittedFile free = fitted_by_default("classifiers = ['forest']\n"),
                   plain_features = fitted("classifiers = ['forest']\n", "plain.h5");
  io::Dataset large = data_;
  const std::size_t k = data_.observable_names.size();
  for (std::size_t i = 0; i < large.x.size(); ++i)
    if (large.observable_names[i % k].starts_with("actabs")) large.x[i] *= 1024;
  io::write_dataset(folder_ / "large.h5", large);
  const FilePrediction before = predict(free, folder_ / "d.h5", false),
                       after = predict(free, folder_ / "large.h5", false);
  for (std::size_t n = 0; n < before.networks.size(); ++n) {
    EXPECT_EQ(after.networks[n].probabilities, before.networks[n].probabilities);
    EXPECT_FALSE(after.networks[n].out_of_range);
    ASSERT_FALSE(after.networks[n].unlike.empty());
    EXPECT_THAT(after.networks[n].unlike.front(),
                ::testing::MatchesRegex("activations [0-9]+ × above the range.*"));
  }
  const FilePrediction refused = predict(plain_features, folder_ / "large.h5", false);
  for (const NetworkVerdict& network : refused.networks) EXPECT_TRUE(network.out_of_range);
  EXPECT_THAT(predictions_text(plain_features, {refused}),
              HasSubstr(": Unlike the training data (activations "));
}

TEST_F(Fit, SentencesSayWhatTheSetHolds) {
  FittedFile model;
  model.target = "learning_rule";
  model.identifier.classes = {"adam", "fa", "ia", "sgdm"};
  const auto of_set = [&](std::vector<std::size_t> set) {
    NetworkVerdict network;
    network.set = std::move(set);
    return sentence(model, network);
  };
  EXPECT_EQ(of_set({0}), "Trained by Adam. FA, IA and SGDM are excluded at 90 %.");
  EXPECT_EQ(of_set({1, 2, 3}), "Not Adam; which of the three can't be told.");
  EXPECT_EQ(of_set({1, 3}), "Trained by FA or SGDM. Adam and IA are excluded at 90 %.");
  EXPECT_EQ(of_set({0, 1, 2, 3}), "Any of Adam, FA, IA and SGDM; which can't be told.");
  NetworkVerdict network;
  network.set = {0};
  network.unlike = {"activations 40 × below the range of the training networks"};
  EXPECT_EQ(
      sentence(model, network),
      "Trained by Adam. FA, IA and SGDM are excluded at 90 %. Unlike the training data: activations 40 × "
      "below the range of the training networks.");
  network.none_of_these = true;
  EXPECT_EQ(
      sentence(model, network),
      "Unlike the training networks: a rule that is none of these, or other data or training, nearest Adam.");
  network.in_typical_company = true;
  EXPECT_EQ(sentence(model, network), "A rule that is none of these, nearest Adam.");
  model.identifier.classes = {"a", "b"};
  model.target = "task";
  EXPECT_EQ(of_set({1}), "task b. a is excluded at 90 %.");
}

TEST_F(Fit, SaysWhatSpokeForTheVerdict) {
  // One observable tells the rules apart, all others are noise.
  const std::size_t k = data_.observable_names.size();
  data_ = testing::tiny_dataset(8, 5, 0.0);
  for (std::size_t i = 0; i < data_.meta.network.size(); ++i)
    for (std::size_t t = 0; t < 5; ++t)
      data_.x[(i * 5 + t) * k + 7] = data_.meta.learning_rule[i] == "fa"   ? 5.0F
                                     : data_.meta.learning_rule[i] == "ia" ? -5.0F
                                                                           : 0.0F;
  io::write_dataset(folder_ / "d.h5", data_);
  const FilePrediction all = predict(fitted("classifiers = ['svm']\n"), folder_ / "d.h5", false);
  for (const NetworkVerdict& network : all.networks)
    if (network.network.find("/fa/") != std::string::npos) {
      EXPECT_EQ(network.observables.front().first, data_.observable_names[7]);
      EXPECT_GT(network.observables.front().second, 0.2);
    }
}

TEST_F(Fit, RefusesWhatIsLikeNoKnownRule) {
  const FittedFile model = fitted("classifiers = ['forest']\n");
  io::Dataset strange = data_;  // of the known scale, but in no known order
  for (std::size_t i = 0; i < strange.x.size(); ++i)
    strange.x[i] = (i % 2 == 0 ? 1.0F : -1.0F) * (4 - data_.x[i]);
  io::write_dataset(folder_ / "strange.h5", strange);
  const NetworkVerdict verdict = predict(model, folder_ / "strange.h5", false).networks[0];
  EXPECT_TRUE(verdict.none_of_these);
  EXPECT_LT(verdict.typicality, 0.05);
  EXPECT_THAT(predictions_text(model, {predict(model, folder_ / "strange.h5", false)}),
              HasSubstr("a rule that is none of these, or other data or training, nearest "));
  const auto json =
      nlohmann::json::parse(predictions_json(model, {predict(model, folder_ / "strange.h5", false)}));
  const auto& network = json.at("files").at(0).at("networks").at(0);
  EXPECT_TRUE(network.at("verdict").is_null());
  EXPECT_EQ(network.at("nearest"), model.identifier.classes[verdict.verdict]);
}

/// Among networks like the training networks, one that is unlike them can only be of another rule.
TEST_F(Fit, BlamesTheRuleOnlyWhereTheDataAreAlike) {
  const FittedFile model = fitted("classifiers = ['forest']\n");
  io::Dataset mixed = data_;
  for (std::size_t i = 0; i < mixed.x.size(); ++i)
    if (mixed.meta.network[i / (5 * mixed.observable_names.size())] == "KNet5/ia/3")
      mixed.x[i] = (i % 2 == 0 ? 1.0F : -1.0F) * (4 - data_.x[i]);
  io::write_dataset(folder_ / "mixed.h5", mixed);
  for (const NetworkVerdict& network : predict(model, folder_ / "mixed.h5", false).networks) {
    EXPECT_EQ(network.none_of_these, network.network == "KNet5/ia/3") << network.network;
    EXPECT_TRUE(network.in_typical_company);
    EXPECT_EQ(network.is_known_kind, !network.none_of_these);
  }
}

/// Each of them could be one of the training networks, but not all of them: of a known architecture and task,
/// but trained otherwise.
TEST_F(Fit, NetworksThatAreTogetherAtypicalAreOfANewKind) {
  const FittedFile model = fitted("classifiers = ['forest']\n");
  for (const NetworkVerdict& network : predict(model, folder_ / "d.h5", false).networks)
    EXPECT_TRUE(network.is_known_kind);
  bool found = false;  // noise that makes all of them together atypical, but not each
  for (const double amount : {1.1, 1.2, 1.3, 1.4, 1.5, 1.6}) {
    io::Dataset noisy = data_;
    Stream noise(Key(1, "noise"));
    for (float& value : noisy.x) value += static_cast<float>(amount * noise.normal());
    io::write_dataset(folder_ / "noisy.h5", noisy);
    const FilePrediction judged = predict(model, folder_ / "noisy.h5", false);
    found |= std::ranges::none_of(judged.networks, &NetworkVerdict::is_known_kind) &&
             std::ranges::any_of(judged.networks, [&](const NetworkVerdict& network) {
               return network.typicality > 2 * model.refuse;
             });
  }
  EXPECT_TRUE(found);
}

TEST_F(Fit, SaysThatItCannotRefuseAfterTooFewNetworks) {
  EXPECT_EQ(testing::log_of([&] { (void)fitted("classifiers = ['svm']\n"); }), "")
      << "64 networks are enough";
  io::write_dataset(folder_ / "d.h5", testing::tiny_dataset(1, 5, 2.0));
  FittedFile model;
  const std::string log =
      testing::log_of([&] { model = fitted("classifiers = ['svm']\nrefuse = 0.05\nsplit = ['sample']\n"); });
  EXPECT_THAT(log, HasSubstr("fitted to 8 networks: no network can be refused"));
  EXPECT_THAT(log, HasSubstr("at least 0.111, above refuse = 0.05; expected at least 19 networks"));
  EXPECT_EQ(why_none_is_refused(read_fitted(folder_ / "m.h5")), why_none_is_refused(model));
  model.refuse = 0.12;
  EXPECT_EQ(why_none_is_refused(model), "");
}

TEST_F(Fit, NamesAnEmptyDataset) {
  const FittedFile model = fitted("classifiers = ['svm']\n");
  io::Dataset empty = data_;
  empty.samples = 0;
  empty.x.clear();
  empty.meta = {};
  io::write_dataset(folder_ / "empty.h5", empty);
  EXPECT_THAT(refusal(model, "empty.h5"), HasSubstr("empty.h5: holds no samples"));
}

TEST_F(Fit, NamesWhatIsMissingUnlessFittedWithoutIt) {
  const FittedFile whole = fitted("classifiers = ['svm']\n");
  const FittedFile without =
      fitted("classifiers = ['svm']\nfeatures.measures = ['layer_change', 'activation']\n", "without.h5");
  EXPECT_EQ(without.identifier.layout.channels(), 11);
  io::Observables o = observables_of("KNet4/adam/1");
  const std::size_t k = o.observable_names.size();
  for (std::size_t i = 0; i < o.values.size(); ++i)
    if (o.observable_names[i % k].starts_with("weight"))
      o.values[i] = std::numeric_limits<float>::quiet_NaN();
  io::write_observables(folder_ / "o.h5", o);
  EXPECT_THAT(refusal(whole, "o.h5"), HasSubstr("13 of the 24 observables"));
  EXPECT_THAT(refusal(whole, "o.h5"), HasSubstr("weightabs_mean, "));
  EXPECT_EQ(predict(without, folder_ / "o.h5", false).networks.size(), 1U);
  io::Observables few = o;
  few.observable_names.resize(3);
  few.values.resize(few.values.size() / k * 3);
  io::write_observables(folder_ / "few.h5", few);
  EXPECT_THAT(refusal(without, "few.h5"), HasSubstr(": missing: 8 of the 11 observables"));
}

TEST_F(Fit, InterpolatesOnlyIfAsked) {
  const FittedFile model = fitted("classifiers = ['svm']\n");
  io::Observables o = observables_of("KNet4/adam/1");
  // Points 0, ½, 1, 1½ … of the same straight lines.
  const std::size_t row = o.layers.size() * o.observable_names.size();
  io::Observables fine = o;
  fine.points = 9;
  fine.values.clear();
  for (std::size_t t = 0; t < 9; ++t)
    for (std::size_t i = 0; i < row; ++i)
      fine.values.push_back((o.values[t / 2 * row + i] + o.values[(t + 1) / 2 * row + i]) / 2);
  io::write_observables(folder_ / "o.h5", o);
  io::write_observables(folder_ / "fine.h5", fine);
  EXPECT_THAT(refusal(model, "fine.h5"),
              HasSubstr("9 trajectory points, but the classifier was fitted to 5"));
  EXPECT_EQ(predict(model, folder_ / "fine.h5", true).networks[0].probabilities,
            predict(model, folder_ / "o.h5", false).networks[0].probabilities);
}

TEST_F(Fit, RefusesDamagedAndForeignFiles) {
  (void)fitted("classifiers = ['forest']\n");
  const auto message = [&](const std::string& file) -> std::string {
    try {
      (void)read_fitted(folder_ / file);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("d.h5"), HasSubstr("lrid-model"));
  EXPECT_THAT(message("none.h5"), HasSubstr("none.h5"));
  const std::string bytes = read_file(folder_ / "m.h5");
  std::size_t refused = 0, unnoticed = 0;
  const std::string before = predictions_json(
      read_fitted(folder_ / "m.h5"), {predict(read_fitted(folder_ / "m.h5"), folder_ / "d.h5", false)});
  for (std::size_t i = 1; i <= 40; ++i) {
    std::string damaged = bytes;
    damaged[bytes.size() * i / 41] = static_cast<char>(damaged[bytes.size() * i / 41] ^ 0x10);
    write_atomically(folder_ / "damaged.h5", damaged);
    if (message("damaged.h5") != "no error") {
      ++refused;
      continue;
    }
    ++unnoticed;  // a byte that nothing reads
    const FittedFile model = read_fitted(folder_ / "damaged.h5");
    EXPECT_EQ(predictions_json(model, {predict(model, folder_ / "d.h5", false)}), before);
  }
  EXPECT_GT(refused, 25U) << unnoticed;
  write_atomically(folder_ / "short.h5", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(message("short.h5"), HasSubstr("short.h5"));
}

TEST_F(Fit, RefusesAFileOfAnotherVersionOrChangedByHand) {
  const std::string python = testing::python_with_h5py();
  if (python.empty()) GTEST_SKIP() << testing::no_h5py;
  const auto refused = [&](const std::string& change) {
    (void)fitted("classifiers = ['svm']\n");
    EXPECT_EQ(testing::run_command("'" + python + "' -c \"import h5py; f = h5py.File('" +
                                   (folder_ / "m.h5").string() + "', 'r+'); " + change + "\"")
                  .exit_code,
              0);
    try {
      (void)read_fitted(folder_ / "m.h5");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(refused("f.attrs['format_version'] = 1"),
              HasSubstr("a model file of version 1: expected version 2; fit it again"));
  EXPECT_THAT(refused("f.attrs['confidence'] = 0.5"), HasSubstr("checksum"));
  EXPECT_THAT(refused("f['scaler/mean'][5] += 1e-9"), HasSubstr("checksum"));
  EXPECT_THAT(refused("f.attrs['refuse'] = 0.5"), HasSubstr("checksum"));
  EXPECT_THAT(refused("del f['model/weights']"), HasSubstr("checksum"));
}

TEST_F(Fit, JsonHoldsEverything) {
  const FittedFile model = fitted("classifiers = ['svm']\n");
  const auto json = nlohmann::json::parse(predictions_json(model, {predict(model, folder_ / "d.h5", false)}));
  EXPECT_EQ(json.at("format"), "lrid-predictions");
  const auto& network = json.at("files").at(0).at("networks").at(0);
  EXPECT_EQ(network.at("network"), "KNet4/sgdm/0");
  EXPECT_EQ(network.at("verdict"), network.at("nearest"));
  EXPECT_EQ(network.at("kind"), "known");
  EXPECT_FALSE(network.at("set").empty());
  EXPECT_EQ(network.at("layers").at(0).at("kind"), "known");
  EXPECT_FALSE(network.at("layers").at(0).at("set").empty());
  EXPECT_EQ(json.at("model").at("left_out").size(), 2U);
  EXPECT_EQ(network.at("probabilities").size(), 4U);
  EXPECT_EQ(network.at("layers").size(), 4U);
  EXPECT_EQ(network.at("observables").size(), 24U);
  double sum = 0;
  for (const auto& p : network.at("layers").at(0).at("probabilities")) sum += p.get<double>();
  EXPECT_NEAR(sum, 1, 1e-12);
}

}  // namespace
}  // namespace lrid::identify
