# cmake --install: programs, recipes, shell completion, man pages and documentation. LibTorch stays where it is.
if(SKBUILD) # a wheel (pyproject.toml): programs and models inside of the Python package, nothing else
  install(TARGETS lrid-observe lrid-classify RUNTIME DESTINATION lrid/bin)
  install(DIRECTORY data/models DESTINATION lrid OPTIONAL FILES_MATCHING PATTERN "*.h5")
  return()
endif()
include(GNUInstallDirs)
set(programs lrid-observe lrid-classify)
if(LRID_WITH_TORCH)
  list(APPEND programs lrid-train)
endif()
set_target_properties(${programs} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY data/models DESTINATION ${CMAKE_INSTALL_DATADIR}/lrid OPTIONAL FILES_MATCHING PATTERN "*.h5" PATTERN "*.md")
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/lrid)
install(FILES README.md CHANGELOG.md CITATION.cff LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Made from what the programs declare.
set(share ${CMAKE_BINARY_DIR}/share)
find_program(LRID_HELP2MAN help2man DOC "Makes the man pages")
if(NOT LRID_HELP2MAN)
  message(STATUS "no help2man: no man pages (Debian package help2man)")
endif()
set(made "")
foreach(program IN LISTS programs)
  set(bash ${share}/bash-completion/completions/${program})
  set(zsh ${share}/zsh/site-functions/_${program})
  add_custom_command(OUTPUT ${bash} ${zsh} DEPENDS ${program} VERBATIM
    COMMAND ${CMAKE_COMMAND} -E make_directory ${share}/bash-completion/completions ${share}/zsh/site-functions
    COMMAND ${program} --completion bash > ${bash}
    COMMAND ${program} --completion zsh > ${zsh}
    COMMENT "Completion of ${program}")
  list(APPEND made ${bash} ${zsh})
  if(LRID_HELP2MAN)
    set(stamp ${share}/man/${program}.stamp)
    add_custom_command(OUTPUT ${stamp} DEPENDS ${program} scripts/man-pages.sh VERBATIM
      COMMAND ${CMAKE_SOURCE_DIR}/scripts/man-pages.sh --help2man ${LRID_HELP2MAN} --version ${PROJECT_VERSION}
              --out ${share}/man/man1 $<TARGET_FILE:${program}>
      COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
      COMMENT "Man pages of ${program}")
    list(APPEND made ${stamp})
  endif()
endforeach()
add_custom_target(pages ALL DEPENDS ${made})
install(DIRECTORY ${share}/bash-completion ${share}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR})
if(LRID_HELP2MAN)
  install(DIRECTORY ${share}/man/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
endif()
