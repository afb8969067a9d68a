#include <lrid/core/index.hpp>
#include <lrid/data/image_source.hpp>

namespace lrid::data {

Image ResidentSource::read(std::int64_t image, const RegionRequest& request) const {
  const Image& whole = images_[to_size(image)];
  return as_rgb(cut(whole, request.choose(whole.shape.height, whole.shape.width)));
}

std::int64_t ResidentSource::bytes() const {
  return list_.size() * images_.front().shape.values();
}

Image EncodedSource::read(std::int64_t image, const RegionRequest& request) const {
  std::string room;
  const std::string_view bytes = contents(image, room);
  return decode_region(bytes, file_name(image), request);
}

}  // namespace lrid::data
