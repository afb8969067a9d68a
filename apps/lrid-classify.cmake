lrid_program(lrid-classify SOURCES lrid-classify.cpp
  LINKS lrid_classify lrid_report lrid_io lrid_core CLI11::CLI11)
