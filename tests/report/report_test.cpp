#include <cctype>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/report/report.hpp>

#include "synthetic.hpp"
#include "testing.hpp"

namespace lrid::report {
namespace {

using ::testing::HasSubstr;

/// What keeps a page from being well-formed XML: the first error with what stands there, "" if there is none.
/// Knows what our pages use: elements, attributes, the five named entities and numeric ones, a doctype.
std::string first_markup_error(std::string_view page) {
  std::vector<std::string> open;
  std::set<std::string> ids;
  const auto error = [&](const std::string& what, std::size_t at) {
    return what + " at: " + std::string(page.substr(at, 60));
  };
  for (std::size_t at = 0; at < page.size();) {
    if (page[at] == '&') {
      const std::size_t end = page.find(';', at);
      const std::string entity(page.substr(at + 1, end - at - 1));
      if (end == std::string_view::npos ||
          !std::set<std::string>{"amp", "lt", "gt", "quot", "#39"}.contains(entity))
        return error("unknown entity", at);
      at = end + 1;
    } else if (page[at] != '<') {
      if (static_cast<unsigned char>(page[at]) < 0x20 && page[at] != '\n' && page[at] != '\t')
        return error("control character", at);
      ++at;
    } else if (page.substr(at).starts_with("<!DOCTYPE html>")) {
      at += 15;
    } else {
      const std::size_t begin = at++;
      const bool closing = page[at] == '/';
      if (closing) ++at;
      std::string name;
      while (at < page.size() && (std::isalnum(static_cast<unsigned char>(page[at])) != 0))
        name += page[at++];
      if (name.empty()) return error("tag without name", begin);
      std::set<std::string> attributes;
      while (at < page.size() && std::isspace(static_cast<unsigned char>(page[at])) != 0) {
        ++at;
        std::string attribute;
        while (at < page.size() &&
               (std::isalnum(static_cast<unsigned char>(page[at])) != 0 || page[at] == '-'))
          attribute += page[at++];
        if (attribute.empty()) continue;
        if (!attributes.insert(attribute).second) return error("repeated attribute", begin);
        if (!page.substr(at).starts_with("=\"")) return error("unquoted attribute", begin);
        const std::size_t end = page.find('"', at + 2);
        const std::string value(page.substr(at + 2, end - at - 2));
        if (value.find('<') != std::string::npos) return error("< in attribute", begin);
        if (attribute == "id" && !ids.insert(value).second) return error("repeated id", begin);
        at = end + 1;
      }
      const bool empty = page[at] == '/';
      if (empty) ++at;
      if (at >= page.size() || page[at] != '>') return error("unfinished tag", begin);
      ++at;
      if (closing) {
        if (open.empty() || open.back() != name)
          return error("does not close " + (open.empty() ? "" : open.back()), begin);
        open.pop_back();
      } else if (!empty) {
        open.push_back(name);
      }
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

/// Like HasSubstr, but for pages: a failure does not print all of it.
::testing::AssertionResult shows(const std::string& page, const std::string& text) {
  if (page.find(text) != std::string::npos) return ::testing::AssertionSuccess() << "shows: " << text;
  return ::testing::AssertionFailure() << "does not show: " << text;
}

using Confusions = decltype(io::ResultRow::confusion);

std::string page_of(std::vector<io::Results> all) {
  std::vector<Source> sources;
  for (io::Results& results : all) sources.push_back({results.experiment + ".json", std::move(results)});
  return render_report(sources);
}

TEST(Report, MarkupCheckFindsErrors) {
  EXPECT_EQ(first_markup_error("<!DOCTYPE html><p id=\"a\">x &amp; y<br/></p>"), "");
  EXPECT_THAT(first_markup_error("<p>x"), HasSubstr("never closed"));
  EXPECT_THAT(first_markup_error("<p><b>x</p></b>"), HasSubstr("does not close"));
  EXPECT_THAT(first_markup_error("<p>a & b;</p>"), HasSubstr("entity"));
  EXPECT_THAT(first_markup_error("<p a=1></p>"), HasSubstr("unquoted"));
  EXPECT_THAT(first_markup_error("<p id=\"a\"/><p id=\"a\"/>"), HasSubstr("repeated id"));
}

TEST(Report, IsWellFormedAndSelfContained) {
  const std::string page = page_of({lrid::testing::synthetic_separability(),
                                    lrid::testing::synthetic_held_out(), lrid::testing::synthetic_breadth()});
  EXPECT_EQ(first_markup_error(page), "");
  for (const char* foreign : {"http:", "https:", "//", "url(", "@import", "<script", "<link", "src="})
    EXPECT_FALSE(shows(page, foreign)) << foreign;
}

TEST(Report, ShowsEveryKindOfFigureWithItsNumbers) {
  const io::Results main = lrid::testing::synthetic_separability();
  const std::string page =
      page_of({main, lrid::testing::synthetic_held_out(), lrid::testing::synthetic_breadth()});
  for (const char* title : {"Accuracy by classifier and measure",
                            "Splits by sample against splits grouped by network",
                            "Trained without, tested on it",
                            "Which rules are taken for which",
                            "How well each rule stands out",
                            "Accuracy by layer position",
                            "Trained and tested within a layer position",
                            "Controls",
                            "What carries the decision",
                            "What is lost without an observable",
                            "How the most important observables run",
                            "Accuracy from portions of the trajectory",
                            "Accuracy under noise and with few units",
                            "Other figures",
                            "Hyperparameters chosen",
                            "Verdicts on whole networks",
                            "Do probabilities mean what they say",
                            "None of these: rules never trained on",
                            "How many networks does it take",
                            "Trained on one kind, tested on another",
                            "Pairs without the others",
                            "Among networks that learned equally well",
                            "What else the observables give away",
                            "Groups of observables alone"})
    EXPECT_TRUE(shows(page, std::string("<h3>") + title)) << title;
  for (const io::ResultRow& row : main.rows)
    EXPECT_TRUE(shows(page, fmt::format(">{:.3f}\u00a0±\u00a0{:.3f}<", row.accuracy.mean, row.accuracy.sem)));
  EXPECT_TRUE(shows(page, "chance 0.25"));
  EXPECT_TRUE(shows(page, "chance 0.125"));  // of the part with eight classes
  EXPECT_TRUE(shows(page, "SYNTHETIC: every number"));
  EXPECT_TRUE(shows(page, "grid reduced: svm 6 of 84 points"));
  EXPECT_TRUE(shows(page, "seed = 0"));
  EXPECT_TRUE(shows(page, "none held out"));  // the reference comes from the other file, on the same data
}

TEST(Report, SaysWhatOfTheStudyItAgreesWith) {
  const std::string page =
      page_of({lrid::testing::synthetic_separability(), lrid::testing::synthetic_held_out()});
  EXPECT_TRUE(shows(
      page, "<td>Each of the three measures alone separates the rules above chance.</td><td><b>agrees</b>"));
  EXPECT_TRUE(shows(page, "<td>Non-linear classifiers beat the linear one.</td><td><b>agrees</b>"));
  EXPECT_TRUE(shows(page, "costs accuracy, which stays above chance.</td><td><b>agrees</b>"));
  EXPECT_TRUE(shows(page, "activations are the most robust, weights the least.</td><td><b>not tested</b>"));

  // The other way around.
  io::Results reversed = lrid::testing::synthetic_separability();
  for (io::ResultRow& row : reversed.rows) row.classifier = row.classifier == "svm" ? "forest" : "svm";
  EXPECT_TRUE(shows(page_of({reversed}),
                    "<td>Non-linear classifiers beat the linear one.</td><td><b>does not agree</b>"));
}

TEST(Report, ShowsBothKindsOfSplitSideBySide) {
  const std::string page = page_of({lrid::testing::synthetic_separability()});
  EXPECT_TRUE(shows(page, "accuracy, split by sample"));
  EXPECT_TRUE(shows(page, "accuracy, split grouped by network"));
}

TEST(Report, StaysSmallForAWholeStudy) {
  std::vector<io::Results> all;
  for (int i = 0; i < 5; ++i)
    for (const io::Results& results :
         {lrid::testing::synthetic_separability(), lrid::testing::synthetic_held_out(),
          lrid::testing::synthetic_breadth()})
      all.push_back(results);
  EXPECT_LT(page_of(all).size(), 5'000'000U);
}

TEST(Report, ConfusionsAreSummedOverSplits) {
  io::Results results;
  io::ResultRow row{.classifier = "forest",
                    .condition = {},
                    .accuracy = io::Figure::of({0.75, 0.5}),
                    .confusion = {{{3, 1}, {1, 3}}, {{1, 3}, {1, 3}}},
                    .labels = {"fa", "ia"},
                    .dprime = {},
                    .balanced_accuracy = {},
                    .hyperparameters = {},
                    .importances = {},
                    .extra = {},
                    .reliability = {}};
  results.rows = {row};
  const std::string page = page_of({results});
  EXPECT_TRUE(shows(page, "the random forest takes fa for ia in 50\u202f% of the cases"));
  EXPECT_TRUE(shows(page, ">75\u202f%<"));  // ia as ia: 6 of 8
  EXPECT_TRUE(shows(page, ">6<"));
}

TEST(Report, CaptionsFollowTheNumbers) {
  io::Results results;
  const auto add = [&](const char* classifier, const char* split, std::vector<double> splits) {
    results.rows.push_back({.classifier = classifier,
                            .condition = {{"measure", std::string("all")}, {"split", std::string(split)}},
                            .accuracy = io::Figure::of(std::move(splits)),
                            .confusion = {},
                            .labels = {"a", "b", "c", "d"},
                            .dprime = {},
                            .balanced_accuracy = {},
                            .hyperparameters = {},
                            .importances = {},
                            .extra = {},
                            .reliability = {}});
  };
  add("svm", "network", {0.24, 0.33, 0.25});
  std::string page = page_of({results});
  EXPECT_TRUE(shows(page, "which two standard errors do not tell from a chance of 0.25"));
  EXPECT_FALSE(shows(page, "grouped by network</h3>"));
  add("svm", "sample", {0.80, 0.82, 0.81});
  page = page_of({results});
  EXPECT_TRUE(shows(
      page, "clearly lowers 1 of 1 accuracies, most that of the linear SVM on all measures (0.81 → 0.27)"));
  add("forest", "network", {0.90, 0.92, 0.91});
  page = page_of({results});
  EXPECT_TRUE(shows(page,
                    "The random forest tells the rules apart best: accuracy 0.91\u00a0±\u00a00.01 "
                    "from all measures, against a chance of 0.25"));
}

TEST(Report, EscapesNames) {
  io::Results results = lrid::testing::synthetic_separability();
  const std::string evil = "<script>alert('x')</script>&\"";
  results.experiment = evil;
  results.config = evil;
  results.notes = {evil};
  results.software = evil;
  results.dataset_path = evil;
  for (io::ResultRow& row : results.rows) {
    row.classifier = evil;
    row.labels[0] = evil;
    row.condition["measure"] = evil;
    row.condition["held_out"] = evil;
    row.importances[evil] = 1;
    row.extra[evil] = io::Figure::of({1});
    row.hyperparameters = {{{evil, evil}}};
  }
  results.trajectories[0].labels[0] = evil;
  results.trajectories[0].observable = evil;
  const std::string page = render_report({{evil, results}});
  EXPECT_EQ(first_markup_error(page), "");
  EXPECT_FALSE(shows(page, "<script"));
}

TEST(Report, LeavesOutWhatIsMissing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  io::Results results;
  EXPECT_EQ(first_markup_error(page_of({results})), "");  // nothing at all
  EXPECT_FALSE(shows(page_of({results}), "<figure"));

  io::ResultRow row;  // one split, one classifier, no condition, nothing but an accuracy
  row.classifier = "svm";
  row.accuracy = io::Figure::of({0.5});
  results.rows = {row};
  std::string page = page_of({results});
  EXPECT_EQ(first_markup_error(page), "");
  EXPECT_TRUE(shows(page, "figure-1"));
  EXPECT_FALSE(shows(page, "figure-2"));
  EXPECT_FALSE(shows(page, "nan"));

  row.accuracy = {.mean = nan, .sem = nan, .splits = {nan, nan}};  // nothing known
  row.labels = {"only"};
  row.confusion = {{{0}}};
  row.dprime = {{nan}};
  row.balanced_accuracy = {{nan}};
  row.importances = {{"actabs_mean", nan}, {"weightabs_mean", 0}};
  results.rows = {row};
  results.trajectories = {{"weightabs_mean", {"only"}, {{nan, nan}}, {{nan, nan}}},
                          {"empty", {}, {}, {}},
                          {"constant", {"only", "short"}, {{1, 1, 1}, {}}, {}}};
  page = page_of({results});
  EXPECT_EQ(first_markup_error(page), "");
  EXPECT_FALSE(shows(page, "nan"));
  EXPECT_FALSE(shows(page, "inf"));

  EXPECT_FALSE(shows(page, "What carries the decision"));

  row.labels = {"a", "b"};  // confusions of a shape that these do not explain: not drawn
  for (const Confusions& confusion :
       std::vector<Confusions>{{{{1, 2}, {3}}}, {{{1, 2}}}, {{{1, 2}, {3, 4}}, {{1}}}}) {
    row.confusion = confusion;
    results.rows = {row};
    EXPECT_EQ(first_markup_error(page_of({results})), "");
    EXPECT_FALSE(shows(page_of({results}), "Which rules are taken"));
  }
}

TEST(Report, ReadsFilesAndRepeatsItself) {
  const lrid::testing::TemporaryFolder folder;
  io::write_results(folder / "results.json", lrid::testing::synthetic_separability());
  io::write_results(folder / "held-out.json", lrid::testing::synthetic_held_out());
  for (const char* const out : {"a.html", "b.html"}) {
    std::vector<Source> sources;
    for (const char* const file : {"results.json", "held-out.json"})
      sources.push_back({file, io::read_results(folder / file)});
    write_report(sources, folder / out);
  }
  const std::string page = read_file(folder / "a.html");
  EXPECT_EQ(page, read_file(folder / "b.html"));
  EXPECT_EQ(first_markup_error(page), "");
  EXPECT_TRUE(shows(page, "From results.json and held-out.json."));
  EXPECT_TRUE(shows(page, "How the most important observables run"));
}

TEST(Report, ShowsTrajectoriesOnceForTheSameData) {
  const io::Results results = lrid::testing::synthetic_separability();
  io::Results other = results;
  const auto times_shown = [](const std::string& page) {
    std::size_t times = 0;
    for (std::size_t at = 0; (at = page.find("<h3>How the most important", at)) != std::string::npos; ++at)
      ++times;
    return times;
  };
  EXPECT_EQ(times_shown(page_of({results, other})), 1U);
  other.dataset_sha256 = "another";
  EXPECT_EQ(times_shown(page_of({results, other})), 2U);
}

/// Of the figures that four experiments have, a summary tells one each: the held-out one's is on what was
/// held out, which the others do not have.
TEST(Report, SummaryOfManyExperimentsHasALineForEach) {
  const io::Results results = lrid::testing::synthetic_separability();
  const std::string page = page_of({results, results, results, lrid::testing::synthetic_held_out()});
  const std::string summary = page.substr(0, page.find("<h2"));
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = summary.find("<a href=\"#figure-", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 4U);
  EXPECT_TRUE(shows(summary, "On what training never saw, the best is"));
}

TEST(Report, RefusesBadInput) {
  const lrid::testing::TemporaryFolder folder;
  EXPECT_THROW(render_report({}), InputError);
  EXPECT_THROW(write_report({}, folder / "out.html"), InputError);
  EXPECT_FALSE(std::filesystem::exists(folder / "out.html"));
}

}  // namespace
}  // namespace lrid::report
