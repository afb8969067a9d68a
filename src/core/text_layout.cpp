#include <algorithm>

#include <lrid/core/text.hpp>
#include <lrid/core/text_layout.hpp>

namespace lrid {

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::size_t columns = 0;
  for (const std::string& word : split(text, ' ')) {
    if (word.empty()) continue;
    const std::size_t size = text_width(word);
    if (lines.empty() || columns + 1 + size > width) {
      lines.push_back(word);
      columns = size;
    } else {
      lines.back() += " " + word;
      columns += 1 + size;
    }
  }
  return lines;
}

}  // namespace lrid
