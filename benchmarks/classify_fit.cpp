// classify_fit CONFIG.toml DATASET.h5 > fits.json: fits the first point of each classifier's grid to the
// training part of every split of the configuration's first condition, with times, accuracies and, for the
// SVM, objectives; if the grid has more points, all of it as well, for its time, as in the protocol: fitted
// to all inner folds but the first, which it scores. The splits are printed too, so that other programs can
// do the same work: benchmarks/classify_peers.py.
#include <chrono>
#include <iostream>

#include <nlohmann/json.hpp>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/learn/classifier.hpp>
#include <lrid/learn/metrics.hpp>
#include <lrid/learn/scaler.hpp>

#include "identify/experiments/experiments.hpp"
#include "learn/linear_model.hpp"

namespace lrid::identify {
namespace {

using namespace learn;  // NOLINT(google-build-using-namespace): a benchmark of its classifiers

/// LIBLINEAR's objective of every class at the model's weights.
std::vector<double> objectives(const LinearModel& model, const Samples& train, double c) {
  const Matrix scores = model.scores(train);
  std::vector<double> result;
  for (int k = 0; k < train.classes; ++k) {
    double loss = 0;
    for (std::int64_t i = 0; i < train.size(); ++i) {
      const double y = train.labels[static_cast<std::size_t>(i)] == k ? 1 : -1;
      const double slack = std::max(0.0, 1 - y * scores(i, k));
      loss += slack * slack;
    }
    result.push_back(model.weights().col(k).squaredNorm() / 2 + c * loss);
  }
  return result;
}

void run(const std::string& config, const std::string& data_file) {
  Options options(Config::from_file(config));
  Protocol protocol;
  protocol.declare(options);
  std::map<std::string, std::unique_ptr<Classifier>> all;
  for (const ClassifierEntry& entry : classifiers().entries())
    (all[entry.name] = entry.make())->declare(options);
  const auto experiment = experiments().at(protocol.experiment).make();
  experiment->declare(options);
  options.finish();
  const io::Dataset data = io::read_dataset(data_file);
  Study study(protocol, data, data_file);
  const Condition condition = experiment->conditions(study).front();

  nlohmann::ordered_json json;
  for (const Split& split : condition.plan->splits)
    json["splits"].push_back({{"train", split.train}, {"test", split.test}, {"inner", split.inner}});
  json["classes"] = condition.target->classes;
  for (const std::string& name : protocol.classifiers) {
    const Classifier& classifier = *all.at(name);
    const Setting setting = classifier.settings().front();
    nlohmann::ordered_json& out = json["fits"][name];
    for (const auto& [key, value] : setting)
      std::visit([&, name_of_key = key](const auto& v) { out["setting"][name_of_key] = v; }, value);
    for (std::size_t s = 0; s < condition.plan->splits.size(); ++s) {
      const Split& split = condition.plan->splits[s];
      const Scaler scaler = fit_scaler(*condition.train, split.train);
      const Samples train = standardise(scaler, *condition.train, split.train, *condition.target);
      const Samples test = standardise(scaler, *condition.train, split.test, *condition.target);
      const Key key(static_cast<std::uint64_t>(protocol.seed), name, {s});
      auto begin = std::chrono::steady_clock::now();
      const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      };
      const auto model = classifier.fit(train, setting, key);
      out["seconds"].push_back(seconds());
      if (classifier.settings().size() > 1) {
        Rows fitted, held_out;
        for (std::size_t i = 0; i < split.train.size(); ++i)
          (split.inner[i] == 0 ? held_out : fitted).push_back(split.train[i]);
        const Scaler of_fold = fit_scaler(*condition.train, fitted);
        const Samples fold = standardise(of_fold, *condition.train, fitted, *condition.target),
                      validation = standardise(of_fold, *condition.train, held_out, *condition.target);
        begin = std::chrono::steady_clock::now();
        const GridOutcome grid = classifier.fit_grid(fold, validation, key);
        out["grid_seconds"].push_back(seconds());
        out["grid_points"] = grid.computed;
        for (const Matrix& scores : grid.scores)
          out["grid_accuracy"].push_back(
              scores.size() == 0 ? -1.0 : accuracy(predicted_classes(scores), validation.labels));
      }
      const std::vector<int> predicted = predicted_classes(model->scores(test));
      out["accuracy"].push_back(accuracy(predicted, test.labels));
      if (const auto* svm = dynamic_cast<const LinearModel*>(model.get()); svm != nullptr && name == "svm")
        out["objectives"].push_back(objectives(*svm, train, std::get<double>(setting.at("C"))));
    }
  }
  std::cout << json.dump() << '\n';
}

}  // namespace
}  // namespace lrid::identify

int main(int argc, char** argv) {
  return lrid::run_app("classify_fit", [&] {
    if (argc != 3) lrid::bad_input("usage: classify_fit CONFIG.toml DATASET.h5");
    lrid::identify::run(argv[1], argv[2]);
  });
}
