#include "tasks/wsn.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <lrid/data/sound.hpp>

#include "data/pictures.hpp"
#include "data/sounds.hpp"
#include "testing.hpp"

namespace lrid::tasks {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::input_error;
using testing::sine;
using testing::TemporaryFolder;
using testing::write_file;
using testing::write_sound;

constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_FLOAT;

/// Two words of two speakers, 0.5 s at 8 kHz, and two noises.
class WordSpeakerNoiseTask : public ::testing::Test {
 protected:
  WordSpeakerNoiseTask() {
    std::string words = "path,word,speaker\n";
    for (int i = 0; i < 20; ++i) {
      const std::string name = fmt::format("w{}.wav", i);
      write_sound(folder_ / name, sine(4000, 8000, 300 + 20 * i, 0.3), 8000, wav);
      words += fmt::format("{},word{},speaker{}\n", name, i % 2, i % 3);
    }
    write_file(folder_ / "words.csv", words);
    write_sound(folder_ / "long.wav", sine(80000, 16000, 2000, 0.7), 16000, wav);
    write_sound(folder_ / "short.wav", sine(4410, 44100, 3000, 0.01), 44100, wav);
    write_file(folder_ / "noises.csv", "path,class\nlong.wav,hum;high\nshort.wav,beep\n");
  }
  std::unique_ptr<WordSpeakerNoise> load(const std::string& toml = "") {
    Options options(Config::from_toml(toml, "test.toml"));
    auto task = std::make_unique<WordSpeakerNoise>(options);
    options.finish();
    task->load(folder_.path(), 2);
    return task;
  }
  /// Share of a clip's samples [begin, end) that a sine of the frequency explains, as an amplitude.
  static double amplitude(const std::vector<float>& sound, double frequency, std::size_t begin,
                          std::size_t end) {
    double sine_sum = 0, cosine_sum = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double phase = 2 * std::numbers::pi * frequency * static_cast<double>(i) / 20000;
      sine_sum += sound[i] * std::sin(phase);
      cosine_sum += sound[i] * std::cos(phase);
    }
    return 2 * std::hypot(sine_sum, cosine_sum) / static_cast<double>(end - begin);
  }
  const TemporaryFolder folder_;
};

TEST_F(WordSpeakerNoiseTask, DescribesItsData) {
  const auto task = load();
  EXPECT_EQ(task->shape().channels, 1);
  EXPECT_EQ(task->shape().height, 203);
  EXPECT_EQ(task->shape().width, 400);
  EXPECT_EQ(task->shape().outputs, 2 + 3 + 3);
  EXPECT_EQ(task->training_samples() + task->validation_samples(), 20);
  EXPECT_THAT(task->more_metrics(), ElementsAre("validation_accuracy_word", "validation_accuracy_speaker",
                                                "validation_accuracy_noise"));
}

TEST_F(WordSpeakerNoiseTask, MixesAtTheRatioAndLevelAskedFor) {
  for (const double snr : {-6.0, 0.0, 12.0}) {
    const auto task = load(fmt::format("[mixture]\nsnr_db = [{0:.1f}, {0:.1f}]\nrms = 0.05\n", snr));
    for (std::uint64_t i = 0; i < 6; ++i) {
      const auto [clip, noise] = task->make_clip(3, Key(i));
      ASSERT_EQ(clip.size(), 40000U);
      EXPECT_NEAR(data::rms(clip), 0.05, 1e-6);
      // The word lasts 0.5 s in the middle: samples 15000 to 25000. Its tone is 360 Hz.
      const double word = amplitude(clip, 360, 15500, 24500);
      const double tone = amplitude(clip, noise == 0 ? 2000 : 3000, 1000, 39000);
      EXPECT_NEAR(20 * std::log10(word / tone), snr, 0.15) << i;
      EXPECT_LT(amplitude(clip, 360, 1000, 14000), 0.02 * word) << "nothing of the word outside";
    }
  }
}

TEST_F(WordSpeakerNoiseTask, ChoicesFollowTheKey) {
  const auto task = load();
  const auto clip = [&](std::uint64_t key) { return task->make_clip(0, Key(key)).sound; };
  EXPECT_EQ(clip(1), clip(1));
  EXPECT_NE(clip(1), clip(2));
}

