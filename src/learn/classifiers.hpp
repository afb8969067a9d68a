#pragma once

#include <memory>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

// One factory for each classifier; classifier.cpp registers them.
std::unique_ptr<Classifier> make_linear_svm();
std::unique_ptr<Classifier> make_forest();
std::unique_ptr<Classifier> make_conv_mlp();
std::unique_ptr<Classifier> make_nearest_neighbours();
std::unique_ptr<Classifier> make_logistic();
std::unique_ptr<Classifier> make_majority();

}  // namespace lrid::learn
