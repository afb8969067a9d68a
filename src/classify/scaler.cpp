#include <lrid/classify/scaler.hpp>

namespace lrid::classify {

Scaler::Scaler(const FeatureTable& table, const Rows& rows)
    : mean_(Eigen::RowVectorXd::Zero(table.layout.columns())),
      sd_(Eigen::RowVectorXd::Ones(table.layout.columns())) {
  const std::int64_t position = table.layout.position_columns(), d = table.layout.continuous_columns();
  const double n = static_cast<double>(rows.size());
  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(d), squares = Eigen::RowVectorXd::Zero(d);
  for (const std::int64_t row : rows) sum += table.x.row(row).tail(d).cast<double>();
  sum /= n;
  // Two passes: observables span 20 decades, and E[x²] − E[x]² would cancel.
  for (const std::int64_t row : rows) squares += (table.x.row(row).tail(d).cast<double>() - sum).cwiseAbs2();
  mean_.tail(d) = sum;
  sd_.tail(d) = (squares / n).cwiseSqrt().cwiseMax(min_sd);
  sd_.head(position).setOnes();
}

Samples Scaler::apply(const FeatureTable& table, const Rows& rows) const {
  Samples samples{.layout = table.layout,
                  .x = Matrix(static_cast<std::int64_t>(rows.size()), table.layout.columns()),
                  .labels = {},
                  .classes = 0};
  for (std::size_t i = 0; i < rows.size(); ++i)
    samples.x.row(static_cast<std::int64_t>(i)) =
        (table.x.row(rows[i]).cast<double>() - mean_).cwiseQuotient(sd_);
  return samples;
}

Samples Scaler::apply(const FeatureTable& table, const Rows& rows, const Target& target) const {
  Samples samples = apply(table, rows);
  samples.labels = target.labels_of(rows);
  samples.classes = static_cast<int>(target.classes.size());
  return samples;
}

}  // namespace lrid::classify
