# LibTorch from PyPI's torch wheel (or a LibTorch archive): the folder that holds include/ and lib/.
#
#   LRID_LIBTORCH   that folder, e.g. ~/.cache/lrid/libtorch-2.11.0/lib/python3.11/site-packages/torch;
#                   by default looked for through CMAKE_PREFIX_PATH (its share/cmake counts too) and in the
#                   cache that scripts/setup.sh fills
#
# Defines LibTorch::LibTorch. We do not use the wheel's own TorchConfig.cmake: it demands a CUDA toolkit
# even for a CPU-only build, and adds global compile flags.
set(_lrid_cache "$ENV{LRID_CACHE}")
if(NOT _lrid_cache)
  set(_lrid_cache "$ENV{HOME}/.cache/lrid")
endif()
file(GLOB _lrid_cached LIST_DIRECTORIES true "${_lrid_cache}/libtorch-*/lib/python3*/site-packages/torch")
set(_lrid_prefixes)
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  list(APPEND _lrid_prefixes ${prefix} ${prefix}/../..)
endforeach()
find_path(LRID_LIBTORCH include/torch/csrc/api/include/torch/torch.h
  HINTS ${_lrid_prefixes} ${_lrid_cached} DOC "Folder of LibTorch: has include/ and lib/")

set(LibTorch_VERSION "")
if(LRID_LIBTORCH AND EXISTS ${LRID_LIBTORCH}/include/torch/headeronly/version.h)
  file(STRINGS ${LRID_LIBTORCH}/include/torch/headeronly/version.h _lrid_line REGEX "define TORCH_VERSION ")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LibTorch_VERSION "${_lrid_line}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LRID_LIBTORCH VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or set LRID_LIBTORCH, or configure with -DLRID_WITH_TORCH=OFF")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  # The wheel carries headers of another fmt than the one that spdlog and we link; ours must be found first.
  find_path(LRID_FMT_INCLUDE fmt/format.h REQUIRED)
  mark_as_advanced(LRID_FMT_INCLUDE)
  set(_lrid_first ${CMAKE_BINARY_DIR}/include/before-torch)
  file(MAKE_DIRECTORY ${_lrid_first})
  file(CREATE_LINK ${LRID_FMT_INCLUDE}/fmt ${_lrid_first}/fmt SYMBOLIC)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${_lrid_first}
    ${LRID_LIBTORCH}/include ${LRID_LIBTORCH}/include/torch/csrc/api/include)
  target_compile_definitions(LibTorch::LibTorch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  set(_lrid_libs ${LRID_LIBTORCH}/lib/libtorch_cpu.so ${LRID_LIBTORCH}/lib/libc10.so)
  if(LRID_WITH_CUDA)
    # libtorch_cuda registers its kernels when it is loaded; nothing refers to it by symbol.
    list(APPEND _lrid_libs -Wl,--no-as-needed ${LRID_LIBTORCH}/lib/libtorch_cuda.so
      ${LRID_LIBTORCH}/lib/libc10_cuda.so -Wl,--as-needed)
  endif()
  target_link_libraries(LibTorch::LibTorch INTERFACE ${_lrid_libs})
  # The wheel's libraries refer to CUDA libraries by run paths of their own; the linker need not follow them.
  target_link_options(LibTorch::LibTorch INTERFACE -Wl,--allow-shlib-undefined)
endif()
