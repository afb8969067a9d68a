#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/io/hdf5.hpp>

#include "python.hpp"
#include "testing.hpp"

namespace lrid::io::hdf5 {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

OutputFile example() {
  OutputFile file("lrid-test");
  file.root().set_attribute<std::string>("text", "naïve µ");
  file.root().set_attribute("number", 2.5);
  std::vector<float> ramp(300 * 1000);
  std::iota(ramp.begin(), ramp.end(), 0.F);
  file.root().write("deep/ramp", ramp, {300, 10, 100}, Storage::compressed);
  file.root().write<std::string>("names", {"α", "", "c d"});
  file.root().write("empty", std::vector<std::int64_t>{}, {0, 5}, Storage::compressed);
  Group group = file.root().create_group("group");
  group.write<std::int16_t>("small", {-3, 4}, {2});
  return file;
}

TEST(Hdf5, ReadsBackWhatItWrote) {
  const lrid::testing::TemporaryFolder folder;
  example().save(folder / "a.h5");
  const InputFile file(folder / "a.h5");
  file.require_format("lrid-test");
  const Group& root = file.root();
  EXPECT_EQ(root.attribute<std::string>("text"), "naïve µ");
  EXPECT_EQ(root.attribute<double>("number"), 2.5);
  EXPECT_EQ(root.attribute_or<std::int64_t>("absent", 7), 7);
  EXPECT_THAT(root.names(), ElementsAre("deep", "empty", "group", "names"));
  EXPECT_THAT(root.dataset("names").read<std::string>(), ElementsAre("α", "", "c d"));
  EXPECT_THAT(root.dataset("empty").read<std::int64_t>({0, 5}), ElementsAre());
  EXPECT_THAT(root.group("group").dataset("small").read<double>(), ElementsAre(-3.0, 4.0));

  const Dataset ramp = root.dataset("deep/ramp");
  EXPECT_EQ(ramp.type_name(), "float32");
  const auto all = ramp.read<float>({-1, 10, 100});
  EXPECT_EQ(all.at(299999), 299999.F);
  EXPECT_THAT(ramp.read_block<double>({2, 3, 98}, {1, 2, 2}),
              ElementsAre(2398, 2399, 2498, 2499));  // 1000·2 + 100·3 + 98, …
}

TEST(Hdf5, EqualContentGivesEqualBytes) {
  const std::string bytes = example().bytes();
  std::vector<char> garbage(1 << 22, 'x');  // what malloc hands out next must not show in the file
  garbage = {};
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 times have a resolution of a second
  EXPECT_TRUE(example().bytes() == bytes);
}

TEST(Hdf5, NamesFileAndObjectOfWhatIsWrong) {
  const lrid::testing::TemporaryFolder folder;
  example().save(folder / "a.h5");
  const InputFile file(folder / "a.h5");
  const Group& root = file.root();
  EXPECT_THAT(
      [&] { file.require_format("lrid-dataset"); },
      ThrowsMessage<InputError>(AllOf(HasSubstr("a.h5"), HasSubstr("lrid-test"), HasSubstr("lrid-dataset"))));
  EXPECT_THAT([&] { (void)root.dataset("deep/none"); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("a.h5"), HasSubstr("/deep/none is missing"))));
  EXPECT_THAT([&] { (void)root.dataset("none/none"); }, ThrowsMessage<InputError>(HasSubstr("is missing")));
  EXPECT_THAT([&] { (void)root.dataset("deep"); },
              ThrowsMessage<InputError>(HasSubstr("/deep is no dataset, expected one")));
  EXPECT_THAT(
      [&] {
        (void)root.dataset("deep/ramp").read<float>({300, 10});
      },
      ThrowsMessage<InputError>(HasSubstr("[300, 10, 100], expected [300, 10]")));
  EXPECT_THAT([&] { (void)root.dataset("deep/ramp").read<std::int64_t>(); },
              ThrowsMessage<InputError>(HasSubstr("expected integers")));
  EXPECT_THAT([&] { (void)root.dataset("names").read<float>(); },
              ThrowsMessage<InputError>(HasSubstr("expected numbers")));
  EXPECT_THAT([&] { (void)root.attribute<std::int64_t>("text"); },
              ThrowsMessage<InputError>(HasSubstr("expected integers")));
  EXPECT_THAT([&] { (void)root.attribute<double>("none"); },
              ThrowsMessage<InputError>(HasSubstr("\"none\" is missing")));
}

