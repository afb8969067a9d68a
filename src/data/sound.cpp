#include <algorithm>
#include <cmath>

#include <sndfile.h>
#include <soxr.h>

#include <lrid/core/error.hpp>
#include <lrid/data/sound.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t least_rate = 1000, most_rate = 1000000;

}  // namespace

SoundFile::SoundFile(fs::path path) : path_(std::move(path)) {
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) bad_input("{}: no such file, expected a sound", path_.string());
  if (!fs::is_regular_file(path_, ignored)) bad_input("{}: is no file, expected a sound", path_.string());
  SF_INFO info{};
  SNDFILE* file = sf_open(path_.c_str(), SFM_READ, &info);
  if (file == nullptr)
    bad_input("{}: cannot be read: {}; expected a sound file of a kind that libsndfile knows", path_.string(),
              sf_strerror(nullptr));
  handle_ = file;
  frames_ = info.frames;
  rate_ = info.samplerate;
  channels_ = info.channels;
  // The destructor does not run where the constructor throws.
  const auto reject = [&](const std::string& why) {
    sf_close(file);
    bad_input("{}: {}", path_.string(), why);
  };
  if (frames_ < 1 || channels_ < 1) reject("holds no samples, expected a sound");
  if (rate_ < least_rate || rate_ > most_rate)
    reject(fmt::format("has {} samples a second, expected {} to {}", rate_, least_rate, most_rate));
}

SoundFile::~SoundFile() {
  sf_close(static_cast<SNDFILE*>(handle_));
}

std::vector<float> SoundFile::read(std::int64_t begin, std::int64_t count) {
  auto* file = static_cast<SNDFILE*>(handle_);
  if (sf_seek(file, begin, SEEK_SET) != begin)
    bad_input("{}: cannot go to sample {}: {}; expected a whole sound file", path_.string(), begin,
              sf_strerror(file));
  std::vector<float> all(static_cast<std::size_t>(count * channels_));
  const sf_count_t got = sf_readf_float(file, all.data(), count);
  if (got != count)
    bad_input("{}: ends at sample {}, expected {} of them as its head says", path_.string(),
              begin + std::max<std::int64_t>(0, got), frames_);
  std::vector<float> sound(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < sound.size(); ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels_); ++c)
      sum += all[i * static_cast<std::size_t>(channels_) + c];
    sound[i] = sum / static_cast<float>(channels_);
    if (!std::isfinite(sound[i]))
      bad_input("{}: holds values that are not finite, expected a sound", path_.string());
  }
  return sound;
}

std::vector<float> resample_sound(const std::vector<float>& sound, std::int64_t from, std::int64_t to) {
  if (from == to || sound.empty()) return sound;
  // At least one: soxr does not survive being asked for none.
  const std::size_t wanted = std::max<std::size_t>(
      1, (2 * sound.size() * static_cast<std::size_t>(to) + static_cast<std::size_t>(from)) /
             (2 * static_cast<std::size_t>(from)));
  std::vector<float> result(wanted, 0.0F);
  std::size_t made = 0;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_error_t error =
      soxr_oneshot(static_cast<double>(from), static_cast<double>(to), 1, sound.data(), sound.size(), nullptr,
                   result.data(), result.size(), &made, nullptr, &quality, nullptr);
  if (error != nullptr) work_failed("resampling from {} to {} Hz failed: {}", from, to, error);
  return result;
}

double rms(const std::vector<float>& sound) {
  if (sound.empty()) return 0;
  double sum = 0;
  for (const float value : sound) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum / static_cast<double>(sound.size()));
}

}  // namespace lrid::data
