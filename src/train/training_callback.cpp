#include <lrid/core/error.hpp>
#include <lrid/train/training_callback.hpp>

namespace lrid::train {

void require_same_run(const RunPlan& plan, const Existing& found) {
  if (found.kind == Existing::Kind::nothing) return;
  const bool complete = found.kind == Existing::Kind::complete;
  if (const std::string difference = first_difference(found.config, plan.toml, complete); !difference.empty())
    bad_input("{}: {}; expected the configuration it was made with, or another output", plan.out.string(),
              difference);
}

}  // namespace lrid::train
