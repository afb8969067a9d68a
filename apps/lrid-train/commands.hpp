#pragma once

#include "program.hpp"

namespace lrid::apps {

// One function a command, each in its own file.
void add_run(Program& program);
void add_sweep(Program& program);
void add_status(Program& program);
void add_verify(Program& program);
void add_benchmark(Program& program);
void add_pack(Program& program);
void add_list(Program& program);

/// A command throws it to have the program replaced by a new process of itself.
struct StartAnew {};

}  // namespace lrid::apps
