#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <lrid/core/text.hpp>
#include <lrid/io/recording.hpp>

#include "positions.hpp"

namespace lrid::apps {

/// Writes what was imported as a recording, its layers where --position says, and prints how much it is.
inline void write_activity(const std::filesystem::path& out, io::Activity& activity,
                           const std::vector<std::string>& position_arguments) {
  std::vector<std::string> layers;
  for (const io::Activity::Layer& layer : activity.layers) layers.push_back(layer.name);
  const Positions positions = parse_positions(position_arguments, layers);
  for (io::Activity::Layer& layer : activity.layers)
    if (const auto given = positions.find(layer.name); given != positions.end())
      layer.position = given->second;
  io::write_recording(out, activity);
  fmt::print("{}: {}, {}\n", out.string(), counted(activity.points, "point"),
             counted(activity.stimuli, "stimulus", "stimuli"));
  for (const io::Activity::Layer& layer : activity.layers)
    fmt::print("layer {}: {}\n", layer.name, counted(layer.unit_ids.size(), "unit"));
}

}  // namespace lrid::apps
