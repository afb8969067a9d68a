#include <algorithm>
#include <cmath>
#include <csignal>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/trajectory.hpp>

#include "testing.hpp"
#include "training.hpp"

namespace lrid::testing {
namespace {

namespace fs = std::filesystem;

/// The first words of lines that do not begin with a blank.
std::vector<std::string> names_of(const std::string& listing) {
  std::vector<std::string> names;
  for (const std::string& line : split(listing, '\n'))
    if (!line.empty() && line.front() != ' ') names.push_back(line.substr(0, line.find(' ')));
  return names;
}

TEST(LridTrain, WritesACompleteTrajectory) {
  const TemporaryFolder folder;
  const std::string config =
      write(folder / "run.toml", tiny + "[observe]\nlayer_change_kernel = \"forward\"\n");
  const auto result =
      run_command(lrid_train("run", fmt::format("--config '{}' --set learning_rule=ia --out '{}'", config,
                                                (folder / "run.h5").string())));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const io::Trajectory run = io::read_trajectory(folder / "run.h5");
  EXPECT_TRUE(run.complete());
  EXPECT_EQ(run.learning_rule, "ia");
  EXPECT_EQ(run.layers, (std::vector<std::string>{"conv1", "conv2", "conv3", "fc4"}));
  EXPECT_EQ(run.layer_position, (std::vector<std::uint8_t>{0, 1, 2, 2}));
  EXPECT_EQ(run.step, (std::vector<std::int64_t>{0, 6, 12, 18, 24, 30}));
  EXPECT_EQ(run.epoch.back(), 3);
  EXPECT_EQ(run.observables.size(), 6U * 4 * 45);
  ASSERT_TRUE(run.alignment);
  for (std::size_t i = 0; i < 6 * 4; ++i) {
    EXPECT_EQ(std::isnan(run.alignment->error_angle[i]), i % 4 == 0) << i;
    EXPECT_NEAR(run.alignment->weight_angle[i], 90, 30);
  }
  EXPECT_TRUE(std::isnan(run.metrics.at("train_loss")[0]));
  EXPECT_NEAR(run.metrics.at("validation_loss")[0], std::log(10.0), 0.5);
  EXPECT_EQ(leftovers(folder.path()), std::vector<std::string>{});
}

TEST(LridTrain, AnInterruptedOrKilledRunEndsWithTheSameBytes) {
  const TemporaryFolder folder;
  const std::string config = write(folder / "run.toml", tiny + "[schedule]\nwarmup = 0.1\n");
  for (const char* rule : {"sgdm", "adam", "fa", "ia"}) {
    const auto run_to = [&](const std::string& name) {
      return lrid_train(
          "run", fmt::format("--config '{}' --set learning_rule={} --set checkpoint.keep=true --out '{}'",
                             config, rule, (folder / name).string()));
    };
    const std::string straight = std::string(rule) + ".h5";
    ASSERT_EQ(run_command(run_to(straight)).exit_code, 0);
    for (const auto& [signal_number, code] : {std::pair{SIGTERM, 130}, {SIGINT, 130}, {SIGKILL, 137}}) {
      const std::string name = fmt::format("{}-{}.h5", rule, signal_number);
      // Once as soon as there is a state to go on from, once some time after it has been taken up.
      const auto state_was_written = [&] { return fs::exists((folder / name).string() + ".state"); };
      EXPECT_EQ(run_and_signal(run_to(name), state_was_written, signal_number), code) << rule;
      const auto before = fs::last_write_time((folder / name).string() + ".state");
      const auto state_was_rewritten = [&] {
        std::error_code gone;
        return fs::last_write_time((folder / name).string() + ".state", gone) > before && !gone;
      };
      const int second = run_and_signal(run_to(name), state_was_rewritten, signal_number);
      EXPECT_TRUE(second == code || second == 0) << second;
      ASSERT_EQ(run_command(run_to(name)).exit_code, 0);
      EXPECT_EQ(sha256_of_file(folder / name), sha256_of_file(folder / straight))
          << rule << " signal " << signal_number;
    }
  }
  EXPECT_EQ(leftovers(folder.path()), std::vector<std::string>{});
}

/// Rules that draw in every step too, and measurements that see what the step to come will draw.
TEST(LridTrain, EveryRuleGoesOnToTheSameBytes) {
  const TemporaryFolder folder;
  std::string list;
  for (const std::string& rule : names_of(run_command(lrid_train("list", "rules")).out))
    list += fmt::format("\"{}\", ", rule);
  const std::string sweep =
      write(folder / "sweep.toml", "dataset_seed = 0\n" + tiny +
                                       fmt::format("[observe]\nlayer_change_kernel = \"as-study\"\n"
                                                   "[sweep]\nlearning_rule = [{}]\n",
                                                   list));
  const auto to = [&](const std::string& name, const std::string& options = "") {
    return lrid_train("sweep",
                      fmt::format("'{}' --out-dir '{}' {}", sweep, (folder / name).string(), options));
  };
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  for (int attempt = 0; attempt < 2; ++attempt) {
    // As soon as all of them are on their way.
    const auto started = fs::file_time_type::clock::now();
    const auto all_have_states = [&] {
      std::error_code none_yet;
      int states = 0;
      for (const auto& entry : fs::directory_iterator(folder / "interrupted", none_yet))
        states += entry.path().extension() == ".state" && fs::last_write_time(entry, none_yet) > started;
      return states == 12;
    };
    EXPECT_EQ(run_and_signal(to("interrupted", "--cohort 12"), all_have_states, SIGTERM), 130);
  }
  ASSERT_EQ(run_command(to("interrupted")).exit_code, 0);
  EXPECT_EQ(hashes(folder / "straight").size(), 12U);
  EXPECT_EQ(hashes(folder / "interrupted"), hashes(folder / "straight"));
}

TEST(LridTrain, MixedPrecisionTrainsAlikeButIsNotTheSame) {
  const TemporaryFolder folder;
  const std::string config = write(folder / "run.toml", tiny);
  for (const char* rule : {"sgdm", "ia", "dfa"}) {
    std::map<std::string, io::Trajectory> runs;
    for (const char* precision : {"float32", "bf16"}) {
      const fs::path out = folder / fmt::format("{}-{}.h5", rule, precision);
      const auto result = run_command(lrid_train(
          "run", fmt::format("--config '{}' --set learning_rule={} --set compute.precision={} --out '{}'",
                             config, rule, precision, out.string())));
      ASSERT_EQ(result.exit_code, 0) << result.err;
      runs.emplace(precision, io::read_trajectory(out));
    }
    const double exact = runs.at("float32").metrics.at("train_loss").back();
    EXPECT_NEAR(runs.at("bf16").metrics.at("train_loss").back(), exact, 0.05 * exact) << rule;
    EXPECT_NE(runs.at("bf16").observables, runs.at("float32").observables) << rule;
  }
}

TEST(LridTrain, JobsCohortsAndShardsDoNotChangeBits) {
  const TemporaryFolder folder;
  const std::string sweep = write(
      folder / "sweep.toml",
      tiny +
          "[sweep]\nlearning_rule = [\"sgdm\", \"fa\"]\nmodel_seed = [0, 1]\ndataset_seed = [0, \"none\"]\n");
  const auto sweep_to = [&](const std::string& name, const std::string& options) {
    return run_command(
        lrid_train("sweep", fmt::format("'{}' --out-dir '{}' {}", sweep, (folder / name).string(), options)));
  };
  ASSERT_EQ(sweep_to("alone", "--cohort 1").exit_code, 0);
  ASSERT_EQ(sweep_to("cohorts", "--cohort 4").exit_code, 0);
  ASSERT_EQ(sweep_to("jobs", "--jobs 3").exit_code, 0);
  ASSERT_EQ(sweep_to("shards", "--shard 0/2").exit_code, 0);
  EXPECT_EQ(hashes(folder / "shards").size(), 4U);
  ASSERT_EQ(sweep_to("shards", "--shard 1/2").exit_code, 0);
  const auto alone = hashes(folder / "alone");
  EXPECT_EQ(alone.size(), 8U);
  EXPECT_TRUE(alone.contains("KNet4_cifar10_fa_b20_m1_dnone.h5"));
  EXPECT_EQ(alone, hashes(folder / "cohorts"));
  EXPECT_EQ(alone, hashes(folder / "jobs"));
  EXPECT_EQ(alone, hashes(folder / "shards"));
}

TEST(LridTrain, ASweepKilledInTheMiddleGoesOn) {
  const TemporaryFolder folder;
  const std::string sweep = write(
      folder / "sweep.toml", tiny + "[sweep]\nlearning_rule = [\"sgdm\", \"ia\"]\nmodel_seed = [0, 1, 2]\n");
  const auto to = [&](const std::string& name) {
    return lrid_train("sweep", fmt::format("'{}' --out-dir '{}' --jobs 2", sweep, (folder / name).string()));
  };
  ASSERT_EQ(run_command(to("straight")).exit_code, 0);
  // Killed each time one more network is complete.
  const auto complete = [&] {
    std::size_t count = 0;
    if (!fs::exists(folder / "killed")) return count;
    for (const auto& entry : fs::directory_iterator(folder / "killed"))
      count += entry.path().extension() == ".h5" && !fs::exists(entry.path().string() + ".state") ? 1U : 0U;
    return count;
  };
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::size_t before = complete();
    EXPECT_EQ(run_and_signal(
                  to("killed"), [&] { return complete() > before; }, SIGKILL),
              137);
  }
  ASSERT_EQ(run_command(to("killed")).exit_code, 0);
  EXPECT_EQ(hashes(folder / "killed"), hashes(folder / "straight"));
  EXPECT_EQ(leftovers(folder / "killed"), std::vector<std::string>{});
}

TEST(LridTrain, ADivergedNetworkIsFailedAndWhatWasMeasuredIsKept) {
  const TemporaryFolder folder;
  const std::string sweep =
      write(folder / "sweep.toml",
            tiny + "[schedule]\nwarmup = 0\n[sweep]\n\"optimizer.learning_rate\" = [1e30, 0.01]\n");
  const auto result =
      run_command(lrid_train("sweep", fmt::format("'{}' --out-dir '{}'", sweep, (folder / "runs").string())));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("1 of 2 networks failed"), std::string::npos) << result.err;
  int failed = 0;
  for (const auto& [name, hash] : hashes(folder / "runs")) {
    const io::Trajectory run = io::read_trajectory(folder / "runs" / name);
    if (run.complete()) continue;
    ++failed;
    EXPECT_TRUE(run.status.starts_with("failed: ")) << run.status;
    EXPECT_GE(run.points(), 1);
    EXPECT_EQ(run.observables.size(), static_cast<std::size_t>(run.points()) * 4 * 45);
  }
  EXPECT_EQ(failed, 1);
}

