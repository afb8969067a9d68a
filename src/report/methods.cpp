// The paragraph on methods, and what to cite.

#include <algorithm>

#include <fmt/format.h>

#include <lrid/core/text.hpp>
#include <lrid/core/version.hpp>

#include "markup.hpp"
#include "names.hpp"
#include "page.hpp"

namespace lrid::report {
namespace {

/// The software of all results, each once.
std::vector<std::string> software_of(const std::vector<Part>& parts) {
  std::vector<std::string> found;
  for (const Part& part : parts)
    if (const std::string& one = part.view.results().software;
        !one.empty() && std::ranges::find(found, one) == found.end())
      found.push_back(one);
  return found;
}

RowRefs all_rows(const std::vector<Part>& parts) {
  RowRefs rows;
  for (const Part& part : parts) rows.insert(rows.end(), part.view.rows().begin(), part.view.rows().end());
  return rows;
}

}  // namespace

std::string methods_paragraph(const std::vector<Part>& parts) {
  const View& view = parts.front().view;
  const RowRefs rows = all_rows(parts);
  std::int64_t networks = 0;
  std::size_t splits = 0;
  bool intervals = false;
  for (const Row* row : rows) {
    networks = std::max(networks, row->n_networks);
    splits = std::max(splits, row->accuracy.splits.size());
    intervals |= row->accuracy.interval.has_value();
  }
  std::vector<std::string> classifiers, classes, kinds;
  for (const std::string& name : values_of(rows, "classifier")) classifiers.push_back(classifier_title(name));
  for (const std::string& name : view.classes()) classes.push_back(class_title(name));
  for (const std::string& name : values_of(rows, key::split)) kinds.push_back(split_title(name));

  std::vector<std::string> said;
  said.push_back(fmt::format(
      "Every observed layer of {} was described by the trajectories of statistics of its weights, its "
      "activations and "
      "its activity change during training (Nayebi et al., 2020), and by its position in the network.",
      networks > 0 ? counted(networks, "network") : "each network"));
  if (!classes.empty() && !classifiers.empty())
    said.push_back(fmt::format("From these, {} identified the {}: {}.", enumerate(classifiers), view.target(),
                               enumerate(classes)));
  if (splits > 0)
    said.push_back(fmt::format(
        "Networks were divided into training and test parts in {}{}, with the classes "
        "balanced in both parts.",
        counted(splits, "random split"), kinds.empty() ? "" : fmt::format(" ({})", enumerate(kinds))));
  if (std::ranges::find(kinds, split_title(io::split_name::network)) != kinds.end())
    said.emplace_back("In splits by network, all layers of a network are on one side.");
  said.push_back(
      fmt::format("Hyperparameters were chosen by {}cross-validation inside the training part; the test part "
                  "was used once.",
                  view.configured("inner_folds") ? *view.configured("inner_folds") + "-fold " : ""));
  if (std::ranges::any_of(
          rows, [](const Row* row) { return row->extra.contains(io::extra_name::network_accuracy); }))
    said.emplace_back(
        "The verdict on a network is that of the mean of its layers' probabilities, calibrated.");
  said.emplace_back(
      intervals
          ? "The network is the unit of evidence: 95\u202f% intervals and p-values against chance are "
            "over networks, each with all its layers, stratified by class and corrected for networks that "
            "splits share (Nadeau and Bengio, 2003); splits that repeat the same test networks count as "
            "one."
          : "Errors are standard deviations over splits, which share networks: they describe how "
            "much results vary and are no confidence intervals.");
  said.push_back(fmt::format(
      "A difference is called clear when {}; otherwise it is not decided.",
      intervals ? "p < 0.05 in a comparison over the networks that both test, corrected by Holm's "
                  "method for the comparisons that a statement rests on"
                : "it exceeds two standard deviations over splits, a rule of thumb"));
  said.emplace_back(
      "Where a statement is about one classifier, that is the first of random forest, Conv1D MLP, linear "
      "SVM, logistic "
      "regression and nearest neighbours that was run, an order fixed beforehand so that none is picked by "
      "its test "
      "accuracy.");
  if (const std::vector<std::string> software = software_of(parts); !software.empty())
    said.push_back(fmt::format("Software: {}.", fmt::join(software, "; ")));
  return fmt::format("{}", fmt::join(said, " "));
}

std::string citation() {
  return fmt::format(
      "The lrid authors. lrid: identifying learning rules from neural network observables, version {}.\n"
      "Nayebi, A., Srivastava, S., Ganguli, S., & Yamins, D. L. K. (2020). Identifying learning rules from "
      "neural network "
      "observables. Advances in Neural Information Processing Systems, 33.\n",
      version());
}

std::string bibtex() {
  return fmt::format(
      "@software{{lrid,\n  author = {{{{The lrid authors}}}},\n  title = {{lrid: identifying learning rules "
      "from neural "
      "network observables}},\n  version = {{{}}}\n}}\n\n"
      "@inproceedings{{nayebi2020identifying,\n  author = {{Nayebi, Aran and Srivastava, Sanjana and "
      "Ganguli, Surya and "
      "Yamins, Daniel L. K.}},\n  title = {{Identifying Learning Rules From Neural Network Observables}},\n  "
      "booktitle = "
      "{{Advances in Neural Information Processing Systems}},\n  volume = {{33}},\n  year = {{2020}}\n}}\n",
      version());
}

}  // namespace lrid::report
