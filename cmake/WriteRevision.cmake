cmake_minimum_required(VERSION 3.25)
# Writes ${OUT} with the version and git revision, only when they changed (so nothing rebuilds for nothing).
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 OUTPUT_VARIABLE revision
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT revision)
  set(revision unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#pragma once
#define LRID_VERSION \"@VERSION@\"
#define LRID_REVISION \"@revision@\"
" @ONLY)
