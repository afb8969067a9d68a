#pragma once

#include <filesystem>
#include <memory>

#include <lrid/data/image_source.hpp>

namespace lrid::data {

bool is_pack(const std::filesystem::path& file);
std::shared_ptr<const EncodedSource> open_pack(const std::filesystem::path& file);

}  // namespace lrid::data
