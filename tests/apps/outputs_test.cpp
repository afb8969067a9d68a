// Where results go, in the programs as users run them: inputs survive, links and devices stay what they are,
// stdout is checked, limits are errors, waiting ends on a signal.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/dataset.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/recording.hpp>
#include <lrid/io/results.hpp>

#include "../identify/synthetic.hpp"
#include "../measure/example.hpp"
#include "testing.hpp"

namespace lrid {
namespace {

namespace fs = std::filesystem;
using testing::CommandResult;
using ::testing::HasSubstr;

class Outputs : public ::testing::Test {
 protected:
  /// Runs a command line in the folder; OBSERVE and CLASSIFY stand for the programs.
  [[nodiscard]] CommandResult run(std::string command) const {
    for (const auto& [word, program] : {std::pair{"OBSERVE", "lrid-observe"}, {"CLASSIFY", "lrid-classify"}})
      for (std::size_t at; (at = command.find(word)) != std::string::npos;)
        command.replace(at, std::string_view(word).size(), "'" + testing::program(program).string() + "'");
    return testing::run_command("cd '" + folder_.path().string() + "' && " + command);
  }
  void make_recording(const std::string& name, std::int64_t stimuli = 4) const {
    io::Activity activity;
    activity.points = 2;
    activity.stimuli = stimuli;
    io::Activity::Layer layer;
    layer.name = "V1";
    layer.unit_ids = {0, 1, 2};
    for (std::int64_t i = 0; i < 2 * stimuli * 3; ++i) layer.values.push_back(static_cast<double>(i % 17));
    activity.layers = {layer};
    io::write_recording(folder_ / name, activity);
  }
  /// Four spike trains and twelve trials.
  void make_nwb(const std::string& name) const {
    io::hdf5::OutputFile file("");
    file.root().set_attribute<std::string>("nwb_version", "2.7.0");
    std::vector<double> starts, stops, spikes;
    std::vector<std::int64_t> trials, units = {0, 1, 2, 3}, index = {50, 100, 150, 200};
    for (std::int64_t i = 0; i < 12; ++i) {
      trials.push_back(i);
      starts.push_back(1.0 + static_cast<double>(i));
      stops.push_back(1.6 + static_cast<double>(i));
    }
    for (int i = 0; i < 200; ++i) spikes.push_back(0.5 + 0.27 * (i % 50));
    file.root().write("intervals/trials/id", trials);
    file.root().write("intervals/trials/start_time", starts);
    file.root().write("intervals/trials/stop_time", stops);
    file.root().write("units/id", units);
    file.root().write("units/spike_times", spikes);
    file.root().write("units/spike_times_index", index);
    std::move(file).save(folder_ / name);
  }
  void make_experiment() const {
    io::write_dataset(folder_ / "d.h5", testing::tiny_dataset());
    write_atomically(folder_ / "e.toml",
                     "classifiers = ['svm']\nsplits = 2\ninner_folds = 2\n[features]\nmeasures = ['all']\n"
                     "[svm]\nC = [1]\npca = [0]\n");
  }
  /// Exit code 2, one line that has `part` in it, and the file as it was.
  void expect_refused(const std::string& command, const std::string& file, const std::string& part) const {
    const std::string before = read_file(folder_ / file);
    const CommandResult result = run(command);
    EXPECT_EQ(result.exit_code, 2) << command << "\n" << result.err;
    EXPECT_THAT(result.err, HasSubstr(part)) << command;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << command << "\n" << result.err;
    EXPECT_EQ(read_file(folder_ / file), before) << command;
  }
  /// The same for all names that the file can have.
  void expect_refused_by_all_names(const std::string& command, const std::string& file) const {
    fs::create_directory(folder_ / "sub");
    fs::create_symlink(file, folder_ / "link");
    fs::create_hard_link(folder_ / file, folder_ / "twin");
    for (const std::string& name : {file, std::string("link"), std::string("twin"), "sub/../" + file})
      expect_refused(command + " " + name, file, "input");
    for (const char* name : {"sub", "link", "twin"}) fs::remove(folder_ / name);
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(Outputs, AreNeverTheInputsOfLridObserve) {
  make_recording("rec.h5");
  make_nwb("mouse.nwb");
  fs::create_directory(folder_ / "runs");
  for (const int seed : {1, 2})
    io::write_trajectory(folder_ / fmt::format("runs/{}.h5", seed), measure::example_trajectory(seed));
  expect_refused_by_all_names("OBSERVE recording rec.h5 --out", "rec.h5");
  expect_refused_by_all_names("OBSERVE import-nwb mouse.nwb --series units --window 0,0.5 --points 2 --out",
                              "mouse.nwb");
  expect_refused_by_all_names("OBSERVE collect runs/1.h5 runs/2.h5 --out", "runs/2.h5");
  expect_refused_by_all_names("OBSERVE collect runs --out", "runs/1.h5");
  // A dataset of an earlier call is no trajectory that would be lost.
  for (int i = 0; i < 2; ++i) {
    const CommandResult result = run("OBSERVE collect runs --out runs/data.h5");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("2 networks"));
  }
}

TEST_F(Outputs, AreNeverTheInputsOfLridClassify) {
  make_experiment();
  const std::string run_to = "CLASSIFY run --config e.toml --data d.h5 --out ";
  expect_refused_by_all_names("CLASSIFY run --config e.toml --data d.h5 --out", "d.h5");
  expect_refused_by_all_names("CLASSIFY run --config e.toml --data d.h5 --out", "e.toml");
  expect_refused_by_all_names(run_to + "r.json --save-splits", "d.h5");
  expect_refused_by_all_names("CLASSIFY fit --config e.toml --data d.h5 --out", "d.h5");
  expect_refused_by_all_names("CLASSIFY fit --config e.toml --data d.h5 --out", "e.toml");
  EXPECT_FALSE(fs::exists(folder_ / "r.json"));
  ASSERT_EQ(run(run_to + "r.json --quiet").exit_code, 0);
  expect_refused_by_all_names("CLASSIFY report r.json --out", "r.json");
  expect_refused_by_all_names("CLASSIFY report r.json --out", "d.h5");
  expect_refused(run_to + "r.json --save-splits r.json", "r.json", "--save-splits");
  for (const char* twice : {"- --save-splits /dev/stdout", "/dev/fd/1 --save-splits -"})
    expect_refused(run_to + twice, "d.h5", "is --out, expected another file");
  // Finished cells are kept in a folder beside the results.
  fs::copy_file(folder_ / "d.h5", folder_ / "o.json.cells");
  expect_refused("CLASSIFY run --config e.toml --data o.json.cells --out o.json", "o.json.cells",
                 "is there and no folder");
}

TEST_F(Outputs, OfFiguresAreNeverTheirInputs) {
  make_experiment();
  ASSERT_EQ(run("CLASSIFY run --quiet --config e.toml --data d.h5 --out r.json").exit_code, 0);
  ASSERT_EQ(run("CLASSIFY report r.json --figures made").exit_code, 0);
  std::string last;
  for (const auto& entry : fs::directory_iterator(folder_ / "made"))
    last = std::max(last, entry.path().filename().string());
  for (const char* input : {"d.h5", "r.json"}) {
    const fs::path figures = folder_ / "figures";
    fs::create_directory(figures);
    fs::create_symlink(folder_ / input, figures / last);
    expect_refused("CLASSIFY report r.json --figures figures", input, "is the input");
    EXPECT_EQ(std::distance(fs::directory_iterator(figures), fs::directory_iterator()), 1)
        << "nothing was written";
    fs::remove_all(figures);
  }
}

TEST_F(Outputs, BesideResultsOnlyOurFilesAreRemoved) {
  make_experiment();
  fs::create_directory(folder_ / "r.json.cells");
  fs::rename(folder_ / "d.h5", folder_ / "r.json.cells/d.h5");
  const CommandResult result = run("CLASSIFY run --config e.toml --data r.json.cells/d.h5 --out r.json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "r.json.cells"), fs::directory_iterator()), 1);
  EXPECT_TRUE(fs::exists(folder_ / "r.json.cells/d.h5"));
}

TEST_F(Outputs, ThroughALinkReplaceItsTarget) {
  make_recording("rec.h5");
  make_experiment();
  fs::create_directory(folder_ / "disk");
  for (const auto& [command, name] :
       {std::pair{"OBSERVE recording rec.h5 --quiet --out ", "o.h5"},
        {"CLASSIFY run --config e.toml --data d.h5 --quiet --out ", "r.json"}}) {
    fs::create_symlink(fmt::format("disk/{}", name), folder_ / name);
    ASSERT_EQ(run(std::string(command) + name).exit_code, 0) << name;
    EXPECT_TRUE(fs::is_symlink(folder_ / name));
    const std::string first = read_file(folder_ / "disk" / name);
    ASSERT_EQ(run(std::string(command) + name).exit_code, 0) << name;
    EXPECT_TRUE(fs::is_symlink(folder_ / name));
    EXPECT_TRUE(fs::is_regular_file(folder_ / "disk" / name));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "disk"), fs::directory_iterator()), 2);
}

TEST_F(Outputs, ToPipesAndStdoutAreStreams) {
  make_experiment();
  const std::string to = "CLASSIFY run --quiet --config e.toml --data d.h5 --out ";
  ASSERT_EQ(run(to + "r.json").exit_code, 0);
  for (const char* out : {"-", "/dev/stdout", "/dev/fd/1"}) {
    const CommandResult result = run(to + out + " >streamed.json");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(io::read_results(folder_ / "streamed.json").rows.size(),
              io::read_results(folder_ / "r.json").rows.size())
        << "only results on stdout";
    EXPECT_THAT(result.err, HasSubstr("accuracy")) << "the table";
  }
  EXPECT_FALSE(fs::exists(folder_ / "-"));
  const CommandResult piped =
      run("mkfifo p && { cat p >piped.html & CLASSIFY report r.json --out p && wait; }");
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_TRUE(fs::is_fifo(folder_ / "p"));
  EXPECT_THAT(read_file(folder_ / "piped.html"), HasSubstr("</html>"));
  EXPECT_THAT(run("CLASSIFY report r.json --out -").out, HasSubstr("</html>"));
  expect_refused(to + "- >>d.h5", "d.h5", "is the input d.h5");
}

TEST_F(Outputs, ToDevicesLeaveThemDevices) {
  make_experiment();
  make_recording("rec.h5");
  const CommandResult null = run("CLASSIFY run --quiet --config e.toml --data d.h5 --out /dev/null");
  EXPECT_EQ(null.exit_code, 0) << null.err;
  const CommandResult full = run("CLASSIFY run --quiet --config e.toml --data d.h5 --out /dev/full");
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("/dev/full: cannot write"));
  // HDF5 is no stream.
  for (const char* out : {"/dev/null", "/dev/stdout", "-"}) {
    const CommandResult refused = run(fmt::format("OBSERVE recording rec.h5 --out {}", out));
    EXPECT_EQ(refused.exit_code, 2) << out;
    EXPECT_THAT(refused.err, HasSubstr("expected a file name"));
    EXPECT_EQ(refused.out, "");
  }
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Outputs, MayHaveNamesUpToTheLimit) {
  make_recording("rec.h5");
  make_experiment();
  const std::string longest(250, 'a');
  const CommandResult recording = run("OBSERVE recording rec.h5 --out " + longest + "b.h5");
  EXPECT_EQ(recording.exit_code, 0) << recording.err;
  const CommandResult results = run("CLASSIFY run --config e.toml --data d.h5 --out " + longest + ".json");
  EXPECT_EQ(results.exit_code, 0) << results.err;
  const CommandResult longer = run("OBSERVE recording rec.h5 --out " + longest + "abc.h5");
  EXPECT_EQ(longer.exit_code, 2);
  EXPECT_THAT(longer.err, HasSubstr("name too long"));
}

TEST_F(Outputs, PastALimitOnFileSizeAreOneLineAndLeaveNothing) {
  make_recording("rec.h5");
  make_experiment();
  for (const char* command : {"OBSERVE recording --quiet rec.h5 --out o.h5",
                              "CLASSIFY fit --quiet --config e.toml --data d.h5 --out m.h5",
                              "CLASSIFY run --quiet --config e.toml --data d.h5 --out r.json"}) {
    // Through a pipe: the limit also holds for the file that takes messages.
    const CommandResult result =
        run(fmt::format("bash -c \"set -o pipefail; (ulimit -f 0; {}) 2>&1 >/dev/null | cat >&2\"", command));
    EXPECT_EQ(result.exit_code, 1) << command;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("File too large")) << command;
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
}

TEST_F(Outputs, ToStdoutAreChecked) {
  make_recording("rec.h5");
  make_nwb("a.nwb");
  make_experiment();
  ASSERT_EQ(run("OBSERVE recording rec.h5 --out o.h5").exit_code, 0);
  ASSERT_EQ(run("CLASSIFY fit --quiet --config e.toml --data d.h5 --out m.h5").exit_code, 0);
  for (const char* command :
       {"OBSERVE show rec.h5", "OBSERVE show d.h5", "OBSERVE import-nwb a.nwb --list", "OBSERVE export o.h5",
        "OBSERVE export d.h5 --format csv-wide", "OBSERVE recording --quiet rec.h5 --out o.h5",
        "OBSERVE --help", "OBSERVE --version", "CLASSIFY run --keys separability",
        "CLASSIFY predict --model m.h5 d.h5", "CLASSIFY predict --json --model m.h5 d.h5",
        "CLASSIFY fit --config e.toml --data d.h5 --out m.h5",
        "CLASSIFY run --config e.toml --data d.h5 --out r.json", "CLASSIFY --help"})
    for (const char* to : {" >/dev/full", " >&-"}) {
      const CommandResult result = run(std::string(command) + to);
      EXPECT_EQ(result.exit_code, 1) << command << to;
      EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << command << to << "\n" << result.err;
      EXPECT_THAT(result.err, HasSubstr("stdout: cannot write")) << command << to;
    }
  EXPECT_EQ(io::hdf5::InputFile(folder_ / "o.h5").format(), "lrid-observables") << "no message went into it";
}

TEST_F(Outputs, EndQuietlyWhenTheReaderGoesAway) {
  make_experiment();
  ASSERT_GT(run("OBSERVE export d.h5").out.size(), 1U << 18) << "more than a pipe holds";
  for (const char* command : {"OBSERVE export d.h5", "OBSERVE show d.h5; OBSERVE export d.h5"}) {
    const CommandResult result = run(fmt::format("( {} ) | head -n 1", command));
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(std::ranges::count(result.out, '\n'), 1);
  }
  // As other filters: by SIGPIPE, 128 + 13.
  EXPECT_THAT(run("{ OBSERVE export d.h5; echo $? >&2; } | head -n 1").err, "141\n");
}

TEST_F(Outputs, PipesAsInputsCanBeInterrupted) {
  make_experiment();
  ASSERT_EQ(::mkfifo((folder_ / "p").c_str(), 0600), 0);
  for (const char* command :
       {"OBSERVE show p", "OBSERVE export p", "OBSERVE recording p --out o.h5",
        "OBSERVE collect p --out o.h5", "OBSERVE import-nwb p --list", "CLASSIFY predict --model p d.h5",
        "CLASSIFY run --config e.toml --data p --out r.json"}) {
    const CommandResult result = run(fmt::format("timeout -k 5 20 {}", command));
    EXPECT_EQ(result.exit_code, 2) << command;
    EXPECT_THAT(result.err, HasSubstr("p: is a pipe, expected")) << command;
  }
  for (const char* signal : {"INT", "TERM"})
    for (const char* command :
         {"CLASSIFY run --config p --data d.h5 --out r.json", "CLASSIFY report p --out r.html"}) {
      const CommandResult result =
          run(fmt::format("timeout --foreground --preserve-status -s {} -k 10 2 {}", signal, command));
      EXPECT_EQ(result.exit_code, 130) << command;
      EXPECT_THAT(result.err, HasSubstr("interrupted")) << command;
    }
  // A configuration may come from a pipe that is written to.
  const CommandResult result =
      run("{ cat e.toml >p & CLASSIFY run --quiet --config p --data d.h5 --out r.json; }");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  // Nobody reads the results.
  EXPECT_EQ(run("timeout --preserve-status -s TERM -k 10 5 CLASSIFY report r.json --out p").exit_code, 130);
}

/// Not an output, but also where only the programs show it: what a text file is written in.
TEST_F(Outputs, TextsOfOtherEncodingsAreNamedAsSuch) {
  make_experiment();
  ASSERT_EQ(run("CLASSIFY run --quiet --config e.toml --data d.h5 --out r.json").exit_code, 0);
  ASSERT_EQ(
      run("for f in e.toml r.json; do for to in UTF-16 UTF-16BE UTF-32; do iconv -t $to $f >$to.$f; done; "
          "printf '\\357\\273\\277' | cat - $f >bom.$f; done; cp bom.r.json bom")
          .exit_code,
      0);
  for (const char* encoding : {"UTF-16", "UTF-16BE", "UTF-32"})
    for (const char* command : {"CLASSIFY run --config {}.e.toml --data d.h5 --out o.json",
                                "CLASSIFY report {}.r.json --out o.html", "OBSERVE show {}.r.json"}) {
      const CommandResult result = run(fmt::format(fmt::runtime(command), encoding));
      EXPECT_EQ(result.exit_code, 2) << command << encoding;
      EXPECT_THAT(result.err, HasSubstr("is text in UTF-16 or no text at all")) << command << encoding;
    }
  for (const char* command : {"CLASSIFY run --quiet --config bom.e.toml --data d.h5 --out o.json",
                              "CLASSIFY report bom.r.json --out o.html", "OBSERVE show bom"}) {
    const CommandResult result = run(command);
    EXPECT_EQ(result.exit_code, 0) << command << result.err;
  }
}

TEST_F(Outputs, ErrorsAtTheStartAreTheOnlyLine) {
  make_experiment();
  write_atomically(folder_ / "e.toml", "split = ['network']\ninner_folds = 1000\n");
  const CommandResult result = run("CLASSIFY run --config e.toml --data d.h5 --out r.json");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_EQ(result.out, "");
}

}  // namespace
}  // namespace lrid
