// lrid-observe: statistics of recordings, datasets from trajectories, and a look into files.
#include "commands.hpp"

int main(int argc, char** argv) {
  namespace apps = lrid::apps;
  apps::Program program(
      "lrid-observe",
      "Collects, measures, shows and exports the observable statistics of networks and recordings.",
      {"lrid-observe collect runs --out dataset.h5", "lrid-observe import-nwb mouse.nwb --list",
       "lrid-observe recording mouse.h5 --out mouse-observables.h5"});
  apps::add_collect(program);
  apps::add_remeasure(program);
  apps::add_recording(program);
  apps::add_import_nwb(program);
  apps::add_import_mat(program);
  apps::add_show(program);
  apps::add_export(program);
  return program.main(argc, argv);
}
