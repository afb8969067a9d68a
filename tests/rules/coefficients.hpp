#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hdf5.h>

namespace lrid::testing {

/// α, β, γ of a rule: the array attribute `coefficients_<rule>` of rules.h5's setup/. (lrid's own files have
/// no array attributes, nor does its wrapper read them; to be called while the wrapper has the file closed.)
inline std::vector<double> coefficients(const std::filesystem::path& file, const std::string& rule) {
  std::vector<double> result(3);
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t attribute =
      H5Aopen_by_name(id, "setup", ("coefficients_" + rule).c_str(), H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_GE(H5Aread(attribute, H5T_NATIVE_DOUBLE, result.data()), 0) << rule;
  H5Aclose(attribute);
  H5Fclose(id);
  return result;
}

}  // namespace lrid::testing
