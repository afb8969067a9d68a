#include "synthetic.hpp"

#include <algorithm>
#include <cmath>

#include <lrid/core/random.hpp>

namespace lrid::testing {
namespace {

using io::Figure;
using io::ResultRow;
using io::Results;

double probit(double p) {  // by bisection: slow and simple
  double low = -5, high = 5;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < p ? low : high) = middle;
  }
  return low;
}

/// A row whose confusion matrices are drawn so that about `accuracy` of the predictions are right; errors
/// prefer the neighbouring class. Everything else follows from the matrices.
ResultRow make_row(const std::string& classifier, std::map<std::string, io::ConditionValue> condition,
                   const std::vector<std::string>& labels, double accuracy, int splits, int per_class,
                   Key key) {
  ResultRow row;
  row.classifier = classifier;
  row.condition = std::move(condition);
  row.labels = labels;
  const std::size_t n = labels.size();
  row.n_test = per_class * static_cast<std::int64_t>(n);
  row.n_train = 3 * row.n_test;
  row.n_networks = 96;
  Stream random(key);
  std::vector<double> accuracies;
  for (int split = 0; split < splits; ++split) {
    std::vector<std::vector<std::int64_t>> matrix(n, std::vector<std::int64_t>(n, 0));
    const double shift = 0.02 * random.normal();
    for (std::size_t i = 0; i < n; ++i)
      for (int sample = 0; sample < per_class; ++sample) {
        const double hit =
            accuracy + shift + 0.10 * (static_cast<double>(i) / static_cast<double>(n - 1) - 0.5);
        std::size_t predicted = i;
        if (random.uniform() > hit) predicted = random.uniform() < 0.6 ? (i ^ 1U) : random.below(n);
        ++matrix[i][std::min(predicted, n - 1)];
      }
    std::int64_t right = 0;
    std::vector<double> dprime, balanced;
    for (std::size_t i = 0; i < n; ++i) {
      right += matrix[i][i];
      double alarms = 0;
      for (std::size_t j = 0; j < n; ++j)
        if (j != i) alarms += static_cast<double>(matrix[j][i]);
      const double hits = static_cast<double>(matrix[i][i]) / per_class;
      const double false_alarms = alarms / (per_class * static_cast<double>(n - 1));
      dprime.push_back(probit(hits) - probit(false_alarms));
      balanced.push_back((hits + 1 - false_alarms) / 2);
    }
    row.confusion.push_back(std::move(matrix));
    row.dprime.push_back(std::move(dprime));
    row.balanced_accuracy.push_back(std::move(balanced));
    accuracies.push_back(static_cast<double>(right) / static_cast<double>(row.n_test));
    if (classifier == "svm")
      row.hyperparameters.push_back(
          {{"C", random.uniform() < 0.7 ? 50.0 : 500.0}, {"pca", std::int64_t{100}}});
    else if (classifier == "forest")
      row.hyperparameters.push_back({{"features", std::string("sqrt")}, {"trees", std::int64_t{500}}});
    else
      row.hyperparameters.push_back({{"kernel", std::int64_t{random.uniform() < 0.5 ? 6 : 11}},
                                     {"filters", std::int64_t{40}},
                                     {"pool", std::string("max")}});
  }
  row.accuracy = Figure::of(accuracies);
  return row;
}

const std::vector<std::string> rules = {"adam", "fa", "ia", "sgdm"};

const std::vector<std::string> observables = {
    "actabs_mean",    "actabs_median",    "actabs_norm",    "actabs_thirdquartile",    "actraw_mean",
    "actraw_median",  "actraw_norm",      "gradavgabs_id",  "gradavgraw_id",           "gradavgsq_id",
    "weightabs_mean", "weightabs_median", "weightabs_norm", "weightabs_thirdquartile", "weightabs_var",
    "weightraw_mean", "weightraw_var",    "weightsq_mean",  "weightsq_thirdquartile"};

Results base(const std::string& experiment) {
  Results results;
  results.experiment = experiment;
  results.dataset_path = "quickstart/synthetic.h5";
  results.dataset_sha256 = "5e17717c5e17717c5e17717c5e17717c5e17717c5e17717c5e17717c5e17717c";
  results.config =
      "experiment = \"" + experiment +
      "\"\nclassifiers = [\"svm\", \"forest\", \"mlp\"]\nseed = 0\nsplits = 5\ntarget = \"learning_rule\"\n";
  results.software = "synthetic numbers, not measured";
  results.seconds = 214;
  results.notes = {"SYNTHETIC: every number on this page is made up to look at the page itself"};
  return results;
}

double skill(const std::string& classifier) {
  return classifier == "forest" ? 0 : classifier == "mlp" ? -0.04 : -0.17;
}

}  // namespace

