#pragma once

#include <lrid/io/observables.hpp>
#include <lrid/io/recording.hpp>
#include <lrid/stats/imperfection.hpp>

namespace lrid::measure {

/// Returns the 45 observables of every layer and point of a recording, measured perfectly or not. NaN where a
/// measure was not recorded; the layer change also where the measurement is imperfect (it is recorded per
/// stimulus, so there are no units to leave out or to add noise to). Lost units (NaN) are left out.
io::Observables measure_recording(const io::Recording& recording,
                                  const stats::Imperfection& imperfection = {});

}  // namespace lrid::measure
