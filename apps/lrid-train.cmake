lrid_program(lrid-train SOURCES lrid-train.cpp LINKS lrid_core lrid_train lrid_cost lrid_sweep lrid_observe CLI11::CLI11)