TEST(Hdf5, RefusesFilesThatAreMissingForeignOrTruncatedAndPrintsNothing) {
  const lrid::testing::TemporaryFolder folder;
  const std::string bytes = example().bytes();
  write_atomically(folder / "whole.h5", bytes);
  write_atomically(folder / "text.h5", std::string("not an HDF5 file"));
  write_atomically(folder / "empty.h5", std::string());

  ::testing::internal::CaptureStderr();
  EXPECT_THAT([&] { InputFile file(folder / "none.h5"); },
              ThrowsMessage<InputError>(HasSubstr("no such file")));
  EXPECT_THAT([&] { InputFile file(folder.path()); }, ThrowsMessage<InputError>(HasSubstr("is a folder")));
  for (const char* name : {"text.h5", "empty.h5"})
    EXPECT_THAT([&] { InputFile file(folder / name); },
                ThrowsMessage<InputError>(
                    AllOf(HasSubstr(name), HasSubstr("not an HDF5 file"), Not(HasSubstr("\n")))));
  for (std::size_t part = 1; part < 20; ++part) {
    write_atomically(folder / "cut.h5", bytes.substr(0, bytes.size() * part / 20));
    EXPECT_THROW(InputFile file(folder / "cut.h5"), InputError) << part;
  }
  // Damage inside: some of it shows only when the data are read, none of it may crash or print.
  int refused = 0;
  for (std::size_t at = 0; at + 64 < bytes.size(); at += bytes.size() / 97) {
    std::string damaged = bytes;
    for (std::size_t i = 0; i < 64; ++i) damaged[at + i] = static_cast<char>(0xFF);
    write_atomically(folder / "damaged.h5", damaged);
    try {
      const InputFile file(folder / "damaged.h5");
      (void)file.root().dataset("deep/ramp").read<float>();
      (void)file.root().dataset("names").read<std::string>();
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 5);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

/// libhdf5 copies a chunk's bytes without asking how many there are.
TEST(Hdf5, ChunksHoldWhatTheirShapeSays) {
  const std::string python = lrid::testing::python_with_h5py();
  ASSERT_NE(python, "") << lrid::testing::no_h5py;
  const lrid::testing::TemporaryFolder folder;
  const auto path = folder / "chunks.h5";
  const auto made =
      lrid::testing::run_python(python, "tests/io/make_short_chunks.py", "'" + path.string() + "'");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const InputFile file(path);
  EXPECT_EQ(file.root().dataset("good").read<float>().at(15), 7.F);
  for (const char* name : {"short", "long", "cut", "unfiltered"})
    EXPECT_THAT([&] { (void)file.root().dataset(name).read<float>(); },
                ThrowsMessage<InputError>(
                    AllOf(HasSubstr(std::string("chunks.h5: /") + name), HasSubstr("32 bytes"))));
}

/// Files of tests/io/make_foreign.py.
class ForeignHdf5 : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string python = lrid::testing::python_with_h5py();
    ASSERT_NE(python, "") << lrid::testing::no_h5py;
    const auto made =
        lrid::testing::run_python(python, "tests/io/make_foreign.py", "'" + folder.path().string() + "'");
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  lrid::testing::TemporaryFolder folder;
};

TEST_F(ForeignHdf5, TextsAreWhatIsStored) {
  const InputFile file(folder / "a.h5");
  const auto texts = [&](const char* name) { return file.root().dataset(name).read_texts(); };
  EXPECT_THAT(texts("float32"), ElementsAre("0.1", "45", "nan", "1e-20", "-inf"));
  EXPECT_THAT(texts("float64"), ElementsAre("0.1", "0.3333333333333333"));
  EXPECT_THAT(texts("uint64"), ElementsAre("18446744073709551615", "7"));
  EXPECT_THAT(texts("int8"), ElementsAre("-3"));
  EXPECT_THAT(texts("bool"), ElementsAre("TRUE", "FALSE"));
  EXPECT_THAT(texts("enum"), ElementsAre("high", "low", "4"));
  EXPECT_EQ(file.root().attribute_text("float32"), "0.1");
  EXPECT_EQ(file.root().attribute_text("bool"), "TRUE");
  EXPECT_EQ(file.root().attribute_text("uint64"), "18446744073709551615");
  EXPECT_EQ(file.root().attribute_text("list"), std::nullopt);
}

TEST_F(ForeignHdf5, IntegersThatDoNotFitAreRefused) {
  const InputFile file(folder / "a.h5");
  const Group& root = file.root();
  EXPECT_THAT(root.dataset("uint64").read<std::uint64_t>(), ElementsAre(~std::uint64_t{0}, 7));
  EXPECT_THAT([&] { (void)root.dataset("uint64").read<std::int64_t>(); },
              ThrowsMessage<InputError>(HasSubstr("a.h5: /uint64: holds uint64 values out of range")));
  EXPECT_THAT([&] { (void)root.dataset("large").read<std::uint8_t>(); },
              ThrowsMessage<InputError>(HasSubstr("out of range")));
  EXPECT_THAT([&] { (void)root.attribute<std::int64_t>("uint64"); },
              ThrowsMessage<InputError>(HasSubstr("18446744073709551615 is out of range")));
  EXPECT_THAT(root.dataset("large").read<float>(), ElementsAre(1, 300));
}

TEST_F(ForeignHdf5, LinksAreFollowedOnce) {
  const InputFile file(folder / "a.h5");
  std::vector<std::string> texts;
  for (const Group::Linked& linked : file.root().linked())
    texts.push_back(fmt::format("{} {} {} {}", linked.path, linked.target, linked.same_as,
                                static_cast<int>(linked.leads)));
  EXPECT_THAT(texts, ElementsAre("gone c.h5:/x  2", "nowhere /no/such  2", "out b.h5:/deep  0",
                                 "out/back a.h5:/ / 0", "out/data   1", "out/up /  0", "out/up/deep  out 0",
                                 "out/up/deep/data  out/data 1", "soft /group/inner group/again 0"));
  EXPECT_THAT(file.root().group("out").dataset("data").read<double>(), ElementsAre(0, 1, 2));
}

/// From libhdf5 1.14.4 on chunk addresses count from the file's beginning, before that from the user block's
/// end. The checks before reading must be right for both.
TEST_F(ForeignHdf5, DataBehindAUserBlock) {
  for (const char* name : {"block_earliest.h5", "block_v110.h5"}) {
    const InputFile file(folder / name);
    for (const char* data : {"gzip", "plain", "contiguous"}) {
      const auto values = file.root().dataset(data).read<float>({300, 200});
      EXPECT_EQ(values.at(12345), 12345.F) << name << " " << data;
      EXPECT_THAT(file.root().dataset(data).read_block<float>({299, 198}, {1, 2}), ElementsAre(59998, 59999));
    }
    EXPECT_EQ(file.root().dataset("texts").read<std::string>().at(321), "text 321") << name;
    EXPECT_EQ(file.root().attribute<std::string>("text"), "of variable length");
  }
}

TEST(Hdf5, ManyThreadsMayReadAndWrite) {
  const lrid::testing::TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  for (std::size_t i = 0; i < good.size(); ++i)
    threads.emplace_back([&, i] {
      const auto path = folder / (std::to_string(i) + ".h5");
      for (int round = 0; round < 5; ++round) {
        example().save(path);
        good[i] += InputFile(path).root().dataset("deep/ramp").read<float>().back() == 299999.F;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(good, ::testing::Each(5));
}

TEST(Hdf5, ASaveThatFailsLeavesTheOldFile) {
  const lrid::testing::TemporaryFolder folder;
  EXPECT_THROW(example().save(folder / "no/such/folder.h5"), WorkError);
}

}  // namespace
}  // namespace lrid::io::hdf5
