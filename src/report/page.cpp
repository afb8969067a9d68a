// Puts the page together: what is shown, in which order, under which number.
#include "page.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>

#include "figures.hpp"
#include "markup.hpp"
#include "names.hpp"
#include "page_files.hpp"
#include "study.hpp"

namespace lrid::report {
namespace {

/// The exhibits of a part, in order of appearance.
constexpr std::optional<Exhibit> (*exhibits[])(const View&) = {accuracy_figure,
                                                               question_figure,
                                                               network_figure,
                                                               held_out_figure,
                                                               left_out_set_figure,
                                                               left_out_table,
                                                               control_figure,
                                                               matched_figure,
                                                               novelty_figure,
                                                               refusal_table,
                                                               learning_curve_figure,
                                                               transfer_figure,
                                                               pair_figure,
                                                               target_figure,
                                                               confusion_figure,
                                                               dprime_table,
                                                               split_figure,
                                                               position_figure,
                                                               importance_figure,
                                                               permutation_figure,
                                                               observable_group_figure,
                                                               trajectory_figure,
                                                               portion_figure,
                                                               portion_map_figure,
                                                               imperfection_figure,
                                                               within_position_figure,
                                                               reliability_figure,
                                                               comparison_table,
                                                               extra_table,
                                                               hyperparameter_table,
                                                               all_rows_table};

std::string part_title(const View& view) {
  std::string title =
      experiment_title(view.results().experiment.empty() ? view.name() : view.results().experiment);
  if (auto column = view.configured("hold_out")) {
    std::ranges::replace(*column, '_', ' ');
    title += ": " + *column;
  }
  return title;
}

class Numbering {
 public:
  NumberedExhibit number(Exhibit exhibit) {
    const int next = exhibit.is_figure() ? ++figures_ : ++tables_;
    return {std::move(exhibit), next};
  }

