#include "wsn.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/core/text.hpp>
#include <lrid/data/folder.hpp>
#include <lrid/data/parallel.hpp>
#include <lrid/data/sound.hpp>

#include "batch_room.hpp"

namespace lrid::tasks {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t clip_samples = data::Cochleagram::samples, rate = data::Cochleagram::rate;

/// Frames of a file that make a clip.
std::int64_t frames_of_clip(const data::SoundFile& file) {
  return (clip_samples * file.rate() + rate - 1) / rate;
}

/// At most a clip's length of a file, from a place that is a share of what there is to choose from.
std::vector<float> read_part(data::SoundFile& file, double part) {
  const std::int64_t count = std::min(file.frames(), frames_of_clip(file));
  const auto begin = static_cast<std::int64_t>(part * static_cast<double>(file.frames() - count + 1));
  std::vector<float> sound = data::resample_sound(file.read(begin, count), file.rate(), rate);
  if (std::ssize(sound) > clip_samples) sound.resize(clip_samples);
  if (sound.empty()) sound.assign(1, 0.0F);  // a file without sound
  return sound;
}

std::vector<float> read_word(const fs::path& path, data::SoundFile& file) {
  std::vector<float> word = read_part(file, 0.5);
  if (data::rms(word) == 0) bad_input("{}: holds only silence, expected a word", path.string());
  return word;
}

std::vector<float> read_noise(data::SoundFile& file, double part) {
  const std::vector<float> piece = read_part(file, part);
  if (file.frames() >= frames_of_clip(file) && std::ssize(piece) == clip_samples) return piece;
  std::vector<float> noise(clip_samples);
  const auto phase = static_cast<std::size_t>(part * static_cast<double>(piece.size()));
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = piece[(phase + i) % piece.size()];
  return noise;
}

/// Fewer sounds than this are checked before anyone looks for progress.
constexpr std::size_t worth_watching = 500;

/// Reads whatever training may read of each file, and returns its length in frames; 0, with a line in the
/// log, for one that cannot be read. Without `skip_bad`, throws the InputError of the first of these.
template <class Read>
std::vector<std::int64_t> check_sounds(const std::vector<fs::path>& files, bool skip_bad, int threads,
                                       const Read& read) {
  std::vector<std::int64_t> frames(files.size());
  std::vector<std::string> errors(files.size());
  std::optional<Progress> progress;
  if (files.size() >= worth_watching)
    progress.emplace("checking sounds", static_cast<double>(files.size()), "files");
  data::parallel_for(std::ssize(files), threads, [&](std::int64_t i) {
    check_interrupt();
    const auto n = to_size(i);
    try {
      data::SoundFile file(files[n]);
      read(files[n], file);
      frames[n] = file.frames();
    } catch (const InputError& error) {
      errors[n] = error.what();
    }
    if (progress) progress->advance();
  });
  std::erase(errors, "");
  if (errors.empty()) return frames;
  if (!skip_bad)
    bad_input("{}{}", errors.front(),
              errors.size() == 1
                  ? "; --skip-bad leaves it out"
                  : fmt::format("; the same goes for {} more of {} sounds: --skip-bad leaves them out",
                                errors.size() - 1, files.size()));
  for (const std::string& error : errors) spdlog::warn("skipped: {}", error);
  spdlog::warn("skipped {} of {} sounds", errors.size(), files.size());
  return frames;
}

/// Leaves out the sounds without frames, and classes that no sound is left of.
template <class Manifest>
void leave_out_bad(const fs::path& file, Manifest& manifest, std::vector<std::int64_t>& frames) {
  std::vector<bool> bad;
  for (const std::int64_t length : frames) bad.push_back(length == 0);
  if (std::ranges::count(bad, true) == 0) return;
  const std::vector<std::string> dropped = data::leave_out(bad, file, manifest);
  if (!dropped.empty())
    spdlog::warn("{}: no sound is left of {}: left out", file.string(), join(dropped, ", "));
  std::erase(frames, 0);
}

}  // namespace

void MixtureOptions::declare(Options& options) {
  options.add("mixture.snr_db", snr_db, Accepts::between(-100, 100),
              "[low, high]: the word's level above the noise's is uniform in between");
  if (snr_db.size() != 2 || snr_db[0] > snr_db[1])
    options.fail("mixture.snr_db", "expected two numbers, the lower one first");
  options.add("mixture.rms", rms, {.low = 0, .high = 100, .low_open = true}, "root mean square of a clip");
  options.add(
      "mixture.cache", cache, Accepts::anything(),
      "give each sample one noise for all epochs, and keep its cochleagram in memory (0.3 MB a sample)");
}

