lrid_program(lrid-observe SOURCES lrid-observe.cpp LINKS lrid_core lrid_stats lrid_io lrid_measure CLI11::CLI11)
