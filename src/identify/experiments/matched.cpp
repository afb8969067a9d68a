#include <algorithm>
#include <cmath>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

namespace key = io::condition_key;

/// A network and what it is matched by: its final accuracy, or the loss at every point of its trajectory.
struct Network {
  std::string name, setting;
  std::size_t label;
  std::vector<double> values;
};
using Networks = std::vector<Network>;

/// For each value, the standard deviation between networks trained alike but for their seeds (of one class
/// and batch size, pooled): how far the value of one network can be trusted. Zeros without two such networks.
std::vector<double> errors_of(const Networks& networks) {
  std::map<std::pair<std::size_t, std::string>, std::vector<const Network*>> alike;
  for (const Network& network : networks) alike[{network.label, network.setting}].push_back(&network);
  std::vector<double> errors(networks.front().values.size(), 0);
  for (std::size_t t = 0; t < errors.size(); ++t) {
    double squares = 0, degrees_of_freedom = 0;
    for (const auto& [setting, members] : alike) {
      double mean = 0;
      for (const Network* one : members) mean += one->values[t] / static_cast<double>(members.size());
      for (const Network* one : members) squares += std::pow(one->values[t] - mean, 2);
      degrees_of_freedom += static_cast<double>(members.size()) - 1;
    }
    errors[t] = degrees_of_freedom > 0 ? std::sqrt(squares / degrees_of_freedom) : 0;
  }
  return errors;
}

/// Networks of about the same values.
struct Match {
  std::vector<std::vector<std::string>> members;  // [class] names
  std::string where;
  [[nodiscard]] std::size_t fewest() const {
    std::size_t fewest = members.front().size();
    for (const auto& names : members) fewest = std::min(fewest, names.size());
    return fewest;
  }
};

template <class Accepts>
Match match_of(const Networks& networks, std::size_t classes, std::string where, const Accepts& accepts) {
  Match match{std::vector<std::vector<std::string>>(classes), std::move(where)};
  for (const Network& network : networks)
    if (accepts(network)) match.members[network.label].push_back(network.name);
  return match;
}

/// The interval of one value, this wide, that maximises the size of the smallest class; the lowest of equals.
Match best_interval(const Networks& networks, std::size_t classes, double width) {
  std::vector<double> starts;
  for (const Network& network : networks) starts.push_back(network.values.front());
  std::ranges::sort(starts);
  Match best{std::vector<std::vector<std::string>>(classes), ""};
  for (const double low : starts) {
    Match match = match_of(networks, classes, fmt::format("{:.3f} to {:.3f}", low, low + width),
                           [&](const Network& network) {
                             return network.values.front() >= low && network.values.front() <= low + width;
                           });
    if (match.fewest() > best.fewest()) best = std::move(match);
  }
  return best;
}

/// The curves within half of `width` of one of them, as root mean square over the points in units of their
/// errors, that maximise the size of the smallest class; the first of equals.
Match best_neighbourhood(const Networks& networks, std::size_t classes, const std::vector<double>& errors,
                         double width) {
  Match best{std::vector<std::vector<std::string>>(classes), ""};
  for (const Network& centre : networks) {
    const auto is_near = [&](const Network& network) {
      double squares = 0, points = 0;
      for (std::size_t t = 0; t < errors.size(); ++t) {
        if (errors[t] <= 0) continue;
        squares += std::pow((network.values[t] - centre.values[t]) / errors[t], 2);
        ++points;
      }
      return points == 0 || std::sqrt(squares / points) <= width / 2;
    };
    Match match = match_of(networks, classes, "like " + centre.name, is_near);
    if (match.fewest() > best.fewest()) best = std::move(match);
  }
  return best;
}

