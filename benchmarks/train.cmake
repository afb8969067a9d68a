# The training step; step.py runs it in turns with the same step in plain PyTorch.
lrid_program(bench_step SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/step.cpp
  LINKS lrid_core lrid_nn lrid_rules LibTorch::LibTorch)
