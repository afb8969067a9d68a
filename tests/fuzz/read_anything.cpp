#include "read_anything.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <streambuf>

#include <unistd.h>

#include <lrid/core/error.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/options.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/recording.hpp>
#include <lrid/io/results.hpp>
#include <lrid/io/trajectory.hpp>
#include <lrid/measure/collect.hpp>
#include <lrid/measure/export.hpp>
#include <lrid/measure/import_nwb.hpp>
#include <lrid/measure/recording.hpp>
#include <lrid/measure/show.hpp>

namespace lrid::fuzzing {

namespace fs = std::filesystem;

namespace {

/// A file of these bytes, in memory where there is /dev/shm. (HDF5 takes none without a real path: no memfd.)
class BriefFile {
 public:
  BriefFile(const std::uint8_t* bytes, std::size_t size)
      : path_((fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) /
              ("lrid-fuzz-" + std::to_string(::getpid()))) {
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    if (!file.flush()) std::abort();
  }
  ~BriefFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  BriefFile(const BriefFile&) = delete;
  BriefFile& operator=(const BriefFile&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Takes everything.
class NoBuffer : public std::streambuf {
  int_type overflow(int_type c) override { return traits_type::not_eof(c); }
  std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
};

/// False where it ends in what bad input should end in.
template <class Use>
bool attempt(const Use& use) {
  try {
    use();
    return true;
  } catch (const InputError&) {
    return false;
  }
}

/// A damaged file may claim to be long; a fuzzer wants many short inputs.
constexpr std::int64_t most_values = 1 << 16;

void use_recording(const fs::path& path) {
  const io::Recording recording(path);
  std::int64_t values = 0;
  for (const io::Recording::Layer& layer : recording.layers()) {
    const std::int64_t elements = io::hdf5::element_count(
        {recording.points(), std::max<std::int64_t>(1, layer.stimuli), std::max(layer.units, layer.weights)});
    if (__builtin_add_overflow(values, elements, &values) || values > most_values) return;
  }
  (void)measure::measure_recording(recording, {.unit_fraction = 0.5, .noise = 0.1});
}

void use_nwb(const fs::path& path, std::ostream& out) {
  attempt([&] { measure::list_nwb(path, out); });
  for (const std::string& series : io::nwb::File(path).sources()) {
    measure::NwbImport import;
    import.series = {series};
    import.window = {0, 0.5};
    import.points = 2;
    attempt([&] { (void)measure::import_nwb(path, import); });
    import.stimulus = import.layer = "stimulus";
    attempt([&] { (void)measure::import_nwb(path, import); });
  }
}

bool use_hdf5(const fs::path& path) {
  NoBuffer nothing;
  std::ostream out(&nothing);
  const bool is_good = attempt([&] { measure::show(path, out); });
  attempt([&] { measure::export_csv(path, out); });
  attempt([&] { measure::export_csv(path, out, measure::TableForm::wide); });
  attempt([&] { (void)measure::collect({path}); });
  attempt([&] { use_recording(path); });
  attempt([&] { use_nwb(path, out); });
  attempt([&] {
    for (const std::int64_t point : io::checkpoint_points(path)) (void)io::read_checkpoint(path, point);
  });
  return is_good;
}

}  // namespace

bool read_anything(const std::uint8_t* bytes, std::size_t size) {
  static const bool ready = [] {
    set_up_logging("off");
    Progress::silence();
    return true;
  }();
  (void)ready;
  const BriefFile file(bytes, size);
  constexpr std::uint8_t signature[] = {0x89, 'H', 'D', 'F'};
  if (size >= sizeof signature && std::equal(std::begin(signature), std::end(signature), bytes))
    return use_hdf5(file.path());
  const bool is_config = attempt([&] { (void)Config::from_file(file.path()); });
  return attempt([&] { (void)io::read_results(file.path()); }) || is_config;
}

}  // namespace lrid::fuzzing
