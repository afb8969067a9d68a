#include <algorithm>
#include <numeric>

#include <lrid/core/index.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/core/text.hpp>
#include <lrid/learn/matrix_file.hpp>

#include "classifiers.hpp"
#include "kernels/dense.hpp"

namespace lrid::learn {

namespace {

class MajorityModel : public Model {
 public:
  MajorityModel(Matrix shares, std::int64_t columns) : shares_(std::move(shares)), columns_(columns) {}
  [[nodiscard]] Matrix scores(const Samples& samples) const override {
    return shares_.replicate(samples.size(), 1);
  }
  void save(io::hdf5::Group& group) const override {
    group.set_attribute("columns", columns_);
    write_matrix(group, "shares", shares_);
  }

 private:
  Matrix shares_;  // [1, classes]
  std::int64_t columns_;
};

MajorityModel majority_of(const Samples& train) {
  Matrix shares = Matrix::Zero(1, train.classes);
  for (const int label : train.labels) shares(0, label) += 1.0 / static_cast<double>(train.size());
  return {std::move(shares), train.layout.columns()};
}

/// [number] of [n, classes] votes of the nearest neighbours, for several numbers of neighbours.
std::vector<Matrix> neighbours_votes(const Matrix& known, const std::vector<int>& labels, int classes,
                                     const Matrix& x, const std::vector<std::int64_t>& numbers) {
  const Eigen::Index n = known.rows(), d = known.cols();
  const Eigen::VectorXd squares = known.rowwise().squaredNorm();
  const std::int64_t most = std::min<std::int64_t>(*std::ranges::max_element(numbers), n);
  std::vector<Matrix> votes(numbers.size(), Matrix::Zero(x.rows(), classes));
  constexpr Eigen::Index block = 64;  // of rows
  parallel_each(to_size((x.rows() + block - 1) / block), [&](std::size_t i) {
    const Eigen::Index begin = to_index(i) * block, count = std::min(block, x.rows() - begin);
    Matrix products(count, n);
    multiply(count, d, n, Factor<double>{x.row(begin).data(), d}, Factor<double>{known.data(), d, true}, 0,
             products.data(), n);
    std::vector<std::pair<double, Eigen::Index>> order(to_size(n));
    for (Eigen::Index row = 0; row < count; ++row) {
      for (Eigen::Index j = 0; j < n; ++j) order[to_size(j)] = {squares(j) - 2 * products(row, j), j};
      std::ranges::partial_sort(order, order.begin() + most);
      for (std::size_t k = 0; k < numbers.size(); ++k) {
        const std::int64_t taken = std::min(numbers[k], most);
        for (std::int64_t j = 0; j < taken; ++j)
          votes[k](begin + row, labels[to_size(order[to_size(j)].second)]) +=
              1.0 / static_cast<double>(taken);
      }
    }
  });
  return votes;
}

class NearestNeighboursModel : public Model {
 public:
  NearestNeighboursModel(Matrix known, std::vector<int> labels, int classes, std::int64_t number)
      : known_(std::move(known)), labels_(std::move(labels)), classes_(classes), number_(number) {}
  [[nodiscard]] Matrix scores(const Samples& samples) const override {
    return neighbours_votes(known_, labels_, classes_, samples.x, {number_}).front();
  }
  void save(io::hdf5::Group& group) const override {
    group.set_attribute("neighbours", number_);
    group.set_attribute("classes", static_cast<std::int64_t>(classes_));
    write_matrix(group, "samples", known_);
    group.write("labels", std::vector<std::int32_t>(labels_.begin(), labels_.end()));
  }

 private:
  Matrix known_;
  std::vector<int> labels_;
  int classes_;
  std::int64_t number_;
};

/// The classifier "majority": class frequencies of the training samples, whatever the features. Any other
/// must beat it.
class Majority : public Classifier {
 public:
  void declare(Options& /*options*/) override {}

  std::vector<Setting> settings() const override { return {{{"guess", std::string("majority")}}}; }

  GridOutcome fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const override {
    return {.scores = {majority_of(train).scores(validation)}, .computed = 1};
  }

  std::unique_ptr<Model> fit(const Samples& train, const Setting& /*setting*/, Key /*key*/) const override {
    return std::make_unique<MajorityModel>(majority_of(train));
  }

  std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                              int classes) const override {
    const auto columns = group.attribute<std::int64_t>("columns");
    if (columns != layout.columns())
      group.fail(fmt::format("fitted to {}: expected {}", counted(columns, "feature"), layout.columns()));
    return std::make_unique<MajorityModel>(read_matrix(group, "shares", 1, classes), columns);
  }

  bool scores_are_probabilities() const override { return true; }
};

/// The classifier "knn": the share of each class among the k nearest training samples (by Euclidean distance
/// of standardised features; the first of equally near ones). Grid: k.
class NearestNeighbours : public Classifier {
 public:
  void declare(Options& options) override {
    options.add("knn.neighbours", neighbours_, Accepts::at_least(1),
                "grid: number of nearest samples that vote");
    if (neighbours_.empty()) options.fail("knn.neighbours", "is empty: expected at least one value");
  }

  std::vector<Setting> settings() const override {
    std::vector<Setting> result;
    for (const std::int64_t number : neighbours_) result.push_back({{"neighbours", number}});
    return result;
  }

  GridOutcome fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const override {
    return {.scores = neighbours_votes(train.x, train.labels, train.classes, validation.x, neighbours_),
            .computed = std::ssize(neighbours_)};
  }

  std::unique_ptr<Model> fit(const Samples& train, const Setting& setting, Key /*key*/) const override {
    return std::make_unique<NearestNeighboursModel>(train.x, train.labels, train.classes,
                                                    std::get<std::int64_t>(setting.at("neighbours")));
  }

  std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                              int classes) const override {
    Matrix known = read_matrix(group, "samples", -1, layout.columns());
    const auto labels = group.dataset("labels").read<std::int32_t>({known.rows()});
    const auto number = group.attribute<std::int64_t>("neighbours");
    const bool fits =
        known.rows() > 0 && number >= 1 && group.attribute<std::int64_t>("classes") == classes &&
        std::ranges::all_of(labels, [&](std::int32_t label) { return label >= 0 && label < classes; });
    if (!fits) group.fail("expected samples with labels of the model's classes, and at least one neighbour");
    return std::make_unique<NearestNeighboursModel>(
        std::move(known), std::vector<int>(labels.begin(), labels.end()), classes, number);
  }

  bool scores_are_probabilities() const override { return true; }

 private:
  std::vector<std::int64_t> neighbours_ = {1, 5, 15};
};

}  // namespace

std::unique_ptr<Classifier> make_majority() {
  return std::make_unique<Majority>();
}

std::unique_ptr<Classifier> make_nearest_neighbours() {
  return std::make_unique<NearestNeighbours>();
}

}  // namespace lrid::learn
