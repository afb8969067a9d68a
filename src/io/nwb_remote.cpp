// Files at an address, through HDF5's driver for them.
#include <array>

#include <hdf5.h>

#include <lrid/core/error.hpp>

#include "handle.hpp"
#include "nwb_sources.hpp"

namespace lrid::io::nwb {

namespace {

#ifdef H5_HAVE_ROS3_VFD
/// The root group of a file that was opened elsewhere.
class Root final : public hdf5::Group {
 public:
  Root(std::shared_ptr<const hdf5::Handle> handle, std::string file)
      : Group(std::move(handle), std::move(file), "/") {}
};

/// "s3://BUCKET/KEY" by its address.
std::string https_of(const std::string& address) {
  constexpr std::string_view s3 = "s3://";
  if (!address.starts_with(s3)) return address;
  const std::size_t slash = address.find('/', s3.size());
  if (slash == std::string::npos || slash == s3.size() || slash + 1 == address.size())
    bad_input("{}: expected s3://BUCKET/KEY", address);
  return "https://" + address.substr(s3.size(), slash - s3.size()) + ".s3.amazonaws.com" +
         address.substr(slash);
}
#endif

}  // namespace

bool is_remote(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 3> schemes{"https://", "s3://", "http://"};
  const std::string address = path.string();
  for (const std::string_view scheme : schemes)
    if (address.starts_with(scheme)) return true;
  return false;
}

hdf5::Group open_remote(const std::string& address) {
#ifdef H5_HAVE_ROS3_VFD
  const std::string https = https_of(address);
  const hdf5::Session session;
  const hdf5::Handle access = hdf5::properties_handle(H5Pcreate(H5P_FILE_ACCESS));
  H5FD_ros3_fapl_t settings{};
  settings.version = H5FD_CURR_ROS3_FAPL_T_VERSION;
  if (H5Pset_fapl_ros3(access.id(), &settings) < 0)
    bad_input("{}: HDF5's driver ROS3 cannot be used ({}), expected the file on this machine", address,
              hdf5::library_reason());
  const hid_t file = H5Fopen(https.c_str(), H5F_ACC_RDONLY, access.id());
  if (file < 0)
    bad_input(
        "{}: cannot open ({}), expected an HDF5 file that anyone may read, at its last address (redirections "
        "are not followed), on a server that sends ranges of bytes",
        address, hdf5::library_reason());
  const hdf5::Handle opened = hdf5::file_handle(file);
  return Root(
      std::make_shared<const hdf5::Handle>(
          hdf5::readable(H5Gopen2(opened.id(), "/", H5P_DEFAULT), address, "its root group"), H5Gclose),
      address);
#else
  bad_input(
      "{}: HDF5 was built without its driver ROS3, expected the file on this machine: download it, or build "
      "lrid with an HDF5 that has the driver (h5cc -showconfig)",
      address);
#endif
}

}  // namespace lrid::io::nwb
