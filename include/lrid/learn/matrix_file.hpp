#pragma once

#include <string>
#include <vector>

#include <Eigen/Core>

#include <lrid/core/index.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/learn/samples.hpp>

namespace lrid::learn {

/// Writes a matrix as a dataset of float64, row-major.
inline void write_matrix(io::hdf5::Group& group, const std::string& name, const Matrix& matrix) {
  group.write(name, std::span<const double>(matrix.data(), to_size(matrix.size())),
              {matrix.rows(), matrix.cols()});
}
/// Reads a matrix. Throws InputError if its shape differs; −1 matches any extent.
inline Matrix read_matrix(const io::hdf5::Group& group, const std::string& name, std::int64_t rows,
                          std::int64_t columns) {
  const io::hdf5::Dataset data = group.dataset(name);
  const std::vector<double> values = data.read<double>({rows, columns});
  return Eigen::Map<const Matrix>(values.data(), data.shape()[0], data.shape()[1]);
}

}  // namespace lrid::learn
