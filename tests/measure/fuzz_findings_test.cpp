// What fuzzing found (tests/fuzz/findings), and what it starts from: nothing but InputError.
#include <filesystem>
#include <string_view>

#include <gtest/gtest.h>

#include <lrid/core/file.hpp>

#include "../fuzz/read_anything.hpp"
#include "testing.hpp"

namespace lrid::measure {
namespace {

TEST(FuzzFindings, AreBadInputAndNoMore) {
  int files = 0;
  for (const char* folder : {"corpus", "findings"})
    for (const auto& entry :
         std::filesystem::directory_iterator(lrid::testing::source_dir() / "tests/fuzz" / folder)) {
      SCOPED_TRACE(entry.path().string());
      const std::string bytes = read_file(entry.path());
      bool is_good = false;
      EXPECT_NO_THROW(is_good = fuzzing::read_anything(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                       bytes.size()));
      EXPECT_EQ(is_good, std::string_view(folder) == "corpus");
      ++files;
    }
  EXPECT_GT(files, 5);
}

}  // namespace
}  // namespace lrid::measure
