#include <algorithm>
#include <cmath>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/measure/import_nwb.hpp>

#include "arrange_trials.hpp"

namespace lrid::measure {

namespace nwb = io::nwb;

void list_nwb(const std::filesystem::path& path, std::ostream& out) {
  const nwb::File file(path);
  out << fmt::format("{}, an NWB file of version {}\n", path.string(), file.version());
  // A fault of one of them is no reason to hide the others.
  const auto entry = [&](const std::string& name, const auto& describe) {
    out << "  " << name << "\n";
    if (const std::string target = file.link(name); !target.empty())
      out << "    a link to " << target << "\n";
    try {
      describe();
    } catch (const InputError& error) {
      out << "    cannot be used: " << error.what() << "\n";
    }
  };
  const auto heading = [&](const char* text, const std::vector<std::string>& names) {
    out << text << (names.empty() ? ": none\n" : "\n");
    return names;
  };
  for (const std::string& name : heading("series", file.sources()))
    entry(name, [&] {
      const auto source = file.source(name);
      out << "    " << source->describe() << "\n";
      std::map<std::string, std::size_t> regions;
      for (const nwb::Unit& unit : source->units()) ++regions[unit.region];
      std::vector<std::string> texts;
      for (const auto& [region, count] : regions) texts.push_back(fmt::format("{} ({})", region, count));
      out << "    layers: " << join(texts, ", ") << "\n";
      if (!source->left_out().empty()) out << "    left out: " << join(source->left_out(), "; ") << "\n";
      if (const std::string filter = source->unreadable_filter(); !filter.empty())
        out << "    cannot be read: " << filter << "\n";
    });
  std::vector<std::string> tables = file.interval_tables(), invalid;
  if (std::erase(tables, invalid_times_path) > 0) invalid.emplace_back(invalid_times_path);
  const auto list_table = [&](const std::string& name) {
    entry(name, [&] {
      const nwb::Table table = file.table(name);
      std::vector<double> start = table.numbers("start_time");
      const auto missing = std::erase_if(start, [](double t) { return std::isnan(t); });
      out << "    " << counted(table.rows(), "row");
      if (!start.empty()) {
        const auto [first, last] = std::ranges::minmax(start);
        out << fmt::format(", starting {:.6g} s to {:.6g} s", first, last);
      }
      if (missing > 0) out << fmt::format(", {} without a start", missing);
      out << "\n    columns: " << join(table.columns(), ", ") << "\n";
    });
  };
  for (const std::string& name : heading("trials", tables)) list_table(name);
  if (!invalid.empty()) list_table(heading("times that are not to be used", invalid).front());
  const auto broken = file.broken_links();
  if (!broken.empty()) out << "links that lead nowhere\n";
  for (const auto& [name, target] : broken) out << "  " << name << ": to " << target << "\n";
}

}  // namespace lrid::measure
