#include <algorithm>
#include <numeric>

#include <lrid/core/parallel.hpp>
#include <lrid/core/text.hpp>
#include <lrid/learn/baselines.hpp>
#include <lrid/learn/matrix_file.hpp>

#include "grid.hpp"
#include "kernels/kernels.hpp"

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

/// Votes of the nearest neighbours for several numbers of them: [number] of [n, classes].
std::vector<Matrix> neighbours_votes(const Matrix& known, const std::vector<int>& labels, int classes,
                                     const Matrix& x, const std::vector<std::int64_t>& numbers) {
  const Eigen::Index n = known.rows(), d = known.cols();
  const Matrix turned = known.transpose();
  const Eigen::VectorXd squares = known.rowwise().squaredNorm();
  const std::int64_t most = std::min<std::int64_t>(*std::ranges::max_element(numbers), n);
  std::vector<Matrix> votes(numbers.size(), Matrix::Zero(x.rows(), classes));
  constexpr Eigen::Index block = 64;  // of rows
  parallel_each(static_cast<std::size_t>((x.rows() + block - 1) / block), [&](std::size_t i) {
    const Eigen::Index begin = static_cast<Eigen::Index>(i) * block,
                       count = std::min(block, x.rows() - begin);
    Matrix products(count, n);
    kernels().dense.multiply(count, d, n, x.row(begin).data(), d, turned.data(), n, products.data(), n);
    std::vector<std::pair<double, Eigen::Index>> order(static_cast<std::size_t>(n));
    for (Eigen::Index row = 0; row < count; ++row) {
      for (Eigen::Index j = 0; j < n; ++j)
        order[static_cast<std::size_t>(j)] = {squares(j) - 2 * products(row, j), j};
      std::ranges::partial_sort(order, order.begin() + most);
      for (std::size_t k = 0; k < numbers.size(); ++k) {
        const std::int64_t taken = std::min(numbers[k], most);
        for (std::int64_t j = 0; j < taken; ++j)
          votes[k](begin + row,
                   labels[static_cast<std::size_t>(order[static_cast<std::size_t>(j)].second)]) +=
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

}  // namespace

GridOutcome Majority::fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const {
  return {.scores = {majority_of(train).scores(validation)}, .computed = 1};
}

std::unique_ptr<Model> Majority::fit(const Samples& train, const Setting& /*setting*/, Key /*key*/) const {
  return std::make_unique<MajorityModel>(majority_of(train));
}

std::unique_ptr<Model> Majority::load(const io::hdf5::Group& group, const Layout& layout, int classes) const {
  const auto columns = group.attribute<std::int64_t>("columns");
  if (columns != layout.columns())
    group.fail(fmt::format("fitted to {}: expected {}", counted(columns, "feature"), layout.columns()));
  return std::make_unique<MajorityModel>(read_matrix(group, "shares", 1, classes), columns);
}

void NearestNeighbours::declare(Options& options) {
  options.add("knn.neighbours", neighbours_, Accepts::at_least(1), "grid: nearest samples that vote");
  if (neighbours_.empty()) options.fail("knn.neighbours", "is empty: expected at least one value");
}

std::vector<Setting> NearestNeighbours::settings() const {
  std::vector<Setting> result;
  for (const std::int64_t number : neighbours_) result.push_back({{"neighbours", number}});
  return result;
}

std::vector<std::string> NearestNeighbours::notes() const {
  return {};  // not one of the study's
}

GridOutcome NearestNeighbours::fit_grid(const Samples& train, const Samples& validation, Key /*key*/) const {
  return {.scores = neighbours_votes(train.x, train.labels, train.classes, validation.x, neighbours_),
          .computed = static_cast<std::int64_t>(neighbours_.size())};
}

std::unique_ptr<Model> NearestNeighbours::fit(const Samples& train, const Setting& setting,
                                              Key /*key*/) const {
  return std::make_unique<NearestNeighboursModel>(train.x, train.labels, train.classes,
                                                  std::get<std::int64_t>(setting.at("neighbours")));
}

std::unique_ptr<Model> NearestNeighbours::load(const io::hdf5::Group& group, const Layout& layout,
                                               int classes) const {
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

}  // namespace lrid::learn
