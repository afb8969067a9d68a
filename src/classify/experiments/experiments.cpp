#include "experiments.hpp"

namespace lrid::classify {

const Registry<ExperimentEntry>& experiments() {
  static const Registry<ExperimentEntry> registry(
      "experiment",
      {{"separability", "can the classes be told apart, from all observables and from each measure alone",
        make_separability},
       {"held-out", "trained without one architecture (task, ...), tested on it; for each of them",
        make_held_out},
       {"controls", "final accuracy as the only feature; shuffled labels, which must give chance",
        make_controls}});
  return registry;
}

}  // namespace lrid::classify
