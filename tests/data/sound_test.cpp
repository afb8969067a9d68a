#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sndfile.h>

#include <lrid/core/file.hpp>
#include <lrid/data/sound.hpp>
#include <lrid/data/sound_manifest.hpp>

#include "pictures.hpp"
#include "sounds.hpp"
#include "testing.hpp"

namespace lrid::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::input_error;
using testing::sine;
using testing::TemporaryFolder;
using testing::write_file;
using testing::write_sound;

TEST(SoundFile, ReadsOneChannelOfManyKinds) {
  const TemporaryFolder folder;
  const std::vector<float> tone = sine(1000, 8000, 440, 0.5);
  for (const auto& [name, format, tolerance] : {std::tuple("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1e-4),
                                                {"b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1e-7},
                                                {"c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 1e-6},
                                                {"d.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1e-4},
                                                {"e.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 1e-4}}) {
    write_sound(folder / name, tone, 8000, format);
    SoundFile file(folder / name);
    EXPECT_EQ(file.frames(), 1000) << name;
    EXPECT_EQ(file.rate(), 8000) << name;
    const std::vector<float> part = file.read(100, 50);
    for (std::size_t i = 0; i < part.size(); ++i) ASSERT_NEAR(part[i], tone[100 + i], tolerance) << name;
  }
  // Stereo: the mean of both.
  write_sound(folder / "stereo.wav", {0.5F, 0.1F, 0.25F, -0.25F}, 22050, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 2);
  SoundFile stereo(folder / "stereo.wav");
  EXPECT_EQ(stereo.frames(), 2);
  EXPECT_THAT(stereo.read(0, 2), ElementsAre(::testing::FloatNear(0.3F, 1e-6F), 0.0F));
}

TEST(SoundFile, BadFilesAreNamed) {
  const TemporaryFolder folder;
  const auto opening = [&](const std::string& name) {
    return input_error([&] { SoundFile file(folder / name); });
  };
  EXPECT_THAT(opening("none.wav"), HasSubstr("none.wav: no such file"));
  write_file(folder / "zero.wav", "");
  EXPECT_THAT(opening("zero.wav"), HasSubstr("zero.wav: cannot be read"));
  write_file(folder / "text.wav", "this is no sound, but long enough to have a header of some kind");
  EXPECT_THAT(opening("text.wav"), HasSubstr("text.wav: cannot be read"));
  write_sound(folder / "empty.wav", {}, 8000, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  EXPECT_THAT(opening("empty.wav"), HasSubstr("empty.wav: holds no samples"));
  write_sound(folder / "slow.wav", sine(100, 10, 1, 0.5), 10, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  EXPECT_THAT(opening("slow.wav"), HasSubstr("has 10 samples a second, expected 1000 to 1000000"));
  EXPECT_THAT(input_error([&] { SoundFile file(folder.path()); }), HasSubstr("is no file"));
  std::vector<float> tone = sine(100, 8000, 440, 0.5);
  tone[50] = std::numeric_limits<float>::quiet_NaN();
  write_sound(folder / "nan.wav", tone, 8000, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  EXPECT_THAT(input_error([&] { static_cast<void>(SoundFile(folder / "nan.wav").read(0, 100)); }),
              HasSubstr("not finite"));
}

/// Overwrites bytes of a file.
void patch(const std::filesystem::path& path, std::streamoff place, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(place);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Encoders that write to a pipe can't go back to fill in how much it was.
TEST(SoundFile, CountsWhereTheHeaderDoesNotKnow) {
  const TemporaryFolder folder;
  const std::vector<float> tone = sine(100000, 8000, 440, 0.5);
  write_sound(folder / "a.flac", tone, 8000, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  write_sound(folder / "a.wav", tone, 8000, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  write_sound(folder / "a.au", tone, 8000, SF_FORMAT_AU | SF_FORMAT_PCM_16);
  // STREAMINFO's 36-bit number of samples ends at byte 26; its upper 4 bits share a byte.
  patch(folder / "a.flac", 22, std::string(4, '\0'));
  patch(folder / "a.wav", 40, "\xFF\xFF\xFF\xFF");
  patch(folder / "a.wav", 4, "\xFF\xFF\xFF\xFF");
  patch(folder / "a.au", 8, "\xFF\xFF\xFF\xFF");
  for (const char* name : {"zero.wav", "head.wav"}) {  // recorders that were killed
    write_sound(folder / name, tone, 8000, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
    patch(folder / name, 40, std::string(4, '\0'));
  }
  patch(folder / "zero.wav", 4, std::string(4, '\0'));
  patch(folder / "head.wav", 4, std::string("\x24\0\0\0", 4));
  write_sound(folder / "a.caf", tone, 8000, SF_FORMAT_CAF | SF_FORMAT_PCM_16);
  const auto data = static_cast<std::streamoff>(read_file(folder / "a.caf").find("data"));
  patch(folder / "a.caf", data + 4, std::string(8, '\xFF'));  // -1: until the end
  for (const char* name : {"a.flac", "a.wav", "a.au", "zero.wav", "head.wav", "a.caf"}) {
    SoundFile file(folder / name);
    EXPECT_EQ(file.frames(), 100000) << name;
    // Parts are where they should be, in any order.
    for (const std::int64_t begin : {70000, 100, 99990}) {
      const std::vector<float> part = file.read(begin, 10);
      for (std::size_t i = 0; i < part.size(); ++i)
        ASSERT_NEAR(part[i], tone[static_cast<std::size_t>(begin) + i], 1e-4) << name << " " << begin;
    }
    EXPECT_NO_THROW(file.require_whole());
    EXPECT_EQ(SoundFile(folder / name, 100000).frames(), 100000) << "told so, it does not count again";
  }
}

TEST(Resampling, KeepsTones) {
  for (const std::int64_t from : {8000, 11025, 44100, 48000, 20000}) {
    const std::vector<float> sound = resample_sound(sine(from, from, 440, 0.5), from, 20000);
    ASSERT_EQ(sound.size(), 20000U) << from;
    const std::vector<float> expected = sine(20000, 20000, 440, 0.5);
    for (std::size_t i = 2000; i < 18000; ++i) ASSERT_NEAR(sound[i], expected[i], 1e-3) << from;
  }
  // Frequencies above half of the new rate are gone.
  EXPECT_LT(rms(resample_sound(sine(48000, 48000, 15000, 0.5), 48000, 20000)), 2e-3);
  EXPECT_EQ(resample_sound(std::vector<float>(3, 0.5F), 8000, 20000).size(), 8U);
  EXPECT_TRUE(resample_sound({}, 8000, 20000).empty());
  EXPECT_EQ(rms({}), 0);
  EXPECT_NEAR(rms({3, 4}), std::sqrt(12.5), 1e-12);
}

TEST(SoundManifest, Words) {
  const TemporaryFolder folder;
  write_file(folder / "words.csv",
             "path,word,speaker\nx/1.wav,two,ann\r\n\"a, b.wav\",one, bob\n\n3.wav,two,bob");
  const WordManifest manifest = read_word_manifest(folder / "words.csv");
  EXPECT_THAT(manifest.files, ElementsAre(folder / "x/1.wav", folder / "a, b.wav", folder / "3.wav"));
  EXPECT_THAT(manifest.word_names, ElementsAre("one", "two"));
  EXPECT_THAT(manifest.speaker_names, ElementsAre("ann", "bob"));
  EXPECT_THAT(manifest.words, ElementsAre(1, 0, 1));
  EXPECT_THAT(manifest.speakers, ElementsAre(0, 1, 1));
}

TEST(SoundManifest, NoisesHaveSeveralClasses) {
  const TemporaryFolder folder;
  write_file(folder / "noises.csv", "rain.wav,water\nstreet.wav,cars; people\nsea.wav,\"water;\"\n");
  const NoiseManifest manifest = read_noise_manifest(folder / "noises.csv");
  EXPECT_THAT(manifest.class_names, ElementsAre("cars", "people", "water"));
  EXPECT_THAT(manifest.classes, ElementsAre(ElementsAre(2), ElementsAre(0, 1), ElementsAre(2)));
}

TEST(SoundManifest, HeadingsAreHeadingsInAnyCaseAndOrder) {
  const TemporaryFolder folder;
  for (const char* text : {"\xEF\xBB\xBFpath,word,speaker\na.wav,one,ann\nb.wav,two,bob\n",
                           "Path,Word,Speaker\na.wav,one,ann\nb.wav,two,bob\n",
                           "\"PATH\", word ,SPEAKER\r\n\r\na.wav,one,ann\r\nb.wav,two,bob\r\n",
                           "id,speaker,path,word\n7,ann,a.wav,one\n8,bob,b.wav,two\n",
                           "path,word,speaker\ra.wav,one,ann\rb.wav,two,bob\r",
                           "a.wav,one,ann\nb.wav,two,bob\n./a.wav,one,ann\nx/../b.wav,two,bob\n",
                           "\xEF\xBB\xBF"
                           "a.wav,one,ann\nb.wav,two,bob\n"}) {
    write_file(folder / "m.csv", text);
    const WordManifest manifest = read_word_manifest(folder / "m.csv");
    EXPECT_THAT(manifest.files, ElementsAre(folder / "a.wav", folder / "b.wav")) << text;
    EXPECT_THAT(manifest.word_names, ElementsAre("one", "two"));
    EXPECT_THAT(manifest.speakers, ElementsAre(0, 1));
  }
  write_file(folder / "m.csv", std::string("\xFF\xFE"
                                           "p\0a\0",
                                           6));
  EXPECT_THAT(input_error([&] { read_word_manifest(folder / "m.csv"); }),
              HasSubstr("m.csv: is text in UTF-16"));
}

TEST(SoundManifest, NoClassStaysWithoutSounds) {
  const TemporaryFolder folder;
  write_file(folder / "m.csv", "a,one,ann\nb,two,bob\nc,three,ann\nd,two,cy\n");
  WordManifest words = read_word_manifest(folder / "m.csv");
  EXPECT_THAT(leave_out({false, true, true, false}, "m.csv", words), ElementsAre("three", "bob"));
  EXPECT_THAT(words.files, ElementsAre(folder / "a", folder / "d"));
  EXPECT_THAT(words.word_names, ElementsAre("one", "two"));
  EXPECT_THAT(words.speaker_names, ElementsAre("ann", "cy"));
  EXPECT_THAT(words.words, ElementsAre(0, 1));
  EXPECT_THAT(words.speakers, ElementsAre(0, 1));
  EXPECT_THAT(input_error([&] {
                leave_out({true, false}, "m.csv", words);
              }),
              HasSubstr("m.csv: sounds of 1 word can be read, expected at least 2"));

  write_file(folder / "n.csv", "a,rain;wind\nb,wind\nc,cars\n");
  NoiseManifest noises = read_noise_manifest(folder / "n.csv");
  EXPECT_THAT(leave_out({true, false, false}, "n.csv", noises), ElementsAre("rain"));
  EXPECT_THAT(noises.class_names, ElementsAre("cars", "wind"));
  EXPECT_THAT(noises.classes, ElementsAre(ElementsAre(1), ElementsAre(0)));
}

TEST(SoundManifest, BadLinesAreNamed) {
  const TemporaryFolder folder;
  const auto reading = [&](const std::string& text) {
    write_file(folder / "m.csv", text);
    return input_error([&] { read_word_manifest(folder / "m.csv"); });
  };
  EXPECT_THAT(reading(""), HasSubstr("m.csv: lists no files, expected lines path,word,speaker"));
  EXPECT_THAT(reading("path,word,speaker\n"), HasSubstr("lists no files"));
  EXPECT_THAT(reading("a.wav,one,ann\nb.wav,two\n"),
              HasSubstr("m.csv:2: \"b.wav,two\", expected path,word,speaker"));
  EXPECT_THAT(reading("a.wav,one,ann\nb.wav,,bob\n"), HasSubstr("m.csv:2"));
  EXPECT_THAT(reading("a.wav,one,ann\n\"b.wav,two,bob\n"),
              HasSubstr("m.csv:2: a quotation mark is not closed"));
  EXPECT_THAT(reading("a.wav,one,ann\nb.wav,one,bob\n"), HasSubstr("expected at least 2"));
  EXPECT_THAT(reading("a.wav,one,ann\nb.wav,two,bob\n./a.wav,two,ann\n"),
              HasSubstr("m.csv:3: \"./a.wav,two,ann\", but line 1 says \"a.wav,one,ann\": expected each"));
  write_file(folder / "n.csv", "a.wav,;\n");
  EXPECT_THAT(input_error([&] { read_noise_manifest(folder / "n.csv"); }),
              HasSubstr("n.csv:1: \";\" names no class"));
  EXPECT_THAT(input_error([&] { read_noise_manifest(folder / "none.csv"); }),
              HasSubstr("none.csv: cannot read"));
}

}  // namespace
}  // namespace lrid::data
