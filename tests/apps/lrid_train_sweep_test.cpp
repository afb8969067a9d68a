// Sweeps as clusters treat them: many processes, dead hosts, signals, full disks.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lrid/core/file.hpp>
#include <lrid/io/trajectory.hpp>

#include "testing.hpp"
#include "training.hpp"

namespace lrid::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A sweep in a folder of its own.
class LridTrainSweep : public ::testing::Test {
 protected:
  /// The command that trains the sweep into `name`.
  std::string to(const std::string& name, const std::string& options = "") const {
    return command("sweep", name, options);
  }
  /// Another command of the sweep.
  std::string command(const std::string& command, const std::string& name,
                      const std::string& options = "") const {
    return lrid_train(command, fmt::format("'{}' --out-dir '{}' {}", (folder / "sweep.toml").string(),
                                           (folder / name).string(), options));
  }
  std::string benchmark(const std::string& options) const {
    return lrid_train("benchmark", fmt::format("'{}' {}", (folder / "sweep.toml").string(), options));
  }
  void use_sweep(const std::string& text) { write(folder / "sweep.toml", text); }
  json status(const std::string& name) const {
    return json::parse(run_command(command("status", name, "--json")).out);
  }

  TemporaryFolder folder;
};

const std::string six = tiny + "[sweep]\nlearning_rule = [\"sgdm\", \"ia\"]\nmodel_seed = [0, 1, 2]\n";
const std::string one = "KNet4_cifar10_sgdm_b20_m0_dnone.h5";

TEST_F(LridTrainSweep, ProcessesThatMeetShareTheWork) {
  use_sweep(six);
  ASSERT_EQ(run_command(to("alone", "--cohort 1")).exit_code, 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) children.push_back(start(to("shared", "--cohort 1")));
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(hashes(folder / "shared"), hashes(folder / "alone"));
  EXPECT_EQ(leftovers(folder / "shared"), std::vector<std::string>{});
  for (const auto& entry : fs::directory_iterator(folder / "shared")) {
    if (entry.path().extension() != ".log") continue;
    const std::string log = read_file(entry.path());
    EXPECT_EQ(log.find("starts"), log.rfind("starts")) << entry.path() << " was trained twice:\n" << log;
  }
}

