#include "names.hpp"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include <lrid/io/results.hpp>

namespace lrid::report {
namespace {

using Titles = std::initializer_list<std::pair<std::string_view, std::string_view>>;

std::string title_among(const std::string& name, Titles titles) {
  const auto found = std::ranges::find(titles, name, [](const auto& entry) { return entry.first; });
  return found == titles.end() ? name : std::string(found->second);
}

std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  std::ranges::replace(name, '-', ' ');
  return name;
}

std::string with_code(const std::string& title, const std::string& code) {
  return title == code ? code : fmt::format("{} ({})", title, code);
}

const stats::Observable* find_observable(const std::string& name) {
  const int index = stats::observable_index(name);
  return index < 0 ? nullptr : &stats::observables()[static_cast<std::size_t>(index)];
}

std::string statistic_title(const std::string& code) {
  return title_among(code, {{"norm", "norm"},
                            {"mean", "mean"},
                            {"var", "variance"},
                            {"median", "median"},
                            {"thirdquartile", "upper quartile"},
                            {"skew", "skewness"},
                            {"kurtosis", "kurtosis"},
                            {"id", "mean"}});
}

}  // namespace

std::string rule_title(const std::string& code) {
  return title_among(code, {{"sgdm", "SGD with momentum"},
                            {"adam", "Adam"},
                            {"fa", "feedback alignment"},
                            {"ia", "information alignment"},
                            {"wm", "weight mirror"},
                            {"sa", "symmetric alignment"},
                            {"aa", "activation alignment"},
                            {"kp", "Kolen–Pollack"},
                            {"dfa", "direct feedback alignment"},
                            {"usf", "uniform sign symmetry"},
                            {"brsf", "batchwise sign symmetry"},
                            {"frsf", "fixed sign symmetry"}});
}

std::string class_title(const std::string& label) {
  return with_code(rule_title(label), label);
}

std::string classifier_title(const std::string& name) {
  return title_among(name, {{"svm", "linear SVM"},
                            {"forest", "random forest"},
                            {"mlp", "Conv1D MLP"},
                            {"knn", "nearest neighbours"},
                            {"majority", "majority class"},
                            {"logistic", "logistic regression"}});
}

std::string measure_title(const std::string& name) {
  return title_among(name, {{io::measure_name::all, "all measures"},
                            {io::measure_name::weight, "weights"},
                            {io::measure_name::activation, "activations"},
                            {io::measure_name::layer_change, "activity change"},
                            {io::measure_name::final_accuracy, "final accuracy"},
                            {io::measure_name::loss_curve, "loss curve"}});
}

std::string measure_title(stats::Measure measure) {
  return measure_title(measure == stats::Measure::weight       ? io::measure_name::weight
                       : measure == stats::Measure::activation ? io::measure_name::activation
                                                               : io::measure_name::layer_change);
}

std::string split_title(const std::string& name) {
  return title_among(name, {{io::split_name::network, "by network"}, {io::split_name::sample, "by layer"}});
}

std::string position_title(const std::string& value) {
  return title_among(value, {{"0", "early"}, {"1", "middle"}, {"2", "deep"}});
}

std::string control_title(const std::string& name) {
  return title_among(name, {{io::control_name::final_accuracy, "final accuracy alone"},
                            {io::control_name::unit_norm, "shape alone (unit norm)"},
                            {io::control_name::unit_range, "shape alone (own range)"},
                            {io::control_name::scale_only, "scale alone"},
                            {io::control_name::shuffled_labels, "shuffled labels"}});
}

std::string question_title(const std::string& name) {
  return title_among(
      name, {{io::question_name::optimiser, "the optimiser (Adam or SGD with momentum)"},
             {io::question_name::credit_assignment, "the assignment of credit (rules without Adam)"}});
}

