#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/layer_position.hpp>

namespace lrid::apps {

/// Layer → position, from arguments of --position ("V1=early", "IT=0.9").
using Positions = std::map<std::string, std::string>;

/// Throws InputError for an argument of another form, or a layer that the file doesn't have.
inline Positions parse_positions(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& layers) {
  Positions positions;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.rfind('=');  // regions may have one in their name
    const std::string where = "--position " + argument;
    if (equals == std::string::npos || equals == 0)
      bad_input("{}: expected REGION=POSITION, such as V1=early or V1=0.2", where);
    const std::string layer = argument.substr(0, equals), position = argument.substr(equals + 1);
    if (std::ranges::find(layers, layer) == layers.end())
      bad_input("{}: no layer {}: expected {}", where, layer, expected_one_of(layers, layer));
    (void)io::layer_position_of(position, where);
    if (!positions.try_emplace(layer, position).second)
      bad_input("{}: a second position of {}: expected one", where, layer);
  }
  return positions;
}

}  // namespace lrid::apps