TEST_F(LridTrainSweep, ADeadHostsClaimIsTakenOverAndALivingOnesIsLeft) {
  use_sweep(tiny + "[sweep]\nmodel_seed = [0, 1]\n");
  fs::create_directories(folder / ("runs/" + one + ".claim"));
  const fs::path heartbeat =
      folder / ("runs/" + one + ".claim") / "node17.4711.99.00000000000000aa.00000000000000bb";
  std::ofstream(heartbeat)
      << R"({"beat": 1, "step": 10, "steps": 30, "first_step": 0, "seconds": 5, "device": "cpu"})";
  const json before = status("runs");
  EXPECT_EQ(before["running"], 1);
  EXPECT_EQ(before["waiting"], 1);
  EXPECT_EQ(before["runs"][0]["host"], "node17");
  EXPECT_EQ(before["runs"][0]["seconds_left"], 10);

  // It beats.
  const pid_t child = start(to("runs", "--stale-after 2 --cohort 1"));
  std::atomic<bool> ended{false};
  std::thread heart([&] {
    for (int beat = 2; !ended; ++beat) {
      std::ofstream(heartbeat) << beat;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  EXPECT_EQ(wait_for(child), 0);
  ended = true;
  heart.join();
  EXPECT_FALSE(fs::exists(folder / "runs" / one));
  EXPECT_EQ(hashes(folder / "runs").size(), 1U);

  // It does not beat any more.
  EXPECT_EQ(run_command(to("runs", "--stale-after 1")).exit_code, 0);
  EXPECT_TRUE(io::read_trajectory(folder / "runs" / one).complete());
  EXPECT_EQ(leftovers(folder / "runs"), std::vector<std::string>{});
}

TEST_F(LridTrainSweep, StatusAndVerifySayWhatTheFilesHold) {
  use_sweep(
      tiny +
      "[schedule]\nwarmup = 0\n[sweep]\n\"optimizer.learning_rate\" = [1e30, 0.01]\nmodel_seed = [0, 1]\n");
  EXPECT_EQ(run_command(to("runs", "--shard 0/2")).exit_code, 1) << "both with the rate that diverges";
  EXPECT_EQ(run_command(to("runs", "--shard 1/2")).exit_code, 0);
  const json after = status("runs");
  EXPECT_EQ(after["done"], 2);
  EXPECT_EQ(after["failed"], 2);
  EXPECT_GT(after["used"]["processor_hours"], 0);
  EXPECT_EQ(after["left"]["processor_hours"], 0);
  std::vector<fs::path> sound;
  for (const json& run : after["runs"]) {
    if (run["state"] == "done") sound.emplace_back(run["file"].get<std::string>());
    if (run["state"] == "done") continue;
    EXPECT_NE(run["reason"].get<std::string>().find("not finite"), std::string::npos) << run;
  }
  ASSERT_EQ(sound.size(), 2U);

  // Trained again, they fail again, and the others are left alone.
  const auto hashes_before = hashes(folder / "runs");
  const auto again = run_command(to("runs", "--retry-failed"));
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.err.find("2 of 4 networks failed"), std::string::npos) << again.err;
  EXPECT_EQ(hashes(folder / "runs"), hashes_before);

  io::Trajectory broken = io::read_trajectory(sound[0]);
  broken.observables[5 * 4 * 45 + 45 + 3] = std::numeric_limits<float>::quiet_NaN();
  io::write_trajectory(sound[0], broken);
  const auto verdict = run_command(command("verify", "runs"));
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_NE(verdict.out.find(fmt::format("{}: {} of layer conv2 at point 5 is nan", sound[0].string(),
                                         broken.observable_names[3])),
            std::string::npos)
      << verdict.out;
  EXPECT_NE(verdict.out.find("1 of 4 networks sound"), std::string::npos) << verdict.out;
  EXPECT_NE(verdict.out.find("1 by lrid"), std::string::npos) << verdict.out;
  write_atomically(sound[0], read_file(sound[0]).substr(0, 2000));
  const json verdicts = json::parse(run_command(command("verify", "runs", "--json")).out);
  EXPECT_EQ(verdicts["sound"], 1);
  EXPECT_EQ(status("runs")["failed"], 3) << "a file that cannot be read";
}

TEST_F(LridTrainSweep, AnotherConfigurationIsToldByVerify) {
  use_sweep(tiny + "[sweep]\nmodel_seed = [0]\n");
  ASSERT_EQ(run_command(to("runs")).exit_code, 0);
  EXPECT_EQ(run_command(command("verify", "runs")).exit_code, 0);
  const auto verdict = run_command(command("verify", "runs", "--set epochs=4"));
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_NE(verdict.out.find("epochs was 3.0, now 4.0"), std::string::npos) << verdict.out;
  EXPECT_EQ(run_command(command("verify", "runs", "--set compute.threads=2")).exit_code, 0);
}

/// The most address space that a command takes, in kB.
long address_space_of(const std::string& command) {
  const pid_t child = start(command);
  long peak = 0;
  while (::waitpid(child, nullptr, WNOHANG) == 0) {
    std::ifstream status(fmt::format("/proc/{}/status", child));
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmPeak:")) peak = std::max(peak, std::atol(line.c_str() + 7));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return peak;
}

TEST_F(LridTrainSweep, OneThatExceedsMemoryIsFailedAndTheSweepGoesOn) {
  // The large one needs 700 MB more than the small one and fails at a tensor, where LibTorch reports it.
  use_sweep(tiny + "[sweep]\nbatch_size = [1000, 20]\n");
  const std::string with = "--set points=3 --set data.training_samples=1000";
  const long enough = address_space_of(to("small", with + " --set batch_size=20 --shard 1/2"));
  const auto limited = run_command(fmt::format("ulimit -v {}; {}", enough + 200 * 1024, to("runs", with)));
  EXPECT_EQ(limited.exit_code, 1) << limited.err;
  const json after = json::parse(run_command(command("status", "runs", with + " --json")).out);
  EXPECT_EQ(after["runs"][0]["state"], "failed");
  EXPECT_NE(after["runs"][0]["reason"], "") << limited.err;
  EXPECT_EQ(after["runs"][1]["state"], "done") << limited.err;
  // Where there is more, it is made up for.
  EXPECT_EQ(run_command(to("runs", with + " --retry-failed")).exit_code, 0);
}

/// What is left of a process that the system kills, as it does for want of memory.
TEST_F(LridTrainSweep, OneAtWhichProcessesWereKilledIsFailedAndTheSweepGoesOn) {
  use_sweep(tiny + "[sweep]\nmodel_seed = [0, 1]\n");
  fs::create_directories(folder / "runs");
  const fs::path log = fs::path(folder / "runs" / one).replace_extension(".log");
  std::string lines;
  for (int i = 0; i < 3; ++i)
    lines += fmt::format("2026-11-24T10:0{}:00Z node1 {} starts, 30 steps\n", i, 99 + i);
  std::ofstream(log) << lines;
  const auto killed = run_command(to("runs"));
  EXPECT_EQ(killed.exit_code, 1) << killed.err;
  EXPECT_NE(killed.err.find("3 processes were killed at step 0, perhaps for want of memory"),
            std::string::npos)
      << killed.err;
  EXPECT_EQ(status("runs")["done"], 1);
  EXPECT_EQ(status("runs")["failed"], 1);
  EXPECT_EQ(run_command(to("runs", "--retry-failed")).exit_code, 0);
  EXPECT_EQ(status("runs")["done"], 2);
}

TEST_F(LridTrainSweep, AJobWithoutTimeLeftBeginsNothing) {
  use_sweep(six);
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const auto result = run_command(fmt::format("export SLURM_JOB_END_TIME={}; {}", now + 100,
                                              to("runs", "--log-level warn --end-margin 120")));
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(hashes(folder / "runs").size(), 0U);
  EXPECT_EQ(run_command(fmt::format("export SLURM_JOB_END_TIME={}; {}", now + 4000, to("runs"))).exit_code,
            0);
  EXPECT_EQ(run_command(fmt::format("export SLURM_JOB_END_TIME=soon; {}", to("runs"))).exit_code, 2);
}

TEST_F(LridTrainSweep, SignalsOfASchedulerEndItWithItsStatesWritten) {
  use_sweep(six);
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  for (const int signal_number : {SIGUSR1, SIGTERM}) {
    const fs::path state = folder / ("runs/" + one + ".state");
    const auto before = fs::exists(state) ? fs::last_write_time(state) : fs::file_time_type::min();
    EXPECT_EQ(run_and_signal(
                  to("runs"), [&] { return fs::exists(state) && fs::last_write_time(state) > before; },
                  signal_number),
              130);
    EXPECT_TRUE(fs::exists(state));
    for (const auto& entry : fs::directory_iterator(folder / "runs"))
      EXPECT_NE(entry.path().extension(), ".claim") << "given back";
  }
  EXPECT_NE(read_file(folder / "runs/KNet4_cifar10_sgdm_b20_m0_dnone.log").find("stops at step"),
            std::string::npos);
  EXPECT_EQ(run_command(to("runs")).exit_code, 0);
  EXPECT_EQ(hashes(folder / "runs"), hashes(folder / "straight"));
}

TEST_F(LridTrainSweep, CtrlCTwiceEndsAtOnceAndLosesNothing) {
  use_sweep(six);
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  const pid_t child = start(to("runs"));
  while (!fs::exists(folder / ("runs/" + one + ".state")))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  ::kill(child, SIGINT);
  ::kill(child, SIGINT);
  EXPECT_EQ(wait_for(child), 130);
  EXPECT_EQ(run_command(to("runs")).exit_code, 0);
  EXPECT_EQ(hashes(folder / "runs"), hashes(folder / "straight"));
  EXPECT_EQ(leftovers(folder / "runs"), std::vector<std::string>{});
}

/// A file system of a few megabytes that can be filled and made read-only.
class LridTrainDisk : public LridTrainSweep {
 protected:
  void SetUp() override {
    fs::create_directory(disk());
    mounted_ = ::mount("tmpfs", disk().c_str(), "tmpfs", 0, "size=3m") == 0;
    if (!mounted_) GTEST_SKIP() << "needs the right to mount a tmpfs (root)";
    use_sweep(six);
  }
  void TearDown() override {
    if (mounted_) ::umount2(disk().c_str(), MNT_DETACH);
  }
  void remount(unsigned long flags, const char* options) const {
    ASSERT_EQ(::mount("tmpfs", disk().c_str(), "tmpfs", MS_REMOUNT | flags, options), 0);
  }
  fs::path disk() const { return folder / "disk"; }

 private:
  bool mounted_ = false;
};

TEST_F(LridTrainDisk, AFullDiskStopsTheSweepUntilThereIsRoom) {
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  const auto full = run_command(to("disk"));
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_NE(full.err.find("No space left on device"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find(disk().string() + "/KNet4"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find(" bytes"), std::string::npos) << "says how much is needed: " << full.err;
  EXPECT_EQ(status("disk")["failed"], 0);
  remount(0, "size=100m");
  EXPECT_EQ(run_command(to("disk")).exit_code, 0);
  EXPECT_EQ(hashes(disk()), hashes(folder / "straight"));
  EXPECT_EQ(leftovers(disk()), std::vector<std::string>{});
}

TEST_F(LridTrainDisk, AFolderThatTurnsReadOnlyOrGoesStopsTheSweep) {
  remount(0, "size=100m");
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  const auto has_state = [&] { return fs::exists(disk() / (one + ".state")); };
  const fs::path log = folder / "log";
  pid_t child = start(to("disk", "--set checkpoint.state_seconds=0"), log);
  while (!has_state()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  // Busy while a file is being written.
  while (::mount("tmpfs", disk().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "") != 0) {
  }
  EXPECT_EQ(wait_for(child), 1);
  EXPECT_NE(read_file(log).find("Read-only file system"), std::string::npos) << read_file(log);
  const auto refused = run_command(to("disk"));
  EXPECT_EQ(refused.exit_code, 2) << "before anything is trained";
  EXPECT_NE(refused.err.find("not writable"), std::string::npos) << refused.err;
  remount(0, "size=100m");
  EXPECT_EQ(run_command(to("disk")).exit_code, 0);
  EXPECT_EQ(hashes(disk()), hashes(folder / "straight"));

  const fs::path gone = folder / "gone";
  child = start(to("gone"), log);
  while (!fs::exists(gone / (one + ".state"))) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  fs::rename(gone, folder / "moved");
  EXPECT_EQ(wait_for(child), 1);
  EXPECT_NE(read_file(log).find(gone.string()), std::string::npos) << read_file(log);
  EXPECT_FALSE(fs::exists(gone));
}

TEST_F(LridTrainDisk, DataThatGoAwayInTheMiddleStopTheSweepUntilTheyAreBack) {
  remount(0, "size=100m");
  const auto copy_images = [&] {
    fs::copy(testing::source_dir() / "data/cifar10-sample", disk() / "images", fs::copy_options::recursive);
  };
  copy_images();
  // Images of this task are read when they are needed.
  use_sweep(
      "task = \"imagenet\"\narchitecture = \"ResNet-18\"\nepochs = 3\npoints = 2\nbatch_size = 4\n"
      "[data]\nfolder = \"images\"\nsize = 32\ntraining_samples = 40\n[probe]\nsize = 4\n"
      "[validation]\nsamples = 4\n[compute]\ndevice = \"cpu\"\nthreads = 1\n[checkpoint]\n"
      "state_seconds = 0\n[sweep]\nmodel_seed = [0, 1]\n");
  const auto train_to = [&](const std::string& name) {
    return to(name, fmt::format("--cohort 1 --data-dir '{}'", disk().string()));
  };
  ASSERT_EQ(run_command(train_to("straight")).exit_code, 0);
  const fs::path log = folder / "log", state = folder / "runs/ResNet-18_imagenet_sgdm_b4_m0_dnone.h5.state";
  const pid_t child = start(train_to("runs"), log);
  while (!fs::exists(state)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  ASSERT_EQ(::umount2(disk().c_str(), MNT_DETACH), 0);
  EXPECT_EQ(wait_for(child), 2);
  EXPECT_NE(read_file(log).find((disk() / "images/train").string()), std::string::npos) << read_file(log);
  EXPECT_EQ(status("runs")["failed"], 0);
  ASSERT_EQ(::mount("tmpfs", disk().c_str(), "tmpfs", 0, "size=100m"), 0);
  copy_images();
  EXPECT_EQ(run_command(train_to("runs")).exit_code, 0);
  EXPECT_EQ(hashes(folder / "runs"), hashes(folder / "straight"));
  EXPECT_EQ(leftovers(folder / "runs"), std::vector<std::string>{});
}

TEST_F(LridTrainSweep, CostsAreMeasuredOnceAndEstimatedFrom) {
  use_sweep(tiny + "[sweep]\nlearning_rule = [\"sgdm\", \"fa\"]\n");
  const std::string costs = (folder / "costs.toml").string();
  const auto measured = run_command(benchmark(fmt::format("--out '{}'", costs)));
  ASSERT_EQ(measured.exit_code, 0) << measured.err;
  const std::string table = read_file(costs);
  EXPECT_NE(table.find("learning_rule = \"fa\""), std::string::npos) << table;
  // Nothing is measured twice.
  ASSERT_EQ(run_command(benchmark(fmt::format("--out '{}'", costs))).exit_code, 0);
  EXPECT_EQ(read_file(costs), table);

  // No data are needed; what was not measured is said.
  const auto dry = run_command(to("none", fmt::format("--dry-run --costs '{}' --data-dir /nonexistent "
                                                      "--set batch_size=40 --set epochs=300",
                                                      costs)));
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.out.find("2 networks; to do: 2 networks with 8 layers, "), std::string::npos) << dry.out;
  EXPECT_NE(dry.out.find("processor-hours"), std::string::npos) << dry.out;
  EXPECT_NE(dry.out.find("; 2 extrapolated"), std::string::npos) << dry.out;
  const auto unknown =
      run_command(to("none", fmt::format("--dry-run --costs '{}' --set architecture=KNet5", costs)));
  EXPECT_NE(unknown.out.find("2 networks with 10 layers, not measured"), std::string::npos) << unknown.out;
  EXPECT_FALSE(fs::exists(folder / "none"));

  write_atomically(costs, table + "[[network]]\nbatch = 3\n");
  const auto bad = run_command(to("none", fmt::format("--dry-run --costs '{}'", costs)));
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_NE(bad.err.find("costs.toml"), std::string::npos) << bad.err;
}

TEST_F(LridTrainSweep, ABenchmarkPrintsATableAndMeasuresTheCohortThatItIsTold) {
  use_sweep(tiny + "[sweep]\nlearning_rule = [\"sgdm\", \"fa\"]\n");
  const std::string costs = (folder / "costs.toml").string();
  const auto alone = run_command(benchmark(fmt::format("--out '{}'", costs)));
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_NE(read_file(costs).find("\ncohort = 1\n"), std::string::npos) << read_file(costs);
  EXPECT_NE(alone.out.find("images/s"), std::string::npos) << alone.out;
  EXPECT_NE(alone.out.find("float32: at best "), std::string::npos) << alone.out;
  EXPECT_TRUE(alone.out.ends_with("\n" + costs + "\n")) << alone.out;

  const auto two = run_command(benchmark(fmt::format("--cohort 2 --out '{}'", costs)));
  ASSERT_EQ(two.exit_code, 0) << two.err;
  const std::string table = read_file(costs);
  EXPECT_EQ(table.find("\ncohort = 1\n"), std::string::npos) << table;
  EXPECT_NE(table.find("\ncohort = 2\n"), std::string::npos) << table;
  EXPECT_EQ(table.find("floor_share = 0.0\n"), std::string::npos) << table;

  // A sweep goes by it, and its files are those of a sweep that does not.
  ASSERT_EQ(run_command(to("with", fmt::format("--costs '{}'", costs))).exit_code, 0);
  ASSERT_EQ(run_command(to("without", "--cohort 1")).exit_code, 0);
  EXPECT_EQ(hashes(folder / "with"), hashes(folder / "without"));
  EXPECT_EQ(run_command(to("other", "--costs /nonexistent")).exit_code, 2);
}

}  // namespace
}  // namespace lrid::testing
