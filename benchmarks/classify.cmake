lrid_program(bench_classify SOURCES classify_benchmark.cpp
  LINKS lrid_learn lrid_core benchmark::benchmark)
# Fits single grid points on the splits of a configuration; classify_peers.py compares them with scikit-learn, PyTorch.
lrid_program(classify_fit SOURCES classify_fit.cpp
  LINKS lrid_identify lrid_learn lrid_io lrid_core nlohmann_json::nlohmann_json)
target_include_directories(bench_classify PRIVATE ${CMAKE_SOURCE_DIR}/src) # learn/
target_include_directories(classify_fit PRIVATE ${CMAKE_SOURCE_DIR}/src) # learn/, identify/experiments/
