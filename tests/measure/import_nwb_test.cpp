// How trials become points and stimuli.
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/measure/import_nwb.hpp>

#include "../../src/measure/match_units.hpp"
#include "testing.hpp"

namespace lrid::measure {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using Texts = std::vector<std::string>;

constexpr auto average = NwbImport::Repeats::average, keep = NwbImport::Repeats::keep;

/// Trials one second apart, of which all are usable.
Protocol arrange(std::size_t trials, std::int64_t points, const Texts& stimulus = {},
                 const Texts& session = {}, NwbImport::Repeats repeats = average) {
  std::vector<double> start(trials);
  std::iota(start.begin(), start.end(), 0.0);
  std::vector<std::size_t> usable(trials);
  std::iota(usable.begin(), usable.end(), std::size_t{0});
  return arrange_trials(start, stimulus, session, points, repeats, usable);
}

TEST(ArrangeTrials, EqualBlocksInOrderOfTime) {
  const Protocol p = arrange_trials({5, 1, 4, 2, 3, 9, 0}, {}, {}, 2, average, {0, 1, 2, 3, 4, 6});
  EXPECT_EQ(p.points, 2);
  EXPECT_EQ(p.stimuli, 3);
  EXPECT_THAT(p.presentations,
              ElementsAre(Presentation{6, 0, 0}, Presentation{1, 0, 1}, Presentation{3, 0, 2},
                          Presentation{4, 1, 0}, Presentation{2, 1, 1}, Presentation{0, 1, 2}));
  EXPECT_THAT(p.left_out, IsEmpty());
  EXPECT_THAT(arrange(11, 3).left_out, ElementsAre(HasSubstr("2 trials at the end")));
  EXPECT_EQ(arrange(11, 3).presentations.size(), 9U);
}

TEST(ArrangeTrials, AveragesStimuliThatEveryPointHas) {
  const Protocol p = arrange(8, 2, {"10", "9", "9", "x", "9", "10", "10", "y"});
  EXPECT_THAT(p.stimulus_names, ElementsAre("9", "10"));  // by size, not by letter
  EXPECT_THAT(p.presentations,
              ElementsAre(Presentation{0, 0, 1}, Presentation{1, 0, 0}, Presentation{2, 0, 0},
                          Presentation{4, 1, 0}, Presentation{5, 1, 1}, Presentation{6, 1, 1}));
  EXPECT_THAT(p.left_out, ElementsAre(HasSubstr("2 trials of stimuli that not every point has (x, y)")));
}

TEST(ArrangeTrials, KeepsAsManyRepeatsAsEveryPointHas) {
  const Protocol p = arrange(8, 2, {"b", "a", "a", "a", "a", "b", "b", "a"}, {}, keep);
  EXPECT_THAT(p.stimulus_names, ElementsAre("a", "a", "b"));
  EXPECT_THAT(p.presentations,
              ElementsAre(Presentation{0, 0, 2}, Presentation{1, 0, 0}, Presentation{2, 0, 1},
                          Presentation{4, 1, 0}, Presentation{5, 1, 2}, Presentation{7, 1, 1}));
  EXPECT_THAT(p.left_out, ElementsAre(HasSubstr("2 trials that other points have no counterpart of")));
}

TEST(ArrangeTrials, SessionsInOrderOfTheirFirstTrial) {
  const Protocol p = arrange(7, 0, {}, {"wed", "wed", "mon", "mon", "mon", "tue", "tue"});
  EXPECT_EQ(p.points, 3);
  EXPECT_EQ(p.stimuli, 2);
  EXPECT_THAT(p.presentations,
              ElementsAre(Presentation{0, 0, 0}, Presentation{1, 0, 1}, Presentation{2, 1, 0},
                          Presentation{3, 1, 1}, Presentation{5, 2, 0}, Presentation{6, 2, 1}));
}

TEST(ArrangeTrials, RefusesWhatLeavesNothing) {
  EXPECT_THAT([] { (void)arrange(2, 3); },
              ThrowsMessage<InputError>(HasSubstr("2 usable trials for 3 points")));
  EXPECT_THAT(
      [] {
        (void)arrange(4, 2, {"a", "b", "c", "d"});
      },
      ThrowsMessage<InputError>(HasSubstr("no stimulus is presented at each of 2 points")));
}

/// The start of a session that is written so.
double start_of(const std::string& text) {
  const lrid::testing::TemporaryFolder folder;
  io::hdf5::OutputFile file("x");
  file.root().set_attribute<std::string>("nwb_version", "2.7.0");
  if (!text.empty()) file.root().write<std::string>("session_start_time", {text});
  std::move(file).save(folder / "a.nwb");
  return session_start(io::nwb::File(folder / "a.nwb"));
}

TEST(SessionStart, InUtc) {
  EXPECT_EQ(start_of("1970-01-02T00:00:00Z"), 86400);
  EXPECT_EQ(start_of("1970-01-01T00:00:01.500000+00:00"), 1.5);
  EXPECT_EQ(start_of("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(start_of("1969-12-31T18:30:00-0530"), 0);
  EXPECT_EQ(start_of("1970-01-01 00:01"), 60);
  EXPECT_EQ(start_of("2026-03-01T00:00:00"), 1772323200);
  for (const char* wrong : {"yesterday", "2026-02-30T00:00:00", "2026-01-01", "2026-01-01T00:00:00+", "x",
                            "2026-01-01T00:00:00 UTC", "2026-01-01T00:00:1.2.3"})
    EXPECT_THAT([&] { (void)start_of(wrong); },
                ThrowsMessage<InputError>(AllOf(HasSubstr(wrong), HasSubstr("--order given"))));
  EXPECT_THAT([] { (void)start_of(""); },
              ThrowsMessage<InputError>(HasSubstr("has no session_start_time, expected one in each file")));
}

}  // namespace
}  // namespace lrid::measure