/// Does identification merely tell which rule learned better? Uses only networks whose final accuracy, or
/// whose whole loss curve, is about the same within each architecture and task; for comparison, as many
/// networks of each class regardless of it, and the accuracy or the curve as the only feature.
class Matched : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("match", match_,
                Accepts::one_of({io::measure_name::final_accuracy, io::measure_name::loss_curve}),
                "what networks are matched by, one after the other");
    options.add(
        "tolerance", tolerance_, Accepts::above(0),
        "how far matched networks may be apart, in standard deviations between networks trained alike "
        "but for their seeds");
    if (match_.empty()) options.fail("match", "is empty: expected at least one");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const std::string& by : match_) add_conditions(study, by, result);
    return result;
  }

 private:
  void add_conditions(Study& study, const std::string& by, std::vector<Condition>& result) const {
    const bool by_accuracy = by == io::measure_name::final_accuracy;
    const std::string what = by_accuracy ? "final accuracy" : "loss curve";
    const FeatureTable alone = values_alone(study, by_accuracy);
    const std::size_t classes = study.target()->classes.size();
    const Metadata& metadata = *study.metadata();
    std::map<std::string, std::map<std::string, Network>> strata;  // architecture and task → name → network
    for (const std::int64_t row : study.pool_rows()) {
      const std::size_t r = to_size(row);
      if (!alone.x.row(row).allFinite()) continue;
      Network network{metadata.column("network")[r],
                      metadata.column("batch_size")[r],
                      to_size(study.target()->labels[r]),
                      {}};
      for (Eigen::Index t = 0; t < alone.x.cols(); ++t) network.values.push_back(alone.x(row, t));
      strata[metadata.column("architecture")[r] + " " + metadata.column("task")[r]][network.name] =
          std::move(network);
    }
    if (strata.empty())
      bad_input("matched: no sample has a {}: expected some{}", what,
                by_accuracy ? ", as of supervised tasks"
                            : ", as lrid-observe collect puts into a dataset of trajectories");

    std::vector<std::string> matched, random, lines;
    std::size_t all = 0;
    for (const auto& [stratum, by_name] : strata) {
      Networks networks;
      for (const auto& [name, network] : by_name) networks.push_back(network);
      all += networks.size();
      const std::vector<double> errors = errors_of(networks);
      const Match match = by_accuracy ? best_interval(networks, classes, tolerance_ * errors.front())
                                      : best_neighbourhood(networks, classes, errors, tolerance_);
      if (match.fewest() == 0) {
        lines.push_back(stratum + ": none");
        continue;
      }
      std::vector<std::string> counts;
      for (std::size_t c = 0; c < classes; ++c) {
        counts.push_back(fmt::format("{} {}", study.target()->classes[c], match.members[c].size()));
        matched.insert(matched.end(), match.members[c].begin(), match.members[c].end());
        std::vector<std::string> names;
        for (const Network& network : networks)
          if (network.label == c) names.push_back(network.name);
        shuffle(names,
                Key(static_cast<std::uint64_t>(study.protocol().seed), "matched").with(stratum).with(c));
        random.insert(random.end(), names.begin(), names.begin() + std::ssize(match.members[c]));
      }
      lines.push_back(fmt::format("{}: {} ({})", stratum, match.where, join(counts, ", ")));
    }
    if (matched.empty())
      bad_input(
          "tolerance: within no architecture and task are networks of all classes within {} standard "
          "deviations of each other's {}: expected a larger one",
          tolerance_, what);
    study.note(fmt::format("matched by {}: {} of {} left; {}", what, matched.size(), counted(all, "network"),
                           join(lines, "; ")));

    const auto table = std::make_shared<FeatureTable>(alone);
    for (const SplitKind kind : study.split_kinds())
      for (const bool is_matched : {true, false}) {
        const Filter filter = study.pool().only("network", is_matched ? matched : random);
        const auto plan = study.plan(kind, filter, filter, *study.target());
        const auto add = [&](const std::string& measure,
                             const std::shared_ptr<const FeatureTable>& features) {
          result.push_back(Condition::on({{key::measure, measure},
                                          {key::split, name_of(kind)},
                                          {key::matched, is_matched},
                                          {key::matched_by, by}},
                                         features, study.target(), plan));
        };
        for (const std::string& measure : study.protocol().measures) add(measure, study.table(measure));
        add(by, table);
      }
  }

  /// What networks are matched by as the only features: one final accuracy, or the loss at every point.
  static FeatureTable values_alone(const Study& study, bool by_accuracy) {
    const io::Dataset& data = study.data();
    if (by_accuracy)
      return FeatureTable::of_scalar(io::measure_name::final_accuracy, data.meta.final_accuracy,
                                     study.metadata());
    FeatureTable table{.layout = {.observables = {io::measure_name::loss_curve},
                                  .points = data.points,
                                  .with_position = false,
                                  .transform = ""},
                       .x = learn::FloatMatrix::Constant(data.samples, data.points, std::nanf("")),
                       .metadata = study.metadata()};
    if (!data.validation_loss.empty())
      table.x = Eigen::Map<const learn::FloatMatrix>(data.validation_loss.data(), data.samples, data.points);
    return table;
  }

  std::vector<std::string> match_ = {io::measure_name::final_accuracy};
  double tolerance_ = 2;
};

}  // namespace

std::unique_ptr<Experiment> make_matched() {
  return std::make_unique<Matched>();
}

}  // namespace lrid::identify
