// The program itself: exit codes, one-line errors, what goes to stdout.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/observables.hpp>
#include <lrid/io/recording.hpp>

#include "example.hpp"
#include "testing.hpp"

namespace lrid::measure {
namespace {

using lrid::testing::CommandResult;
using ::testing::HasSubstr;

CommandResult observe(const std::string& arguments) {
  return lrid::testing::run_command("'" + lrid::testing::program("lrid-observe").string() + "' " + arguments);
}

/// Exit code 2, nothing on stdout, and one line on stderr that holds `part`.
void expect_bad_input(const std::string& arguments, const std::string& part) {
  const CommandResult result = observe(arguments);
  EXPECT_EQ(result.exit_code, 2) << arguments;
  EXPECT_EQ(result.out, "") << arguments;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << arguments << ": " << result.err;
  EXPECT_THAT(result.err, HasSubstr(part)) << arguments;
}

TEST(LridObserve, HelpAndVersion) {
  for (const char* command : {"", "collect ", "recording ", "import-nwb ", "show ", "export "}) {
    const CommandResult help = observe(std::string(command) + "--help");
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_THAT(help.out, HasSubstr("--threads")) << command;
    EXPECT_EQ(help.err, "") << command;
    EXPECT_EQ(observe(std::string(command) + "--version").exit_code, 0) << command;
  }
}

TEST(LridObserve, BadUsageIsOneLineAndExitCode2) {
  expect_bad_input("collect", "RUN.h5");
  expect_bad_input("collect x", "--out");
  expect_bad_input("show x --nonsense", "--nonsense");
  expect_bad_input("show /no/such/file.h5", "/no/such/file.h5");
  expect_bad_input("show x --threads -1", "--threads");
  expect_bad_input("recording x --out /no/such/folder/o.h5", "--out");
  expect_bad_input("export x --format xml", "xml");
  expect_bad_input("import-nwb x --out y", "--series is missing");
  expect_bad_input("import-nwb x --series units --out y", "--window is missing");
  for (const char* window : {"0.5", "0,1,2", "a,b", "1,1", "0,nan", "0,"})
    expect_bad_input(std::string("import-nwb x --series units --points 2 --out y --window ") + window,
                     "--window");
  expect_bad_input("import-nwb x --series units --window 0,1 --out y", "--points 0: expected either");
  expect_bad_input("import-nwb x --series units --window 0,1 --points 2 --session day --out y",
                   "expected either");
  expect_bad_input("import-nwb x --series units --window 0,1 --points 2", "--out");
}

TEST(LridObserve, CollectsShowsAndExports) {
  const lrid::testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "runs");
  io::write_trajectory(folder / "runs/a.h5", example_trajectory(1));
  io::Trajectory failed = example_trajectory(2);
  failed.status = "failed: loss is nan";
  io::write_trajectory(folder / "runs/b.h5", failed);
  const std::string runs = "'" + (folder / "runs").string() + "'",
                    out = "'" + (folder / "d.h5").string() + "'";

  const CommandResult collected = observe("collect " + runs + " --quiet --out " + out);
  EXPECT_EQ(collected.exit_code, 0) << collected.err;
  EXPECT_EQ(collected.err, "");
  EXPECT_THAT(collected.out, HasSubstr("2 samples of 1 network\n"));
  EXPECT_THAT(collected.out, HasSubstr("1 failed: loss is nan"));
  const std::string bytes = read_file(folder / "d.h5");
  EXPECT_EQ(io::read_dataset(folder / "d.h5").samples, 2);
  EXPECT_EQ(observe("collect " + runs + " --quiet --out " + out).exit_code, 0);
  EXPECT_TRUE(read_file(folder / "d.h5") == bytes);

  EXPECT_THAT(observe("show " + out).out, HasSubstr("a dataset"));
  const CommandResult csv = observe("export " + out + " --format csv");
  EXPECT_EQ(std::ranges::count(csv.out, '\n'), 1 + 2 * 3 * 45);
  EXPECT_EQ(std::ranges::count(observe("export " + out + " --format csv-wide").out, '\n'), 1 + 2 * 3);
  EXPECT_EQ(csv.err, "");
  EXPECT_EQ(observe("export " + out + " > /dev/full").exit_code, 1);
}

TEST(LridObserve, PositionsComeFromTheRecordingOrTheCommandLine) {
  const lrid::testing::TemporaryFolder folder;
  io::Activity activity;
  activity.points = 2;
  activity.stimuli = 3;
  for (const char* name : {"IT", "V1", "V4"})
    activity.layers.push_back({.name = name,
                               .unit_ids = {std::int64_t{0}, std::int64_t{1}},
                               .values = std::vector<double>(12, 1.0)});
  activity.layers[1].position = "0.2";
  io::write_recording(folder / "r.h5", activity);
  const std::string command =
      "recording '" + (folder / "r.h5").string() + "' --quiet --out '" + (folder / "o.h5").string() + "'";
  const auto positions = [&](const std::string& options) {
    const CommandResult result = observe(command + options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return io::read_observables(folder / "o.h5").layer_position;
  };
  using Positions = std::vector<std::uint8_t>;
  EXPECT_EQ(positions(""), (Positions{255, 0, 255})) << "never by the alphabet";
  EXPECT_EQ(positions(" --position IT=deep --position V4=0.5"), (Positions{2, 0, 1}));
  EXPECT_EQ(positions(" --position V1=deep"), (Positions{255, 2, 255}));
  expect_bad_input(command.substr(0, command.find(" --quiet")) + " --out x.h5 --position V9=deep", "V9");
  expect_bad_input(command.substr(0, command.find(" --quiet")) + " --out x.h5 --position V1=1.5",
                   "from 0 to 1");
  expect_bad_input(command.substr(0, command.find(" --quiet")) + " --out x.h5 --position V1",
                   "REGION=POSITION");
  activity.layers[2].position = "deepest";
  io::write_recording(folder / "r.h5", activity);
  EXPECT_EQ(observe(command).exit_code, 2);
}

TEST(LridObserve, AFailureLeavesTheOldOutput) {
  const lrid::testing::TemporaryFolder folder;
  const std::string out = "'" + (folder / "d.h5").string() + "'";
  write_atomically(folder / "d.h5", std::string("old"));
  write_atomically(folder / "foreign.h5", std::string("foreign"));
  const CommandResult result =
      observe("collect '" + (folder / "foreign.h5").string() + "' --quiet --out " + out);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("foreign.h5"));
  EXPECT_EQ(read_file(folder / "d.h5"), "old");
}

TEST(GoldenLridObserve, MeasuresARecordingTheSameForAnyThreadCount) {
  const auto path = lrid::testing::golden_path("observables.h5");
  if (!path) GTEST_SKIP() << lrid::testing::skip_reason("observables.h5");
  const lrid::testing::TemporaryFolder folder;
  std::string first;
  for (const char* threads : {"1", "3"}) {
    const CommandResult result = observe("recording '" + path->string() +
                                         "' --unit-fraction 0.5 --noise 0.1 --seed 7 --quiet --threads " +
                                         threads + " --out '" + (folder / "o.h5").string() + "'");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::string bytes = read_file(folder / "o.h5");
    EXPECT_TRUE(first.empty() || bytes == first);
    first = bytes;
  }
  EXPECT_EQ(io::read_observables(folder / "o.h5").noise, 0.1);
}

}  // namespace
}  // namespace lrid::measure
