#include <filesystem>
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

void write_figures(const std::vector<io::NamedResults>& sources, const std::filesystem::path& folder) {
  const Document document = compose(sources);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder))
    bad_input("{}: cannot be made a folder ({}), expected one for figures", folder.string(), error.message());
  const auto write = [&](const NumberedExhibit& numbered) {
    if (numbered.exhibit.is_figure())
      write_atomically(folder / (numbered.file_stem() + ".svg"), standalone_svg(numbered));
    write_atomically(folder / (numbered.file_stem() + ".csv"), csv(numbered.exhibit.table));
  };
  if (document.summary_figure) write(*document.summary_figure);
  write(*document.study_table);
  for (const Part& part : document.parts)
    for (const NumberedExhibit& numbered : part.exhibits) write(numbered);
}

}  // namespace lrid::report
