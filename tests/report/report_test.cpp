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

#include "markup.hpp"
#include "synthetic.hpp"
#include "testing.hpp"

namespace lrid::report {
namespace {

using ::testing::HasSubstr;

/// The first error that keeps a page from being well-formed XML, with the text it is in; "" without any.
/// Knows what our pages use: elements, attributes, the named entities, a doctype, and CDATA around the
/// script.
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
    } else if (page.substr(at).starts_with("<![CDATA[")) {
      at = page.find("]]>", at) + 3;
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
  std::vector<io::NamedResults> sources;
  for (io::Results& results : all) sources.push_back({results.experiment + ".json", std::move(results)});
  return render_report(sources);
}

/// A row of four classes.
io::ResultRow row_of(const std::string& classifier, const std::string& split, std::vector<double> splits) {
  io::ResultRow row;
  row.classifier = classifier;
  row.condition = {{"measure", std::string("all")}, {"split", split}};
  row.accuracy = io::Figure::of(std::move(splits));
  row.labels = {"adam", "fa", "ia", "sgdm"};
  return row;
}

/// What stands on the page before the first part: title, answer, tiles, figure, bullets.
std::string first_screen(const std::string& page) {
  const std::size_t begin = page.find("<header"), end = page.find("<h2 id=\"study\"");
  return page.substr(begin, end - begin);
}

std::size_t times(const std::string& page, const std::string& text) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = page.find(text, at)) != std::string::npos; ++at) ++found;
  return found;
}

TEST(Report, MarkupCheckFindsErrors) {
  EXPECT_EQ(first_markup_error("<!DOCTYPE html><p id=\"a\">x &amp; y<br/></p>"), "");
  EXPECT_EQ(first_markup_error("<p>//<![CDATA[\nif (a < b && c) d();\n//]]></p>"), "");
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
  for (const char* foreign : {"http:", "https:", "url(", "@import", "<link", " src="})
    EXPECT_FALSE(shows(page, foreign)) << foreign;
  EXPECT_EQ(times(page, "{{"), 1U) << "the citation's; others would be places that were not filled in";
  EXPECT_TRUE(shows(page, "default-src 'none'"));
}

TEST(Report, ShowsEveryKindOfFigureWithItsNumbers) {
  const io::Results main = lrid::testing::synthetic_separability();
  const std::string page =
      page_of({main, lrid::testing::synthetic_held_out(), lrid::testing::synthetic_breadth()});
  for (const char* title : {"Accuracy of the random forest",
                            "Accuracy by classifier and measure",
                            "Splits by layer and by network",
                            "Accuracy on what was held out of training",
                            "Which rules are taken for which",
                            "How well each rule stands out (d′)",
                            "Accuracy by layer position",
                            "Trained and tested within a layer position",
                            "Controls",
                            "What carries the decision",
                            "What is lost without an observable",
                            "The most important observables during training",
                            "Accuracy from portions of the trajectory",
                            "Trained on one portion, tested on another",
                            "Accuracy under noise and with few units",
                            "Other figures",
                            "Hyperparameters chosen",
                            "Verdicts on whole networks",
                            "Confidence and accuracy",
                            "None of these: rules left out of training",
                            "Refused as none of the known rules",
                            "Accuracy and the number of training networks",
                            "Trained on one kind, tested on another",
                            "Pairs of classes without the others",
                            "Among networks that learned equally well",
                            "What else the observables give away",
                            "Groups of observables alone",
                            "The study's findings in these results",
                            "All numbers"})
    EXPECT_TRUE(shows(page, fmt::format("-title\">{}</h3>", escape(title)))) << title;
  for (const io::ResultRow& row : main.rows) EXPECT_TRUE(shows(page, ">" + with_range(row.accuracy) + "<"));
  EXPECT_TRUE(shows(page, "chance 0.25"));
  EXPECT_TRUE(shows(page, "chance 0.125"));  // of the part with eight classes
  EXPECT_TRUE(shows(page, "SYNTHETIC: every number"));
  EXPECT_TRUE(shows(page, "grid reduced: svm 6 of 84 points"));
  EXPECT_TRUE(shows(page, "seed = 0"));
  EXPECT_TRUE(shows(page, "nothing held out"));  // the reference comes from the other file, on the same data
}

