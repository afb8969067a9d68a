#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <lrid/learn/classifier.hpp>

namespace lrid::learn {

/// The classifier "majority": the classes' shares of the training samples, whatever the features. What any
/// other one must beat.
class Majority : public Classifier {
 public:
  void declare(Options& /*options*/) override {}
  [[nodiscard]] std::vector<Setting> settings() const override {
    return {{{"guess", std::string("majority")}}};
  }
  [[nodiscard]] std::vector<std::string> notes() const override { return {}; }
  [[nodiscard]] GridOutcome fit_grid(const Samples& train, const Samples& validation, Key key) const override;
  [[nodiscard]] std::unique_ptr<Model> fit(const Samples& train, const Setting& setting,
                                           Key key) const override;
  [[nodiscard]] bool scores_are_probabilities() const override { return true; }
  [[nodiscard]] std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                            int classes) const override;
};

/// The classifier "knn": the share of each class among the k training samples that are nearest (Euclidean
/// distance of standardised features; of equally near ones those that come first). Grid: k.
class NearestNeighbours : public Classifier {
 public:
  void declare(Options& options) override;
  [[nodiscard]] std::vector<Setting> settings() const override;
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] GridOutcome fit_grid(const Samples& train, const Samples& validation, Key key) const override;
  [[nodiscard]] std::unique_ptr<Model> fit(const Samples& train, const Setting& setting,
                                           Key key) const override;
  [[nodiscard]] bool scores_are_probabilities() const override { return true; }
  [[nodiscard]] std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                                            int classes) const override;

 private:
  std::vector<std::int64_t> neighbours_ = {1, 5, 15};
};

}  // namespace lrid::learn
