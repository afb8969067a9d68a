#pragma once

#include <string_view>

namespace lrid::report {

/// The page's style sheet: light, dark, narrow, print. Colours of data are told apart by people with any kind
/// of colour vision (hues after Okabe & Ito 2008, spread in lightness, and dashes besides).
std::string_view style_sheet();

}  // namespace lrid::report
