// Files of other programs: NWB as pynwb writes it, and recordings and NWB files that are wrong.
#include <algorithm>

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