WordSpeakerNoise::WordSpeakerNoise(Options& options) {
  options.add("data.folder", folder_, Accepts::anything(), "folder of the manifests below --data-dir");
  options.add("data.words", words_file_, Accepts::anything(),
              "manifest of spoken words, CSV: path, word, speaker; paths relative to the manifest");
  options.add("data.noises", noises_file_, Accepts::anything(),
              "manifest of noises, CSV: path, class (several: a;b)");
  options.add("data.skip_bad", skip_bad_, Accepts::anything(),
              "leave out sounds that cannot be read, with a line in the log for each, and classes that have "
              "no others");
  split_.declare(options);
  options.add("compute.workers", workers_, Accepts::between(1, 4096),
              "threads that read and mix sounds, ahead of the device; auto: all cores; changes no bits");
  mixture_.declare(options);
  options.add(
      "cochleagram.size", size_, Accepts::between(1, data::Cochleagram::frequencies),
      "average cochleagrams over cells to so many frequencies and times, for small networks; auto: not, "
      "203 × 400");
  options.add("loss.word", word_weight_, Accepts::at_least(0), "weight of the words' cross entropy");
  options.add("loss.speaker", speaker_weight_, Accepts::at_least(0), "weight of the speakers' cross entropy");
  options.add("loss.noise", noise_weight_, Accepts::at_least(0),
              "weight of the noise classes' mean binary cross entropy");
  if (word_weight_ + speaker_weight_ + noise_weight_ == 0)
    options.fail("loss.word", "all weights are 0, expected at least one above");
}

void WordSpeakerNoise::load(const fs::path& data_dir, int threads) {
  const fs::path folder = folder_.empty() ? data_dir : data_dir / folder_;
  words_ = data::read_word_manifest(folder / words_file_);
  noises_ = data::read_noise_manifest(folder / noises_file_);
  // All of it now: a file that cannot be read would end the training, perhaps after hours.
  const int all_threads = threads_or_all(threads);
  word_frames_ =
      check_sounds(words_.files, skip_bad_, all_threads,
                   [](const fs::path& path, data::SoundFile& file) { (void)read_word(path, file); });
  noise_frames_ = check_sounds(noises_.files, skip_bad_, all_threads,
                               [](const fs::path&, data::SoundFile& file) { file.require_whole(); });
  leave_out_bad(folder / words_file_, words_, word_frames_);
  leave_out_bad(folder / noises_file_, noises_, noise_frames_);
  set_samples({.dataset = data::folder_name(folder),
               .split = data::make_split(words_.words, std::ssize(words_.words), split_),
               .bytes = 0,
               .workers = threads_or_all(workers_.value_or(0))});
}

std::int64_t WordSpeakerNoise::bytes() const {
  if (!mixture_.cache) return 0;
  return std::ssize(words_.files) * height() * width() * static_cast<std::int64_t>(sizeof(float));
}

TaskShape WordSpeakerNoise::shape() const {
  return {.channels = 1,
          .height = height(),
          .width = width(),
          .outputs = std::ssize(words_.word_names) + std::ssize(words_.speaker_names) + noise_classes()};
}

WordSpeakerNoise::Choice WordSpeakerNoise::choose(Key key) const {
  Stream random(key);
  Choice choice{};
  choice.noise = to_index(random.below(noises_.files.size()));
  choice.part = random.uniform();
  choice.snr_db = random.uniform(mixture_.snr_db[0], mixture_.snr_db[1]);
  return choice;
}

WordSpeakerNoise::Clip WordSpeakerNoise::make_clip(std::int64_t sample, Key key) const {
  const Choice choice = choose(key);
  const auto w = to_size(sample), n = to_size(choice.noise);
  data::SoundFile word_file(words_.files[w], word_frames_[w]), noise_file(noises_.files[n], noise_frames_[n]);
  const std::vector<float> word = read_word(words_.files[w], word_file);
  Clip clip{read_noise(noise_file, choice.part), choice.noise};
  // A silent part of a noise file stays silent.
  const double noise_rms = data::rms(clip.sound);
  const double gain = noise_rms > 0 ? data::rms(word) / noise_rms * std::pow(10.0, -choice.snr_db / 20) : 0.0;
  for (float& value : clip.sound) value *= static_cast<float>(gain);
  const std::size_t begin = (clip.sound.size() - word.size()) / 2;
  for (std::size_t i = 0; i < word.size(); ++i) clip.sound[begin + i] += word[i];
  const double level = data::rms(clip.sound);
  if (level > 0)
    for (float& value : clip.sound) value *= static_cast<float>(mixture_.rms / level);
  return clip;
}