struct BadCase {
  std::string name, config, arguments, expected;
};

class LridTrainBadInput : public ::testing::TestWithParam<BadCase> {};

TEST_P(LridTrainBadInput, IsOneLineAndExitCodeTwo) {
  const TemporaryFolder folder;
  const std::string config = write(folder / "run.toml", GetParam().config);
  const auto result =
      run_command(lrid_train("run", fmt::format("--config '{}' --out '{}' {}", config,
                                                (folder / "run.h5").string(), GetParam().arguments)));
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_NE(result.err.find(GetParam().expected), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(folder / "run.h5"));
  EXPECT_FALSE(fs::exists(folder / "run.h5.state"));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LridTrainBadInput,
    ::testing::Values(BadCase{"UnknownKey", tiny + "[optimizer]\nmomentun = 0.9\n", "",
                              "nearest known key is optimizer.momentum"},
                      BadCase{"UnknownRule", "learning_rule = \"fb\"\n", "",
                              "run.toml:1: learning_rule = \"fb\": expected one of"},
                      BadCase{"NanLearningRate", tiny, "--set optimizer.learning_rate=nan",
                              "optimizer.learning_rate = nan"},
                      BadCase{"MissingDataFolder", tiny, "--data-dir /nonexistent",
                              "--data-dir /nonexistent: no such folder"},
                      BadCase{"MissingSubfolder", tiny, "--set data.folder=nothing-here", "nothing-here"},
                      BadCase{"TooFewSteps", tiny, "--set points=100", "points = 100"},
                      BadCase{"BatchTooLarge", tiny, "--set batch_size=5000", "batch_size"},
                      BadCase{"UnknownOption", tiny, "--deivce cpu",
                              "unknown option --deivce: the nearest is --device"},
                      BadCase{"NoNumber", tiny, "--threads many", "--threads = many: expected a number"},
                      BadCase{"UnexpectedArgument", tiny, "more", "unexpected argument \"more\""},
                      BadCase{"NoSuchDevice", tiny, "--device tpu", "compute.device"},
                      BadCase{"WarmUpPastDrop", tiny, "--set schedule.warmup=0.9", "schedule.warmup"}),
    [](const auto& test) { return test.param.name; });

