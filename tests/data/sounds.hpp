#pragma once

#include <cmath>
#include <filesystem>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>
#include <sndfile.h>

namespace lrid::testing {

/// amplitude·sin of `frequency` Hz.
inline std::vector<float> sine(std::int64_t samples, std::int64_t rate, double frequency, double amplitude) {
  std::vector<float> sound;
  for (std::int64_t i = 0; i < samples; ++i)
    sound.push_back(
        static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) /
                                                static_cast<double>(rate))));
  return sound;
}

/// Interleaved samples to a file of libsndfile's `format`.
inline void write_sound(const std::filesystem::path& path, const std::vector<float>& sound, int rate,
                        int format, int channels = 1) {
  std::filesystem::create_directories(path.parent_path());
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << path << ": " << sf_strerror(nullptr);
  sf_write_float(file, sound.data(), static_cast<sf_count_t>(sound.size()));
  sf_close(file);
}

}  // namespace lrid::testing
