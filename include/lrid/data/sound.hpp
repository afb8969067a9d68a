#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace lrid::data {

/// A sound file that libsndfile reads, as one channel (the mean of all).
class SoundFile {
 public:
  /// Opens a file. Where its header does not know its length (streams saved as they came, recorders that were
  /// killed, MP3) it is decoded once to count its frames, unless `frames` says them. InputError naming the
  /// file: unreadable, no samples, or a rate outside of 1 kHz … 1 MHz.
  explicit SoundFile(std::filesystem::path path, std::optional<std::int64_t> frames = {});
  ~SoundFile();
  SoundFile(const SoundFile&) = delete;
  SoundFile& operator=(const SoundFile&) = delete;

  [[nodiscard]] std::int64_t frames() const { return frames_; }
  [[nodiscard]] std::int64_t rate() const { return rate_; }
  [[nodiscard]] double seconds() const { return static_cast<double>(frames_) / static_cast<double>(rate_); }
  /// Frames [begin, begin + count). InputError where the file ends early or holds values that are not finite.
  [[nodiscard]] std::vector<float> read(std::int64_t begin, std::int64_t count);
  /// Reads everything once; InputError as read()'s.
  void require_whole();

 private:
  void open();
  void close();
  [[nodiscard]] std::int64_t count_frames();
  void go_to(std::int64_t frame);

  std::filesystem::path path_;
  void* handle_ = nullptr;        ///< libsndfile's
  std::shared_ptr<void> stream_;  ///< what it reads from, where that is not the file as it is
  std::int64_t frames_ = 0, rate_ = 0, channels_ = 0;
  bool length_known_ = false;
};

/// The sound at another rate: ⌊n·to/from + ½⌋ samples, of a sound that is not empty at least one (the SoX
/// resampler, high quality).
std::vector<float> resample_sound(const std::vector<float>& sound, std::int64_t from, std::int64_t to);

/// Root mean square; 0 of nothing.
double rms(const std::vector<float>& sound);

}  // namespace lrid::data