/// Figures and tables are counted apart, without gaps.
TEST(Report, NumbersFiguresAndTables) {
  const std::string page =
      page_of({lrid::testing::synthetic_separability(), lrid::testing::synthetic_breadth()});
  const std::size_t figures = times(page, "<figure "), tables = times(page, "<table ");
  EXPECT_GT(figures, 20U);
  EXPECT_GT(tables, 5U);
  for (std::size_t i = 1; i <= figures; ++i) EXPECT_TRUE(shows(page, fmt::format("<b>Figure {}.</b>", i)));
  for (std::size_t i = 1; i <= tables; ++i) EXPECT_TRUE(shows(page, fmt::format("<b>Table {}.</b>", i)));
  EXPECT_FALSE(shows(page, fmt::format("<b>Figure {}.</b>", figures + 1)));
}

TEST(Report, SaysWhatOfTheStudyItAgreesWith) {
  const std::string page =
      page_of({lrid::testing::synthetic_separability(), lrid::testing::synthetic_held_out()});
  const auto verdict = [](const std::string& finding, const std::string& outcome) {
    return fmt::format("<th scope=\"row\">{}</th><td>{}</td>", finding, outcome);
  };
  EXPECT_TRUE(
      shows(page, verdict("Each of the three measures alone separates the rules above chance.", "agrees")));
  // 0.83 ± 0.04 against 0.70 ± 0.06 is no more than two of their standard deviations.
  EXPECT_TRUE(shows(page, verdict("Non-linear classifiers beat the linear one.", "not decided")));
  EXPECT_TRUE(shows(page, verdict("What is held out of training costs accuracy, which stays above chance.",
                                  "not decided")));
  EXPECT_TRUE(
      shows(page, verdict("Under noise and with few units, activations are the most robust and weights the "
                          "least.",
                          "not tested")));

  io::Results results;
  results.rows = {row_of("svm", "network", {0.90, 0.91}), row_of("forest", "network", {0.60, 0.61})};
  EXPECT_TRUE(
      shows(page_of({results}), verdict("Non-linear classifiers beat the linear one.", "does not agree")));
  results.rows[1].accuracy = io::Figure::of({0.70, 0.99});  // a spread in which anything may be
  EXPECT_TRUE(
      shows(page_of({results}), verdict("Non-linear classifiers beat the linear one.", "not decided")));
}

TEST(Report, ShowsBothKindsOfSplitSideBySide) {
  const std::string page = page_of({lrid::testing::synthetic_separability()});
  EXPECT_TRUE(shows(page, "accuracy, split by layer<"));
  EXPECT_TRUE(shows(page, "accuracy, split by network<"));
}

TEST(Report, StaysSmallForAWholeStudy) {
  std::vector<io::Results> all;
  for (int i = 0; i < 5; ++i)
    for (const io::Results& results :
         {lrid::testing::synthetic_separability(), lrid::testing::synthetic_held_out(),
          lrid::testing::synthetic_breadth()})
      all.push_back(results);
  EXPECT_LT(page_of(all).size(), 10'000'000U);
}

TEST(Report, ConfusionsAreSummedOverSplits) {
  io::Results results;
  io::ResultRow row;
  row.classifier = "forest";
  row.accuracy = io::Figure::of({0.75, 0.5});
  row.confusion = {{{3, 1}, {1, 3}}, {{1, 3}, {1, 3}}};
  row.labels = {"fa", "ia"};
  results.rows = {row};
  const std::string page = page_of({results});
  EXPECT_TRUE(shows(
      page,
      "the random forest takes feedback alignment (fa) for information alignment (ia) in 50\u202f% of its "
      "layers"));
  EXPECT_TRUE(shows(page, ">75\u202f%<"));  // ia as ia: 6 of 8
  EXPECT_TRUE(shows(page, ">6<"));
}

/// The first screen speaks of the classifier that was fixed beforehand, whatever the others reach, and of
/// networks before layers.
TEST(Report, AnswersInOneSentence) {
  io::Results results;
  results.rows = {row_of("svm", "network", {0.95, 0.96}), row_of("forest", "network", {0.80, 0.84})};
  EXPECT_TRUE(
      shows(first_screen(page_of({results})),
            "a random forest names the learning rule of 82\u202f% of the layers of networks that it was not "
            "trained on; guessing would name 25\u202f%"));
  results.rows[1].extra["network_accuracy"] = io::Figure::of({0.9, 0.92});
  const std::string page = first_screen(page_of({results}));
  EXPECT_TRUE(shows(page, "names the learning rule of 91\u202f% of the networks that it was not trained on"));
  EXPECT_LT(page.find("accuracy per network"), page.find("accuracy per layer"));

  results.rows[1].extra.clear();
  results.rows[1].accuracy = io::Figure::of({0.24, 0.33, 0.25});
  EXPECT_TRUE(shows(first_screen(page_of({results})),
                    "clearly better than guessing does (27\u202f% against 25\u202f%)"));
  for (io::ResultRow& row : results.rows) row.condition["split"] = std::string("sample");
  results.rows[1].accuracy = io::Figure::of({0.80, 0.84});
  EXPECT_TRUE(
      shows(first_screen(page_of({results})), "layers, of networks some of whose layers it was trained on"));
}

