// Verdicts in words.
#include <algorithm>
#include <cmath>
#include <set>

#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>
#include <lrid/identify/feature_table.hpp>
#include <lrid/identify/predict.hpp>
#include <lrid/io/results.hpp>
#include <lrid/stats/observable.hpp>

namespace lrid::identify {

namespace {

/// A class as a sentence names it: "Adam", "SGDM"; other targets' classes as they are.
std::string in_words(const FittedFile& fitted, std::size_t c) {
  std::string name = fitted.identifier.classes[c];
  if (fitted.target != "learning_rule") return name;
  if (name == "adam") return "Adam";
  for (char& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return name;
}

/// "FA", "FA and IA", "FA, IA and SGDM".
std::string enumeration(const FittedFile& fitted, const std::vector<std::size_t>& classes, const char* last) {
  std::string text;
  for (std::size_t i = 0; i < classes.size(); ++i)
    text += (i == 0                    ? ""
             : i + 1 == classes.size() ? fmt::format(" {} ", last)
                                       : ", ") +
            in_words(fitted, classes[i]);
  return text;
}

/// What the set of classes says.
std::string sentence_of_set(const FittedFile& fitted, const std::vector<std::size_t>& set) {
  static const std::vector<std::string> numbers = {"", "", "two", "three", "four", "five", "six"};
  const std::size_t all = fitted.identifier.classes.size();
  std::vector<std::size_t> excluded;
  for (std::size_t c = 0; c < all; ++c)
    if (std::ranges::find(set, c) == set.end()) excluded.push_back(c);
  const bool is_rule = fitted.target == "learning_rule";
  const std::string level = fmt::format("{:g} %", 100 * fitted.confidence);
  if (excluded.empty())
    return fmt::format("Any of {}; which can't be told.", enumeration(fitted, set, "and"));
  if (set.size() > 1 && excluded.size() == 1)
    return fmt::format("Not {}; which of the {} can't be told.", in_words(fitted, excluded.front()),
                       set.size() < numbers.size() ? numbers[set.size()] : std::to_string(set.size()));
  return fmt::format("{}{}. {} {} excluded at {}.", is_rule ? "Trained by " : fitted.target + " ",
                     enumeration(fitted, set, "or"), enumeration(fitted, excluded, "and"),
                     excluded.size() == 1 ? "is" : "are", level);
}

/// The observables that speak most for the verdict.
std::string evidence_text(const std::vector<std::string>& classes, const NetworkVerdict& network) {
  constexpr std::size_t shown = 3;
  std::vector<std::string> spoke;
  for (const auto& [name, effect] : network.observables)
    if (effect > 0 && spoke.size() < shown) spoke.push_back(fmt::format("{} {:+.3f}", name, effect));
  if (spoke.empty()) return "";
  return fmt::format("  evidence for {}: {}\n", classes[network.verdict], join(spoke, ", "));
}

/// A table of the layers.
std::string layers_text(const std::vector<std::string>& classes, const NetworkVerdict& network) {
  std::string text;
  std::size_t width = 5;
  for (const LayerVerdict& layer : network.layers) width = std::max(width, layer.layer.size());
  text += fmt::format("  {:<{}}  position", "layer", width);
  for (const std::string& name : classes)
    text += fmt::format("  {:>{}}", name, std::max<std::size_t>(4, name.size()));
  text += "  typicality  set\n";
  for (const LayerVerdict& layer : network.layers) {
    text += fmt::format("  {:<{}}  {:<8}", layer.layer, width, layer.position.empty() ? "-" : layer.position);
    for (std::size_t c = 0; c < classes.size(); ++c)
      text += fmt::format("  {:>{}.2f}", layer.probabilities[c], std::max<std::size_t>(4, classes[c].size()));
    std::vector<std::string> set;
    for (const std::size_t c : layer.set) set.push_back(classes[c]);
    text += fmt::format("  {:>10.3f}  {}\n", layer.typicality, join(set, ", "));
  }
  return text;
}

/// "the third quartile of the size of activity".
std::string observable_in_words(const std::string& name) {
  const stats::Observable& o = stats::observables()[to_size(stats::observable_index(name))];
  const auto statistic = [&]() -> const char* {
    switch (o.statistic) {
      case stats::Statistic::norm:
        return "the norm of ";
      case stats::Statistic::mean:
        return "the mean of ";
      case stats::Statistic::variance:
        return "the variance of ";
      case stats::Statistic::median:
        return "the median of ";
      case stats::Statistic::third_quartile:
        return "the third quartile of ";
      case stats::Statistic::skew:
        return "the skew of ";
      case stats::Statistic::kurtosis:
        return "the kurtosis of ";
      case stats::Statistic::id:
        break;
    }
    return "";
  };
  const char* const quantity = o.measure == stats::Measure::weight       ? "weights"
                               : o.measure == stats::Measure::activation ? "activity"
                                                                         : "the activity change";
  const char* const function = o.function == stats::Function::absolute ? "the size of "
                               : o.function == stats::Function::square ? "the square of "
                                                                       : "";
  return fmt::format("{}{}{}", statistic(), function, quantity);
}

/// "grows", "falls", "rises and falls".
const char* way_in_words(double direction) {
  constexpr double one_way = 0.5;
  return direction > one_way ? "grows" : direction < -one_way ? "falls" : "goes up and down";
}

/// What an observable's course has in common with the verdict's networks and not with those of another class:
/// "the mean of activity grows later than under Adam (half of its way by 58 % of the trajectory; SGDM 55 %,
/// Adam 31 %)". Without such a class: how it runs.
std::string course_in_words(const FittedFile& fitted, const NetworkVerdict& network, std::size_t i) {
  const auto& [name, effect] = network.observables[i];
  const Course& its = network.courses[i];
  std::string text = observable_in_words(name);
  if (std::isnan(its.half_time)) return fmt::format("{} stays as it is", text);
  text += fmt::format(" {}", way_in_words(its.direction));
  const auto percent = [](double fraction) { return fmt::format("{:.0f} %", 100 * fraction); };
  const std::string half = "half of its way by " + percent(its.half_time) + " of the trajectory";
  const auto column = to_size(std::ranges::find(fitted.identifier.layout.observables, name) -
                              fitted.identifier.layout.observables.begin());
  // By how much nearer its half-time is, as a ratio, to that of the verdict's networks than to the other's.
  const double telling = std::log(1.25);
  const auto of = [&](std::size_t c) { return fitted.courses[c][column].half_time; };
  const auto apart = [&](std::size_t c) { return std::abs(std::log(its.half_time / of(c))); };
  std::size_t other = network.verdict;
  double most = telling;
  for (std::size_t c = 0; c < fitted.courses.size(); ++c) {
    const double nearer = apart(c) - apart(network.verdict);
    if (c != network.verdict && nearer > most) {
      most = nearer;
      other = c;
    }
  }
  if (other == network.verdict) return fmt::format("{} ({})", text, half);
  return fmt::format("{} {} than under {} ({}; under {} {}, under {} {})", text,
                     its.half_time > of(other) ? "later" : "earlier", in_words(fitted, other), half,
                     in_words(fitted, network.verdict), percent(of(network.verdict)), in_words(fitted, other),
                     percent(of(other)));
}

std::string measure_in_words(const std::string& measure) {
  return measure == io::measure_name::weight       ? "weights"
         : measure == io::measure_name::activation ? "activity"
                                                   : "the activity change";
}

/// How far it is from the training networks.
std::string typicality_in_words(const FittedFile& fitted, const NetworkVerdict& network) {
  if (!fitted.identifier.known) return "The model does not say how typical it is.";
  const double t = network.typicality;
  const char* const where = t <= fitted.refuse ? "unlike them" : t < 0.3 ? "at their edge" : "among them";
  return fmt::format("Beside the training networks it stands {}: {:.0f} % of {} are as far from the others.",
                     where, 100 * t,
                     network.is_known_kind ? "them" : "those of a kind that was left out for a trial");
}

/// What it would take to say more.
std::vector<std::string> advice(const FittedFile& fitted, const FilePrediction& file,
                                const NetworkVerdict& network) {
  std::vector<std::string> would_help;
  const std::int64_t points = fitted.identifier.layout.trajectory_points();
  if (file.points < points)
    would_help.push_back(
        fmt::format("more points: it has {}, the training networks {}", file.points, points));
  std::vector<std::string> absent;
  for (const std::string& measure : file.absent) absent.push_back(measure_in_words(measure));
  if (!absent.empty()) would_help.push_back(join(absent, " and "));
  if (std::ranges::any_of(network.unlike,
                          [](const std::string& text) { return text.starts_with("measured with"); }))
    would_help.emplace_back("a model of networks that were measured as it was, or all of its units");
  if (network.set.size() > 1 || !network.unlike.empty())
    would_help.emplace_back("a model of your own, fitted to networks that learned from your stimuli");
  return would_help;
}

std::string sentence_case(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// What a reader of recordings needs, in the order in which it is asked.
std::string recording_text(const FittedFile& fitted, const FilePrediction& file,
                           const NetworkVerdict& network) {
  const std::vector<std::string>& classes = fitted.identifier.classes;
  std::string text = fmt::format("{}\n  {}\n", file.file, sentence(fitted, network));
  if (!network.is_refused()) {
    std::vector<std::string> set, chances;
    for (const std::size_t c : network.set) set.push_back(in_words(fitted, c));
    for (std::size_t c = 0; c < classes.size(); ++c)
      chances.push_back(fmt::format("{} {:.2f}", in_words(fitted, c), network.probabilities[c]));
    text += fmt::format("  Set at {:g} %: {}. Probabilities: {}.\n", 100 * fitted.confidence, join(set, ", "),
                        join(chances, ", "));
    constexpr std::size_t shown = 3;
    std::vector<std::string> speak;
    std::set<std::pair<stats::Measure, stats::Statistic>> said;  // of v and |v| much the same can be said
    for (std::size_t i = 0; i < network.observables.size() && speak.size() < shown; ++i) {
      const auto& [name, effect] = network.observables[i];
      const stats::Observable& o = stats::observables()[to_size(stats::observable_index(name))];
      if (effect > 0 && said.emplace(o.measure, o.statistic).second)
        speak.push_back(
            fmt::format("    - {}{}\n", course_in_words(fitted, network, i),
                        effect < 0.005 ? "" : fmt::format("; without it {:.2f} less probable", effect)));
    }
    if (!speak.empty())
      text += fmt::format("  What speaks for {}:\n{}", in_words(fitted, network.verdict), join(speak, ""));
  }
  text += fmt::format("  {}\n", typicality_in_words(fitted, network));
  for (const std::string& remark : network.remarks) text += fmt::format("  {}.\n", sentence_case(remark));
  if (!file.absent.empty()) {
    std::vector<std::string> absent;
    for (const std::string& measure : file.absent) absent.push_back(measure_in_words(measure));
    text += fmt::format("  Not measured: {}.\n", join(absent, ", "));
  }
  const std::vector<std::string> would_help = advice(fitted, file, network);
  if (!would_help.empty()) text += fmt::format("  Would help: {}.\n", join(would_help, "; "));
  return text + layers_text(classes, network);
}

}  // namespace

std::string sentence(const FittedFile& fitted, const NetworkVerdict& network) {
  const std::string unlike = join(network.unlike, "; ");
  if (network.no_change) return "No change over time; no rule is named.";
  if (network.none_of_these)
    return fmt::format(
        "{}, nearest {}.",
        network.in_typical_company
            ? "A rule that is none of these"
            : "Unlike the training networks: a rule that is none of these, or other data or training",
        in_words(fitted, network.verdict));
  if (network.out_of_range) return fmt::format("Unlike the training data ({}); no rule is named.", unlike);
  return sentence_of_set(fitted, network.set) +
         (unlike.empty() ? "" : fmt::format(" Unlike the training data: {}.", unlike));
}

std::string predictions_text(const FittedFile& fitted, const std::vector<FilePrediction>& files,
                             bool layers) {
  const std::vector<std::string>& classes = fitted.identifier.classes;
  std::string text;
  std::set<std::string> new_in;
  for (const FilePrediction& file : files)
    for (const NetworkVerdict& network : file.networks) {
      if (!network.is_known_kind) new_in.insert(network.new_in.begin(), network.new_in.end());
      if (file.is_recording) {
        text += recording_text(fitted, file, network);
        continue;
      }
      std::vector<std::string> others;
      for (std::size_t c = 0; c < classes.size(); ++c)
        if (c != network.verdict)
          others.push_back(fmt::format("{} {:.2f}", classes[c], network.probabilities[c]));
      text += fmt::format(
          "{}{}: {} {} {:.2f} ({}); {} kind; typicality {:.3f}{}\n", file.file,
          network.network == std::filesystem::path(file.file).stem() ? "" : ", " + network.network,
          sentence(fitted, network), classes[network.verdict], network.probabilities[network.verdict],
          join(others, ", "), network.is_known_kind ? "known" : "new", network.typicality,
          network.remarks.empty() ? "" : "; " + join(network.remarks, "; "));
      if (layers) text += evidence_text(classes, network) + layers_text(classes, network);
    }
  for (const LeftOutKind& kind : fitted.left_out)
    if (new_in.contains(kind.column)) text += "new kinds: " + describe(kind, fitted.confidence) + "\n";
  return text;
}

}  // namespace lrid::identify