std::string extra_title(const std::string& name) {
  if (name.starts_with(io::extra_name::permuted)) {
    const std::string group = name.substr(io::extra_name::permuted.size());
    return "accuracy lost without " +
           (measure_title(group) == group ? observable_name(group) : measure_title(group));
  }
  for (std::size_t i = 0; i < io::extra_name::accuracy_at_position.size(); ++i)
    if (name == io::extra_name::accuracy_at_position[i])
      return fmt::format("accuracy, {} layers", position_title(std::to_string(i)));
  const std::string title =
      title_among(name, {{io::extra_name::accuracy_inner_folds, "accuracy in the inner folds"},
                         {io::extra_name::calibration_error, "calibration error"},
                         {io::extra_name::network_accuracy, "accuracy per network"},
                         {io::extra_name::network_calibration_error, "calibration error per network"},
                         {io::extra_name::coverage, "sets hold the class"},
                         {io::extra_name::set_size, "classes in a set"},
                         {io::extra_name::network_coverage, "sets per network hold the class"},
                         {io::extra_name::network_set_size, "classes in a network's set"},
                         {io::extra_name::network_refused, "networks refused as untypical"},
                         {io::extra_name::auroc_uncertainty, "AUROC by uncertainty"},
                         {io::extra_name::auroc_distance, "AUROC by distance"},
                         {io::extra_name::auroc_novelty, "AUROC by typicality"},
                         {io::extra_name::network_auroc, "AUROC per network"},
                         {io::extra_name::known_refused, "layers of known rules refused"},
                         {io::extra_name::unknown_refused, "layers of the unknown rule refused"},
                         {io::extra_name::network_known_refused, "networks of known rules refused"},
                         {io::extra_name::network_unknown_refused, "networks of the unknown rule refused"}});
  return title == name ? spaced(name) : title;
}

std::string condition_title(const std::string& key) {
  const std::string title = title_among(key, {{io::condition_key::position, "layer position"},
                                              {io::condition_key::train_points, "trained on points"},
                                              {io::condition_key::test_points, "tested on points"},
                                              {io::condition_key::train_networks, "training networks"},
                                              {io::condition_key::train_on, "trained on"},
                                              {io::condition_key::test_on, "tested on"},
                                              {io::condition_key::matched_by, "matched by"},
                                              {io::condition_key::unknown, "unknown rule"}});
  return title == key ? spaced(key) : title;
}

std::string experiment_title(const std::string& name) {
  const std::string title = title_among(name, {{"separability", "Can the rules be told apart?"},
                                               {"controls", "What else could explain it?"},
                                               {"held-out", "Held out of training"},
                                               {"trajectory", "How much of the trajectory is needed?"},
                                               {"imperfection", "With few units and with noise"},
                                               {"importances", "Which observables matter?"},
                                               {"none-of-these", "Is an unknown rule noticed?"},
                                               {"learning-curve", "How many networks are needed?"},
                                               {"transfer", "From one kind of network to another"},
                                               {"pairs", "Pairs of rules"},
                                               {"matched", "Among equally good networks"},
                                               {"targets", "What else can be told?"},
                                               {"transforms", "Which features travel?"},
                                               {"fit", "The fitted classifier on kinds left out"}});
  if (title != name) return title;
  std::string plain = spaced(name);
  if (!plain.empty() && plain[0] >= 'a' && plain[0] <= 'z')
    plain[0] = static_cast<char>(plain[0] - 'a' + 'A');
  return plain;
}

std::string ObservableTitle::plain() const {
  return measure.empty() ? statistic : measure + ": " + statistic;
}

std::string ObservableTitle::full() const {
  return code.empty() ? plain() : with_code(plain(), code);
}

ObservableTitle observable_title(const std::string& name) {
  const stats::Observable* observable = find_observable(name);
  if (observable == nullptr) return {"", spaced(name), ""};
  std::string statistic = statistic_title(name.substr(name.find('_') + 1));
  if (observable->function == stats::Function::absolute) statistic += " of absolute values";
  if (observable->function == stats::Function::square) statistic += " of squares";
  return {measure_title(observable->measure), statistic, name};
}

std::string observable_name(const std::string& name) {
  return observable_title(name).full();
}