Key WordSpeakerNoise::fixed_key(std::int64_t sample) const {
  return Key(static_cast<std::uint64_t>(split_.seed), "mixture", {static_cast<std::uint64_t>(sample)});
}

Batch WordSpeakerNoise::make_room(std::int64_t samples, torch::Device device) const {
  // The last column is the sample's number, by which finish() finds cached cochleagrams.
  return {at::empty({samples, clip_samples}, room_for(device, torch::kFloat32)),
          at::empty({samples, 2 + noise_classes() + 1}, room_for(device, torch::kInt64))};
}

void WordSpeakerNoise::write(const Batch& room, std::int64_t place, std::int64_t sample, Key key) const {
  std::int64_t noise = 0;
  if (is_cached(sample)) {
    noise = choose(key).noise;
  } else {
    const Clip clip = make_clip(sample, key);
    std::ranges::copy(clip.sound, room.inputs.mutable_data_ptr<float>() + place * clip_samples);
    noise = clip.noise;
  }
  auto* target = room.targets.mutable_data_ptr<std::int64_t>() + place * room.targets.size(1);
  const auto n = to_size(sample);
  std::fill(target, target + room.targets.size(1), 0);
  target[0] = words_.words[n];
  target[1] = words_.speakers[n];
  for (const std::int64_t label : noises_.classes[to_size(noise)]) target[2 + label] = 1;
  target[2 + noise_classes()] = sample;
}

void WordSpeakerNoise::write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                                      const Draw& draw) const {
  write(room, place, sample, mixture_.cache ? fixed_key(sample) : draw.sample);
}

void WordSpeakerNoise::write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const {
  write(room, place, sample, fixed_key(sample));
}

bool WordSpeakerNoise::is_cached(std::int64_t sample) const {
  const std::lock_guard lock(mutex_);
  return cache_.contains(sample);
}

Tensor WordSpeakerNoise::cochleagrams(const Tensor& sounds) const {
  const data::Cochleagram* front_end = nullptr;
  {
    const std::lock_guard lock(mutex_);
    front_end = &front_ends_.try_emplace(sounds.device().str(), sounds.options()).first->second;
  }
  const torch::NoGradGuard no_grad;
  const Tensor full = (*front_end)(sounds);
  return size_ ? at::adaptive_avg_pool2d(full, {*size_, *size_}) : full;
}

Batch WordSpeakerNoise::finish(Batch batch) const {
  const Tensor samples = batch.targets.select(1, 2 + noise_classes()).cpu();
  batch.targets = batch.targets.narrow(1, 0, 2 + noise_classes()).contiguous();
  if (!mixture_.cache) return {cochleagrams(batch.inputs), batch.targets};

  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < samples.size(0); ++i) {
    const auto sample = samples[i].item<std::int64_t>();
    Tensor row;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = cache_.find(sample); found != cache_.end()) row = found->second;
    }
    if (!row.defined()) {
      row = cochleagrams(batch.inputs.narrow(0, i, 1))[0].cpu();
      const std::lock_guard lock(mutex_);
      cache_.emplace(sample, row);
    }
    rows.push_back(row);
  }
  return {at::stack(rows).to(batch.inputs.device()), batch.targets};
}

LossValue WordSpeakerNoise::loss(const Tensor& outputs, const Tensor& targets) const {
  const Tensor logits = at_least_float32(outputs);
  const std::int64_t words = std::ssize(words_.word_names), speakers = std::ssize(words_.speaker_names);
  Tensor total;
  std::vector<Tensor> right;
  const auto add = [&](double weight, const Tensor& loss, const Tensor& is_right) {
    total = total.defined() ? total + weight * loss : weight * loss;
    right.push_back(is_right.sum().to(torch::kFloat32));
  };
  const auto add_softmax = [&](double weight, const Tensor& group, const Tensor& label) {
    add(weight, at::cross_entropy_loss(group, label), group.detach().argmax(1).eq(label));
  };
  add_softmax(word_weight_, logits.narrow(1, 0, words), targets.select(1, 0));
  add_softmax(speaker_weight_, logits.narrow(1, words, speakers), targets.select(1, 1));
  const Tensor noise = logits.narrow(1, words + speakers, noise_classes());
  const Tensor present = targets.narrow(1, 2, noise_classes());
  add(noise_weight_, at::binary_cross_entropy_with_logits(noise, present.to(noise.scalar_type())),
      noise.detach().gt(0).eq(present.to(torch::kBool)).all(1));
  const Tensor more = at::stack(right);
  return {total, right[0], more};
}

}  // namespace lrid::tasks
