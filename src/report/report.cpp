#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/report/report.hpp>

#include "figures.hpp"
#include "markup.hpp"
#include "study.hpp"
#include "style.hpp"
#include "view.hpp"

namespace lrid::report {
namespace {

/// The figures of a part, in order of appearance.
constexpr std::optional<Exhibit> (*figures[])(const View&) = {
    accuracy_figure,       split_figure,       network_figure,
    held_out_figure,       control_figure,     novelty_figure,
    learning_curve_figure, transfer_figure,    pair_figure,
    matched_figure,        target_figure,      confusion_figure,
    dprime_table,          position_figure,    within_position_figure,
    importance_figure,     permutation_figure, observable_group_figure,
    trajectory_figure,     portion_figure,     imperfection_figure,
    reliability_figure,    extra_table,        hyperparameter_table};

struct NumberedExhibit {
  Exhibit exhibit;
  int number;
};

struct Part {
  View view;
  std::vector<NumberedExhibit> exhibits;
};

/// A key of the experiment's configuration as text; nothing where it does not say, or cannot be read.
std::optional<std::string> configured(const io::Results& results, const std::string& key) {
  try {
    const Config config = Config::from_toml(results.config, "config");
    const Config::Entry* entry = config.find(key);
    if (entry == nullptr) return std::nullopt;
    if (const auto* text = std::get_if<std::string>(&entry->value.data)) return *text;
    return entry->value.to_toml();
  } catch (const InputError&) {
    return std::nullopt;  // The page shows the configuration as it is, whatever it is.
  }
}

std::string target_title(const io::Results& results) {
  std::string target = configured(results, "target").value_or("learning_rule");
  std::ranges::replace(target, '_', ' ');
  return target;
}

std::int64_t largest(const RowRefs& rows, std::int64_t Row::*field) {
  std::int64_t found = 0;
  for (const Row* row : rows) found = std::max(found, row->*field);
  return found;
}

std::string tile(const std::string& value, const std::string& text) {
  return fmt::format("<li><b>{}</b><small>{}</small></li>\n", escape(value), escape(text));
}

/// The numbers at the top: those of the first part that has them.
std::string tiles(const std::vector<Part>& parts) {
  std::string html;
  const Row* best = nullptr;
  const View* of = nullptr;
  for (const Part& part : parts)
    if (best == nullptr && part.view.best() != nullptr) {
      best = part.view.best();
      of = &part.view;
    }
  if (best != nullptr) {
    std::vector<std::string> what = {classifier_title(best->classifier)};
    if (const auto measure = condition(*best, "measure")) what.push_back(measure_title(*measure));
    if (const auto split = condition(*best, "split")) what.push_back("split " + split_title(*split));
    html += tile(with_error(best->accuracy), "best accuracy: " + fmt::format("{}", fmt::join(what, ", ")));
    if (std::isfinite(chance(*best)))
      html += tile(chance_text(chance(*best)),
                   fmt::format("chance, with {} classes: {}", best->labels.size(), enumerate(best->labels)));
  }
  for (const Part& part : parts) {
    RowRefs rows = part.view.with_key("held_out");
    if (best != nullptr) rows = rows_where(rows, "classifier", best->classifier);
    rows = rows_where(rows, [](const Row& row) { return std::isfinite(row.accuracy.mean); });
    if (rows.empty()) continue;
    const auto [low, high] =
        std::ranges::minmax_element(rows, {}, [](const Row* row) { return row->accuracy.mean; });
    const std::string from = number((*low)->accuracy.mean), to = number((*high)->accuracy.mean);
    html += tile(from == to ? to : from + " – " + to,
                 fmt::format("on what was held out of training, {}: {}",
                             classifier_title((*high)->classifier), enumerate(values_of(rows, "held_out"))));
    break;
  }
  const RowRefs& rows = of != nullptr ? of->rows() : parts.front().view.rows();
  if (const std::int64_t networks = largest(rows, &Row::n_networks); networks > 0)
    html += tile(count(networks),
                 fmt::format("networks; a split trains on {} and tests on {} of their layers",
                             count(largest(rows, &Row::n_train)), count(largest(rows, &Row::n_test))));
  return html.empty() ? "" : "<ul class=\"tiles\">\n" + html + "</ul>\n";
}

std::string definition(std::string_view term, std::string_view text) {
  return text.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape(term), escape(text));
}

std::string range(const RowRefs& rows, std::int64_t Row::*field) {
  if (rows.empty()) return "0";
  const auto [low, high] = std::ranges::minmax(rows, {}, [&](const Row* row) { return row->*field; });
  return low->*field == high->*field ? count(high->*field)
                                     : count(low->*field) + " to " + count(high->*field);
}

std::string what_was_run(const View& view) {
  const io::Results& results = view.results();
  std::set<std::size_t> split_counts;
  std::vector<std::string> classifiers, classes;
  for (const std::string& name : values_of(view.rows(), "classifier"))
    classifiers.push_back(classifier_title(name));
  for (const Row* row : view.rows()) {
    split_counts.insert(row->accuracy.splits.size());
    for (const std::string& label : row->labels)
      if (std::ranges::find(classes, label) == classes.end()) classes.push_back(label);
  }
  std::vector<std::string> splits, kinds;
  for (const std::size_t n : split_counts) splits.push_back(std::to_string(n));
  for (const std::string& kind : values_of(view.rows(), "split")) kinds.push_back(split_title(kind));

  std::string html = "<dl>\n";
  const std::string file = std::filesystem::path(results.dataset_path).filename().string();
  html +=
      definition("data", results.dataset_sha256.empty()
                             ? file
                             : fmt::format("{} (SHA-256 {}…)", file, results.dataset_sha256.substr(0, 12)));
  html += definition("identified", classes.empty() ? "" : target_title(results) + ": " + enumerate(classes));
  html += definition("classifiers", enumerate(classifiers));
  html += definition("splits", view.rows().empty()
                                   ? ""
                                   : enumerate(splits) + (kinds.empty() ? "" : ", " + enumerate(kinds)));
  html += definition("networks", view.rows().empty() ? "" : range(view.rows(), &Row::n_networks));
  html += definition("samples a split", view.rows().empty() ? ""
                                                            : fmt::format("{} for training, {} for testing",
                                                                          range(view.rows(), &Row::n_train),
                                                                          range(view.rows(), &Row::n_test)));
  html += definition("seed", configured(results, "seed").value_or(""));
  if (std::isfinite(results.seconds) && results.seconds > 0)
    html += definition("took", format_duration(results.seconds));
  html += "</dl>\n";
  if (!results.notes.empty()) {
    html += "<div class=\"notes\"><p>Worth knowing</p><ul>\n";
    for (const std::string& note : results.notes) html += fmt::format("<li>{}</li>\n", escape(note));
    html += "</ul></div>\n";
  }
  return html;
}

std::string part_title(const Part& part, const std::string& name) {
  std::string title = part.view.results().experiment.empty() ? name : part.view.results().experiment;
  std::ranges::replace(title, '_', ' ');
  std::ranges::replace(title, '-', ' ');
  if (const auto column = configured(part.view.results(), "hold_out")) title += ": " + *column;
  return sentence(title);
}

std::string figure_html(const NumberedExhibit& numbered) {
  const Exhibit& exhibit = numbered.exhibit;
  return fmt::format(
      "<figure id=\"figure-{0}\">\n<h3>{1}</h3>\n{2}<figcaption><b>Figure {0}.{3}</b> "
      "{4}</figcaption>\n</figure>\n",
      numbered.number, escape(exhibit.title), exhibit.html,
      exhibit.finding.empty() ? "" : " " + escape(exhibit.finding), escape(exhibit.caption));
}

/// Whether the summary has room for one finding of each part only.
bool are_many(const std::vector<Part>& parts) {
  return parts.size() > 3;
}

/// The exhibits whose findings stand for an experiment at the top of the page: all of them; of many
/// experiments one each, the one that the fewest others have too, since a summary must stay one.
std::vector<const NumberedExhibit*> in_summary(const Part& part, const std::vector<Part>& parts) {
  std::vector<const NumberedExhibit*> with_finding;
  for (const NumberedExhibit& numbered : part.exhibits)
    if (!numbered.exhibit.finding.empty()) with_finding.push_back(&numbered);
  if (!are_many(parts) || with_finding.empty()) return with_finding;
  return {std::ranges::min(with_finding, {}, [&](const NumberedExhibit* numbered) {
    return std::ranges::count_if(parts, [&](const Part& other) {
      return std::ranges::any_of(other.exhibits, [&](const NumberedExhibit& its) {
        return its.exhibit.title == numbered->exhibit.title;
      });
    });
  })};
}

std::string findings(const std::vector<Part>& parts, const std::vector<std::string>& names) {
  std::string html;
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (const NumberedExhibit* numbered : in_summary(parts[i], parts))
      html += fmt::format("<li>{}{} <a href=\"#figure-{}\">Figure\u00a0{}</a></li>\n",
                          are_many(parts) ? "<b>" + escape(part_title(parts[i], names[i])) + ".</b> " : "",
                          escape(numbered->exhibit.finding), numbered->number, numbered->number);
  return html.empty() ? "" : "<ul class=\"findings\">\n" + html + "</ul>\n";
}

/// How the results compare with the study's, a line each; "" where they test nothing of it.
std::string comparison(const View& view) {
  std::string html;
  for (const StudyFinding& finding : study_findings())
    if (const auto verdict = finding.compare(view))
      html += fmt::format("<li><b>{}:</b> {} Here: {}.</li>\n", verdict->agrees ? "agrees" : "does not agree",
                          escape(finding.statement), escape(verdict->evidence));
  return html.empty() ? "" : "<p>Compared with the study</p>\n<ul class=\"findings\">\n" + html + "</ul>\n";
}

/// Everything the study found: whether the first part that tests it agrees.
std::string comparison_table(const std::vector<Part>& parts) {
  std::vector<std::vector<Cell>> body;
  for (const StudyFinding& finding : study_findings()) {
    std::string verdict = "not tested", evidence;
    for (const Part& part : parts)
      if (const auto found = finding.compare(part.view)) {
        verdict = found->agrees ? "agrees" : "does not agree";
        evidence = found->evidence;
        break;
      }
    body.push_back(
        {{escape(finding.statement), false}, {"<b>" + verdict + "</b>", false}, {escape(evidence), false}});
  }
  return "<h3 id=\"study\">Compared with the study</h3>\n" +
         table({{"what the study found", false}, {"these results", false}, {"in figures", false}}, body,
               "prose") +
         "<p>Nayebi et al., “Identifying Learning Rules From Neural Network Observables”, NeurIPS 2020. "
         "Agreement is in "
         "kind: two standard errors above chance, above another accuracy.</p>\n";
}

/// What there is on the page, for those who come for one thing.
std::string contents(const std::vector<Part>& parts, const std::vector<std::string>& names) {
  if (parts.size() < 2) return "";
  std::string html = "<nav aria-label=\"Contents\"><ol>\n";
  for (std::size_t i = 0; i < parts.size(); ++i)
    html +=
        fmt::format("<li><a href=\"#part-{}\">{}</a></li>\n", i + 1, escape(part_title(parts[i], names[i])));
  return html + "</ol></nav>\n";
}

std::string part_html(const Part& part, const std::string& name, std::size_t number) {
  const io::Results& results = part.view.results();
  std::string html = fmt::format("<section aria-labelledby=\"part-{0}\">\n<h2 id=\"part-{0}\">{1}</h2>\n",
                                 number, escape(part_title(part, name)));
  html += what_was_run(part.view) + comparison(part.view);
  for (const NumberedExhibit& numbered : part.exhibits) html += figure_html(numbered);
  if (part.exhibits.empty()) html += "<p>These results hold nothing that could be drawn.</p>\n";
  if (!part.view.rows().empty())
    html += folded(fmt::format("All numbers ({})", counted(part.view.rows().size(), "row")),
                   all_rows_table(part.view));
  if (!results.config.empty()) html += folded("Configuration", "<pre>" + escape(results.config) + "</pre>");
  return html + "</section>\n";
}

}  // namespace

