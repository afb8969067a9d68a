// lrid-classify: identifies the learning rule that trained a network from its observables.
#include "commands.hpp"

int main(int argc, char** argv) {
  using namespace lrid::apps;
  Program program(
      "lrid-classify", "Identifies the learning rule that trained a network from its observable statistics.",
      {"lrid-classify run --config configs/classify/base.toml --data dataset.h5 \\\n      --out results.json",
       "lrid-classify report results.json --out report.html"});
  add_run(program);
  add_fit(program);
  add_predict(program);
  add_report(program);
  add_list(program);
  return program.main(argc, argv);
}
