#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lrid/core/text.hpp>
#include <lrid/core/text_layout.hpp>
#include <lrid/identify/run.hpp>

namespace lrid::identify {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

io::ResultRow row(const std::string& classifier, const std::string& held_out) {
  io::ResultRow result;
  result.classifier = classifier;
  result.condition = {{io::condition_key::held_out, held_out},
                      {io::condition_key::measure, std::string("all")}};
  result.accuracy = io::Figure::of({0.5, 0.75});
  return result;
}

TEST(ResultTable, WrapsConditionsAtWordsAndKeepsToTheWidth) {
  io::Results results;
  results.experiment = "held-out";
  for (const char* classifier : {"svm", "forest", "mlp", "knn", "logistic", "majority"})
    for (const char* held_out : {"KNet4", "an architecture of a very long name in several words"})
      results.rows.push_back(row(classifier, held_out));
  for (const std::size_t width : {60U, 80U, 120U}) {
    const std::string table = result_table(results, width);
    for (const std::string& line : split(table, '\n')) EXPECT_LE(text_width(line), width) << table;
    EXPECT_THAT(table, HasSubstr("held_out KNet4, "));
    EXPECT_EQ(std::ranges::count(table, '\n') > 8, width < 120) << table;
    std::size_t figures = 0;
    for (std::size_t at = 0; (at = table.find("0.625 ± 0.125", at)) != std::string::npos; ++at) ++figures;
    EXPECT_EQ(figures, 12U) << table;
    EXPECT_THAT(table, Not(HasSubstr("AUROC")));
  }
}

TEST(ResultTable, ShowsIntervalsAndDecidedDifferences) {
  io::Results results;
  results.experiment = "separability";
  for (const char* classifier : {"svm", "forest"}) {
    results.rows.push_back(row(classifier, "KNet4"));
    results.rows.back().accuracy.interval = {0.512, 0.734};
    results.rows.back().accuracy.p = 0.0002;
  }
  results.comparisons = {{.about = "classifier",
                          .a = 0,
                          .b = 1,
                          .difference = -0.125,
                          .interval = {-0.21, -0.04},
                          .p = 0.003,
                          .p_holm = 0.006,
                          .networks = 12}};
  const std::string table = result_table(results);
  EXPECT_THAT(table, HasSubstr("0.625 [0.51, 0.73]  0.625 [0.51, 0.73]\n"));
  EXPECT_THAT(table, HasSubstr("p, above chance"));
  EXPECT_THAT(table, HasSubstr("< 0.001   < 0.001\n"));
  EXPECT_THAT(table, HasSubstr("differences over the same networks: 1 of 1 decided"));
  EXPECT_THAT(table, HasSubstr("+0.125 [0.04, 0.21], p 0.006: forest over svm"));
  results.comparisons[0].p_holm = 0.06;
  EXPECT_THAT(result_table(results), HasSubstr("0 of 1 decided"));
  EXPECT_THAT(result_table(results), Not(HasSubstr("forest over svm")));
}

TEST(ResultTable, ShowsWhatTheExperimentIsAbout) {
  io::Results novelty;
  novelty.experiment = "none-of-these";
  novelty.rows = {row("svm", "fa")};
  novelty.rows[0].extra = {{io::extra_name::network_auroc, io::Figure::of({0.9, 1})},
                           {io::extra_name::unknown_refused, io::Figure::of({NAN})}};
  const std::string refusals = result_table(novelty);
  EXPECT_THAT(refusals,
              HasSubstr("AUROC, networks           svm\nheld_out fa, measure all  0.950 ± 0.050\n"));
  EXPECT_THAT(refusals, HasSubstr("unknown layers refused"));
  EXPECT_THAT(refusals, HasSubstr("  none\n"));
  EXPECT_THAT(refusals, Not(HasSubstr("known networks refused")));

  io::Results importances;
  importances.experiment = "importances";
  importances.rows = {row("forest", "fa")};
  for (int i = 0; i < 12; ++i)
    importances.rows[0].observable_importances["observable" + std::to_string(i)] =
        io::Figure::of({i / 100.0});
  importances.rows[0].extra["permuted_weight"] = io::Figure::of({0.25});
  const std::string table = result_table(importances);
  EXPECT_THAT(table,
              HasSubstr("importance: forest, held_out fa, measure all\n  0.110 ± 0.000  observable11\n"));
  EXPECT_THAT(table, Not(HasSubstr("observable1\n"))) << "ten at the most";
  EXPECT_THAT(table, HasSubstr("accuracy lost when permuted: forest"));
  EXPECT_THAT(table, HasSubstr("  0.250 ± 0.000  weight\n"));
}

}  // namespace
}  // namespace lrid::identify
