#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <lrid/tasks/image_dataset.hpp>
#include <lrid/tasks/image_source.hpp>

namespace lrid::tasks {

/// A way image data sets lie on disk, one line each in image_formats().
struct ImageFormat {
  std::string name, summary;
  bool (*recognise)(const std::filesystem::path& folder);
  ImageDataset (*read)(const std::filesystem::path& folder, const ReadOptions& options);
};
const std::vector<ImageFormat>& image_formats();

bool is_cifar10_binary(const std::filesystem::path& folder);
ImageDataset read_cifar10_binary(const std::filesystem::path& folder, const ReadOptions& options);

bool is_image_folder(const std::filesystem::path& folder);
std::shared_ptr<const EncodedSource> open_image_folder(const std::filesystem::path& folder);

bool is_pack(const std::filesystem::path& file);
std::shared_ptr<const EncodedSource> open_pack(const std::filesystem::path& file);

/// Decodes all of an image folder or pack.
ImageDataset read_encoded_images(const std::filesystem::path& path, const ReadOptions& options);

/// The folder's own name, also of "." and "data/".
std::string folder_name(const std::filesystem::path& folder);
/// Files (or folders) in a folder, sorted by name, hidden ones left out. InputError if it cannot be read.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder, bool folders);

}  // namespace lrid::tasks
