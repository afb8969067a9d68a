#include <algorithm>
#include <optional>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/data/open_images.hpp>
#include <lrid/data/parallel.hpp>

#include "image_folder.hpp"
#include "pack_source.hpp"

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

/// Fewer images than this are read before anyone looks for progress.
constexpr std::int64_t worth_watching = 10000;

/// body(i) for all images, on threads, with progress and a look at interrupts.
template <class Body>
void for_each_image(const char* activity, std::int64_t count, int threads, const Body& body) {
  std::optional<Progress> progress;
  if (count >= worth_watching) progress.emplace(activity, static_cast<double>(count), "images");
  parallel_for(count, threads, [&](std::int64_t i) {
    check_interrupt();
    body(i);
    if (progress) progress->advance();
  });
}

Image decode(const EncodedSource& source, std::int64_t image) {
  std::string room;
  const std::string_view contents = source.contents(image, room);
  return decode_image(contents, source.file_name(image));
}

/// Some of another source's images.
class PartOfSource : public EncodedSource {
 public:
  PartOfSource(ImageList list, std::shared_ptr<const EncodedSource> whole, std::vector<std::int64_t> kept)
      : EncodedSource(std::move(list)), whole_(std::move(whole)), kept_(std::move(kept)) {}
  std::string_view contents(std::int64_t image, std::string& room) const override {
    return whole_->contents(original(image), room);
  }
  std::string file_name(std::int64_t image) const override { return whole_->file_name(original(image)); }
  std::string relative_name(std::int64_t image) const override {
    return whole_->relative_name(original(image));
  }
  std::int64_t bytes() const override { return whole_->bytes(); }

 private:
  [[nodiscard]] std::int64_t original(std::int64_t image) const { return kept_[to_size(image)]; }
  std::shared_ptr<const EncodedSource> whole_;
  std::vector<std::int64_t> kept_;
};

std::shared_ptr<const EncodedSource> without_bad(const std::shared_ptr<const EncodedSource>& source,
                                                 int threads) {
  const ImageList& all = source->list();
  std::vector<std::string> errors(to_size(all.size()));
  for_each_image("checking images", all.size(), threads, [&](std::int64_t i) {
    try {
      decode(*source, i);
    } catch (const InputError& error) {
      errors[to_size(i)] = error.what();
    }
  });
  ImageList list{.name = all.name, .classes = all.classes, .labels = {}, .training_images = 0};
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const std::string& error = errors[to_size(i)];
    if (!error.empty()) {
      spdlog::warn("skipped: {}", error);
      continue;
    }
    kept.push_back(i);
    list.labels.push_back(all.labels[to_size(i)]);
    if (i < all.training_images) ++list.training_images;
  }
  if (list.size() == all.size()) return source;
  spdlog::warn("{}: skipped {} of {} images", all.name, all.size() - list.size(), all.size());
  const std::set<std::int64_t> left(list.labels.begin(), list.labels.begin() + list.training_images);
  for (std::size_t label = 0; label < list.classes.size(); ++label)
    if (!left.contains(to_index(label)))
      bad_input("{}: no image of class {} can be read, expected some to train on", all.name,
                list.classes[label]);
  return std::make_shared<const PartOfSource>(std::move(list), source, std::move(kept));
}

std::string text(const ImageShape& shape) {
  return fmt::format("{} × {} pixels (height × width)", shape.height, shape.width);
}

/// A folder or pack, without a look at its images.
std::shared_ptr<const EncodedSource> open_source(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    bad_input("{}: no such folder, expected one with train/<class>/, or a pack", path.string());
  return fs::is_directory(path, ignored) ? open_image_folder(path) : open_pack(path);
}

}  // namespace

std::shared_ptr<const EncodedSource> open_images(const fs::path& path, bool skip_bad, int threads) {
  const auto source = open_source(path);
  if (skip_bad) return without_bad(source, threads);
  for_each_image("checking images", source->list().size(), threads,
                 [&](std::int64_t i) { source->require_whole(i); });
  return source;
}

ImageDataset read_encoded_images(const fs::path& path, const ReadOptions& options) {
  auto source = open_source(path);
  if (options.skip_bad) source = without_bad(source, options.threads);
  ImageDataset data{source->list(), {}};
  data.images.resize(to_size(data.size()));
  for_each_image("reading images", data.size(), options.threads, [&](std::int64_t i) {
    Image& image = data.images[to_size(i)];
    image = decode(*source, i);
    if (options.size) image = resize_to_square(image, *options.size);
  });

  const ImageShape first = data.shape();
  bool colour = false;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const ImageShape& shape = data.images[to_size(i)].shape;
    if (shape.height != first.height || shape.width != first.width)
      bad_input("{}: is {}, expected {} as {}; data.size makes all images one size", source->file_name(i),
                text(shape), text(first), source->file_name(0));
    colour = colour || shape.channels == 3;
  }
  if (colour)
    for (Image& image : data.images) image = as_rgb(std::move(image));
  return data;
}

}  // namespace lrid::data
