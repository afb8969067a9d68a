#pragma once

#include "program.hpp"

namespace lrid::apps {

// One function a command, each in its own file.
void add_run(Program& program);
void add_fit(Program& program);
void add_predict(Program& program);
void add_report(Program& program);
void add_list(Program& program);

}  // namespace lrid::apps
