#include <algorithm>

#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

namespace key = io::condition_key;

/// Can the classes be told apart (Nayebi et al. 2020, §4)? Uses all observables, then each measure alone;
/// optionally also within early, middle and deep layers. Adam stands out by its step sizes, whatever brings
/// it the gradient: so the questions ask apart whether the optimiser is told (Adam or SGD with momentum, both
/// with backpropagated gradients) and whether the assignment of credit is (the rules that share SGD with
/// momentum).
class Separability : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("per_position", per_position_, Accepts::anything(),
                "also train and test within early, middle and deep layers");
    options.add(
        "questions", questions_,
        Accepts::one_of({io::question_name::optimiser, io::question_name::credit_assignment}),
        "also ask, of the first measure: optimiser (adam or sgdm alone), credit_assignment (all rules "
        "but adam)");
  }

  std::vector<Condition> conditions(Study& study) const override {
    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds()) {
      const auto plan = study.plan(kind, study.pool(), study.pool(), *study.target());
      for (const std::string& measure : study.protocol().measures) {
        result.push_back(Condition::on({{key::measure, measure}, {key::split, name_of(kind)}},
                                       study.table(measure), study.target(), plan));
      }
      for (const std::string& question : questions_) add_question(study, kind, question, result);
      if (!per_position_) continue;
      for (const std::string& name : study.metadata()->values("layer_position", study.pool_rows())) {
        const std::int64_t position = name == "early" ? 0 : name == "middle" ? 1 : 2;
        const Filter filter = study.pool().only("layer_position", {name});
        const auto within = study.plan(kind, filter, filter, *study.target());
        for (const std::string& measure : study.protocol().measures) {
          result.push_back(
              Condition::on({{key::measure, measure}, {key::split, name_of(kind)}, {key::position, position}},
                            study.table(measure), study.target(), within));
        }
      }
    }
    return result;
  }

 private:
  /// Adds the condition of a question; only a note where the classes don't allow it.
  static void add_question(Study& study, SplitKind kind, const std::string& question,
                           std::vector<Condition>& result) {
    const std::vector<std::string>& all = study.target()->classes;
    std::vector<std::string> classes;
    if (std::ranges::find(all, "adam") != all.end())
      std::ranges::copy_if(all, std::back_inserter(classes), [&](const std::string& name) {
        return question == io::question_name::optimiser ? name == "adam" || name == "sgdm" : name != "adam";
      });
    if (classes.size() < 2) {
      study.note(fmt::format("question {}: left out, the classes are {}", question, join(all, ", ")));
      return;
    }
    const std::string& measure = study.protocol().measures.front();
    const Filter filter = study.pool().only(study.target()->column, classes);
    const auto target = std::make_shared<Target>(
        Target::of(*study.metadata(), study.target()->column, filter.rows(*study.metadata())));
    result.push_back(
        Condition::on({{key::measure, measure}, {key::split, name_of(kind)}, {key::question, question}},
                      study.table(measure), target, study.plan(kind, filter, filter, *target)));
  }

  bool per_position_ = false;
  std::vector<std::string> questions_;
};

}  // namespace

std::unique_ptr<Experiment> make_separability() {
  return std::make_unique<Separability>();
}

}  // namespace lrid::identify
