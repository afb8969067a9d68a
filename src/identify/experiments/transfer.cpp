#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

#include "experiments.hpp"

namespace lrid::identify {

namespace {

/// Does what small, fast networks teach hold for large ones? Trained on networks of one kind only, tested on
/// those of another; for each pair of kinds.
class Transfer : public Experiment {
 public:
  void declare(Options& options) override {
    options.add("between", column_, Accepts::one_of(Metadata::column_names()),
                "the metadata column whose values are the kinds");
    options.add("train_on", train_on_, Accepts::anything(),
                "the kinds to train on, one at a time; empty: all");
    options.add("test_on", test_on_, Accepts::anything(), "the kinds to test on, one at a time; empty: all");
  }

  std::vector<Condition> conditions(Study& study) const override {
    if (column_ == study.protocol().target)
      bad_input("between: {} is also the target: expected another column", column_);
    const std::vector<std::string> known = study.metadata()->values(column_, study.pool_rows());
    if (known.size() < 2)
      bad_input("between: all samples have the same {}: expected at least two to go from one to another",
                column_);
    const auto chosen = [&](const char* option, const std::vector<std::string>& names) {
      for (const std::string& name : names)
        if (std::ranges::find(known, name) == known.end())
          bad_input("{}: no sample has {} {}: expected {}", option, column_, name,
                    expected_one_of(known, name));
      return names.empty() ? known : names;
    };
    std::vector<Condition> result;
    for (const SplitKind kind : study.split_kinds())
      for (const std::string& from : chosen("train_on", train_on_))
        for (const std::string& to : chosen("test_on", test_on_)) {
          const auto plan = study.plan(kind, study.pool().only(column_, {from}),
                                       study.pool().only(column_, {to}), *study.target());
          for (const std::string& measure : study.protocol().measures)
            result.push_back(Condition::on({{key::measure, measure},
                                            {key::split, name_of(kind)},
                                            {key::train_on, from},
                                            {key::test_on, to}},
                                           study.table(measure), study.target(), plan));
        }
    return result;
  }

 private:
  std::string column_ = "architecture";
  std::vector<std::string> train_on_, test_on_;
};

}  // namespace

std::unique_ptr<Experiment> make_transfer() {
  return std::make_unique<Transfer>();
}

}  // namespace lrid::identify
