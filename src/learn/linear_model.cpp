#include "linear_model.hpp"

#include <lrid/learn/matrix_file.hpp>

#include "kernels/dense.hpp"

namespace lrid::learn {

Matrix LinearModel::scores(const Samples& samples) const {
  return decision_values(samples, weights_);
}

void LinearModel::save(io::hdf5::Group& group) const {
  write_matrix(group, "weights", weights_);
}

std::unique_ptr<LinearModel> LinearModel::load(const io::hdf5::Group& group, const Layout& layout,
                                               int classes) {
  return std::make_unique<LinearModel>(read_matrix(group, "weights", 1 + layout.columns(), classes));
}

Matrix decision_values(const Samples& samples, const Matrix& weights) {
  Matrix result(samples.size(), weights.cols());
  multiply(samples.size(), samples.x.cols(), weights.cols(),
           Factor<double>{samples.x.data(), samples.x.cols()},
           Factor<double>{weights.row(1).data(), weights.cols()}, 0, result.data(), weights.cols());
  result.rowwise() += weights.row(0);
  return result;
}

}  // namespace lrid::learn