TEST(LridTrain, AFileOfAnotherConfigurationIsNotTouched) {
  const TemporaryFolder folder;
  const std::string config = write(folder / "run.toml", tiny);
  const std::string out = (folder / "run.h5").string();
  ASSERT_EQ(run_command(lrid_train("run", fmt::format("--config '{}' --out '{}'", config, out))).exit_code,
            0);
  const std::string before = sha256_of_file(out);
  const auto other =
      run_command(lrid_train("run", fmt::format("--config '{}' --set epochs=4 --out '{}'", config, out)));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("epochs was 3.0, now 4.0"), std::string::npos) << other.err;
  EXPECT_EQ(sha256_of_file(out), before);
  const auto again = run_command(lrid_train("run", fmt::format("--config '{}' --out '{}'", config, out)));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(sha256_of_file(out), before);
  write_atomically(out, read_file(out).substr(0, 1000));
  EXPECT_EQ(run_command(lrid_train("run", fmt::format("--config '{}' --out '{}'", config, out))).exit_code,
            2);
}

/// Log, state and lease lie beside a trajectory: a configuration may not be one of them.
TEST(LridTrain, NothingBesideATrajectoryIsAnInput) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "runs");
  const std::string network = (folder / "runs/KNet4_cifar10_sgdm_b20_m0_dnone").string();
  for (const char* suffix : {".log", ".h5.state", ".h5.claim"}) {
    const std::string config = write(network + suffix, tiny + "[sweep]\nmodel_seed = [1, 0]\n");
    const std::string before = read_file(config);
    const auto run = run_command(lrid_train(
        "run", fmt::format("--config '{0}' --set learning_rule=sgdm --out '{1}.h5'", config, network)));
    const auto sweep = run_command(
        lrid_train("sweep", fmt::format("'{}' --out-dir '{}'", config, (folder / "runs").string())));
    for (const auto& result : {run, sweep}) {
      EXPECT_EQ(result.exit_code, 2) << suffix << result.err;
      EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
      EXPECT_NE(result.err.find("would be the input"), std::string::npos) << result.err;
    }
    EXPECT_EQ(read_file(config), before) << suffix;
    fs::remove(config);
  }
  // Somebody's file where the lease's folder would be is no reason to wait for it to go away.
  write(network + ".h5.claim", "mine");
  const std::string config = write(folder / "run.toml", tiny);
  const auto blocked =
      run_command(lrid_train("run", fmt::format("--config '{}' --out '{}.h5'", config, network)));
  EXPECT_EQ(blocked.exit_code, 2) << blocked.err;
  EXPECT_NE(blocked.err.find(".claim: is no folder"), std::string::npos) << blocked.err;
  EXPECT_EQ(read_file(network + ".h5.claim"), "mine");
}