Results synthetic_separability() {
  Results results = base("separability");
  results.notes.emplace_back("grid reduced: svm 6 of 84 points, forest 2 of 15, mlp 4 of 720");
  const std::vector<std::pair<std::string, double>> measures = {
      {"all", 0.83}, {"weight", 0.74}, {"activation", 0.72}, {"layer_change", 0.57}};
  std::uint64_t index = 0;
  for (const std::string classifier : {"svm", "forest", "mlp"}) {
    for (const auto& [measure, level] : measures)
      for (const std::string split : {"sample", "network"}) {
        const double accuracy = level + skill(classifier) + (split == "sample" ? 0.03 : 0);
        results.rows.push_back(make_row(classifier, {{"measure", measure}, {"split", split}}, rules, accuracy,
                                        5, 27, Key(1, "synthetic", {index++})));
        for (const char* position : {"early", "middle", "deep"})
          results.rows.back().extra[std::string("accuracy_") + position] =
              Figure::of({accuracy - 0.1 * (position[0] == 'e'), accuracy + 0.02, accuracy - 0.03});
        results.rows.back().extra["accuracy_inner_folds"] = Figure::of({accuracy, accuracy + 0.01});
        results.rows.back().extra["calibration_error"] = Figure::of({0.04, 0.06});
        if (split == "network")
          results.rows.back().extra["network_accuracy"] = Figure::of({accuracy + 0.1, accuracy + 0.12});
        for (int bin = 0; bin < 10; ++bin) {
          const double count = bin < 2 ? 0 : 10.0 * bin, confidence = 0.1 * bin + 0.05;
          results.rows.back().reliability.push_back(
              {count, count * confidence, std::floor(count * (confidence - 0.03))});
        }
        if (classifier != "forest") continue;
        double sum = 0;
        for (const std::string& name : observables)
          sum += results.rows.back().importances[name] = std::exp(2 * Key(2).with(name).uniform(index));
        for (auto& [name, value] : results.rows.back().importances) value *= 0.97 / sum;
        results.rows.back().importances["layer_position"] = 0.03;
        for (const std::string& name : observables)
          results.rows.back().extra["permuted_" + name] =
              Figure::of({0.1 * Key(3).with(name).uniform(index)});
        results.rows.back().extra["permuted_weight"] = Figure::of({0.31});
      }
    for (std::int64_t position = 0; position < 3; ++position)
      results.rows.push_back(make_row(
          classifier,
          {{"measure", std::string("all")}, {"split", std::string("network")}, {"position", position}}, rules,
          0.70 + 0.06 * static_cast<double>(position) + skill(classifier), 5, 9,
          Key(1, "synthetic", {index++})));
  }
  for (const std::string name : {"weightabs_median", "actabs_norm", "gradavgabs_id", "weightraw_var",
                                 "actraw_mean", "weightabs_norm"}) {
    Results::MeanTrajectory trajectory{name, rules, {}, {}};
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
      const Key key = Key(3).with(name).with(rule);
      const double level = 1.6 * key.uniform(0) - 0.8, rate = 1 + 4 * key.uniform(1);
      std::vector<double> mean, sem;
      for (int t = 0; t < 21; ++t) {
        const double time = t / 20.0;
        mean.push_back(-0.4 + level * (1 - std::exp(-rate * time)) +
                       0.02 * key.normal(static_cast<std::uint64_t>(t) + 2));
        sem.push_back(0.03 + 0.06 * time);
      }
      trajectory.mean.push_back(mean);
      trajectory.sem.push_back(sem);
    }
    results.trajectories.push_back(trajectory);
  }
  return results;
}

Results synthetic_held_out() {
  Results results = base("held-out-architecture");
  std::uint64_t index = 0;
  for (const std::string classifier : {"svm", "forest", "mlp"})
    for (const std::string architecture : {"KNet4", "KNet5"})
      results.rows.push_back(make_row(
          classifier,
          {{"measure", std::string("all")}, {"split", std::string("network")}, {"held_out", architecture}},
          rules, (architecture == "KNet4" ? 0.70 : 0.62) + skill(classifier), 5, 40,
          Key(4, "synthetic", {index++})));
  results.config += "confidence = 0.9\n";
  for (ResultRow& row : results.rows) {
    const bool is_near = row.condition["held_out"] == io::ConditionValue(std::string("KNet4"));
    row.extra = {{"calibration_error", Figure::of({0.11})},
                 {"network_calibration_error", Figure::of({0.14})},
                 {"coverage", Figure::of({is_near ? 0.97 : 0.99})},
                 {"set_size", Figure::of({is_near ? 2.2 : 2.7})},
                 {"network_coverage", Figure::of({1.0})},
                 {"network_set_size", Figure::of({2.6})},
                 {"network_refused", Figure::of({0.02})}};
  }
  return results;
}

