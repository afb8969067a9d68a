#pragma once

#include <string_view>

namespace lrid::report {

// The files of src/report/page/, embedded when lrid is built.

/// The skeleton of the page, with {{places}} to fill.
extern const std::string_view page_html;
/// The page's style, and that of drawings alone. The first block of figure.css declares the light colours.
extern const std::string_view page_css, figure_css;
extern const std::string_view page_js;

}  // namespace lrid::report
