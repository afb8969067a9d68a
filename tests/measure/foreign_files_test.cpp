// Files of other programs: NWB as pynwb writes it, and recordings and NWB files that are wrong.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>

#include "python.hpp"
#include "testing.hpp"

namespace lrid::measure {
namespace {

using lrid::testing::CommandResult;
using lrid::testing::run_command;
using lrid::testing::run_python;
using ::testing::HasSubstr;
using ::testing::Not;

/// Runs lrid-observe in `folder`.
CommandResult observe_in(const lrid::testing::TemporaryFolder& folder, const std::string& arguments) {
  return run_command("cd '" + folder.path().string() + "' && '" +
                     lrid::testing::program("lrid-observe").string() + "' " + arguments);
}

TEST(ForeignFiles, ImportsWhatPynwbWrote) {
  const std::string python = lrid::testing::python_with("pynwb");
  ASSERT_NE(python, "") << "no Python with pynwb: scripts/setup.sh makes one, or set LRID_PYTHON";
  const lrid::testing::TemporaryFolder folder;
  const std::string here = "'" + folder.path().string() + "'";
  const CommandResult made = run_python(python, "tests/measure/make_nwb.py", here);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  for (const std::string name : {"roi_rate", "roi_timestamps", "units", "plain", "electrical", "lfp",
                                 "sorted", "linked", "linked_data"}) {
    const CommandResult imported =
        observe_in(folder, "import-nwb " + name + ".nwb --quiet " + read_file(folder / (name + ".args")) +
                               " --out " + name + ".h5");
    ASSERT_EQ(imported.exit_code, 0) << name << ": " << imported.err;
    const CommandResult compared = run_python(python, "tests/measure/check_nwb.py", here + " " + name);
    EXPECT_EQ(compared.exit_code, 0) << name << ": " << compared.out << compared.err;
    EXPECT_EQ(observe_in(folder, "recording " + name + ".h5 --quiet --out o.h5").exit_code, 0) << name;
  }
  const CommandResult list = observe_in(folder, "import-nwb roi_timestamps.nwb --list");
  EXPECT_THAT(list.out, HasSubstr("processing/ophys/DfOverF/dff1\n    RoiResponseSeries, int16 [3000, 3]"));
  EXPECT_THAT(list.out, HasSubstr("layers: LM (3)"));
  EXPECT_THAT(list.out, HasSubstr("intervals/trials\n    36 rows"));
  EXPECT_EQ(observe_in(folder, "show roi_timestamps.nwb").out, list.out);
  EXPECT_THAT(observe_in(folder, "import-nwb units.nwb --list").out, HasSubstr("layers: CA1 (2), VISp (3)"));
}

/// Numbers as numpy computes them, and the reasons that trials and units are left out for.
TEST(ForeignFiles, ImportsWhatIsOddButNotWrong) {
  const std::string python = lrid::testing::python_with("h5py");
  ASSERT_NE(python, "") << lrid::testing::no_h5py;
  const lrid::testing::TemporaryFolder folder;
  const std::string here = "'" + folder.path().string() + "'";
  const CommandResult made = run_python(python, "tests/measure/make_nwb_oddities.py", here);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  std::string names;
  for (const std::string& line : split(trim(made.out), '\n')) {
    const std::vector<std::string> parts = split(line, '\t');
    const std::string& name = parts[0];
    const CommandResult imported =
        observe_in(folder, "import-nwb " + name + ".nwb --quiet " + read_file(folder / (name + ".args")) +
                               " --out " + name + ".h5");
    ASSERT_EQ(imported.exit_code, 0) << name << ": " << imported.err;
    EXPECT_EQ(imported.err, "") << name;
    for (std::size_t i = 1; i < parts.size(); ++i) EXPECT_THAT(imported.out, HasSubstr(parts[i])) << name;
    if (parts.size() == 1) {
      EXPECT_THAT(imported.out, Not(HasSubstr("left out"))) << name;
    }
    names += " " + name;
  }
  const CommandResult compared = run_python(python, "tests/measure/check_nwb.py", here + names);
  EXPECT_EQ(compared.exit_code, 0) << compared.out << compared.err;

  const std::string list = observe_in(folder, "import-nwb external_link.nwb --list").out;
  EXPECT_THAT(list, HasSubstr("processing/all/ophys/dff\n    series, float64 [300, 3]"));
  EXPECT_THAT(list, HasSubstr("links that lead nowhere\n  processing/none: to nowhere.h5:/\n"));
  EXPECT_THAT(observe_in(folder, "import-nwb soft_link_to_group.nwb --list").out,
              HasSubstr("  analysis/real\n    series"));
  EXPECT_THAT(observe_in(folder, "import-nwb not_an_index.nwb --list").out,
              HasSubstr("columns: image_index, start_time, stim, stim_index, stop_time"));
  EXPECT_THAT(observe_in(folder, "import-nwb peak_channels.nwb --list").out,
              HasSubstr("layers: CA1 (1), VISp (2), unknown (1)"));
  EXPECT_THAT(observe_in(folder, "import-nwb pause.nwb --list").out,
              HasSubstr("timestamps (about 50 Hz, 1 pause) from 0 s to 12.98 s"));
  EXPECT_THAT(observe_in(folder, "import-nwb invalid_times.nwb --list").out,
              HasSubstr("times that are not to be used\n  intervals/invalid_times\n    2 rows"));
  EXPECT_THAT(
      observe_in(folder, "import-nwb one_factor.nwb --list").out,
      HasSubstr("/acquisition/movie: its frames are in 2 files of another kind (a.avi), which is not"));
}

/// Files as points, conditions, baselines, normalization: numbers as numpy computes them.
TEST(ForeignFiles, ImportsSeveralSessions) {
  const std::string python = lrid::testing::python_with("pynwb");
  ASSERT_NE(python, "") << "no Python with pynwb: scripts/setup.sh makes one, or set LRID_PYTHON";
  const lrid::testing::TemporaryFolder folder;
  const std::string here = "'" + folder.path().string() + "'";
  const CommandResult made = run_python(python, "tests/measure/make_nwb_sessions.py", here);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  std::string names;
  for (const std::string& line : split(trim(made.out), '\n')) {
    const std::vector<std::string> parts = split(line, '\t');
    const std::string& name = parts[0];
    const CommandResult imported = observe_in(
        folder, "import-nwb " + read_file(folder / (name + ".args")) + " --quiet --out " + name + ".h5");
    ASSERT_EQ(imported.exit_code, 0) << name << ": " << imported.err;
    EXPECT_EQ(imported.err, "") << name;
    for (std::size_t i = 1; i < parts.size(); ++i) EXPECT_THAT(imported.out, HasSubstr(parts[i])) << name;
    EXPECT_EQ(observe_in(folder, "recording " + name + ".h5 --quiet --out o.h5").exit_code, 0) << name;
    names += " " + name;
  }
  const CommandResult compared = run_python(python, "tests/measure/check_nwb.py", here + names);
  EXPECT_EQ(compared.exit_code, 0) << compared.out << compared.err;

  // The same bytes in whatever order the files are given, but for --order given.
  const std::string tail = " --series units --window 0,0.5 --quiet --out ";
  EXPECT_EQ(observe_in(folder, "import-nwb friday.nwb monday.nwb" + tail + "a.h5").exit_code, 0);
  EXPECT_EQ(observe_in(folder, "import-nwb monday.nwb friday.nwb" + tail + "b.h5").exit_code, 0);
  EXPECT_EQ(observe_in(folder, "import-nwb friday.nwb monday.nwb --order given" + tail + "c.h5").exit_code,
            0);
  EXPECT_TRUE(read_file(folder / "a.h5") == read_file(folder / "b.h5"));
  EXPECT_FALSE(read_file(folder / "a.h5") == read_file(folder / "c.h5"));
  const std::string shown = observe_in(folder, "show conditions.h5").out;
  EXPECT_THAT(shown, HasSubstr("monday.nwb, tuesday.nwb, wednesday.nwb, thursday.nwb, friday.nwb"));
  for (const char* text : {"quality == good and not", "correct and contrast", "-0.4 s to -0.1 s", "neuron"})
    EXPECT_THAT(shown, HasSubstr(text));

  write_atomically(folder / "one.csv", std::string("monday\n0\n"));
  std::filesystem::create_directories(folder / "store.nwb.zarr");
  write_atomically(folder / "store.nwb.zarr/.zgroup", std::string("{}"));
  std::filesystem::copy_file(folder / "monday.nwb", folder / "again.nwb");
  const std::string two = "import-nwb friday.nwb monday.nwb --window 0,0.5 --series units --out o.h5 ";
  const std::string one = "import-nwb monday.nwb --window 0,0.5 --series units --points 2 --out o.h5 ";
  const std::vector<std::pair<std::string, std::string>> wrong{
      {two + "--match neurone",
       "--match neurone: no column \"neurone\", expected one of id, isolated, "
       "location, neuron, quality, snr (nearest: neuron)"},
      {two + "--match quality", "--match quality: \"good\" is of several units"},
      {two + "--match snr", "--match snr: no unit is in all of 2 files"},
      {two + "--match none.csv", "none.csv: cannot read"},
      {two + "--match typo.csv", "typo.csv:3: friday.nwb has no unit with the id \"77\""},
      {two + "--match twice.csv", "twice.csv:3: unit "},
      {two + "--match one.csv",
       "one.csv: no column of friday.nwb, expected one of each file; there are monday"},
      {two + "--match apart.csv", "--match apart.csv: no unit is in all of 2 files"},
      {two + "--order time", "--order"},
      {two + "--normalize minmax", "--normalize"},
      {two + "--points -1", "expected either a number of points"},
      {two + "--points 2 --session orientation", "expected either"},
      {two + "--stimulus start_time",
       "monday.nwb to friday.nwb: no stimulus is presented at each of 2 points"},
      {two + "monday.nwb", "monday.nwb: is given twice"},
      {two + "again.nwb", "has the session_start_time of "},
      {one + "--baseline 0", "--baseline 0: expected A,B"},
      {one + "--baseline=-1,-2", "--baseline -1,-2: expected A,B with A < B"},
      {one + "--baseline=-500,-499", "none of 60 trials can be used: 60 trials outside of the recorded time"},
      {one + "--where-units 'snrr > 2'",
       "/units: --where-units 'snrr > 2': no column \"snrr\", expected one "
       "of id, isolated, location, neuron, quality, snr (nearest: snr)"},
      {one + "--where-units 'snr > 2 &'",
       "--where-units 'snr > 2 &': \"&\" at character 9, expected and, or"},
      {one + "--where-units 'snr > 1000'", "has no unit to be used: 8 units excluded by --where-units"},
      {one + "--where-units 'spike_times > 1'", "has several values a row"},
      {one + "--where-units 'quality > 1'", "column \"quality\" holds \""},
      {one + "--where-trials 'corect'", "--where-trials 'corect': no column \"corect\""},
      {one + "--where-trials 'contrast == 7'",
       "none of 60 trials can be used: 60 trials excluded by --where"},
      {"import-nwb store.nwb.zarr --list",
       "store.nwb.zarr: is in Zarr, a folder, expected NWB in HDF5: pip "
       "install hdmf-zarr, and convert it with python -c"},
      {"import-nwb s3://bucket --list", "s3://bucket: "},
      {"import-nwb http://127.0.0.1:9/a.nwb --list", "http://127.0.0.1:9/a.nwb: "}};
  for (const auto& [arguments, message] : wrong) {
    const CommandResult result = observe_in(folder, arguments + " --quiet");
    EXPECT_EQ(result.exit_code, 2) << arguments << ": " << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << arguments << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(message)) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
  }
  // Every input is one.
  const std::string before = read_file(folder / "monday.nwb");
  for (const char* out : {"monday.nwb", "friday.nwb", "tracked.csv"}) {
    const std::string command = "import-nwb friday.nwb monday.nwb --window 0,0.5 --series units --match ";
    EXPECT_EQ(observe_in(folder, command + "tracked.csv --out " + out).exit_code, 2) << out;
  }
  EXPECT_TRUE(read_file(folder / "monday.nwb") == before);
}

TEST(ForeignFiles, ImportsFromAnAddress) {
  const std::string python = lrid::testing::python_with("h5py");
  ASSERT_NE(python, "") << lrid::testing::no_h5py;
  const lrid::testing::TemporaryFolder folder;
  const std::string here = "'" + folder.path().string() + "'";
  const CommandResult made = run_python(python, "tests/measure/make_malformed.py", here);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const std::string import = lrid::testing::program("lrid-observe").string() + " import-nwb ";
  const std::string options =
      " --series units --window 0,0.5 --points 2 --quiet --out " + folder.path().string();
  const auto served = [&](const std::string& command) {
    return run_python(python, "tests/measure/serve_ranges.py", here + " '" + command + "'");
  };
  const CommandResult missing = served(import + "ADDRESS/missing.nwb --list");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_EQ(std::ranges::count(missing.err, '\n'), 1) << missing.err;
  if (missing.err.find("without its driver ROS3, expected the file on this machine") != std::string::npos)
    GTEST_SKIP() << "HDF5 has no driver for addresses";
  EXPECT_THAT(missing.err, HasSubstr("/missing.nwb: cannot open ("));
  const CommandResult remote = served(import + "ADDRESS/good_nwb.h5" + options + "/remote.h5");
  ASSERT_EQ(remote.exit_code, 0) << remote.err;
  ASSERT_EQ(run_command(import + folder.path().string() + "/good_nwb.h5" + options + "/local.h5").exit_code,
            0);
  EXPECT_TRUE(read_file(folder / "remote.h5") == read_file(folder / "local.h5"));
}

/// What an output replaces may lie behind an input's links.
TEST(ForeignFiles, FilesThatInputsLinkToAreInputsToo) {
  const std::string python = lrid::testing::python_with("h5py");
  ASSERT_NE(python, "") << lrid::testing::no_h5py;
  const lrid::testing::TemporaryFolder folder;
  const CommandResult made =
      run_python(python, "tests/measure/make_linked.py", "'" + folder.path().string() + "'");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const std::string import = "import-nwb linked.nwb --window 0,0.5 --points 2 --series acquisition/";
  for (const auto& [command, file] : {std::pair{import + "link/series", "other.nwb"},
                                      {import + "stored", "raw.bin"},
                                      {"recording linked.h5", "recording.h5"}}) {
    const std::string before = read_file(folder / file);
    const CommandResult result = observe_in(folder, fmt::format("{} --quiet --out {}", command, file));
    EXPECT_EQ(result.exit_code, 2) << command;
    EXPECT_THAT(result.err, HasSubstr("which an input links to")) << command;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_TRUE(read_file(folder / file) == before) << command;
    EXPECT_EQ(observe_in(folder, command + " --quiet --out new.h5").exit_code, 0) << command;
  }
  // Opening a pipe that nobody writes to would never end.
  for (const std::string command : {"import-nwb pipes.nwb --list", "show pipes.nwb",
                                    "import-nwb pipes.nwb --window 0,0.5 --points 2 --series "
                                    "acquisition/stored --out o.h5"}) {
    const CommandResult result =
        run_command("cd '" + folder.path().string() + "' && timeout -k 5 30 '" +
                    lrid::testing::program("lrid-observe").string() + "' " + command);
    EXPECT_NE(result.exit_code, 124) << command;
    EXPECT_THAT(result.out + result.err, HasSubstr("pipe")) << command;
  }
}

TEST(ForeignFiles, EachWayToBeWrongIsOneLine) {
  const std::string python = lrid::testing::python_with("h5py");
  ASSERT_NE(python, "") << lrid::testing::no_h5py;
  const lrid::testing::TemporaryFolder folder;
  const CommandResult made =
      run_python(python, "tests/measure/make_malformed.py", "'" + folder.path().string() + "'");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  int wrong = 0;
  for (const std::string& line : split(trim(made.out), '\n')) {
    const std::vector<std::string> parts = split(line, '\t');
    ASSERT_GE(parts.size(), 2U) << line;
    const std::string message = parts.size() > 2 ? parts[2] : "";
    const CommandResult result = observe_in(folder, parts[1] + " " + parts[0] + " --quiet --out out.h5");
    EXPECT_EQ(result.exit_code, message.empty() ? 0 : 2) << line << ": " << result.err;
    if (message.empty()) continue;
    ++wrong;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << line << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(parts[0])) << line;
    EXPECT_THAT(result.err, HasSubstr(message)) << line;
    EXPECT_EQ(result.out, "") << line;
  }
  EXPECT_GT(wrong, 50);
}

}  // namespace
}  // namespace lrid::measure
