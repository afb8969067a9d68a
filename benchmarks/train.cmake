# The training step; step.py runs it in turns with the same step in plain PyTorch.
lrid_program(bench_step SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/step.cpp
  LINKS lrid_core lrid_nn lrid_rules LibTorch::LibTorch)
# The learning rules' steps, in turns.
lrid_program(bench_rules SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/rules.cpp
  LINKS lrid_core lrid_nn lrid_rules LibTorch::LibTorch)
# From image files to a network's inputs, against libjpeg-turbo's decoding.
lrid_program(bench_images SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/images_benchmark.cpp
  LINKS lrid_core lrid_data JPEG::JPEG benchmark::benchmark)
# What measuring a trajectory point adds to the probe set's forward pass.
lrid_program(bench_point SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/point.cpp
  LINKS lrid_core lrid_nn lrid_observe lrid_stats LibTorch::LibTorch)
