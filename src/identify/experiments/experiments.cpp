#include "experiments.hpp"

namespace lrid::identify {

const Registry<ExperimentEntry>& experiments() {
  static const Registry<ExperimentEntry> registry(
      "experiment",
      {{"separability", "can the classes be told apart from all observables, and from each measure alone",
        make_separability},
       {"controls",
        "final accuracy alone; shapes of trajectories alone, scales alone; shuffled labels, which must give "
        "chance",
        make_controls},
       {"held-out", "train without one architecture (task, ...) and test on it; for each of them",
        make_held_out},
       {"trajectory", "use part of the trajectory, contiguous or sparse; train on one part, test on others",
        make_trajectory},
       {"imperfection", "measure only a fraction of the units, or with noise", make_imperfection, true},
       {"importances", "which observables carry the decision, and how well groups of them do alone",
        make_importances},
       {"none-of-these", "is a class recognised as unknown if it was never trained on", make_none_of_these},
       {"learning-curve", "how many networks are needed", make_learning_curve},
       {"transfer", "train on networks of one kind, test on those of another", make_transfer},
       {"transforms", "which transform of trajectories holds for architectures (tasks, ...) left out",
        make_transforms},
       {"pairs", "each pair of classes without the others", make_pairs},
       {"matched", "use only networks of about the same final accuracy, or loss curve", make_matched},
       {"targets", "what else do the observables reveal", make_targets}});
  return registry;
}

}  // namespace lrid::identify