TEST_F(WordSpeakerNoiseTask, BatchesHoldCochleagramsAndLabels) {
  const auto task = load(), other = load("compute.workers = 3");
  const Batch batch = task->batches(1, 4, torch::kCPU)->batch(2);
  ASSERT_EQ(batch.inputs.sizes(), (std::vector<std::int64_t>{4, 1, 203, 400}));
  EXPECT_EQ(batch.targets.sizes(), (std::vector<std::int64_t>{4, 5}));
  EXPECT_TRUE(batch.inputs.isfinite().all().item<bool>());
  EXPECT_GT(batch.inputs.max().item<double>(), 0.1);
  for (std::int64_t i = 0; i < 4; ++i) {
    EXPECT_LT(batch.targets[i][0].item<std::int64_t>(), 2);
    EXPECT_LT(batch.targets[i][1].item<std::int64_t>(), 3);
    // Classes by name: beep, high, hum; files have {hum, high} or {beep}.
    const std::int64_t beep = batch.targets[i][2].item<std::int64_t>();
    EXPECT_EQ(batch.targets[i][3].item<std::int64_t>(), 1 - beep);
    EXPECT_EQ(batch.targets[i][4].item<std::int64_t>(), 1 - beep);
  }
  const Batch same = other->batches(1, 4, torch::kCPU)->batch(2);
  EXPECT_TRUE(same.inputs.equal(batch.inputs));
  EXPECT_TRUE(same.targets.equal(batch.targets));
  EXPECT_EQ(task->probe_checksum(), other->probe_checksum());
}

TEST_F(WordSpeakerNoiseTask, ACacheGivesEachSampleOneClip) {
  const auto task = load("mixture.cache = true"), fresh = load();
  EXPECT_GT(task->bytes(), 20 * 203 * 400 * 4 - 1);
  const auto source = task->batches(1, 3, torch::kCPU);
  std::map<std::string, Tensor> seen;
  for (std::int64_t step = 0; step < 8; ++step) {
    const Batch batch = source->batch(step);
    EXPECT_EQ(batch.targets.size(1), 5);
    for (std::int64_t i = 0; i < 3; ++i) {
      const std::string sum = fmt::format("{:.9f}", batch.inputs[i].sum().item<double>());
      seen.emplace(sum, batch.inputs[i].clone());
      EXPECT_TRUE(seen[sum].equal(batch.inputs[i]));
    }
  }
  EXPECT_LE(std::ssize(seen), task->training_samples());
  const Batch cached = task->validation(0, 1, torch::kCPU), again = task->validation(0, 1, torch::kCPU);
  EXPECT_TRUE(cached.inputs.equal(again.inputs));
  EXPECT_TRUE(cached.inputs.equal(fresh->validation(0, 1, torch::kCPU).inputs));
}

/// Cells of a cochleagram pooled to 64 × 64: row r averages frequencies ⌊203r/64⌋ to ⌈203(r + 1)/64⌉ − 1.
TEST_F(WordSpeakerNoiseTask, CochleagramsArePooledToTheSizeAskedFor) {
  const auto full = load(), pooled = load("cochleagram.size = 64"),
             cached = load("cochleagram.size = 64\nmixture.cache = true");
  EXPECT_EQ(pooled->shape().height, 64);
  EXPECT_EQ(pooled->shape().width, 64);
  EXPECT_EQ(cached->bytes(), 20 * 64 * 64 * 4);
  const Tensor large = full->batches(1, 4, torch::kCPU)->batch(2).inputs,
               small = pooled->batches(1, 4, torch::kCPU)->batch(2).inputs;
  ASSERT_EQ(small.sizes(), (std::vector<std::int64_t>{4, 1, 64, 64}));
  for (const std::int64_t row : {0, 31, 63}) {
    for (const std::int64_t column : {0, 17, 63}) {
      const std::int64_t top = 203 * row / 64, bottom = (203 * (row + 1) + 63) / 64, left = 400 * column / 64,
                         right = (400 * (column + 1) + 63) / 64;
      const Tensor cell = large.narrow(2, top, bottom - top).narrow(3, left, right - left);
      EXPECT_TRUE(small.select(2, row).select(2, column).allclose(cell.mean({2, 3}), 1e-5, 1e-6))
          << row << ", " << column;
    }
  }
  EXPECT_TRUE(cached->validation(0, 2, torch::kCPU)
                  .inputs.allclose(pooled->validation(0, 2, torch::kCPU).inputs, 1e-6, 1e-7));
}

