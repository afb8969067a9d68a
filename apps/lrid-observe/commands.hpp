#pragma once

#include "program.hpp"

namespace lrid::apps {

// One function a command, each in its own file.
void add_collect(Program& program);
void add_remeasure(Program& program);
void add_recording(Program& program);
void add_import_nwb(Program& program);
void add_import_mat(Program& program);
void add_show(Program& program);
void add_export(Program& program);

}  // namespace lrid::apps
