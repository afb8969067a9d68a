#include <lrid/core/index.hpp>
#include <lrid/learn/classifier.hpp>

#include "classifiers.hpp"

namespace lrid::learn {

const Registry<ClassifierEntry>& classifiers() {
  static const Registry<ClassifierEntry> registry(
      "classifier",
      {{"svm", "linear support vector machine, one-vs-rest, optionally after PCA", make_linear_svm},
       {"forest", "random forest of exact trees", make_forest},
       {"mlp", "one convolution over time, pooling, one fully connected layer", make_conv_mlp},
       {"knn", "k nearest neighbours: a simple baseline", make_nearest_neighbours},
       {"logistic", "multinomial logistic regression: a simple baseline", make_logistic},
       {"majority", "the largest class, whatever the features", make_majority}});
  return registry;
}

std::vector<int> predicted_classes(const Matrix& scores) {
  std::vector<int> result(to_size(scores.rows()));
  for (std::int64_t i = 0; i < scores.rows(); ++i) {
    Eigen::Index best = 0;
    scores.row(i).maxCoeff(&best);
    result[to_size(i)] = static_cast<int>(best);
  }
  return result;
}

}  // namespace lrid::learn