TEST(Report, FirstScreenIsShort) {
  std::vector<io::Results> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(lrid::testing::synthetic_separability());
    all.push_back(lrid::testing::synthetic_held_out());
    all.push_back(lrid::testing::synthetic_breadth());
  }
  const std::string screen = first_screen(page_of(all));
  EXPECT_EQ(times(screen, "<figure "), 1U);
  const std::size_t bullets = screen.find("<ul class=\"bullets\">");
  ASSERT_NE(bullets, std::string::npos);
  EXPECT_EQ(times(screen.substr(bullets), "<li>"), 3U);
  EXPECT_TRUE(shows(screen, "left out of training"));
  EXPECT_TRUE(shows(screen, "With shuffled labels accuracy is at chance, as it should be"));
}

TEST(Report, ShowsSetsForWhatWasHeldOut) {
  const std::string page = page_of({lrid::testing::synthetic_held_out()});
  EXPECT_TRUE(
      shows(page,
            "On layers of what was left out, sets at 90\u202f% hold the class in 0.97 to 0.99 of cases, "
            "with 2.2 to 2.7 of 4 classes on average; calibration error 0.11."));
  EXPECT_TRUE(shows(page, "Nominally 90\u202f% of sets hold the class."));
  EXPECT_TRUE(shows(page, "Kinds left out of training, in numbers"));
  EXPECT_TRUE(shows(page, "networks refused as untypical"));
  io::Results without = lrid::testing::synthetic_held_out();
  for (io::ResultRow& row : without.rows) row.extra.clear();
  EXPECT_FALSE(shows(page_of({without}), "Sets of classes on what was held out"));
}

TEST(Report, ShuffledLabelsShouldBeAtChance) {
  io::Results results;
  results.rows = {row_of("forest", "network", {0.25, 0.26, 0.24})};
  results.rows[0].condition["control"] = std::string("shuffled_labels");
  EXPECT_TRUE(
      shows(page_of({results}), "With shuffled labels accuracy is at chance, as it should be (0.25)."));
  results.rows[0].accuracy = io::Figure::of({0.45, 0.46, 0.44});
  EXPECT_TRUE(
      shows(page_of({results}),
            "With shuffled labels 1 of 1 accuracies are off chance (0.45), which they should not be."));
}

TEST(Report, SplitsByNetworkMayCostAccuracy) {
  io::Results results;
  results.rows = {row_of("svm", "network", {0.24, 0.33, 0.25})};
  EXPECT_FALSE(shows(page_of({results}), "Splits by layer and by network"));
  results.rows.push_back(row_of("svm", "sample", {0.80, 0.82, 0.81}));
  EXPECT_TRUE(shows(page_of({results}), "clearly lowers 1 of 1 accuracies"));
  results.rows[0].accuracy = io::Figure::of({0.79, 0.83, 0.80});
  EXPECT_TRUE(shows(page_of({results}), "does not clearly lower any accuracy"));
}

/// Intervals over networks and p-values are shown, and decide, where results have them.
TEST(Report, ShowsIntervalsWhereThereAreAny) {
  io::Results results;
  results.rows = {row_of("forest", "network", {0.80, 0.84})};
  std::string page = page_of({results});
  EXPECT_TRUE(shows(page, "0.820\u00a0±\u00a00.028"));  // sd of the two splits
  EXPECT_TRUE(shows(page, "(spread over splits)"));
  EXPECT_FALSE(shows(page, "95\u202f% interval over networks)"));
  results.rows[0].accuracy.interval = {0.2, 0.95};
  results.rows[0].accuracy.p = 0.0004;
  page = page_of({results});
  EXPECT_TRUE(shows(page, "0.820\u00a0[0.200,\u00a00.950]"));
  EXPECT_TRUE(shows(page, "95\u202f% interval over networks), p\u00a0&lt;\u00a00.001"));
  EXPECT_TRUE(shows(first_screen(page), "does not name"));  // the interval includes chance
}

