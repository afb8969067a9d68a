lrid_program(lrid-train SOURCES lrid-train.cpp LINKS lrid_core lrid_train lrid_observe CLI11::CLI11)