TEST(LridTrain, OutputsThroughLinksAndWithLongNames) {
  const TemporaryFolder folder;
  const std::string config = write(folder / "run.toml", tiny);
  fs::create_directory(folder / "disk");
  fs::create_symlink("disk/real.h5", folder / "link.h5");
  for (const std::string& name : {std::string("link.h5"), std::string(252, 'a') + ".h5"}) {
    const auto result = run_command(
        lrid_train("run", fmt::format("--config '{}' --out '{}'", config, (folder / name).string())));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(io::read_trajectory(folder / name).complete()) << name;
  }
  EXPECT_TRUE(fs::is_symlink(folder / "link.h5"));
  EXPECT_TRUE(fs::is_regular_file(folder / "disk/real.h5"));
  for (const char* out : {"/dev/null", "-", "/dev/stdout"})
    EXPECT_EQ(run_command(lrid_train("run", fmt::format("--config '{}' --out {}", config, out))).exit_code,
              2);
}

TEST(LridTrain, PastALimitOnFileSizeIsOneLineAndLeavesNothing) {
  const TemporaryFolder folder;
  const std::string config = write(folder / "run.toml", tiny);
  for (const int blocks : {0, 8}) {
    const std::string run =
        lrid_train("run", fmt::format("--config {} --out {}", config, (folder / "x.h5").string()));
    // Through a pipe: the limit also holds for the file that takes messages.
    const auto result = run_command(
        fmt::format("bash -c \"set -o pipefail; (ulimit -f {}; {}) 2>&1 | cat >&2\"", blocks, run));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_NE(result.err.find("File too large"), std::string::npos) << result.err;
    EXPECT_EQ(leftovers(folder.path()), std::vector<std::string>{});
  }
}

