#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exhibit.hpp"
#include "view.hpp"

namespace lrid::report {

/// What the page shows of one results file.
struct Part {
  View view;
  std::string title;
  std::vector<NumberedExhibit> exhibits{};
};

/// A number at the top of the page.
struct Tile {
  std::string value, text;
};

/// The first screen: what was found in one sentence, in a few numbers, in one figure.
struct Summary {
  std::string question;  ///< the page's title
  std::string sentence;  ///< the answer
  std::string data;      ///< of which networks and classes
  std::vector<Tile> tiles;
  std::optional<Exhibit> figure;
};
Summary summarise(const std::vector<Part>& parts);

/// The exhibits that the summary's bullets speak of: at most three, on different topics, the most telling
/// first.
std::vector<const NumberedExhibit*> bullets(const std::vector<Part>& parts);

/// How the results came about, as a paragraph for a paper.
std::string methods_paragraph(const std::vector<Part>& parts);
/// What to cite: references in plain text, and in BibTeX.
std::string citation();
std::string bibtex();

/// Everything that a page shows, numbered.
struct Document {
  std::vector<Part> parts;
  Summary summary;
  std::optional<NumberedExhibit> summary_figure, study_table;
};
/// `sources` must outlive the document. Throws InputError if there are none.
Document compose(const std::vector<io::NamedResults>& sources);
/// The page.
std::string html(const Document& document);

}  // namespace lrid::report
