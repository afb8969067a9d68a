#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lrid {

/// Columns that UTF-8 text takes on a terminal: its code points.
std::size_t text_width(std::string_view text);

/// The text's words in lines of at most `width` columns; a longer word has a line of its own.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

}  // namespace lrid
