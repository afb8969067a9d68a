// What clusters do to jobs, many times over. Prints the figures that it finds.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <lrid/core/file.hpp>

#include "testing.hpp"
#include "training.hpp"

namespace lrid::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class SoakKill : public ::testing::TestWithParam<const char*> {};

/// 50 for each of the four rules.
TEST_P(SoakKill, AtRandomMomentsLosesNothing) {
  constexpr int kills_wanted = 50;
  const TemporaryFolder folder;
  const std::string rule = GetParam();
  const std::string config = write(folder / "run.toml", tiny);
  const auto run_to = [&](const std::string& name) {
    return lrid_train(
        "run",
        fmt::format(
            "--config '{}' --set learning_rule={} --set epochs=10 --set checkpoint.keep=true --out '{}'",
            config, rule, (folder / name).string()));
  };
  const auto start = Clock::now();
  ASSERT_EQ(run_command(run_to("straight.h5")).exit_code, 0);
  const double whole = seconds_since(start);
  const std::string expected = sha256_of_file(folder / "straight.h5");

  std::mt19937 random(17);
  std::uniform_real_distribution<double> moment(0, 1.1 * whole);
  int kills = 0, networks = 0;
  while (kills < kills_wanted) {
    const pid_t child = testing::start(run_to("run.h5"));
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(moment(random)));
    int status = 0;
    pid_t ended = 0;
    while (ended == 0 && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ended = ::waitpid(child, &status, WNOHANG);
    }
    if (ended == 0) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      kills += WIFSIGNALED(status) ? 1 : 0;
      if (WIFSIGNALED(status)) continue;
    }
    ASSERT_TRUE(WIFEXITED(status)) << status;
    ASSERT_EQ(WEXITSTATUS(status), 0) << "after " << kills << " kills";
    // A later run tidies up after one that was killed between its last write and its end.
    ASSERT_EQ(run_command(run_to("run.h5")).exit_code, 0);
    ASSERT_EQ(sha256_of_file(folder / "run.h5"), expected) << "after " << kills << " kills";
    ASSERT_EQ(leftovers(folder.path()), std::vector<std::string>{}) << "after " << kills << " kills";
    ++networks;
    fs::remove(folder / "run.h5");
  }
  ASSERT_EQ(run_command(run_to("run.h5")).exit_code, 0);
  EXPECT_EQ(sha256_of_file(folder / "run.h5"), expected);
  EXPECT_EQ(leftovers(folder.path()), std::vector<std::string>{});
  fmt::print("{}: {} kills over {} networks of {:.1f} s\n", rule, kills, networks + 1, whole);
}

