// lrid-observe: statistics of recordings, datasets from trajectories, and a look into files.
#include "commands.hpp"

int main(int argc, char** argv) {
  using namespace lrid::apps;
  Program program(
      "lrid-observe",
      "Collects, measures, shows and exports the observable statistics of networks and recordings.",
      {"lrid-observe collect runs --out dataset.h5", "lrid-observe import-nwb mouse.nwb --list",
       "lrid-observe recording mouse.h5 --out mouse-observables.h5"});
  add_collect(program);
  add_remeasure(program);
  add_recording(program);
  add_import_nwb(program);
  add_show(program);
  add_export(program);
  return program.main(argc, argv);
}