std::string render_report(const std::vector<Source>& sources) {
  if (sources.empty()) bad_input("report: no results files, expected at least one");
  std::vector<Part> parts;
  int number = 0;
  for (const Source& source : sources) {
    Part part{View(source, sources), {}};
    for (const auto figure : figures)
      if (std::optional<Exhibit> exhibit = figure(part.view))
        part.exhibits.push_back({std::move(*exhibit), ++number});
    parts.push_back(std::move(part));
  }

  std::vector<std::string> names, software;
  for (const Source& source : sources) {
    names.push_back(source.name);
    if (const std::string& one = source.results.software;
        !one.empty() && std::ranges::find(software, one) == software.end())
      software.push_back(one);
  }
  const std::string target = target_title(sources.front().results);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>Identifying the {}: {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      escape(target), escape(enumerate(names)), style_sheet());
  html += fmt::format(
      "<header>\n<p class=\"kicker\">lrid report</p>\n<h1>Identifying the {}</h1>\n"
      "<p class=\"lead\">What statistics of weights, activations and their change over training say about "
      "the {}.</p>\n",
      escape(target), escape(target == "learning rule" ? "rule that trained a network" : target));
  html += tiles(parts) + findings(parts, names) + comparison_table(parts) + contents(parts, names) +
          "</header>\n";
  for (std::size_t i = 0; i < parts.size(); ++i) html += part_html(parts[i], names[i], i + 1);
  html += fmt::format("<footer>From {}. {}</footer>\n</main>\n</body>\n</html>\n", escape(enumerate(names)),
                      escape(fmt::format("{}", fmt::join(software, "; "))));
  return html;
}

void write_report(const std::vector<Source>& sources, const std::filesystem::path& out) {
  write_atomically(out, render_report(sources));
}

}  // namespace lrid::report