 private:
  int figures_ = 0, tables_ = 0;
};

/// Everything that the study found, and what the first results that test it say.
Exhibit compared_with_study(const std::vector<Part>& parts) {
  Exhibit exhibit{.title = "The study's findings in these results"};
  exhibit.table.header = {words("what the study found"), words("these results"), words("in figures")};
  for (const StudyFinding& finding : study_findings()) {
    std::string verdict = "not tested", evidence;
    for (const Part& part : parts)
      if (const auto outcome = finding.compare(part.view)) {
        verdict = name_of(outcome->agreement);
        evidence = outcome->evidence;
        break;
      }
    exhibit.table.rows.push_back({row_title(finding.statement), words(verdict), words(evidence)});
  }
  exhibit.caption =
      "The study is Nayebi et al., “Identifying Learning Rules From Neural Network Observables”, NeurIPS "
      "2020. "
      "“Not decided” means that the results test it but the difference is not clear.";
  return exhibit;
}

// --- HTML

std::string definition(std::string_view term, std::string_view text) {
  return text.empty() ? "" : fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(term), escape(text));
}

std::string range(const RowRefs& rows, std::int64_t Row::*field) {
  if (rows.empty()) return "";
  const auto [low, high] = std::ranges::minmax(rows, {}, [&](const Row* row) { return row->*field; });
  return low->*field == high->*field ? count(high->*field)
                                     : count(low->*field) + " to " + count(high->*field);
}

std::string what_was_run(const View& view) {
  const io::Results& results = view.results();
  std::set<std::size_t> split_counts;
  for (const Row* row : view.rows()) split_counts.insert(row->accuracy.splits.size());
  std::vector<std::string> splits, kinds, classifiers, classes;
  for (const std::size_t n : split_counts) splits.push_back(std::to_string(n));
  for (const std::string& kind : values_of(view.rows(), key::split)) kinds.push_back(split_title(kind));
  for (const std::string& name : values_of(view.rows(), "classifier"))
    classifiers.push_back(classifier_title(name));
  for (const std::string& label : view.classes()) classes.push_back(class_title(label));

  std::string html = "<dl class=\"facts\">\n";
  const std::string file = std::filesystem::path(results.dataset_path).filename().string();
  html += definition(
      "data", results.dataset_sha256.empty() ? file
              : file.empty() ? fmt::format("SHA-256 {}…", results.dataset_sha256.substr(0, 12))
                             : fmt::format("{} (SHA-256 {}…)", file, results.dataset_sha256.substr(0, 12)));
  html += definition("identified", classes.empty() ? "" : view.target() + ": " + enumerate(classes));
  html += definition("classifiers", enumerate(classifiers));
  if (!view.rows().empty()) {
    html += definition("splits", enumerate(splits) + (kinds.empty() ? "" : ", " + enumerate(kinds)));
    html += definition("networks", range(view.rows(), &Row::n_networks));
    html += definition("layers", fmt::format("{} in training, {} in test", range(view.rows(), &Row::n_train),
                                             range(view.rows(), &Row::n_test)));
  }
  html += definition("seed", view.configured("seed").value_or(""));
  if (std::isfinite(results.seconds) && results.seconds > 0)
    html += definition("time", format_duration(results.seconds));
  html += "</dl>\n";
  if (!results.notes.empty()) {
    html += "<div class=\"notes\"><p>Worth knowing</p><ul>\n";
    for (const std::string& note : results.notes) html += fmt::format("<li>{}</li>\n", escape(note));
    html += "</ul></div>\n";
  }
  return html;
}

std::string download(const NumberedExhibit& numbered, std::string_view extension, std::string_view media_type,
                     std::string_view content) {
  return fmt::format(
      "<a class=\"tool\" download=\"{}.{}\" href=\"{}\">{}<span class=\"unseen\"> of {} {}</span></a>",
      numbered.file_stem(), extension, data_uri(media_type, content), extension == "svg" ? "SVG" : "CSV",
      numbered.exhibit.is_figure() ? "figure" : "table", numbered.number);
}

std::string head(const NumberedExhibit& numbered) {
  std::string tools;
  if (numbered.exhibit.is_figure())
    tools += download(numbered, "svg", "image/svg+xml", standalone_svg(numbered));
  tools += download(numbered, "csv", "text/csv;charset=utf-8", csv(numbered.exhibit.table));
  return fmt::format("<div class=\"head\"><h3 id=\"{}-title\">{}</h3><div class=\"tools\">{}</div></div>\n{}",
                     numbered.id(), escape(numbered.exhibit.title), tools,
                     numbered.exhibit.finding.empty()
                         ? ""
                         : fmt::format("<p class=\"finding\">{}</p>\n", escape(numbered.exhibit.finding)));
}

std::string legend_html(const std::vector<LegendEntry>& legend) {
  if (legend.empty()) return "";
  std::string html = "<ul class=\"legend\">";
  for (const LegendEntry& entry : legend)
    html += fmt::format(
        "<li><svg aria-hidden=\"true\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
        "{1:.0f}\">{2}</svg>"
        "<span>{3}</span></li>",
        entry.key.width(), entry.key.height(), entry.key.content(), escape(entry.text));
  return html + "</ul>\n";
}

std::string figure_html(const NumberedExhibit& numbered) {
  constexpr double tall = 400;  // px of a panel beside which two others fit
  const Exhibit& exhibit = numbered.exhibit;
  std::string panels;
  for (const Panel& panel : exhibit.panels)
    panels += fmt::format("<div class=\"panel{}\">{}{}</div>\n",
                          exhibit.panels.size() > 2 && panel.drawing.height() > tall ? " tall" : "",
                          panel.heading.empty() ? "" : fmt::format("<h4>{}</h4>\n", escape(panel.heading)),
                          panel.drawing.str());
  return fmt::format(
      "<figure class=\"exhibit\" id=\"{0}\" aria-labelledby=\"{0}-title\">\n{1}<div class=\"body\">\n<div>{2}"
      "<div class=\"panels\">\n{3}</div></div>\n<figcaption><b>Figure {4}.</b> "
      "{5}</figcaption></div>\n</figure>\n",
      numbered.id(), head(numbered), legend_html(exhibit.legend), panels, numbered.number,
      escape(exhibit.caption));
}

std::string table_exhibit_html(const NumberedExhibit& numbered) {
  const bool prose = std::ranges::none_of(numbered.exhibit.table.header, &TableEntry::numeric);
  return fmt::format(
      "<div class=\"exhibit\">\n{}{}</div>\n", head(numbered),
      table_html(numbered.exhibit.table, numbered.id(),
                 fmt::format("<b>Table {}.</b> {}", numbered.number, escape(numbered.exhibit.caption)),
                 prose ? "prose" : ""));
}

std::string exhibit_html(const NumberedExhibit& numbered) {
  return numbered.exhibit.is_figure() ? figure_html(numbered) : table_exhibit_html(numbered);
}

std::string folded(std::string_view summary, std::string_view html) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escape(summary), html);
}

std::string part_html(const Part& part, std::size_t number) {
  std::string html =
      fmt::format("<section class=\"part\" aria-labelledby=\"part-{0}\">\n<h2 id=\"part-{0}\">{1}</h2>\n",
                  number, escape(part.title));
  html += what_was_run(part.view);
  for (const NumberedExhibit& numbered : part.exhibits)
    html += numbered.exhibit.title == "All numbers" ||
                    numbered.exhibit.title == "Differences over the same networks"
                ? folded(fmt::format("{}: {}", numbered.exhibit.title,
                                     counted(numbered.exhibit.table.rows.size(), "row")),
                         exhibit_html(numbered))
                : exhibit_html(numbered);
  if (part.exhibits.empty()) html += "<p>These results hold nothing to show.</p>\n";
  if (const std::string& config = part.view.results().config; !config.empty())
    html += folded(
        "Configuration",
        fmt::format("<pre tabindex=\"0\" role=\"region\" aria-label=\"Configuration of part {}\">{}</pre>",
                    number, escape(config)));
  return html + "</section>\n";
}