/// Wherever a command opens a file, a pipe in its place ends on a signal, or is refused.
TEST(LridTrain, PipesAsInputsCanBeInterrupted) {
  const TemporaryFolder folder;
  const std::string here = folder.path().string();
  write(folder / "run.toml", tiny);
  write(folder / "sweep.toml", tiny + "[sweep]\nmodel_seed = [0]\n");
  ASSERT_EQ(run_command(fmt::format("cd '{}' && mkfifo p && mkdir -p runs one/train/a one/train/b batches && "
                                    "for f in one/train/a/1.jpg one/train/b/1.png batches/data_batch_1.bin "
                                    "runs/KNet4_cifar10_sgdm_b20_m0_dnone.log x.log; do mkfifo $f; done",
                                    here))
                .exit_code,
            0);
  for (const std::string& command :
       {lrid_train("pack", "p --out x.pack"), lrid_train("pack", "one --out x.pack"),
        lrid_train("pack", "one --skip-bad --out x.pack"), lrid_train("run", "--config p --out x.h5"),
        lrid_train("sweep", "p --out-dir runs"), lrid_train("status", "sweep.toml --out-dir runs"),
        lrid_train("run", "--config run.toml --data-dir . --set data.folder=batches --out x.h5"),
        lrid_train("run", "--config run.toml --out x.h5")}) {
    const auto result =
        run_command(fmt::format("cd '{}' && timeout --preserve-status -s TERM -k 20 10 {}", here, command));
    EXPECT_NE(result.exit_code, 137) << command;
    EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 2 || result.exit_code == 130)
        << command << result.exit_code << result.err;
  }
}

