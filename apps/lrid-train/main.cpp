// lrid-train: trains networks and records their observable statistics along training.
#include <unistd.h>

#include <lrid/core/error.hpp>

#include "commands.hpp"

int main(int argc, char** argv) {
  using namespace lrid::apps;
  Program program("lrid-train",
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
  add_run(program);
  add_sweep(program);
  add_status(program);
  add_verify(program);
  add_benchmark(program);
  add_pack(program);
  add_list(program);
  try {
    return program.main(argc, argv);
  } catch (const StartAnew&) {
    ::execv("/proc/self/exe", argv);
    return static_cast<int>(lrid::ExitCode::failed);
  }
}
