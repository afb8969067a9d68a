# Helpers that make every lrid target alike.

# Warnings (as errors) and sanitizers: on our targets only, never on what they include.
function(lrid_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
    -Woverloaded-virtual -Wcast-qual -Wconversion -Wsign-conversion
    # GCC 12 warns of overlap in every "literal" + std::string (GCC PR105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<BOOL:${LRID_WERROR}>:-Werror>)
  if(LRID_SANITIZE STREQUAL "address+undefined")
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=undefined
      -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  elseif(LRID_SANITIZE STREQUAL "thread")
    target_compile_options(${target} PRIVATE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=thread)
  elseif(LRID_SANITIZE)
    message(FATAL_ERROR "LRID_SANITIZE=${LRID_SANITIZE}: expected empty, address+undefined or thread")
  endif()
  if(LRID_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# LibTorch's headers cost every file six seconds even precompiled: GCC instantiates anew in each what they leave pending.
# So targets that use them share one precompiled header and are compiled in batches of files (option LRID_UNITY).
function(lrid_torch_target target)
  target_precompile_headers(${target} REUSE_FROM lrid_torch_pch)
  target_compile_options(${target} PRIVATE -fPIC) # as the precompiled header; executables get -fPIE otherwise
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${LRID_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()

# lrid_library(<name> SOURCES ... [LINKS <what its headers need>...] [PRIVATE_LINKS <what its sources need>...])
#
# Defines lrid_<name>. Its public headers are include/lrid/<name>/; only targets that link lrid_<name> find
# them, so an include against the direction of dependency does not compile.
function(lrid_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(lrid_${name} STATIC ${ARG_SOURCES})
  lrid_target_defaults(lrid_${name})
  set(view ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${view}/lrid)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/lrid/${name} ${view}/lrid/${name} SYMBOLIC)
  target_include_directories(lrid_${name} PUBLIC ${view})
  target_link_libraries(lrid_${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  if(LibTorch::LibTorch IN_LIST ARG_LINKS)
    lrid_torch_target(lrid_${name})
  endif()
endfunction()

# lrid_cuda_kernels(<library> <name>.cu): kernels of lrid_<library>, for all of LRID_CUDA_ARCHITECTURES. They see
# the headers of core and of the library, and CUDA's; no float32 product and sum become one rounding.
function(lrid_cuda_kernels library source)
  # nvcc by name: CMake compiles no CUDA as C++20 before 3.26, and what is in Debian 12 is older.
  cmake_path(GET source STEM stem)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${stem}.o)
  set(code "")
  foreach(architecture IN LISTS LRID_CUDA_ARCHITECTURES)
    list(APPEND code -gencode arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  add_custom_command(OUTPUT ${object} DEPENDS ${source} DEPFILE ${object}.d VERBATIM
    COMMAND ${CUDAToolkit_NVCC_EXECUTABLE} -std=c++20 -O3 -fmad=false -Xcompiler=-fPIC ${code} -MD -MF ${object}.d
      -I${CMAKE_BINARY_DIR}/include/core -I${CMAKE_BINARY_DIR}/include/${library}
      -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    COMMENT "Building CUDA object ${stem}.o")
  target_sources(lrid_${library} PRIVATE ${object})
  target_link_libraries(lrid_${library} PRIVATE CUDA::cudart_static)
endfunction()

# lrid_program(<name> SOURCES ... LINKS ...): an executable in build/bin.
function(lrid_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  lrid_target_defaults(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  if(LibTorch::LibTorch IN_LIST ARG_LINKS)
    lrid_torch_target(${name})
  endif()
endfunction()

# lrid_test(<name> SOURCES ... LINKS ... [INTERNALS <library>...] [LABELS ...]): a GoogleTest program, its cases known to
# CTest. Tests whose suite name begins with "Golden" carry the label "golden". Includes "<library>/x.hpp" of
# src/<library>/ are found for the libraries named as INTERNALS only.
function(lrid_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;INTERNALS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  lrid_target_defaults(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} lrid_testing GTest::gmock GTest::gtest_main)
  foreach(library IN LISTS ARG_INTERNALS)
    set(view ${CMAKE_BINARY_DIR}/internals/${library})
    file(MAKE_DIRECTORY ${view})
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${library} ${view}/${library} SYMBOLIC)
    target_include_directories(${name} PRIVATE ${view})
  endforeach()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(LibTorch::LibTorch IN_LIST ARG_LINKS)
    lrid_torch_target(${name})
  endif()
  # A test that hangs fails and lets the others run. Tests run side by side: threads of OpenMP (LibTorch's) that wait for
  # work must not spin.
  set(common DISCOVERY_TIMEOUT 120 NO_PRETTY_VALUES PROPERTIES SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]"
    TIMEOUT 600 ENVIRONMENT "OMP_WAIT_POLICY=passive")
  gtest_discover_tests(${name} TEST_FILTER "-Golden*" ${common} LABELS "${ARG_LABELS}")
  gtest_discover_tests(${name} TEST_FILTER "Golden*" TEST_LIST ${name}_golden ${common}
    LABELS "golden;${ARG_LABELS}")
endfunction()
