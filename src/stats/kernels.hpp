#pragma once

#include <cstddef>

namespace lrid::stats {

/// First pass over a set: what the second needs to know of it.
struct Overview {
  double sum = 0, sum_abs = 0, sum_square = 0;
  double low = 0, high = 0;  ///< smallest and largest value; meaningless if sum_abs is NaN
};

/// Mean of d, d², d³, d⁴ where d is the distance from a centre.
struct Moments {
  double first = 0, second = 0, third = 0, fourth = 0;
};

struct Centres {
  double raw, absolute, square;
};

struct AllMoments {
  Moments raw, absolute, square;
};

/// Both read every value times `scale` (a power of two). n ≥ 1.
Overview overview(const float* values, std::size_t n, double scale);
Overview overview(const double* values, std::size_t n, double scale);

/// `with_absolute`: false where no value is negative, `absolute` then stays 0.
AllMoments moments(const float* values, std::size_t n, double scale, const Centres& centres,
                   bool with_absolute);
AllMoments moments(const double* values, std::size_t n, double scale, const Centres& centres,
                   bool with_absolute);

/// Σ weight_j over the j with value_j > 0.
double sum_where_positive(const float* values, const double* weights, std::size_t n);
double sum_where_positive(const double* values, const double* weights, std::size_t n);

}  // namespace lrid::stats
