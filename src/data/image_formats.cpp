#include <algorithm>

#include <lrid/core/error.hpp>
#include <lrid/core/text.hpp>
#include <lrid/data/cifar10_binary.hpp>
#include <lrid/data/folder.hpp>
#include <lrid/data/image_formats.hpp>
#include <lrid/data/open_images.hpp>

#include "image_folder.hpp"
#include "pack_source.hpp"

namespace lrid::data {

namespace fs = std::filesystem;

const std::vector<ImageFormat>& image_formats() {
  static const std::vector<ImageFormat> formats{
      {"cifar10-binary",
       "data_batch_*.bin and test_batch.bin of CIFAR-10's home page, also inside "
       "cifar-10-batches-bin/",
       is_cifar10_binary, read_cifar10_binary},
      {"image-folder",
       "train/<class>/*.{jpg,jpeg,png}, and val/<class>/ or test/<class>/ with the same classes",
       is_image_folder, read_encoded_images},
      {"pack", "a file that `lrid-train --pack` has made of an image folder", is_pack, read_encoded_images},
  };
  return formats;
}

namespace {

/// What to set where the data lie one level further down, or nothing.
std::string hint_at_subfolder(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error) && std::ranges::any_of(image_formats(), [&](const auto& format) {
          return format.recognise(entry.path());
        }))
      found.push_back(entry.path().filename().string());
  if (found.empty()) return "";
  std::ranges::sort(found);
  return fmt::format(" (there are some in {}/: set data.folder = \"{}\")", found.front(), found.front());
}

const ImageFormat& find_format(const fs::path& folder, const std::string& name) {
  std::error_code error;
  if (!fs::exists(folder, error))
    bad_input("{}: no such folder, expected one with training data", folder.string());
  if (!fs::is_directory(folder, error) && !is_pack(folder))
    bad_input("{}: is neither a folder nor a pack, expected training data", folder.string());
  if (!is_pack(folder)) sorted_entries(folder, false);  // says so if the folder cannot be read
  std::vector<std::string> expected, names;
  for (const ImageFormat& format : image_formats()) {
    if (name == format.name || (name == "auto" && format.recognise(folder))) return format;
    expected.push_back(format.summary);
    names.push_back(format.name);
  }
  if (name != "auto") bad_input("data.dataset = \"{}\": expected {}", name, expected_one_of(names, name));
  bad_input("{}: no training data found, expected {}{}", folder.string(), join(expected, "; or "),
            hint_at_subfolder(folder));
}

}  // namespace

ImageDataset read_image_dataset(const fs::path& folder, const ReadOptions& options) {
  return find_format(folder, options.format).read(folder, options);
}

}  // namespace lrid::data
