#include <optional>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/layer_position.hpp>

namespace lrid::io {

std::uint8_t layer_position_of(const std::string& text, const std::string& where) {
  if (text == "early") return 0;
  if (text == "middle") return 1;
  if (text == "deep") return 2;
  const std::optional<double> fraction = parse_number<double>(text);
  if (!fraction || !(*fraction >= 0 && *fraction <= 1))
    bad_input("{}: position \"{}\": expected early, middle, deep, or a number from 0 to 1", where, text);
  return *fraction < 1.0 / 3 ? 0 : *fraction < 2.0 / 3 ? 1 : 2;
}

}  // namespace lrid::io