/// `correct`: of four layers, for each of eight networks that the two rows share.
io::ResultRow with_networks(io::ResultRow row, const std::vector<std::int64_t>& correct) {
  io::TestedNetworks tested{{}, {}, {{}}, {{}}, 1};
  double right = 0;
  for (std::size_t i = 0; i < correct.size(); ++i) {
    tested.names.push_back("network " + std::to_string(i));
    tested.labels.push_back(static_cast<std::int64_t>(i % 4));
    tested.network[0].push_back(static_cast<std::int64_t>(i));
    tested.layers[0].push_back(4);
    right += static_cast<double>(correct[i]) / 4 / static_cast<double>(correct.size());
  }
  row.tested = std::make_shared<io::TestedNetworks>(std::move(tested));
  row.correct = {correct};
  row.accuracy = io::Figure::of({right});
  return row;
}

/// Two classifiers that differ little but on every network alike differ clearly; by a lot on one network,
/// not.
TEST(Report, DecidesOverTheNetworksThatBothTest) {
  const auto verdict = [](const std::vector<std::int64_t>& forest, const std::vector<std::int64_t>& svm) {
    io::Results results;
    results.rows = {with_networks(row_of("forest", "network", {}), forest),
                    with_networks(row_of("svm", "network", {}), svm)};
    const std::string page = page_of({results}),
                      begin = "<th scope=\"row\">Non-linear classifiers beat the linear one.</th><td>";
    const std::size_t at = page.find(begin) + begin.size();
    return page.substr(at, page.find("</td>", at) - at);
  };
  EXPECT_EQ(verdict({4, 3, 4, 3, 4, 3, 4, 3}, {3, 2, 3, 2, 3, 2, 3, 2}), "agrees");
  EXPECT_EQ(verdict({3, 2, 3, 2, 3, 2, 3, 2}, {4, 3, 4, 3, 4, 3, 4, 3}), "does not agree");
  EXPECT_EQ(verdict({4, 3, 4, 3, 4, 3, 4, 4}, {4, 3, 4, 3, 4, 3, 4, 0}), "not decided");
}

/// One of many comparisons that looks clear alone is not, after Holm's correction.
TEST(Report, CorrectsForTheNumberOfComparisons) {
  io::Results results;
  for (const char* measure : {"weight", "activation", "layer_change"}) {
    results.rows.push_back(row_of("forest", "network", {0.5, 0.5}));
    results.rows.back().condition["measure"] = std::string(measure);
    results.rows.back().accuracy.interval = {0.26, 0.6};
    results.rows.back().accuracy.p = 0.02;  // Holm: 0.06
  }
  EXPECT_TRUE(shows(page_of({results}), "separates the rules above chance.</th><td>not decided"));
  results.rows[0].accuracy.p = 0.001;
  results.rows[1].accuracy.p = 0.001;
  EXPECT_TRUE(shows(page_of({results}), "separates the rules above chance.</th><td>agrees"));
}

TEST(Report, AsksForOptimiserAndCreditAssignmentApart) {
  io::Results results;
  results.rows = {row_of("forest", "network", {0.80, 0.84})};
  EXPECT_FALSE(shows(page_of({results}), "Asked apart"));
  for (const char* question : {"optimiser", "credit_assignment"}) {
    results.rows.push_back(row_of("forest", "network", {0.7, 0.7}));
    results.rows.back().condition["question"] = std::string(question);
    results.rows.back().labels = {"adam", "sgdm"};
  }
  results.rows.back().labels = {"fa", "ia", "sgdm"};
  const std::string page = page_of({results});
  EXPECT_TRUE(shows(first_screen(page),
                    "Asked apart, it tells the optimiser (Adam or SGD with momentum) in 70\u202f% (guessing: "
                    "50\u202f%) and the assignment of credit (rules without Adam) in 70\u202f% (guessing: "
                    "33\u202f%)."));
  EXPECT_TRUE(shows(page, "The optimiser and the assignment of credit</h3>"));
}

