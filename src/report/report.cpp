#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/report/report.hpp>

#include "page.hpp"

namespace lrid::report {

std::string render_report(const std::vector<io::NamedResults>& sources) {
  return html(compose(sources));
}

void write_report(const std::vector<io::NamedResults>& sources, const std::filesystem::path& out) {
  write_atomically(out, render_report(sources));
}

void write_figures(const std::vector<io::NamedResults>& sources, const std::filesystem::path& folder,
                   const std::vector<std::filesystem::path>& inputs) {
  const Document document = compose(sources);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder))
    bad_input("{}: cannot be made a folder ({}), expected one for figures", folder.string(), error.message());
  std::map<std::filesystem::path, std::string> files;
  const auto add = [&](const NumberedExhibit& numbered) {
    if (numbered.exhibit.is_figure())
      files.emplace(folder / (numbered.file_stem() + ".svg"), standalone_svg(numbered));
    files.emplace(folder / (numbered.file_stem() + ".csv"), csv(numbered.exhibit.table));
  };
  if (document.summary_figure) add(*document.summary_figure);
  add(*document.study_table);
  for (const Part& part : document.parts)
    for (const NumberedExhibit& numbered : part.exhibits) add(numbered);
  for (const auto& [path, text] : files) require_writable(path, "--figures", inputs, Sink::file);
  for (const auto& [path, text] : files) write_atomically(path, text);
}

}  // namespace lrid::report
