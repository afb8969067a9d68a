#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <lrid/identify/shipped_models.hpp>

#define BOOST_DLL_USE_STD_FS  // else it needs Boost's own file system library
#include <boost/dll/runtime_symbol_info.hpp>

#include <lrid/core/error.hpp>

namespace lrid::identify {

namespace {

std::filesystem::path models_folder() {
  if (const char* folder = std::getenv("LRID_MODELS"); folder != nullptr && *folder != '\0') return folder;
  const std::filesystem::path programs = std::filesystem::path(boost::dll::program_location()).parent_path();
  // In the Python package, an installation, the build folder of a clone.
  for (const char* relative : {"../models", "../share/lrid/models", "../../data/models"}) {
    std::error_code none;
    const std::filesystem::path folder = std::filesystem::weakly_canonical(programs / relative, none);
    if (!none && std::filesystem::is_directory(folder, none)) return folder;
  }
  return {};
}

/// Number of networks that are unlike the training networks in anything.
std::ptrdiff_t unlike(const std::vector<FilePrediction>& files) {
  std::ptrdiff_t count = 0;
  for (const FilePrediction& file : files)
    count +=
        std::ranges::count_if(file.networks, [](const auto& network) { return !network.unlike.empty(); });
  return count;
}

}  // namespace

std::vector<std::filesystem::path> shipped_models() {
  std::vector<std::filesystem::path> models;
  const std::filesystem::path folder = models_folder();
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none))
    if (entry.path().extension() == ".h5" && !entry.path().filename().string().starts_with('.'))
      models.push_back(entry.path());
  std::ranges::sort(models);
  return models;
}

BestVerdict predict_by_best(const std::vector<std::filesystem::path>& models,
                            const std::vector<std::filesystem::path>& files, bool interpolate) {
  if (models.empty())
    bad_input(
        "--model: missing, and no model comes with this version, expected a model file that lrid-classify "
        "fit wrote");
  std::optional<BestVerdict> best;
  // Of models that don't fit, the one that asks for least says why.
  std::optional<std::pair<std::size_t, std::string>> nearest;
  const auto rank = [](const BestVerdict& verdict) {
    return std::pair(std::ssize(verdict.fitted.identifier.layout.observables), -unlike(verdict.files));
  };
  for (const std::filesystem::path& path : models) {
    BestVerdict verdict{.model = path, .fitted = read_fitted(path), .files = {}};
    const std::size_t asked = verdict.fitted.identifier.layout.observables.size();
    try {
      for (const std::filesystem::path& file : files)
        verdict.files.push_back(predict(verdict.fitted, file, interpolate));
    } catch (const InputError& unfit) {
      if (!nearest || asked < nearest->first) nearest = {asked, unfit.what()};
      continue;
    }
    if (!best || rank(verdict) > rank(*best)) best = std::move(verdict);
  }
  if (!best) throw InputError(nearest->second);
  return std::move(*best);
}

}  // namespace lrid::identify
