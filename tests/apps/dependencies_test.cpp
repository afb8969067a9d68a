#include <gtest/gtest.h>

#include "testing.hpp"

namespace lrid {
namespace {

/// Everything the program loads, down to the last library.
std::string libraries_of(const std::string& name) {
  const auto result = testing::run_command("ldd '" + testing::program(name).string() + "'");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

TEST(Dependencies, ClassifyNeedsNeitherLibTorchNorCuda) {
  const std::string libraries = libraries_of("lrid-classify");
  EXPECT_NE(libraries.find("libhdf5"), std::string::npos) << "this test looks at the wrong thing:\n"
                                                          << libraries;
  for (const char* unwanted :
       {"libtorch", "libc10", "libcuda", "libcudart", "libcudnn", "libnvrtc", "libgomp"})
    EXPECT_EQ(libraries.find(unwanted), std::string::npos) << unwanted << " in\n" << libraries;
}

TEST(Dependencies, ClassifyNamesNoneInItsHeaderEither) {
  const auto result = testing::run_command("readelf -d '" + testing::program("lrid-classify").string() + "'");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("NEEDED"), std::string::npos);
  EXPECT_EQ(result.out.find("torch"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace lrid
