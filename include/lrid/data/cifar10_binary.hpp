#pragma once

#include <filesystem>

#include <lrid/data/image_dataset.hpp>

namespace lrid::data {

/// Whether a folder holds CIFAR-10's binary files, itself or in `cifar-10-batches-bin/`.
bool is_cifar10_binary(const std::filesystem::path& folder);
/// Reads them. InputError naming folder or file.
ImageDataset read_cifar10_binary(const std::filesystem::path& folder, const ReadOptions& options);

}  // namespace lrid::data
