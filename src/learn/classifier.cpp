#include <lrid/learn/baselines.hpp>
#include <lrid/learn/classifier.hpp>
#include <lrid/learn/conv_mlp.hpp>
#include <lrid/learn/forest.hpp>
#include <lrid/learn/linear_svm.hpp>
#include <lrid/learn/logistic.hpp>

namespace lrid::learn {

namespace {

template <class T>
std::unique_ptr<Classifier> make() {
  return std::make_unique<T>();
}

}  // namespace

const Registry<ClassifierEntry>& classifiers() {
  static const Registry<ClassifierEntry> registry(
      "classifier",
      {{"svm", "linear support vector machine, one against the rest, optionally after PCA", make<LinearSvm>},
       {"forest", "random forest of exact trees", make<ForestClassifier>},
       {"mlp", "one convolution over time, pooling, one fully connected layer", make<ConvMlp>},
       {"knn", "nearest neighbours: a simple one to compare with", make<NearestNeighbours>},
       {"logistic", "multinomial logistic regression: a simple one to compare with", make<Logistic>},
       {"majority", "the largest class, whatever the features", make<Majority>}});
  return registry;
}

std::vector<int> predicted_classes(const Matrix& scores) {
  std::vector<int> result(static_cast<std::size_t>(scores.rows()));
  for (std::int64_t i = 0; i < scores.rows(); ++i) {
    Eigen::Index best = 0;
    scores.row(i).maxCoeff(&best);
    result[static_cast<std::size_t>(i)] = static_cast<int>(best);
  }
  return result;
}

}  // namespace lrid::learn
