#include "filters.hpp"

#include <array>
#include <cstdlib>
#include <map>
#include <string_view>

#include <fmt/format.h>
#include <hdf5.h>

namespace lrid::io::hdf5 {

namespace {

/// Names for the numbers that the HDF Group has registered ("Registered Filter Plugins"), those that files
/// of our users come with. A file names its filters too, but not all writers fill that in.
const std::map<H5Z_filter_t, std::string_view>& registered_names() {
  static const std::map<H5Z_filter_t, std::string_view> names{{H5Z_FILTER_DEFLATE, "gzip"},
                                                              {H5Z_FILTER_SHUFFLE, "shuffle"},
                                                              {H5Z_FILTER_FLETCHER32, "fletcher32"},
                                                              {H5Z_FILTER_SZIP, "szip"},
                                                              {H5Z_FILTER_NBIT, "nbit"},
                                                              {H5Z_FILTER_SCALEOFFSET, "scale-offset"},
                                                              {305, "lzo"},
                                                              {307, "bzip2"},
                                                              {32000, "lzf"},
                                                              {32001, "blosc"},
                                                              {32003, "snappy"},
                                                              {32004, "lz4"},
                                                              {32007, "jpeg-xr"},
                                                              {32008, "bitshuffle"},
                                                              {32012, "jpeg-ls"},
                                                              {32013, "zfp"},
                                                              {32014, "fpzip"},
                                                              {32015, "zstd"},
                                                              {32016, "b3d"},
                                                              {32017, "sz"},
                                                              {32018, "fcidecomp"},
                                                              {32019, "jpeg"},
                                                              {32020, "vbz"},
                                                              {32022, "bitgroom"},
                                                              {32023, "granular bitround"},
                                                              {32024, "sz3"},
                                                              {32025, "delta-rice"},
                                                              {32026, "blosc2"},
                                                              {32027, "flac"},
                                                              {32028, "sperr"},
                                                              {32030, "ffmpeg"}};
  return names;
}

}  // namespace

std::string missing_filter(std::int64_t creation) {
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    std::array<char, 64> stored{};
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr,
                                               stored.size(), stored.data(), nullptr);
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    const auto known = registered_names().find(filter);
    std::string name =
        known == registered_names().end() ? std::string(stored.data()) : std::string(known->second);
    if (name.empty()) name = "a filter without a name";
    return fmt::format("{} (filter {})", name, static_cast<int>(filter));
  }
  return {};
}

std::string filter_remedy() {
  const char* const folder = std::getenv("HDF5_PLUGIN_PATH");
  return fmt::format(
      "set HDF5_PLUGIN_PATH to a folder with its plug-in for libhdf5 {}.{} ({}; PyPI's hdf5plugin has most "
      "of them), or "
      "rewrite the file with gzip, as \"h5repack -f GZIP=4\" does",
      H5_VERS_MAJOR, H5_VERS_MINOR,
      folder == nullptr || *folder == '\0' ? std::string("not set now") : fmt::format("now {}", folder));
}

}  // namespace lrid::io::hdf5
