// lrid-train: trains networks and records their observable statistics along training.
#include <unistd.h>

#include <lrid/core/error.hpp>

#include "commands.hpp"

int main(int argc, char** argv) {
  namespace apps = lrid::apps;
  apps::Program program(
      "lrid-train",
      "Trains networks with different learning rules and records observable statistics of their "
      "layers along training.",
      {"lrid-train run --config configs/train/base.toml --data-dir DIR --out run.h5",
       "lrid-train sweep configs/train/quickstart.toml --out-dir runs"},
      {{"--status", "lrid-train status SWEEP.toml --out-dir DIR"},
       {"--verify", "lrid-train verify SWEEP.toml --out-dir DIR"},
       {"--benchmark", "lrid-train benchmark SWEEP.toml --out COSTS.toml"},
       {"--sweep", "lrid-train sweep SWEEP.toml --out-dir DIR"},
       {"--pack", "lrid-train pack DIR --out FILE.pack"},
       {"--config", "lrid-train run --config RUN.toml --out RUN.h5"}});
  apps::add_run(program);
  apps::add_sweep(program);
  apps::add_status(program);
  apps::add_verify(program);
  apps::add_benchmark(program);
  apps::add_pack(program);
  apps::add_list(program);
  try {
    return program.main(argc, argv);
  } catch (const apps::StartAnew&) {
    ::execv("/proc/self/exe", argv);
    return static_cast<int>(lrid::ExitCode::failed);
  }
}
