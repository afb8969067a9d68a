#include <lrid/data/image_dataset.hpp>

namespace lrid::data {

std::int64_t ImageDataset::bytes() const {
  return size() * static_cast<std::int64_t>(shape().values() + sizeof(Image) + sizeof(std::int64_t));
}

}  // namespace lrid::data