std::string observable_group_title(const std::string& group) {
  if (find_observable(group) != nullptr) return observable_name(group);
  if (group == "id") return "mean over stimuli (id)";
  const std::string function =
      title_among(group, {{"raw", "values as they are"}, {"abs", "absolute values"}, {"sq", "squares"}});
  return with_code(function == group ? statistic_title(group) : function, group);
}

std::size_t measure_index(const std::string& name) {
  const stats::Observable* observable = find_observable(name);
  for (std::size_t i = 0; i < measures_in_order.size(); ++i) {
    const bool is_measure = measure_title(name) == measure_title(measures_in_order[i]);
    if (observable == nullptr ? is_measure : observable->measure == measures_in_order[i]) return i;
  }
  return measures_in_order.size();
}

const std::vector<std::pair<std::string_view, std::string_view>>& glossary() {
  static const std::vector<std::pair<std::string_view, std::string_view>> terms = {
      {"accuracy",
       "The share of verdicts that name the right class. Per layer: one verdict for each layer of each test "
       "network. Per network: the layers' verdicts combined into one."},
      {"activations", "A layer's outputs on a fixed set of stimuli."},
      {"activity change",
       "How much a layer's mean output moves when all of its inputs move together: the layer-wise activity "
       "change of "
       "Nayebi et al., layer_change and gradavg in files. Where a layer is linear, as every observed layer "
       "of a "
       "ResNet is, it does not depend on the stimuli: it is one more statistic of the kernel."},
      {"AUROC",
       "Area under the receiver operating characteristic: how often a layer (or network) of the unknown rule "
       "looks less familiar than one of a known rule. 0.5 is guessing, 1 is never wrong."},
      {"calibration error",
       "How far confidence and accuracy are apart: the mean, over verdicts binned by confidence, of the "
       "difference between the two (expected calibration error)."},
      {"chance", "The accuracy of guessing: one over the number of classes, since test sets are balanced."},
      {"confidence", "The calibrated probability of the class that a verdict names."},
      {"d′",
       "Sensitivity to a class: Z(hit rate) − Z(false-alarm rate), Z the normal quantile, rates with the "
       "log-linear correction (half a case added to each count). 0 is guessing."},
      {"held out", "Left out of training altogether; the test consists of nothing else."},
      {"inner folds",
       "Cross-validation inside the training part of a split. It chooses the hyperparameters; the test part "
       "plays no role in it."},
      {"interval",
       "Where the accuracy would lie in 95 of 100 studies of other networks of the same kinds, whose number "
       "is "
       "what counts: layers of a network and repeated splits add no evidence of their own."},
      {"layer position", "Early, middle or deep: the third of the network in which a layer lies."},
      {"learning rule",
       "How a network turned errors into weight changes: an optimiser with backpropagation, or one of the "
       "alternatives that need no symmetric backward weights."},
      {"observable",
       "One statistic of a layer, such as the median of the absolute weights, followed over training."},
      {"p",
       "How often guessing would do at least as well on other networks, or a difference as large come about "
       "without a reason. Holm's method makes allowance for the number of comparisons made together."},
      {"set",
       "The classes that can't be excluded: it should hold the right one as often as the setting confidence "
       "says (conformal prediction). One class is a verdict, all classes say that nothing can be told."},
      {"split",
       "A division into a training and a test part. By network: all layers of a network are on one side. By "
       "layer, as in the study: layers of one network may be on both, which lets a classifier recognise the "
       "network instead of the rule."},
      {"spread over splits",
       "The standard deviation of a figure over the splits. Splits share networks, so that this says how "
       "much "
       "results depend on the division of these networks, not how other networks would do."},
      {"the study",
       "Nayebi, Srivastava, Ganguli and Yamins, Identifying Learning Rules From Neural Network Observables, "
       "NeurIPS 2020."},
      {"trajectory", "The values of an observable from before training to its end."},
      {"weights", "All entries of a layer's forward kernel, without biases."}};
  return terms;
}

}  // namespace lrid::report