std::string summary_html(const Document& document) {
  const Summary& summary = document.summary;
  std::string html = fmt::format("<p class=\"answer\">{}</p>\n", escape(summary.sentence));
  if (!summary.data.empty()) html += fmt::format("<p class=\"data\">{}</p>\n", escape(summary.data));
  if (!summary.tiles.empty()) {
    html += "<ul class=\"tiles\">\n";
    for (const Tile& tile : summary.tiles)
      html += fmt::format("<li><b>{}</b><span>{}</span></li>\n", escape(tile.value), escape(tile.text));
    html += "</ul>\n";
  }
  std::string list;
  for (const NumberedExhibit* numbered : bullets(document.parts))
    if (numbered->exhibit.finding != summary.sentence)
      list += fmt::format("<li>{} <a href=\"#{}\">{}\u00a0{}</a></li>\n", escape(numbered->exhibit.finding),
                          numbered->id(), numbered->kind(), numbered->number);
  if (!list.empty()) list = "<ul class=\"bullets\">\n" + list + "</ul>\n";
  if (!document.summary_figure) return html + list;
  return html + "<div class=\"first\"><div class=\"beside\">\n" + figure_html(*document.summary_figure) +
         list + "</div></div>\n";
}

std::string contents_html(const Document& document) {
  std::string html =
      "<ol>\n<li><a href=\"#summary\">Summary</a></li>\n<li><a href=\"#study\">The study</a></li>\n";
  for (std::size_t i = 0; i < document.parts.size(); ++i) {
    std::string inner;
    for (const NumberedExhibit& numbered : document.parts[i].exhibits)
      if (numbered.exhibit.is_figure())
        inner +=
            fmt::format("<li><a href=\"#{}\">{}</a></li>\n", numbered.id(), escape(numbered.exhibit.title));
    html += fmt::format("<li><a href=\"#part-{}\">{}</a>{}</li>\n", i + 1, escape(document.parts[i].title),
                        inner.empty() ? "" : "<ol>\n" + inner + "</ol>\n");
  }
  return html +
         "<li><a href=\"#methods\">Methods</a></li>\n<li><a href=\"#citation\">How to cite</a></li>\n"
         "<li><a href=\"#glossary\">Glossary</a></li>\n</ol>\n";
}

std::string glossary_html() {
  std::string html = "<dl class=\"glossary\">\n";
  for (const auto& [term, meaning] : glossary()) html += definition(term, meaning);
  return html + "</dl>\n";
}

/// The text with every {{name}} replaced by its value, once: values are not searched for places.
std::string filled(std::string_view text, const std::map<std::string, std::string, std::less<>>& values) {
  std::string result;
  while (true) {
    const std::size_t begin = text.find("{{"), end = text.find("}}", begin);
    result += text.substr(0, begin);
    if (end == std::string_view::npos) return result;
    result += values.at(std::string(text.substr(begin + 2, end - begin - 2)));
    text.remove_prefix(end + 2);
  }
}

}  // namespace

Document compose(const std::vector<io::NamedResults>& sources) {
  if (sources.empty()) bad_input("report: no results files, expected at least one");
  Document document;
  Numbering numbering;
  for (const io::NamedResults& source : sources) {
    View view(source, sources);
    std::string title = part_title(view);
    const auto alike = std::ranges::count_if(document.parts, [&](const Part& part) {
      return part.title == title || part.title.starts_with(title + " (");
    });
    if (alike > 0) title += fmt::format(" ({})", alike + 1);
    document.parts.push_back({std::move(view), std::move(title)});
  }
  for (Part& part : document.parts)
    for (const auto exhibit : exhibits)
      if (std::optional<Exhibit> made = exhibit(part.view)) part.exhibits.push_back({std::move(*made), 0});
  document.summary = summarise(document.parts);
  if (document.summary.figure) document.summary_figure = numbering.number(*document.summary.figure);
  document.study_table = numbering.number(compared_with_study(document.parts));
  for (Part& part : document.parts)
    for (NumberedExhibit& numbered : part.exhibits) numbered = numbering.number(std::move(numbered.exhibit));
  return document;
}

std::string html(const Document& document) {
  std::vector<std::string> names;
  std::string parts;
  for (std::size_t i = 0; i < document.parts.size(); ++i) {
    names.push_back(document.parts[i].view.name());
    parts += part_html(document.parts[i], i + 1);
  }
  return filled(page_html, {{"title", escape(document.summary.question + " " + enumerate(names))},
                            {"figure_css", std::string(figure_css)},
                            {"page_css", std::string(page_css)},
                            {"page_js", std::string(page_js)},
                            {"question", escape(document.summary.question)},
                            {"contents", contents_html(document)},
                            {"summary", summary_html(document)},
                            {"study", exhibit_html(*document.study_table)},
                            {"parts", parts},
                            {"methods", escape(methods_paragraph(document.parts))},
                            {"citation", escape(citation())},
                            {"bibtex", escape(bibtex())},
                            {"glossary", glossary_html()},
                            {"sources", escape(enumerate(names))}});
}

}  // namespace lrid::report
