lrid_program(lrid-observe SOURCES lrid-observe.cpp LINKS lrid_core lrid_stats lrid_io lrid_measure CLI11::CLI11)
if(LRID_WITH_TORCH)
  # remeasure runs networks.
  target_link_libraries(lrid-observe PRIVATE lrid_observe)
  target_compile_definitions(lrid-observe PRIVATE LRID_WITH_TORCH)
endif()