TEST_F(WordSpeakerNoiseTask, LossByHand) {
  const auto task = load("[loss]\nword = 1.0\nspeaker = 0.5\nnoise = 2.0\n");
  const Tensor outputs =
      torch::tensor({{0.3, -0.2, 1.0, 0.0, -1.0, 2.0, -1.0, 0.5}, {0.0, 1.0, 0.1, 0.2, 0.3, -3.0, 1.0, 1.0}},
                    torch::kFloat64)
          .requires_grad_();
  const Tensor targets = torch::tensor({{0, 2, 1, 0, 0}, {1, 2, 0, 1, 1}}, torch::kInt64);
  const auto softmax = [&](std::int64_t row, std::int64_t begin, std::int64_t count, std::int64_t label) {
    return -at::log_softmax(outputs.detach()[row].narrow(0, begin, count), 0)[label].item<double>();
  };
  double noise = 0;
  for (std::int64_t row = 0; row < 2; ++row)
    for (std::int64_t k = 0; k < 3; ++k) {
      const double x = outputs[row][5 + k].item<double>();
      noise += std::log1p(std::exp(targets[row][2 + k].item<std::int64_t>() == 1 ? -x : x)) / 6;
    }
  const double expected = (softmax(0, 0, 2, 0) + softmax(1, 0, 2, 1)) / 2 +
                          0.5 * (softmax(0, 2, 3, 2) + softmax(1, 2, 3, 2)) / 2 + 2 * noise;
  const LossValue value = task->loss(outputs, targets);
  EXPECT_NEAR(value.loss.item<double>(), expected, 1e-12);
  EXPECT_EQ(value.correct.item<float>(), 2);
  // Words: both. Speakers: the second. Noises: the second (of the first, 0.5 is on the wrong side).
  EXPECT_THAT(
      (std::vector<float>(value.more.const_data_ptr<float>(), value.more.const_data_ptr<float>() + 3)),
      ElementsAre(2, 1, 1));
  value.loss.backward();
  EXPECT_TRUE(outputs.grad().isfinite().all().item<bool>());
}

TEST_F(WordSpeakerNoiseTask, BadSoundsAreNamedOrSkipped) {
  write_sound(folder_ / "w3.wav", std::vector<float>(4000, 0.0F), 8000, wav);
  write_file(folder_ / "w4.wav", "");
  write_sound(folder_ / "w5.wav", {0.5F, -0.5F, 0.25F, 0.25F}, 96000, wav, 2);  // no sample at 20 kHz
  EXPECT_THAT(input_error([&] { load(); }),
              AllOf(HasSubstr("w3.wav: holds only silence"), HasSubstr("2 more of 20 sounds: --skip-bad")));
  write_sound(folder_ / "w3.wav", sine(4000, 8000, 300, 0.3), 8000, wav);
  EXPECT_THAT(input_error([&] { load(); }), HasSubstr("w4.wav: cannot be read"));
  write_file(folder_ / "w3.wav", "");
  write_file(folder_ / "short.wav", "RIFF");
  const auto task = load("data.skip_bad = true");
  ASSERT_EQ(task->training_samples() + task->validation_samples(), 17);
  for (std::int64_t sample = 0; sample < 17; ++sample)
    for (const float value : task->make_clip(sample, Key(1)).sound) ASSERT_TRUE(std::isfinite(value));
}

// A part of a noise that training may come to after hours is read before it begins.
TEST_F(WordSpeakerNoiseTask, NoisesAreReadToTheirEnd) {
  std::vector<float> noise = sine(80000, 16000, 2000, 0.7);
  noise[79990] = std::numeric_limits<float>::quiet_NaN();
  write_sound(folder_ / "long.wav", noise, 16000, wav);
  EXPECT_THAT(input_error([&] { load(); }), HasSubstr("long.wav: holds values that are not finite"));
  const auto task = load("data.skip_bad = true");
  EXPECT_EQ(task->shape().outputs, 2 + 3 + 1) << "hum and high went with long.wav";
}

TEST_F(WordSpeakerNoiseTask, SkippingLeavesNoClassWithoutSounds) {
  write_file(folder_ / "words.csv",
             "w0.wav,word0,ann\nw1.wav,word1,bob\nw2.wav,word0,ann\nw3.wav,word1,bob\n"
             "none.wav,word2,cy\n");
  EXPECT_THAT(input_error([&] { load("data.validation_fraction = 0.25"); }),
              HasSubstr("none.wav: no such file"));
  const auto task = load("data.skip_bad = true\ndata.validation_fraction = 0.25");
  EXPECT_EQ(task->shape().outputs, 2 + 2 + 3);
}

TEST_F(WordSpeakerNoiseTask, BadOptionsAreNamed) {
  EXPECT_THAT(input_error([&] { load("mixture.snr_db = [3.0, 1.0]"); }), HasSubstr("mixture.snr_db"));
  EXPECT_THAT(input_error([&] { load("mixture.snr_db = [1.0]"); }), HasSubstr("mixture.snr_db"));
  EXPECT_THAT(input_error([&] { load("cochleagram.size = 204"); }), HasSubstr("cochleagram.size"));
  EXPECT_THAT(input_error([&] { load("[loss]\nword = 0.0\nspeaker = 0.0\nnoise = 0.0\n"); }),
              HasSubstr("all weights are 0"));
  EXPECT_THAT(input_error([&] { load("data.words = \"none.csv\""); }), HasSubstr("none.csv: cannot read"));
}

}  // namespace
}  // namespace lrid::tasks
