#include <Eigen/SVD>

#include <lrid/classify/pca.hpp>

namespace lrid::classify {

Pca::Pca(const Eigen::Ref<const Matrix>& x) {
  // Components of the wide side; Eigen's divide and conquer first reduces the long one by QR.
  if (x.cols() == 0) return;
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinV);
  singular_values_ = svd.singularValues();
  components_ = svd.matrixV();
  const double floor = tolerance * singular_values_(0);
  rank_ = (singular_values_.array() > floor).count();
}

Matrix Pca::apply(const Eigen::Ref<const Matrix>& x) const {
  return x * components_;
}

}  // namespace lrid::classify