TEST(Report, NamesThingsByTheirNames) {
  const std::string page = page_of({lrid::testing::synthetic_separability()});
  EXPECT_TRUE(shows(page, "feedback alignment (fa)"));
  EXPECT_TRUE(shows(page, "SGD with momentum (sgdm)"));
  EXPECT_TRUE(shows(page, "activations: norm of absolute values (actabs_norm)"));
  for (const char* other : {"share right", "layer change", "layer-wise change"})
    EXPECT_FALSE(shows(page, other)) << other;
}

/// Importances have whiskers where results hold them for each split.
TEST(Report, ImportancesHaveErrors) {
  io::Results results;
  results.rows = {row_of("forest", "network", {0.80, 0.84})};
  results.rows[0].importances = {
      {"weightabs_mean@0", 0.2}, {"weightabs_mean@1", 0.3}, {"actraw_mean@0", 0.5}};
  EXPECT_TRUE(shows(page_of({results}), "These results hold their means over the splits only."));
  results.rows[0].observable_importances = {{"weightabs_mean", io::Figure::of({0.45, 0.55})},
                                            {"actraw_mean", io::Figure::of({0.55, 0.45})}};
  const std::string page = page_of({results});
  EXPECT_TRUE(shows(page, "weights: mean of absolute values: 0.500\u00a0±\u00a00.071"));
  EXPECT_FALSE(shows(page, "These results hold their means over the splits only."));
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
  EXPECT_EQ(times(page, "<script"), 1U);  // our own
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
  EXPECT_FALSE(shows(page, "figure-3"));  // the summary's and the accuracies'
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
    std::vector<io::NamedResults> sources;
    for (const char* const file : {"results.json", "held-out.json"})
      sources.push_back({file, io::read_results(folder / file)});
    write_report(sources, folder / out);
  }
  const std::string page = read_file(folder / "a.html");
  EXPECT_EQ(page, read_file(folder / "b.html"));
  EXPECT_EQ(first_markup_error(page), "");
  EXPECT_TRUE(shows(page, "Made from results.json and held-out.json."));
  EXPECT_TRUE(shows(page, "The most important observables during training"));
}

TEST(Report, ShowsTrajectoriesOnceForTheSameData) {
  const io::Results results = lrid::testing::synthetic_separability();
  io::Results other = results;
  const std::string title = ">The most important observables during training</h3>";
  EXPECT_EQ(times(page_of({results, other}), title), 1U);
  other.dataset_sha256 = "another";
  EXPECT_EQ(times(page_of({results, other}), title), 2U);
}

/// Every figure as SVG that stands alone and every exhibit's numbers as CSV: the same as the page's
/// downloads.
TEST(Report, WritesFigures) {
  const lrid::testing::TemporaryFolder folder;
  const std::vector<io::NamedResults> sources = {{"results.json", lrid::testing::synthetic_separability()}};
  write_figures(sources, folder / "figures");
  const std::string page = render_report(sources);
  std::size_t svgs = 0, tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "figures")) {
    const std::string text = read_file(entry.path());
    if (entry.path().extension() == ".svg") {
      ++svgs;
      EXPECT_EQ(first_markup_error(text), "") << entry.path();
      EXPECT_TRUE(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"")) << entry.path();
      EXPECT_EQ(text.find("var("), std::string::npos) << entry.path();
      EXPECT_TRUE(shows(page, data_uri("image/svg+xml", text)));
    } else {
      ++tables;
      EXPECT_TRUE(shows(page, data_uri("text/csv;charset=utf-8", text))) << entry.path();
      EXPECT_GT(times(text, "\n"), 1U) << entry.path();
    }
  }
  EXPECT_EQ(svgs, times(page, "<figure "));
  EXPECT_EQ(tables, times(page, "<figure ") + times(page, "<table "));
  const std::string numbers =
      read_file(folder / "figures" / "figure-02-accuracy-by-classifier-and-measure.csv");
  EXPECT_TRUE(numbers.starts_with("panel,label,accuracy,accuracy (spread over splits),splits\n"))
      << numbers.substr(0, 90);

  write_atomically(folder / "file", "");
  EXPECT_THROW(write_figures(sources, folder / "file"), InputError);
}

TEST(Report, RefusesBadInput) {
  const lrid::testing::TemporaryFolder folder;
  EXPECT_THROW(render_report({}), InputError);
  EXPECT_THROW(write_report({}, folder / "out.html"), InputError);
  EXPECT_FALSE(std::filesystem::exists(folder / "out.html"));
}

}  // namespace
}  // namespace lrid::report
