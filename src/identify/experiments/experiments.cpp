#include "experiments.hpp"

namespace lrid::identify {

const Registry<ExperimentEntry>& experiments() {
  static const Registry<ExperimentEntry> registry(
      "experiment",
      {{"separability", "can the classes be told apart, from all observables and from each measure alone",
        make_separability},
       {"controls",
        "final accuracy alone; the trajectories' shapes alone; shuffled labels, which must give chance",
        make_controls},
       {"held-out", "trained without one architecture (task, ...), tested on it; for each of them",
        make_held_out},
       {"trajectory", "from a part of the trajectory, contiguous or sparse; trained on one, tested on others",
        make_trajectory},
       {"imperfection", "with a fraction of the units, and with noise", make_imperfection, true},
       {"importances", "which observables carry the decision, and how far groups of them get alone",
        make_importances},
       {"none-of-these", "is a class noticed that was never trained on", make_none_of_these},
       {"learning-curve", "how many networks does it take", make_learning_curve},
       {"transfer", "trained on networks of one kind, tested on those of another", make_transfer},
       {"pairs", "every pair of classes without the others", make_pairs},
       {"matched", "only networks of about the same final accuracy", make_matched},
       {"targets", "what else do the observables give away", make_targets}});
  return registry;
}

}  // namespace lrid::identify
