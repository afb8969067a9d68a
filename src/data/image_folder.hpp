#pragma once

#include <filesystem>
#include <memory>

#include <lrid/data/image_source.hpp>

namespace lrid::data {

bool is_image_folder(const std::filesystem::path& folder);
std::shared_ptr<const EncodedSource> open_image_folder(const std::filesystem::path& folder);

}  // namespace lrid::data
