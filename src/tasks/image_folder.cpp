#include <algorithm>
#include <optional>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>

#include "image_formats.hpp"
#include "parallel.hpp"

namespace lrid::tasks {

namespace fs = std::filesystem;

namespace {

/// Fewer images than this are read before anyone looks for progress.
constexpr std::int64_t worth_watching = 10000;

struct LabelledFile {
  fs::path path;
  std::int64_t label;
};

std::vector<std::string> class_names(const fs::path& part) {
  std::vector<std::string> names;
  for (const fs::path& folder : sorted_entries(part, true)) names.push_back(folder.filename().string());
  return names;
}

void require_same_classes(const fs::path& train, const std::vector<std::string>& expected,
                          const fs::path& part) {
  const std::vector<std::string> found = class_names(part);
  for (const std::string& name : expected)
    if (!std::ranges::binary_search(found, name))
      bad_input("{}: class folder {}/ is missing, expected the classes of {}", part.string(), name,
                train.string());
  for (const std::string& name : found)
    if (!std::ranges::binary_search(expected, name))
      bad_input("{}: no such class in {}, expected the same classes in both", (part / name).string(),
                train.string());
}

void list_images(const fs::path& part, const std::vector<std::string>& classes,
                 std::vector<LabelledFile>& files) {
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const std::size_t before = files.size();
    for (fs::path& path : sorted_entries(part / classes[label], false))
      if (has_image_extension(path)) files.push_back({std::move(path), static_cast<std::int64_t>(label)});
    if (files.size() == before)
      bad_input("{}: holds no images, expected .jpg, .jpeg or .png files", (part / classes[label]).string());
  }
}

std::string text(const ImageShape& shape) {
  return fmt::format("{} × {} pixels (height × width)", shape.height, shape.width);
}

}  // namespace

std::string folder_name(const fs::path& folder) {
  const fs::path path = fs::weakly_canonical(folder);
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

std::vector<fs::path> sorted_entries(const fs::path& folder, bool folders) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator iterator(folder, error);
  for (; !error && iterator != fs::directory_iterator(); iterator.increment(error)) {
    std::error_code broken_link;
    if (!iterator->path().filename().string().starts_with('.') &&
        iterator->is_directory(broken_link) == folders)
      entries.push_back(iterator->path());
  }
  if (error) bad_input("{}: cannot read the folder: {}", folder.string(), error.message());
  std::ranges::sort(entries, {}, [](const fs::path& path) { return path.filename().string(); });
  return entries;
}

bool is_image_folder(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder / "train", error);
}

ImageDataset read_image_folder(const fs::path& folder, const ReadOptions& options) {
  std::error_code ignored;
  const fs::path train = folder / "train";
  if (!fs::is_directory(train, ignored))
    bad_input("{}: no such folder, expected {}", train.string(),
              "train/<class>/ with .jpg, .jpeg or .png files");
  ImageDataset data;
  data.name = folder_name(folder);
  data.classes = class_names(train);
  if (data.classes.size() < 2)
    bad_input("{}: {} class folders, expected at least 2", train.string(), data.classes.size());
  std::vector<LabelledFile> files;
  list_images(train, data.classes, files);
  data.training_images = static_cast<std::int64_t>(files.size());
  for (const char* part : {"val", "test"})
    if (fs::is_directory(folder / part, ignored)) {
      require_same_classes(train, data.classes, folder / part);
      list_images(folder / part, data.classes, files);
      break;
    }

  data.images.resize(files.size());
  const auto count = static_cast<std::int64_t>(files.size());
  std::optional<Progress> progress;
  if (count >= worth_watching) progress.emplace("reading images", static_cast<double>(count), "images");
  parallel_for(count, options.threads, [&](std::int64_t i) {
    check_interrupt();
    Image& image = data.images[static_cast<std::size_t>(i)];
    image = read_image(files[static_cast<std::size_t>(i)].path);
    if (options.size) image = resize_to_square(image, *options.size);
    if (progress) progress->advance();
  });

  const ImageShape first = data.shape();
  bool colour = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ImageShape& shape = data.images[i].shape;
    if (shape.height != first.height || shape.width != first.width)
      bad_input("{}: is {}, expected {} as {}; data.size makes all images one size", files[i].path.string(),
                text(shape), text(first), files[0].path.string());
    colour = colour || shape.channels == 3;
    data.labels.push_back(files[i].label);
  }
  if (colour)
    for (Image& image : data.images) image = as_rgb(std::move(image));
  return data;
}

}  // namespace lrid::tasks
