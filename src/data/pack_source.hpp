#pragma once

#include <filesystem>
#include <memory>

#include <lrid/data/image_source.hpp>
#include <lrid/data/pack.hpp>

namespace lrid::data {

std::shared_ptr<const EncodedSource> open_pack(const std::filesystem::path& file);

}  // namespace lrid::data