Results synthetic_breadth() {
  Results results = base("breadth");
  const std::vector<std::string> eight = {"sgdm", "adam", "fa", "ia",
                                          "wm",   "sa",   "aa", "feedback_with_a_long_name"};
  std::uint64_t index = 0;
  const auto key = [&] { return Key(5, "synthetic", {index++}); };
  results.rows.push_back(make_row("forest",
                                  {{"measure", std::string("all")}, {"split", std::string("network")}}, eight,
                                  0.6, 10, 60, key()));
  results.rows.back().extra["expected calibration error"] = Figure::of({0.04, 0.05, 0.03});
  results.rows.back().extra["network verdict accuracy"] = Figure::of({0.91, 0.93, 0.9});
  for (const std::string control : {"final_accuracy", "shuffled_labels"})
    for (const std::string split : {"sample", "network"})
      results.rows.push_back(
          make_row("forest", {{"control", control}, {"measure", std::string("all")}, {"split", split}}, eight,
                   control == "final_accuracy" ? 0.4 : 0.07, 3, 60, key()));
  const std::string all = "all", network = "network";
  for (const std::string classifier : {"svm", "forest"}) {
    for (const std::string unknown : {"sgdm", "adam", "feedback_with_a_long_name"}) {
      results.rows.push_back(make_row(classifier,
                                      {{"measure", all}, {"split", network}, {"unknown", unknown}}, rules,
                                      0.6, 3, 60, key()));
      for (const char* name :
           {"auroc_uncertainty", "auroc_distance", "auroc_novelty", "network_auroc", "known_refused",
            "unknown_refused", "network_known_refused", "network_unknown_refused"})
        results.rows.back().extra[name] = Figure::of({0.7, 0.75, 0.66});
    }
    for (const std::int64_t networks : {8, 16, 32, 64})
      results.rows.push_back(
          make_row(classifier, {{"measure", all}, {"split", network}, {"train_networks", networks}}, eight,
                   0.3 + 0.05 * std::log2(static_cast<double>(networks)), 3, 60, key()));
    for (const std::string from : {"KNet4", "ResNet-34v2"})
      for (const std::string to : {"KNet4", "ResNet-34v2"})
        results.rows.push_back(
            make_row(classifier, {{"measure", all}, {"split", network}, {"train_on", from}, {"test_on", to}},
                     eight, from == to ? 0.6 : 0.4, 3, 60, key()));
    for (std::size_t a = 0; a < rules.size(); ++a)
      for (std::size_t b = a + 1; b < rules.size(); ++b)
        results.rows.push_back(make_row(
            classifier, {{"measure", all}, {"split", network}, {"pair", rules[a] + " / " + rules[b]}},
            {rules[a], rules[b]}, 0.6 + 0.1 * static_cast<double>(b), 3, 60, key()));
    for (const std::string measure : {"all", "final_accuracy"})
      for (const bool matched : {true, false})
        results.rows.push_back(make_row(classifier,
                                        {{"measure", measure}, {"split", network}, {"matched", matched}},
                                        eight, measure == "all" ? 0.6 : 0.3, 3, 60, key()));
    for (const std::string target : {"learning_rule", "architecture"})
      results.rows.push_back(make_row(classifier, {{"measure", all}, {"split", network}, {"target", target}},
                                      rules, 0.7, 3, 60, key()));
    for (const std::string group : {"raw", "abs", "sq", "thirdquartile"})
      results.rows.push_back(make_row(classifier,
                                      {{"measure", all}, {"split", network}, {"observables", group}}, rules,
                                      0.5, 3, 60, key()));
  }
  for (const std::string trained : {"first 20 %", "middle 20 %", "last 20 %", "every 5th"})
    for (const std::string tested : {"first 20 %", "middle 20 %", "last 20 %", "every 5th"})
      results.rows.push_back(make_row("forest",
                                      {{"measure", std::string("all")},
                                       {"split", std::string("network")},
                                       {"train_points", trained},
                                       {"test_points", tested}},
                                      eight, trained == tested ? 0.55 : 0.3, 3, 60, key()));
  for (const std::string measure : {"weight", "activation", "layer_change"})
    for (const double noise : {0.0, 0.01, 0.1, 1.0, 10.0})
      for (const double fraction : {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0}) {
        const double accuracy =
            std::max(0.125, 0.7 - 0.12 * std::log10(1 + 100 * noise) + 0.08 * std::log10(fraction));
        results.rows.push_back(make_row("forest",
                                        {{"measure", measure},
                                         {"split", std::string("network")},
                                         {"noise", noise},
                                         {"unit_fraction", fraction}},
                                        eight, accuracy, 3, 60, key()));
      }
  return results;
}

}  // namespace lrid::testing
