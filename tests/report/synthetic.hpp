#pragma once

#include <lrid/io/results.hpp>

namespace lrid::testing {

/// SYNTHETIC results, as a main experiment on {KNet4, KNet5} × {sgdm, adam, fa, ia} might leave them: three
/// classifiers, four measures, both kinds of split, layer positions, importances, trajectories. Every number
/// is made up from keyed random draws; nothing was measured. For looking at the report and testing it.
io::Results synthetic_separability();
/// Likewise, of an experiment that holds out one architecture at a time, on the same made-up dataset.
io::Results synthetic_held_out();
/// Likewise, with every other condition there is: portions of the trajectory, noise × units, eight classes.
io::Results synthetic_breadth();

}  // namespace lrid::testing
