// lrid-classify: identifies the learning rule that trained a network from its observables.
#include "commands.hpp"

int main(int argc, char** argv) {
  namespace apps = lrid::apps;
  apps::Program program(
      "lrid-classify", "Identifies the learning rule that trained a network from its observable statistics.",
      {"lrid-classify run --config configs/classify/base.toml --data dataset.h5 \\\n      --out results.json",
       "lrid-classify report results.json --out report.html"});
  apps::add_run(program);
  apps::add_fit(program);
  apps::add_predict(program);
  apps::add_report(program);
  apps::add_list(program);
  return program.main(argc, argv);
}
