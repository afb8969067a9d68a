#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lrid/stats/observable.hpp>

namespace lrid::report {

// Each thing has one name on the page; these functions give it. A name that they don't know stays as it is.

/// "feedback alignment (fa)" of "fa": the learning rule and its code. Other classes stay as they are.
std::string class_title(const std::string& label);
/// "feedback alignment", without the code.
std::string rule_title(const std::string& code);

/// "random forest" of "forest".
std::string classifier_title(const std::string& name);
/// "activations" of "activation".
std::string measure_title(const std::string& name);
/// "by network" of "network".
std::string split_title(const std::string& name);
/// "early" of "0".
std::string position_title(const std::string& value);
/// "shape alone (unit norm)" of "unit_norm".
std::string control_title(const std::string& name);
/// "the optimiser (Adam or SGD with momentum)" of "optimiser".
std::string question_title(const std::string& name);
/// "accuracy per network" of "network_accuracy".
std::string extra_title(const std::string& name);
/// "held out" of "held_out".
std::string condition_title(const std::string& key);
/// "Held out of training" of "held-out".
std::string experiment_title(const std::string& name);

/// The parts of an observable's name, "activations: upper quartile (actraw_thirdquartile)".
struct ObservableTitle {
  std::string measure;    ///< "activations"; empty for what is no observable
  std::string statistic;  ///< "upper quartile"; for other features their name
  std::string code;       ///< "actraw_thirdquartile"; empty for what is no observable

  /// "activations: upper quartile"
  [[nodiscard]] std::string plain() const;
  /// "activations: upper quartile (actraw_thirdquartile)"
  [[nodiscard]] std::string full() const;
};
ObservableTitle observable_title(const std::string& name);
/// "activations: upper quartile (actraw_thirdquartile)".
std::string observable_name(const std::string& name);
/// "upper quartile (thirdquartile)" or "absolute values (abs)": a group of observables of one statistic or
/// function.
std::string observable_group_title(const std::string& group);

/// The measure of an observable or the measure of that name; 3 for everything else. The order is the page's
/// order of colours: weights, activations, activity change.
std::size_t measure_index(const std::string& name);
inline constexpr std::array measures_in_order = {stats::Measure::weight, stats::Measure::activation,
                                                 stats::Measure::layer_change};
std::string measure_title(stats::Measure measure);

/// Terms and what they mean, in alphabetical order.
const std::vector<std::pair<std::string_view, std::string_view>>& glossary();

}  // namespace lrid::report
