#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/train/claim.hpp>

#include "testing.hpp"

namespace lrid::train {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

constexpr double stale_seconds = 0.4;

/// What a process elsewhere, or one that is no more, would have left.
fs::path put_claim(const fs::path& out, const ClaimHolder& holder, const std::string& content = "{}") {
  const fs::path file = fs::path(out).concat(".claim") / holder.text();
  fs::create_directory(file.parent_path());
  std::ofstream(file) << content;
  return file;
}

ClaimHolder elsewhere() {
  ClaimHolder holder = ClaimHolder::this_process();
  holder.host = "node17.cluster.example";
  holder.machine ^= 1;
  return holder;
}

/// A process of this machine that has ended.
ClaimHolder ended() {
  ClaimHolder holder = ClaimHolder::this_process();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  holder.pid = child;
  return holder;
}

int files_in(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Claim, AHolderIsReadBackFromItsText) {
  const ClaimHolder holder = elsewhere();
  const auto read = ClaimHolder::parse(holder.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), holder.text());
  EXPECT_EQ(read->host, "node17.cluster.example");
  EXPECT_EQ(read->life(), ClaimHolder::Life::unknown);
  EXPECT_EQ(ClaimHolder::this_process().life(), ClaimHolder::Life::running);
  EXPECT_EQ(ended().life(), ClaimHolder::Life::ended);
  for (const char* text : {"", "host", ".nfs000123", "host.1.2.3", "host.x.2.0.0", ".1.2.0.0"})
    EXPECT_FALSE(ClaimHolder::parse(text)) << text;
}

TEST(Claim, OneHolderAtATimeAndNothingIsLeft) {
  const TemporaryFolder folder;
  Claims first(stale_seconds), second(stale_seconds);
  {
    const auto claim = first.take(folder / "run.h5");
    ASSERT_TRUE(claim);
    EXPECT_NO_THROW(claim->require());
    EXPECT_FALSE(first.take(folder / "run.h5"));
    EXPECT_EQ(first.look(folder / "run.h5"), Claims::Standing::alive);
    EXPECT_TRUE(first.take(folder / "other.h5"));
  }
  EXPECT_EQ(files_in(folder.path()), 0);
  EXPECT_TRUE(second.take(folder / "run.h5"));
}

TEST(Claim, OfManyThatTryAtTheSameTimeOneGetsIt) {
  constexpr int tries = 4;
  for (int round = 0; round < 100; ++round) {
    const TemporaryFolder folder;
    // Free, or to be taken over.
    if (round % 2 == 1) put_claim(folder / "run.h5", ended());
    std::array<int, 2> start{}, answers{};
    ASSERT_EQ(::pipe(start.data()) + ::pipe(answers.data()), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < tries; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(start[1]);
        Claims claims(stale_seconds);
        char byte = 0;
        static_cast<void>(::read(start[0], &byte, 1));  // until the parent closes it
        const auto claim = claims.take(folder / "run.h5");
        byte = claim ? 'y' : 'n';
        static_cast<void>(::write(answers[1], &byte, 1));
        while (claim && !fs::exists(folder / "done")) std::this_thread::yield();
        ::_exit(0);
      }
      children.push_back(child);
    }
    ::close(start[0]);
    ::close(start[1]);
    std::string got(tries, ' ');
    for (char& byte : got) ASSERT_EQ(::read(answers[0], &byte, 1), 1);
    std::ofstream done(folder / "done");
    done.close();
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    ::close(answers[0]);
    ::close(answers[1]);
    ASSERT_EQ(std::ranges::count(got, 'y'), 1) << got << " in round " << round;
  }
}

TEST(Claim, AProcessOfThisMachineThatEndedIsStaleAtOnce) {
  const TemporaryFolder folder;
  Claims claims(1000);
  put_claim(folder / "run.h5", ended());
  EXPECT_TRUE(claims.take(folder / "run.h5"));
  // The number has been given to another process: its start differs.
  ClaimHolder reused = ClaimHolder::this_process();
  reused.pid = ::getppid();
  reused.started -= 1;
  put_claim(folder / "run.h5", reused);
  EXPECT_TRUE(claims.take(folder / "run.h5"));
  EXPECT_EQ(files_in(folder.path()), 0);
}

TEST(Claim, AnotherHostsClaimIsStaleWhenItsHeartbeatStops) {
  const TemporaryFolder folder;
  Claims claims(stale_seconds);
  const fs::path out = folder / "run.h5";
  const fs::path file = put_claim(out, elsewhere(), "1");
  // What its clock says does not matter.
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1000));
  EXPECT_FALSE(claims.take(out));
  EXPECT_EQ(claims.look(out), Claims::Standing::held);
  for (int beat = 2; beat < 8; ++beat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::ofstream(file) << beat;
    fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::hours(beat % 2 == 0 ? 9 : -9));
    EXPECT_EQ(claims.look(out), Claims::Standing::alive) << beat;
    EXPECT_FALSE(claims.take(out));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  const auto claim = claims.take(out);
  ASSERT_TRUE(claim);
  EXPECT_NO_THROW(claim->require());
}

TEST(Claim, WhoWasTakenOverLearnsOfItAndSpoilsNothing) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run.h5";
  Claims claims(stale_seconds);
  const auto record_of = [&] { return fs::directory_iterator(out.string() + ".claim")->path(); };
  {
    const auto claim = claims.take(out);
    ASSERT_TRUE(claim);
    // As another host would, after this process had been stopped for long.
    const fs::path theirs = fs::path(out).concat(".claim") / elsewhere().text();
    fs::rename(record_of(), theirs);
    EXPECT_THROW(claim->require(), ClaimLost);
  }
  EXPECT_EQ(files_in(folder.path()), 1) << "the other's claim is still there";
}

TEST(Claim, HeartbeatsChangeAndTellHowFarTheRunIs) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run.h5";
  Claims claims(stale_seconds);
  const auto claim = claims.take(out);
  claim->report({.step = 30, .steps = 90, .first_step = 10, .seconds = 4, .device = "cpu"});
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  const auto record = read_claim(out);
  ASSERT_TRUE(record && record->progress);
  EXPECT_EQ(record->holder.pid, ::getpid());
  EXPECT_EQ(record->progress->step, 30);
  EXPECT_EQ(record->progress->steps, 90);
  EXPECT_EQ(record->progress->first_step, 10);
  EXPECT_EQ(record->progress->seconds, 4);
  EXPECT_EQ(record->progress->device, "cpu");
  EXPECT_LT(record->silent_seconds, 3);
}

TEST(Claim, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  Claims claims(stale_seconds);
  EXPECT_THROW(static_cast<void>(claims.take(folder / "missing/run.h5")), WorkError);
  fs::create_directory(folder / "runs");
  const auto claim = claims.take(folder / "runs/run.h5");
  fs::remove_all(folder / "runs");
  EXPECT_THROW(claim->require(), WorkError);
}

}  // namespace
}  // namespace lrid::train