TEST(LridTrain, ListsNames) {
  const auto listed = [](const char* what) { return names_of(run_command(lrid_train("list", what)).out); };
  using Names = std::vector<std::string>;
  const std::string rules = run_command(lrid_train("list", "rules")).out;
  EXPECT_EQ(names_of(rules),
            (Names{"sgdm", "adam", "fa", "ia", "wm", "sa", "aa", "kp", "dfa", "usf", "brsf", "frsf"}));
  EXPECT_NE(rules.find("\n       e = Bᵀδ; B random, fixed\n       Lillicrap et al. 2016"), std::string::npos)
      << rules;
  EXPECT_EQ(std::ranges::count(rules, '\n'), 3 * 12);
  EXPECT_EQ(listed("tasks"), (Names{"cifar10", "imagenet", "simclr", "wsn"}));
  EXPECT_EQ(listed("datasets"), (Names{"cifar10-binary", "image-folder", "pack", "sound-manifests"}));
  EXPECT_EQ(listed("architectures"),
            (Names{"KNet4", "KNet5", "KNet4-LRN", "KNet5-LRN", "AlexNet", "AlexNet-LRN", "ResNet-18",
                   "ResNet-34", "ResNet-50", "ResNet-101", "ResNet-152", "ResNet-18v2", "ResNet-34v2",
                   "ResNet-50v2", "ResNet-101v2", "ResNet-152v2"}));
  EXPECT_EQ(run_command(lrid_train("list", "nonsense")).exit_code, 2);
  EXPECT_EQ(run_command(lrid_train("list")).exit_code, 2);
  const std::string pairs = run_command(lrid_train("list", "pairs")).out;
  EXPECT_EQ(std::ranges::count(pairs, '\n'), 64);
  EXPECT_NE(pairs.find("KNet4         cifar10   yes, "), std::string::npos) << pairs;
  EXPECT_NE(pairs.find("AlexNet       cifar10   yes, "), std::string::npos) << pairs;
}

TEST(LridTrain, OldSpellingsNameTheCommandsThatReplacedThem) {
  for (const auto& [old, now] : std::map<std::string, std::string>{
           {"--config run.toml --out run.h5", "lrid-train run --config"},
           {"--quiet --data-dir data --sweep=s.toml --out-dir runs", "lrid-train sweep SWEEP.toml"},
           {"--sweep s.toml --out-dir runs --dry-run", "lrid-train sweep SWEEP.toml"},
           {"--sweep s.toml --out-dir runs --status --json", "lrid-train status SWEEP.toml"},
           {"--sweep s.toml --out-dir runs --verify", "lrid-train verify SWEEP.toml"},
           {"--benchmark --sweep s.toml --out costs.toml", "lrid-train benchmark SWEEP.toml"},
           {"--pack images --out images.pack", "lrid-train pack DIR"}}) {
    const auto result = run_command("'" + testing::program("lrid-train").string() + "' " + old);
    EXPECT_EQ(result.exit_code, 2) << old;
    EXPECT_NE(result.err.find("expected " + now), std::string::npos) << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
}

TEST(LridTrain, KeysNameEveryKeyWithoutAConfiguration) {
  const auto keys = run_command("'" + testing::program("lrid-train").string() + "' run --keys");
  EXPECT_EQ(keys.exit_code, 0) << keys.err;
  for (const char* key : {"learning_rule", "momentum", "unit_fraction", "alpha"})
    EXPECT_NE(keys.out.find(key), std::string::npos) << key;
}

TEST(LridTrain, DryRunTrainsNothing) {
  const TemporaryFolder folder;
  const std::string sweep =
      write(folder / "sweep.toml", tiny + "[sweep]\nlearning_rule = [\"sgdm\", \"fa\"]\n");
  const auto result = run_command(
      lrid_train("sweep", fmt::format("'{}' --out-dir '{}' --dry-run", sweep, (folder / "runs").string())));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("2 networks; to do"), std::string::npos) << result.out;
  EXPECT_FALSE(fs::exists(folder / "runs"));
}

}  // namespace
}  // namespace lrid::testing
