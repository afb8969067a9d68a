#include <algorithm>
#include <array>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/nwb.hpp>

#include "nwb_sources.hpp"

namespace lrid::io::nwb {

namespace {

/// "/processing//ophys/" as "processing/ophys".
std::string normal(const std::string& path) {
  std::vector<std::string> parts = split(path, '/');
  std::erase_if(parts, [](const std::string& part) { return part.empty() || part == "."; });
  return join(parts, "/");
}

/// The root group of a file in HDF5, which stays open with it.
hdf5::Group open_root(const std::filesystem::path& path) {
  if (is_remote(path)) return open_remote(path.string());
  if (type_of(path) == std::filesystem::file_type::directory)
    for (const char* name : {".zgroup", ".zattrs", "zarr.json"})
      if (type_of(path / name) == std::filesystem::file_type::regular) {
        const std::string from = path.string(), name_of = (path / "").parent_path().filename().string();
        const std::string to = name_of.substr(0, name_of.find('.')) + "-hdf5.nwb";
        bad_input(
            "{}: is in Zarr, a folder, expected NWB in HDF5: pip install hdmf-zarr, and convert it with "
            "python -c \"from pynwb import NWBHDF5IO as H; from hdmf_zarr.nwb import NWBZarrIO as Z; "
            "w = H('{}', 'w'); w.export(src_io=Z('{}', 'r'), write_args={{'link_data': False}}); w.close()\"",
            from, to, from);
      }
  return hdf5::InputFile(path).root();
}

/// By the names of a group's links: they need not lead anywhere.
bool holds(const hdf5::Group& group, std::span<const char* const> members) {
  const std::vector<std::string> names = group.names();
  return std::ranges::all_of(
      members, [&](const char* member) { return std::ranges::find(names, member) != names.end(); });
}

}  // namespace

bool is_nwb(const hdf5::Group& root) {
  return root.has_attribute("nwb_version") || root.has_dataset("nwb_version");
}

File::File(const std::filesystem::path& path) : root_(open_root(path)) {
  if (!is_nwb(root())) root().fail("attribute \"nwb_version\" is missing, expected an NWB file of version 2");
  if (!root().has_attribute("nwb_version"))
    root().fail("an NWB file of version 1, expected version 2");  // that had a dataset instead
  version_ = root().attribute<std::string>("nwb_version");
  if (!version_.starts_with("2.")) root().fail("nwb_version is \"" + version_ + "\", expected 2.x");
  for (const auto& [name, is_group] : root().objects())
    if (is_group) groups_.push_back(name);
  for (hdf5::Group::Linked& linked : root().linked()) {
    // A group that is another one under a second name counts if somebody has linked it, as NWB links series.
    const bool is_known = !linked.same_as.empty() && linked.target.empty();
    if (linked.leads == hdf5::Group::Linked::Leads::to_group && !is_known) groups_.push_back(linked.path);
    links_.emplace(linked.path, std::move(linked));
  }
  std::ranges::sort(groups_);
}

std::vector<std::string> File::groups_with(std::span<const char* const> names) const {
  std::vector<std::string> paths;
  for (const std::string& path : groups_)
    if (holds(root().group(path), names)) paths.push_back(path);
  return paths;
}

std::vector<std::string> File::sources() const {
  static constexpr std::array spikes{"spike_times", "id"}, stamped{"data", "timestamps"},
      regular{"data", "starting_time"};
  std::vector<std::string> paths;
  for (const std::span<const char* const> names :
       {std::span<const char* const>(spikes), {stamped}, {regular}})
    std::ranges::copy(groups_with(names), std::back_inserter(paths));
  std::ranges::sort(paths);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

std::vector<std::string> File::interval_tables() const {
  static constexpr std::array names{"start_time", "id"};
  return groups_with(names);
}

std::string File::link(const std::string& path) const {
  const auto found = links_.find(path);
  return found == links_.end() ? std::string() : found->second.target;
}

std::vector<std::pair<std::string, std::string>> File::broken_links() const {
  std::vector<std::pair<std::string, std::string>> broken;
  for (const auto& [path, link] : links_)
    if (link.leads == hdf5::Group::Linked::Leads::nowhere) broken.emplace_back(path, link.target);
  return broken;
}

std::unique_ptr<Source> File::source(const std::string& path, const SourceOptions& options) const {
  const std::string place = normal(path);
  if (const std::size_t slash = place.rfind('/'); slash != std::string::npos && root().has_dataset(place))
    root().fail("\"" + path +
                "\" is a dataset, expected the series that it is of: " + place.substr(0, slash));
  if (place.empty() || !root().has_group(place)) {
    const std::vector<std::string> known = sources();
    root().fail("holds no series \"" + path + "\", expected " +
                (known.empty() ? "one, but it holds none" : expected_one_of(known, place)));
  }
  const hdf5::Group group = root().group(place);
  if (group.has_dataset("spike_times")) return open_spike_trains(group, place, options);
  if (!group.has_dataset("data"))
    group.fail("is no time series (it has no data), expected one that --list shows");
  return open_series(group, place, options);
}

Table File::table(const std::string& path) const {
  const std::string place = normal(path);
  if (place.empty() || !root().has_group(place)) {
    const std::vector<std::string> known = interval_tables();
    root().fail("holds no table \"" + path + "\", expected " +
                (known.empty() ? "one of intervals, but it holds none" : expected_one_of(known, place)));
  }
  return Table(root().group(place));
}

}  // namespace lrid::io::nwb
