#include "arrange_trials.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>

namespace lrid::measure {

namespace {

/// Numbers by size, before other texts.
bool comes_before(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text) {
    const auto value = parse_number<double>(text);
    const bool is_number = value && !std::isnan(*value);
    return std::pair(!is_number, is_number ? *value : 0.0);
  };
  return std::pair(number(a), a) < std::pair(number(b), b);
}

struct ComesBefore {
  bool operator()(const std::string& a, const std::string& b) const { return comes_before(a, b); }
};

std::vector<std::int64_t> blocks_of(const std::vector<std::size_t>& order,
                                    const std::vector<std::string>& session, std::int64_t& points) {
  std::vector<std::int64_t> blocks(order.size());
  if (session.empty()) {
    const std::int64_t size = std::ssize(order) / points;
    for (std::int64_t i = 0; i < std::ssize(order); ++i)
      blocks[static_cast<std::size_t>(i)] = size > 0 && i < size * points ? i / size : -1;
    return blocks;
  }
  std::map<std::string, std::int64_t> known;
  for (std::size_t i = 0; i < order.size(); ++i)
    blocks[i] = known.try_emplace(session[order[i]], std::ssize(known)).first->second;
  points = std::ssize(known);
  return blocks;
}

}  // namespace

Blocks block_trials(const std::vector<double>& start, const std::vector<std::string>& session,
                    std::int64_t points, const std::vector<std::size_t>& usable) {
  Blocks result{usable, {}, points};
  std::ranges::stable_sort(result.order, {}, [&](std::size_t trial) { return start[trial]; });
  result.blocks = blocks_of(result.order, session, result.points);
  if (result.points < 1 || (session.empty() && std::ssize(result.order) < points))
    bad_input("{} for {}: expected at least one for each", counted(result.order.size(), "usable trial"),
              counted(points, "point"));
  return result;
}

std::vector<Protocol> arrange(const std::vector<FileTrials>& files, NwbImport::Repeats repeats,
                              std::vector<std::string>& left_out) {
  // Presentations of each stimulus in each block; where trials have none, all are of one.
  std::map<std::string, std::vector<std::int64_t>, ComesBefore> counts;
  static const std::string none;
  const auto stimulus_of = [](const FileTrials& file, std::size_t trial) -> const std::string& {
    return file.stimulus.empty() ? none : file.stimulus[trial];
  };
  std::int64_t points = 0;
  for (const FileTrials& file : files) points += file.blocks.points;
  std::vector<std::vector<std::int64_t>> ranks;
  std::int64_t before = 0;  // points of the files before
  for (const FileTrials& file : files) {
    const auto& [order, blocks, points_of_file] = file.blocks;
    std::vector<std::int64_t>& rank = ranks.emplace_back(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (blocks[i] < 0) continue;
      auto& count = counts[stimulus_of(file, order[i])];
      count.resize(static_cast<std::size_t>(points));
      rank[i] = count[static_cast<std::size_t>(before + blocks[i])]++;
    }
    before += points_of_file;
  }
  const bool has_stimuli = !files[0].stimulus.empty();
  const bool average = has_stimuli && repeats == NwbImport::Repeats::average;
  struct Slots {
    std::int64_t first, count;
  };
  std::map<std::string, Slots> slots;
  std::vector<std::string> partial, names;
  std::int64_t stimuli = 0;
  for (const auto& [name, count] : counts) {
    const std::int64_t fewest = std::ranges::min(count);
    if (fewest == 0) {
      partial.push_back(name);
      continue;
    }
    slots[name] = {stimuli, average ? 1 : fewest};
    stimuli += slots[name].count;
    if (has_stimuli) names.insert(names.end(), static_cast<std::size_t>(slots[name].count), name);
  }
  if (stimuli == 0)
    bad_input("no stimulus is presented at each of {}: expected fewer points, or another column",
              counted(points, "point"));

  std::size_t remainder = 0, of_partial = 0, surplus = 0;
  std::vector<Protocol> protocols;
  for (std::size_t f = 0; f < files.size(); ++f) {
    const auto& [order, blocks, points_of_file] = files[f].blocks;
    Protocol& protocol = protocols.emplace_back();
    protocol.points = points_of_file;
    protocol.stimuli = stimuli;
    protocol.stimulus_names = names;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::int64_t rank = ranks[f][i];
      const auto slot = slots.find(stimulus_of(files[f], order[i]));
      if (blocks[i] < 0)
        ++remainder;
      else if (slot == slots.end())
        ++of_partial;
      else if (!average && rank >= slot->second.count)
        ++surplus;
      else
        protocol.presentations.push_back({order[i], blocks[i], slot->second.first + (average ? 0 : rank)});
    }
  }
  const auto report = [&](std::size_t count, const std::string& why) {
    if (count > 0) left_out.push_back(counted(count, "trial") + " " + why);
  };
  report(remainder, "at the end, beyond equal blocks");
  report(of_partial, fmt::format("of stimuli that not every point has ({})", join(partial, ", ")));
  report(surplus, "that other points have no counterpart of");
  return protocols;
}

Protocol arrange_trials(const std::vector<double>& start, const std::vector<std::string>& stimulus,
                        const std::vector<std::string>& session, std::int64_t points,
                        NwbImport::Repeats repeats, const std::vector<std::size_t>& usable) {
  std::vector<std::string> left_out;
  Protocol protocol =
      std::move(arrange({{block_trials(start, session, points, usable), stimulus}}, repeats, left_out)[0]);
  protocol.left_out = std::move(left_out);
  return protocol;
}

}  // namespace lrid::measure
