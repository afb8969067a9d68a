#include "simclr.hpp"

#include <array>

#include <lrid/core/app.hpp>
#include <lrid/core/index.hpp>
#include <lrid/data/cifar10_binary.hpp>
#include <lrid/data/open_images.hpp>

#include "batch_room.hpp"
#include "ntxent.hpp"

namespace lrid::tasks {

namespace {

constexpr std::int64_t head_outputs = 128;

}  // namespace

Simclr::Simclr(Options& options) {
  files_.declare(options);
  options.add("data.size", size_, Accepts::between(16, 1024),
              "height and width of a view; auto: 32 for CIFAR-10's binary files, otherwise 224");
  view_options_.declare(options);
  options.add("contrastive.temperature", temperature_, Accepts::above(0), "τ of the loss");
  options.add("contrastive.shards", shards_, Accepts::between(1, 1024),
              "parts of a batch that contrast each within itself: 1: all other samples of the batch are "
              "negatives; 8: as on the study's TPU");
}

void Simclr::load(const std::filesystem::path& data_dir, int threads) {
  const std::filesystem::path path = files_.folder.empty() ? data_dir : data_dir / files_.folder;
  const int all_threads = threads_or_all(threads);
  std::shared_ptr<const data::ImageSource> source;
  std::int64_t size = 224;
  if (data::is_cifar10_binary(path)) {
    source = std::make_shared<const data::ResidentSource>(
        data::read_cifar10_binary(path, {.threads = all_threads}));
    size = 32;
  } else {
    source = data::open_images(path, files_.skip_bad, all_threads);
  }
  views_ = std::make_unique<const data::ContrastiveViews>(source, size_.value_or(size), view_options_);
  const data::ImageList& list = source->list();
  set_samples({.dataset = list.name,
               .split = data::make_split(list.labels, list.training_images, files_.split),
               .bytes = source->bytes(),
               .workers = files_.worker_threads()});
}

TaskShape Simclr::shape() const {
  const data::ImageShape view = views_->shape();
  return {.channels = view.channels,
          .height = view.height,
          .width = view.width,
          .outputs = head_outputs,
          .contrastive = true};
}

Batch Simclr::make_room(std::int64_t samples, torch::Device device) const {
  return {empty_images(2 * samples, views_->shape(), device), at::empty({samples}, torch::kInt64)};
}

Batch Simclr::make_probe_room(std::int64_t samples, torch::Device device) const {
  return {empty_images(samples, views_->shape(), device), Tensor()};
}

void Simclr::write_views(const Batch& room, std::int64_t place, std::int64_t sample, Key key,
                         const std::array<double, 2>& sigma) const {
  const std::int64_t samples = room.inputs.size(0) / 2, values = views_->shape().values();
  auto* inputs = room.inputs.mutable_data_ptr<float>();
  for (std::size_t view = 0; view < 2; ++view) {
    const std::int64_t row = place + to_index(view) * samples;
    views_->write_view(sample, key.with("view").with(view), sigma[view], inputs + row * values);
  }
}

void Simclr::write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                            const Draw& draw) const {
  const Key blur = draw.batch.with("blur");
  write_views(room, place, sample, draw.sample, {views_->sigma(blur.with(0)), views_->sigma(blur.with(1))});
}

void Simclr::write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const {
  const Key fixed(static_cast<std::uint64_t>(files_.split.seed), "validation views",
                  {static_cast<std::uint64_t>(sample)});
  write_views(room, place, sample, fixed, {0, 0});
}

void Simclr::write_probe(const Batch& room, std::int64_t place, std::int64_t sample) const {
  views_->write_centre(sample, room.inputs.mutable_data_ptr<float>() + place * views_->shape().values());
}

LossValue Simclr::loss(const Tensor& outputs, const Tensor& /*targets*/) const {
  return ntxent(outputs, temperature_, shards_);
}

}  // namespace lrid::tasks
