#include <lrid/core/index.hpp>
#include <lrid/learn/scaler.hpp>

namespace lrid::learn {

Scaler::Scaler(const FloatMatrix& x, const Layout& layout, const Rows& rows)
    : mean_(Eigen::RowVectorXd::Zero(layout.columns())), sd_(Eigen::RowVectorXd::Ones(layout.columns())) {
  const std::int64_t d = layout.series_columns();
  const double n = static_cast<double>(rows.size());
  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(d), squares = Eigen::RowVectorXd::Zero(d);
  for (const std::int64_t row : rows) sum += x.row(row).tail(d).cast<double>();
  sum /= n;
  // Two passes: observables span 20 decades, and E[x²] − E[x]² would cancel.
  for (const std::int64_t row : rows) squares += (x.row(row).tail(d).cast<double>() - sum).cwiseAbs2();
  mean_.tail(d) = sum;
  sd_.tail(d) = (squares / n).cwiseSqrt().cwiseMax(min_sd);
}

Samples Scaler::apply(const FloatMatrix& x, const Layout& layout, const Rows& rows) const {
  Samples samples{
      .layout = layout, .x = Matrix(std::ssize(rows), layout.columns()), .labels = {}, .classes = 0};
  for (std::size_t i = 0; i < rows.size(); ++i)
    samples.x.row(static_cast<std::int64_t>(i)) = (x.row(rows[i]).cast<double>() - mean_).cwiseQuotient(sd_);
  return samples;
}

}  // namespace lrid::learn
