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
#include <lrid/sweep/leases.hpp>

#include "testing.hpp"

namespace lrid::sweep {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

constexpr double stale_seconds = 0.4;

/// Leaves a lease as another host's or an ended process would.
fs::path put_lease(const fs::path& out, const LeaseHolder& holder, const std::string& content = "{}") {
  const fs::path file = fs::path(out).concat(".claim") / holder.text();
  fs::create_directory(file.parent_path());
  std::ofstream(file) << content;
  return file;
}

LeaseHolder elsewhere() {
  LeaseHolder holder = LeaseHolder::this_process();
  holder.host = "node17.cluster.example";
  holder.machine ^= 1;
  return holder;
}

/// A process of this machine that has ended.
LeaseHolder ended() {
  LeaseHolder holder = LeaseHolder::this_process();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  holder.pid = child;
  return holder;
}

int files_in(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Lease, AHolderIsReadBackFromItsText) {
  const LeaseHolder holder = elsewhere();
  const auto read = LeaseHolder::parse(holder.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), holder.text());
  EXPECT_EQ(read->host, "node17.cluster.example");
  EXPECT_EQ(read->life(), LeaseHolder::Life::unknown);
  EXPECT_EQ(LeaseHolder::this_process().life(), LeaseHolder::Life::running);
  EXPECT_EQ(ended().life(), LeaseHolder::Life::ended);
  for (const char* text : {"", "host", ".nfs000123", "host.1.2.3", "host.x.2.0.0", ".1.2.0.0"})
    EXPECT_FALSE(LeaseHolder::parse(text)) << text;
}

TEST(Lease, OneHolderAtATimeAndNothingIsLeft) {
  const TemporaryFolder folder;
  Leases first(stale_seconds), second(stale_seconds);
  {
    const auto lease = first.acquire(folder / "run.h5");
    ASSERT_TRUE(lease);
    EXPECT_NO_THROW(lease->require());
    EXPECT_FALSE(first.acquire(folder / "run.h5"));
    EXPECT_EQ(first.standing(folder / "run.h5"), Leases::Standing::alive);
    EXPECT_TRUE(first.acquire(folder / "other.h5"));
  }
  EXPECT_EQ(files_in(folder.path()), 0);
  EXPECT_TRUE(second.acquire(folder / "run.h5"));
}

TEST(Lease, OfManyThatTryAtTheSameTimeOneGetsIt) {
  constexpr int tries = 4;
  for (int round = 0; round < 100; ++round) {
    const TemporaryFolder folder;
    // Free, or to be taken over.
    if (round % 2 == 1) put_lease(folder / "run.h5", ended());
    std::array<int, 2> start{}, answers{};
    ASSERT_EQ(::pipe(start.data()) + ::pipe(answers.data()), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < tries; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::alarm(60);  // should the parent give up, it holds no lease for ever
        ::close(start[1]);
        Leases leases(stale_seconds);
        char byte = 0;
        static_cast<void>(::read(start[0], &byte, 1));  // until the parent closes it
        const auto lease = leases.acquire(folder / "run.h5");
        byte = lease ? 'y' : 'n';
        static_cast<void>(::write(answers[1], &byte, 1));
        while (lease && !fs::exists(folder / "done")) std::this_thread::yield();
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

TEST(Lease, AProcessOfThisMachineThatEndedIsStaleAtOnce) {
  const TemporaryFolder folder;
  Leases leases(1000);
  put_lease(folder / "run.h5", ended());
  EXPECT_TRUE(leases.acquire(folder / "run.h5"));
  // The number has been given to another process: its start differs.
  LeaseHolder reused = LeaseHolder::this_process();
  reused.pid = ::getppid();
  reused.started -= 1;
  put_lease(folder / "run.h5", reused);
  EXPECT_TRUE(leases.acquire(folder / "run.h5"));
  EXPECT_EQ(files_in(folder.path()), 0);
}

TEST(Lease, AnotherHostsLeaseIsStaleWhenItsHeartbeatStops) {
  const TemporaryFolder folder;
  Leases leases(stale_seconds);
  const fs::path out = folder / "run.h5";
  const fs::path file = put_lease(out, elsewhere(), "1");
  // Its clock does not matter.
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1000));
  EXPECT_FALSE(leases.acquire(out));
  EXPECT_EQ(leases.standing(out), Leases::Standing::held);
  for (int beat = 2; beat < 8; ++beat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::ofstream(file) << beat;
    fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::hours(beat % 2 == 0 ? 9 : -9));
    EXPECT_EQ(leases.standing(out), Leases::Standing::alive) << beat;
    EXPECT_FALSE(leases.acquire(out));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  const auto lease = leases.acquire(out);
  ASSERT_TRUE(lease);
  EXPECT_NO_THROW(lease->require());
}

TEST(Lease, WhoWasTakenOverLearnsOfItAndSpoilsNothing) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run.h5";
  Leases leases(stale_seconds);
  const auto record_of = [&] { return fs::directory_iterator(out.string() + ".claim")->path(); };
  {
    const auto lease = leases.acquire(out);
    ASSERT_TRUE(lease);
    // As another host would, after this process had been stopped for long.
    const fs::path theirs = fs::path(out).concat(".claim") / elsewhere().text();
    fs::rename(record_of(), theirs);
    EXPECT_THROW(lease->require(), train::LeaseLost);
  }
  EXPECT_EQ(files_in(folder.path()), 1) << "the other's lease is still there";
}

TEST(Lease, HeartbeatsChangeAndTellHowFarTheRunIs) {
  const TemporaryFolder folder;
  const fs::path out = folder / "run.h5";
  Leases leases(stale_seconds);
  const auto lease = leases.acquire(out);
  lease->report({.step = 30, .steps = 90, .first_step = 10, .seconds = 4, .device = "cpu"});
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  const auto record = read_lease(out);
  ASSERT_TRUE(record && record->progress);
  EXPECT_EQ(record->holder.pid, ::getpid());
  EXPECT_EQ(record->progress->step, 30);
  EXPECT_EQ(record->progress->steps, 90);
  EXPECT_EQ(record->progress->first_step, 10);
  EXPECT_EQ(record->progress->seconds, 4);
  EXPECT_EQ(record->progress->device, "cpu");
  EXPECT_LT(record->silent_seconds, 3);
}

TEST(Lease, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  Leases leases(stale_seconds);
  EXPECT_THROW(static_cast<void>(leases.acquire(folder / "missing/run.h5")), WorkError);
  fs::create_directory(folder / "runs");
  const auto lease = leases.acquire(folder / "runs/run.h5");
  fs::remove_all(folder / "runs");
  EXPECT_THROW(lease->require(), WorkError);
}

}  // namespace
}  // namespace lrid::sweep
