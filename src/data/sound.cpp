#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string_view>

#include <sndfile.h>
#include <soxr.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/data/sound.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t least_rate = 1000, most_rate = 1000000;
constexpr std::int64_t block_frames = 1 << 16;
constexpr std::int64_t most_frames = std::int64_t{1} << 40;  // a year of sound; more is no length

/// A file as if some of its bytes were others: lengths that its writer never came back to fill in.
class CompletedFile {
 public:
  CompletedFile(const fs::path& path, std::streamoff at, std::vector<char> bytes)
      : stream_(path, std::ios::binary), at_(at), bytes_(std::move(bytes)) {}

  SNDFILE* open(SF_INFO& info) {
    SF_VIRTUAL_IO functions{};
    functions.get_filelen = [](void* self) {
      auto& stream = static_cast<CompletedFile*>(self)->stream_;
      const auto at = stream.tellg();
      const auto length = stream.seekg(0, std::ios::end).tellg();
      stream.seekg(at);
      return static_cast<sf_count_t>(length);
    };
    functions.seek = [](sf_count_t offset, int whence, void* self) {
      auto& stream = static_cast<CompletedFile*>(self)->stream_;
      stream.clear();
      stream.seekg(offset, whence == SEEK_SET   ? std::ios::beg
                           : whence == SEEK_CUR ? std::ios::cur
                                                : std::ios::end);
      return static_cast<sf_count_t>(stream.tellg());
    };
    functions.tell = [](void* self) {
      return static_cast<sf_count_t>(static_cast<CompletedFile*>(self)->stream_.tellg());
    };
    functions.read = [](void* to, sf_count_t count, void* self) {
      auto& stream = static_cast<CompletedFile*>(self)->stream_;
      const auto at = static_cast<sf_count_t>(stream.tellg());
      const sf_count_t got = stream.read(static_cast<char*>(to), count).gcount();
      stream.clear();
      const std::vector<char>& bytes = static_cast<CompletedFile*>(self)->bytes_;
      const sf_count_t first = static_cast<CompletedFile*>(self)->at_;
      for (sf_count_t i = std::max<sf_count_t>(at, first); i < std::min(at + got, first + std::ssize(bytes));
           ++i)
        static_cast<char*>(to)[i - at] = bytes[to_size(i - first)];
      return got;
    };
    functions.write = [](const void*, sf_count_t, void*) -> sf_count_t { return 0; };
    return sf_open_virtual(&functions, SFM_READ, &info, this);
  }

 private:
  std::ifstream stream_;
  std::streamoff at_;
  std::vector<char> bytes_;
};

/// A WAV file without lengths. libsndfile takes all that follows for the sound if the data's length is 0 and
/// the file's own is 8.
std::shared_ptr<CompletedFile> completed_wave(const fs::path& path) {
  return std::make_shared<CompletedFile>(path, 4, std::vector<char>{8, 0, 0, 0});
}

/// A CAF file whose data's length is -1, "until the end", which libsndfile does not know; null for any other.
std::shared_ptr<CompletedFile> completed_caf(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::array<char, 12> head{};
  constexpr std::streamoff first_chunk = 8;
  if (!stream.read(head.data(), first_chunk) || std::string_view(head.data(), 4) != "caff") return nullptr;
  const std::streamoff end = stream.seekg(0, std::ios::end).tellg();
  for (std::streamoff at = first_chunk; at + std::ssize(head) <= end;) {
    if (!stream.seekg(at).read(head.data(), std::ssize(head))) return nullptr;
    std::uint64_t code = 0;
    for (std::size_t i = 4; i < head.size(); ++i) code = code << 8 | static_cast<unsigned char>(head.at(i));
    const auto size = static_cast<std::int64_t>(code);
    const std::streamoff content = at + std::ssize(head);
    if (size == -1 && std::string_view(head.data(), 4) == "data") {
      std::vector<char> bytes;
      for (int shift = 56; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(end - content) >> shift & 0xFF));
      return std::make_shared<CompletedFile>(path, at + 4, std::move(bytes));
    }
    if (size < 0 || size > end - content) return nullptr;
    at = content + size;
  }
  return nullptr;
}

}  // namespace

