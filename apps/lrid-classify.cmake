lrid_program(lrid-classify SOURCES lrid-classify.cpp
  LINKS lrid_identify lrid_learn lrid_report lrid_io lrid_core CLI11::CLI11)