INSTANTIATE_TEST_SUITE_P(Rules, SoakKill, ::testing::Values("sgdm", "adam", "fa", "ia"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Soak, JobsStartedInTheSameSecondNeverTrainTheSameNetwork) {
  const TemporaryFolder folder;
  const std::string sweep = write(folder / "sweep.toml", tiny + "[sweep]\nmodel_seed = [0]\n");
  const auto to = [&](const std::string& name) {
    return lrid_train("sweep", fmt::format("'{}' --out-dir '{}'", sweep, (folder / name).string()));
  };
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  for (int round = 0; round < 100; ++round) {
    const std::string name = fmt::format("{}", round);
    const pid_t first = testing::start(to(name)), second = testing::start(to(name));
    ASSERT_EQ(wait_for(first), 0);
    ASSERT_EQ(wait_for(second), 0);
    ASSERT_EQ(hashes(folder / name), hashes(folder / "straight"));
    ASSERT_EQ(leftovers(folder / name), std::vector<std::string>{});
    for (const auto& entry : fs::directory_iterator(folder / name)) {
      if (entry.path().extension() != ".log") continue;
      const std::string log = read_file(entry.path());
      ASSERT_EQ(log.find("starts"), log.rfind("starts")) << log;
    }
  }
}

TEST(Soak, AClockThatJumpsChangesNothing) {
  const TemporaryFolder folder;
  const std::string sweep = write(
      folder / "sweep.toml", tiny + "[sweep]\nlearning_rule = [\"sgdm\", \"fa\"]\nmodel_seed = [0, 1]\n");
  const auto to = [&](const std::string& name) {
    return lrid_train("sweep", fmt::format("'{}' --out-dir '{}' --cohort 1 --stale-after 5", sweep,
                                           (folder / name).string()));
  };
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  const std::string preload =
      fmt::format("env LD_PRELOAD='{}' ", testing::program("../tests/libjumping_clock.so").string());
  ASSERT_NE(run_command(preload + "date").out, "");
  const pid_t first = testing::start(preload + to("jumping")),
              second = testing::start(preload + to("jumping"));
  EXPECT_EQ(wait_for(first), 0);
  EXPECT_EQ(wait_for(second), 0);
  EXPECT_EQ(hashes(folder / "jumping"), hashes(folder / "straight"));
  for (const auto& entry : fs::directory_iterator(folder / "jumping")) {
    if (entry.path().extension() != ".log") continue;
    const std::string log = read_file(entry.path());
    EXPECT_EQ(log.find("starts"), log.rfind("starts")) << log;
  }
}

/// The time that a log says its network had the processor.
double seconds_of_log(const fs::path& path) {
  const std::string log = read_file(path);
  const std::size_t at = log.rfind("complete after ");
  return at == std::string::npos ? 0 : std::stod(log.substr(at + 15));
}

TEST(Soak, AThousandNetworksThroughEightShards) {
  const TemporaryFolder folder;
  std::string seeds = "0";
  for (int seed = 1; seed < 132; ++seed) seeds += fmt::format(", {}", seed);
  const std::string sweep = write(
      folder / "sweep.toml",
      fmt::format(
          "epochs = 1\npoints = 2\nbatch_size = 10\n[data]\nfolder = \"cifar10-sample\"\n"
          "training_samples = 20\n[probe]\nsize = 4\n[validation]\nsamples = 4\n[compute]\n"
          "device = \"cpu\"\nthreads = 1\n[sweep]\nlearning_rule = [\"sgdm\", \"adam\", \"fa\", \"ia\"]\n"
          "dataset_seed = [0, 1]\nmodel_seed = [{}]\n",
          seeds));
  const auto command = [&](const std::string& name, const std::string& options) {
    return lrid_train(name,
                      fmt::format("'{}' --out-dir '{}' {}", sweep, (folder / "runs").string(), options));
  };
  constexpr int shards = 8, networks = 1056;
  const auto start = Clock::now();
  std::vector<std::thread> waiting;
  std::vector<double> walls(shards);
  for (int shard = 0; shard < shards; ++shard)
    waiting.emplace_back([&, shard] {
      const int code =
          run_command(command("sweep", fmt::format("--cohort 1 --shard {}/{}", shard, shards))).exit_code;
      walls[static_cast<std::size_t>(shard)] = seconds_since(start);
      EXPECT_EQ(code, 0);
    });
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(hashes(folder / "runs").size(), static_cast<std::size_t>(networks));
  EXPECT_EQ(leftovers(folder / "runs"), std::vector<std::string>{});

  double training = 0, all = 0;
  for (const auto& entry : fs::directory_iterator(folder / "runs"))
    if (entry.path().extension() == ".log") training += seconds_of_log(entry.path());
  for (const double wall : walls) all += wall;
  // What is not training: start-up, data, scan, claims, building networks, writing files. With eight
  // processes on few cores each waits for the others, so this is an upper bound.
  fmt::print("{} networks, {} shards: {:.1f} s; not training: {:.1f} ms a network\n", networks, shards,
             seconds_since(start), 1000 * (all - training) / networks);

  const auto again = Clock::now();
  EXPECT_EQ(run_command(command("sweep", "")).exit_code, 0);
  fmt::print("one process finds all complete in {:.2f} s\n", seconds_since(again));
  const auto look = Clock::now();
  const json status = json::parse(run_command(command("status", "--json")).out);
  fmt::print("status takes {:.2f} s\n", seconds_since(look));
  EXPECT_EQ(status["done"], networks);
  const auto reading = Clock::now();
  EXPECT_EQ(run_command(command("verify", "")).exit_code, 0);
  fmt::print("verify takes {:.2f} s\n", seconds_since(reading));
}

}  // namespace
}  // namespace lrid::testing