SoundFile::SoundFile(fs::path path, std::optional<std::int64_t> frames) : path_(std::move(path)) {
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) bad_input("{}: no such file, expected a sound", path_.string());
  if (!fs::is_regular_file(path_, ignored)) bad_input("{}: is no file, expected a sound", path_.string());
  open();
  try {
    if (rate_ < least_rate || rate_ > most_rate)
      bad_input("{}: has {} samples a second, expected {} to {}", path_.string(), rate_, least_rate,
                most_rate);
    if (frames)
      frames_ = *frames;
    else if (!length_known_)
      frames_ = count_frames();
    if (frames_ < 1 || channels_ < 1) bad_input("{}: holds no samples, expected a sound", path_.string());
  } catch (...) {
    close();  // the destructor does not run where the constructor throws
    throw;
  }
}

SoundFile::~SoundFile() {
  close();
}

void SoundFile::open() {
  SF_INFO info{};
  SNDFILE* file = sf_open(path_.c_str(), SFM_READ, &info);
  const bool is_wave = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_WAV ||
                       (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_WAVEX;
  const std::string reason = file == nullptr ? sf_strerror(nullptr) : "";
  std::shared_ptr<CompletedFile> completed;
  if (file != nullptr && is_wave && info.frames == 0) {
    sf_close(file);
    completed = completed_wave(path_);
  } else if (file == nullptr) {
    completed = completed_caf(path_);
  }
  if (completed) {
    info = {};
    file = completed->open(info);
    stream_ = std::move(completed);
  }
  if (file == nullptr)
    bad_input("{}: cannot be read: {}; expected a sound file of a kind that libsndfile knows", path_.string(),
              reason.empty() ? sf_strerror(nullptr) : reason);
  handle_ = file;
  frames_ = info.frames;
  rate_ = info.samplerate;
  channels_ = info.channels;
  // libsndfile's number for "unknown" is the largest there is; MPEG headers give an estimate.
  length_known_ =
      info.frames >= 0 && info.frames < most_frames && (info.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG;
}

void SoundFile::close() {
  if (handle_ != nullptr) sf_close(static_cast<SNDFILE*>(handle_));
  handle_ = nullptr;
  stream_.reset();
}

std::int64_t SoundFile::count_frames() {
  std::vector<float> block(to_size(block_frames * channels_));
  std::int64_t count = 0;
  while (true) {
    check_interrupt();
    const sf_count_t got = sf_readf_float(static_cast<SNDFILE*>(handle_), block.data(), block_frames);
    if (got <= 0) break;
    count += got;
  }
  close();
  open();  // back at the start, also where the format cannot be sought in
  return count;
}

void SoundFile::go_to(std::int64_t frame) {
  if (sf_seek(static_cast<SNDFILE*>(handle_), frame, SEEK_SET) == frame) return;
  // Some streams can only be read from the start.
  close();
  const std::int64_t frames = frames_;
  open();
  frames_ = frames;
  std::vector<float> block(to_size(block_frames * channels_));
  for (std::int64_t at = 0; at < frame;) {
    const sf_count_t got =
        sf_readf_float(static_cast<SNDFILE*>(handle_), block.data(), std::min(block_frames, frame - at));
    if (got <= 0) bad_input("{}: ends at sample {}, expected {} of them", path_.string(), at, frames_);
    at += got;
  }
}

std::vector<float> SoundFile::read(std::int64_t begin, std::int64_t count) {
  go_to(begin);
  std::vector<float> all(to_size(count * channels_));
  const sf_count_t got = sf_readf_float(static_cast<SNDFILE*>(handle_), all.data(), count);
  if (got != count)
    bad_input("{}: ends at sample {}, expected {} of them as its head says", path_.string(),
              begin + std::max<std::int64_t>(0, got), frames_);
  std::vector<float> sound(to_size(count));
  for (std::size_t i = 0; i < sound.size(); ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < to_size(channels_); ++c) sum += all[i * to_size(channels_) + c];
    sound[i] = sum / static_cast<float>(channels_);
    if (!std::isfinite(sound[i]))
      bad_input("{}: holds values that are not finite, expected a sound", path_.string());
  }
  return sound;
}

void SoundFile::require_whole() {
  for (std::int64_t begin = 0; begin < frames_; begin += block_frames) {
    check_interrupt();
    (void)read(begin, std::min(block_frames, frames_ - begin));
  }
}

std::vector<float> resample_sound(const std::vector<float>& sound, std::int64_t from, std::int64_t to) {
  if (from == to || sound.empty()) return sound;
  // At least one: soxr does not survive being asked for none.
  const std::size_t wanted =
      std::max<std::size_t>(1, (2 * sound.size() * to_size(to) + to_size(from)) / (2 * to_size(from)));
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
