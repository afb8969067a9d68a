// Paths that users name: inputs that must survive, links, pipes, devices, names at the limit.
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>

#include "testing.hpp"

namespace lrid {
namespace {

namespace fs = std::filesystem;

class Place : public ::testing::Test {
 protected:
  /// The message of require_writable, "" if it takes the path.
  [[nodiscard]] std::string refusal(const fs::path& out, const std::vector<fs::path>& inputs = {},
                                    Sink sink = Sink::any) const {
    try {
      require_writable(out, "--out", inputs, sink);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  [[nodiscard]] fs::path made(const std::string& name, const std::string& bytes = "raw") const {
    write_atomically(folder_ / name, bytes);
    return folder_ / name;
  }
  [[nodiscard]] fs::path pipe(const std::string& name) const {
    EXPECT_EQ(::mkfifo((folder_ / name).c_str(), 0600), 0);
    return folder_ / name;
  }
  /// Names in the folder, those of temporaries among them.
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(Place, AnInputIsNoOutputWhateverItIsCalled) {
  const fs::path input = made("raw.nwb");
  fs::create_directory(folder_ / "sub");
  fs::create_symlink("raw.nwb", folder_ / "link.nwb");
  fs::create_hard_link(input, folder_ / "twin.nwb");
  fs::create_directory_symlink(".", folder_ / "here");
  for (const char* name : {"raw.nwb", "link.nwb", "twin.nwb", "sub/../raw.nwb", "here/here/raw.nwb"}) {
    EXPECT_NE(refusal(folder_ / name, {folder_ / "other", input}).find("is the input"), std::string::npos)
        << name;
    EXPECT_NE(refusal(input, {folder_ / name}).find("is the input"), std::string::npos) << name;
  }
  EXPECT_EQ(refusal(folder_ / "new.h5", {input}), "");
}

TEST_F(Place, WhatIsInAFolderOfInputsIsOneOfThem) {
  fs::create_directories(folder_ / "images/a");
  const fs::path image = made("images/a/1.jpg");
  fs::create_symlink(image, folder_ / "out.h5");
  EXPECT_NE(refusal(image, {folder_ / "images"}).find("is in the input"), std::string::npos);
  EXPECT_NE(refusal(folder_ / "out.h5", {folder_ / "images"}).find("is in the input"), std::string::npos);
  fs::create_hard_link(image, folder_ / "twin.jpg");
  EXPECT_NE(refusal(folder_ / "twin.jpg", {folder_ / "images"}).find("is in the input"), std::string::npos);
  fs::create_directory(folder_ / "elsewhere");
  fs::create_directory_symlink("../elsewhere", folder_ / "images/b");
  fs::create_symlink("../../other.jpg", folder_ / "images/a/2.jpg");
  for (const char* name : {"elsewhere/3.jpg", "other.jpg"})
    EXPECT_NE(refusal(made(name), {folder_ / "images"}).find("is in the input"), std::string::npos) << name;
  EXPECT_EQ(refusal(folder_ / "images/new.h5", {folder_ / "images"}), "") << "takes nothing away";
  EXPECT_EQ(refusal(made("results.json"), {folder_ / "images"}), "");
  EXPECT_EQ(refusal(image, {folder_ / "other"}), "");
}

TEST_F(Place, ALinkStaysOneAndItsTargetIsReplaced) {
  fs::create_directory(folder_ / "disk");
  const fs::path target = made("disk/target.h5", "old");
  fs::create_symlink("disk/target.h5", folder_ / "link.h5");
  fs::create_symlink("link.h5", folder_ / "second.h5");
  fs::create_symlink("disk/new.h5", folder_ / "dangling.h5");
  for (const char* name : {"link.h5", "second.h5"}) {
    EXPECT_EQ(refusal(folder_ / name), "");
    write_atomically(folder_ / name, name);
    EXPECT_TRUE(fs::is_symlink(folder_ / name));
    EXPECT_EQ(read_file(target), name);
  }
  write_atomically(folder_ / "dangling.h5", "new");
  EXPECT_EQ(read_file(folder_ / "disk/new.h5"), "new");
  EXPECT_EQ(files(), 4U);
  fs::create_symlink("circle", folder_ / "circle");
  EXPECT_NE(refusal(folder_ / "circle").find("Too many levels"), std::string::npos);
}

TEST_F(Place, APipeIsWrittenToAndNotReplaced) {
  const fs::path path = pipe("results.json");
  EXPECT_EQ(refusal(path), "");
  EXPECT_TRUE(is_stream(path));
  EXPECT_FALSE(is_stream(folder_ / "new"));
  EXPECT_NE(refusal(path, {}, Sink::file).find("is a pipe"), std::string::npos);
  std::string received;
  std::thread reader([&] { received = read_file(path); });
  const std::string sent(200000, 'x');  // more than a pipe holds
  write_atomically(path, sent);
  reader.join();
  EXPECT_EQ(received, sent);
  EXPECT_TRUE(fs::is_fifo(path));
}

TEST_F(Place, ADeviceIsWrittenToAndNotReplaced) {
  fs::create_symlink("/dev/full", folder_ / "full");
  fs::create_symlink("/dev/null", folder_ / "null");
  write_atomically(folder_ / "null", "bytes");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_THROW(write_atomically(folder_ / "full", "bytes"), WorkError);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  EXPECT_EQ(files(), 2U);
}

TEST_F(Place, AnOpenDescriptorIsWrittenToWhereItIs) {
  const fs::path path = made("redirected", "");
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND);
  const std::string name = "/dev/fd/" + std::to_string(descriptor);
  EXPECT_EQ(refusal(name), "");
  EXPECT_NE(refusal(name, {path}).find("is the input"), std::string::npos);
  EXPECT_NE(refusal("/proc/self/fd/999999").find("is not open for writing"), std::string::npos);
  write_atomically(name, "one ");
  write_atomically(name, "two");
  ::close(descriptor);
  EXPECT_EQ(read_file(path), "one two");
  EXPECT_EQ(summary_stream("-"), stderr);
  EXPECT_EQ(summary_stream("/dev/stdout"), stderr);
  EXPECT_EQ(summary_stream(path), stdout);
}

TEST_F(Place, NamesUpToTheLimitWork) {
  const fs::path path = folder_ / std::string(255, 'a');
  EXPECT_EQ(refusal(path), "");
  write_atomically(path, "whole");
  EXPECT_EQ(read_file(path), "whole");
  EXPECT_NE(refusal(folder_ / std::string(256, 'a')).find("name too long"), std::string::npos);
  EXPECT_EQ(companion_path(folder_ / "r.json", ".cells"), folder_ / "r.json.cells");
  const fs::path companion = companion_path(path, ".cells");
  EXPECT_TRUE(companion.filename().string().ends_with(".cells"));
  EXPECT_NE(companion, companion_path(folder_ / std::string(254, 'a'), ".cells"));
  write_atomically(temporary_path(path), "left by a killed process");
  EXPECT_EQ(files(), 2U);
  remove_temporaries_of({path});
  EXPECT_EQ(files(), 1U);
}

TEST_F(Place, ALimitOnFileSizeIsAnErrorAndLeavesNothing) {
  std::signal(SIGXFSZ, SIG_IGN);  // as run_app does
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_atomically(folder_ / "out.h5", std::string(5000, 'x')), WorkError);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(files(), 0U);
}

TEST_F(Place, WhatIsWriteProtectedIsKept) {
  const fs::path path = made("raw.h5");
  fs::permissions(path, fs::perms::owner_read);
  EXPECT_NE(refusal(path).find("is write-protected"), std::string::npos);
}

TEST_F(Place, WaitingForAPipeCanBeInterrupted) {
  const fs::path path = pipe("never written");
  std::thread signal([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    request_interrupt();
  });
  EXPECT_THROW(read_file(path), Interrupted);
  signal.join();
  EXPECT_THROW(write_atomically(pipe("never read"), "bytes"), Interrupted);
  request_interrupt(false);
  EXPECT_THROW(require_input_file(path), InputError) << "at once";
}

TEST_F(Place, WaitingForAMountCanBeInterrupted) {
  request_interrupt();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(interruptibly([] { std::this_thread::sleep_for(std::chrono::seconds(20)); }), Interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << "it waited for the call";
  request_interrupt(false);
  EXPECT_EQ(type_of(folder_.path()), fs::file_type::directory);
  EXPECT_EQ(type_of(folder_ / "missing"), fs::file_type::not_found);
}

TEST_F(Place, FilesAreTheSameByWhatTheyAre) {
  const fs::path path = made("a");
  fs::create_hard_link(path, folder_ / "b");
  EXPECT_TRUE(same_file(path, folder_ / "b"));
  EXPECT_FALSE(same_file(path, made("c")));
  EXPECT_FALSE(same_file(path, folder_ / "missing"));
  EXPECT_TRUE(same_file(folder_ / "missing", folder_ / "./missing"));
}

}  // namespace
}  // namespace lrid
