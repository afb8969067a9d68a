# Writes a C++ source that holds files as string views, each under its name with _ for what is no letter:
#   cmake -DOUT=SOURCE -DHEADER=HEADER -DNAMESPACE=lrid::report "-DFILES=a/page.html|a/page.css" -P EmbedFiles.cmake
string(REPLACE "|" ";" files "${FILES}")
set(source "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER ${name} name)
  file(READ ${file} content)
  string(APPEND source "\nconst std::string_view ${name} = R\"embedded(${content})embedded\";\n")
endforeach()
string(APPEND source "\n}  // namespace ${NAMESPACE}\n")
file(WRITE ${OUT} "${source}")
