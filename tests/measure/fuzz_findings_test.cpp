// Inputs that fuzzing found (tests/fuzz/findings; *.patch are inputs of its harness `patches`), and what it
// starts from: nothing but InputError.
#include <filesystem>
#include <string_view>

#include <gtest/gtest.h>

#include <lrid/core/file.hpp>

#include "../fuzz/damaged_file.hpp"
#include "../fuzz/read_anything.hpp"
#include "testing.hpp"

namespace lrid::measure {
namespace {

TEST(FuzzFindings, AreBadInputAndNoMore) {
  const auto data = [](const std::string& bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
  };
  const std::filesystem::path here = lrid::testing::source_dir() / "tests/fuzz";
  int files = 0;
  for (const char* folder : {"corpus", "findings"})
    for (const auto& entry : std::filesystem::directory_iterator(here / folder)) {
      SCOPED_TRACE(entry.path().string());
      std::string bytes = read_file(entry.path());
      if (entry.path().extension() == ".patch")
        bytes = fuzzing::damaged_file(here / "corpus", data(bytes), bytes.size());
      bool is_good = false;
      EXPECT_NO_THROW(is_good = fuzzing::read_anything(data(bytes), bytes.size()));
      EXPECT_TRUE(is_good || std::string_view(folder) == "findings");
      ++files;
    }
  EXPECT_GT(files, 5);
}

}  // namespace
}  // namespace lrid::measure
