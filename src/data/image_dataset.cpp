#include <lrid/data/image_dataset.hpp>

namespace lrid::data {

std::int64_t ImageDataset::bytes() const {
  constexpr auto overhead = static_cast<std::int64_t>(sizeof(Image) + sizeof(std::int64_t));
  return size() * (shape().values() + overhead);
}

}  // namespace lrid::data
