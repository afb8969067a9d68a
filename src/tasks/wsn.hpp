#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <lrid/data/cochleagram.hpp>
#include <lrid/data/sound_manifest.hpp>

#include "sampled_task.hpp"

namespace lrid::tasks {

/// How a spoken word and a noise become a clip: `[mixture]`.
struct MixtureOptions {
  std::vector<double> snr_db = {-10, 10};  ///< a clip's signal-to-noise ratio is uniform in between
  double rms = 0.1;                        ///< of the whole clip
  bool cache = false;                      ///< each sample's clip once and for all, its cochleagram kept
  void declare(Options& options);
};

/// Task "wsn", Word-Speaker-Noise (Feather, Durango, Gonzalez & McDermott, NeurIPS 2019, as the study used
/// it): who says which word, and in what noise, told from the cochleagram (cochleagram.hpp) of a clip of 2 s
/// at 20 kHz. Options: [data], [probe], [mixture], [cochleagram], [loss].
///
/// **Clip.** The word in the middle of the clip (of a longer recording its middle 2 s), zeros around it, plus
/// 2 s of a noise file drawn for the sample: a random part of a longer one, a shorter one repeated from a
/// random phase. The noise is scaled so that the word's mean square over its own length and the noise's over
/// the clip stand in the ratio drawn; then the clip to its root mean square. Validation clips are fixed.
///
/// **Outputs.** Words, then speakers, then noise classes, side by side in one layer. Loss: weighted sum of
/// the words' and the speakers' mean cross entropy and of the mean binary cross entropy over noise classes. A
/// sample's noise counts as right where every class is on the right side of a probability of ½.
class WordSpeakerNoise : public SampledTask {
 public:
  explicit WordSpeakerNoise(Options& options);
  void load(const std::filesystem::path& data_dir, int threads) override;

  [[nodiscard]] TaskShape shape() const override;
  [[nodiscard]] std::int64_t bytes() const override;
  /// outputs [N, words + speakers + noise classes]; targets int64 [N, 2 + noise classes (+ 1)]: word,
  /// speaker, 0 or 1 for each noise class. correct: words.
  [[nodiscard]] LossValue loss(const Tensor& outputs, const Tensor& targets) const override;
  [[nodiscard]] std::vector<std::string> more_metrics() const override {
    return {"validation_accuracy_word", "validation_accuracy_speaker", "validation_accuracy_noise"};
  }

  /// A sample's clip, [40000], and the number of the noise file in it.
  struct Clip {
    std::vector<float> sound;
    std::int64_t noise = 0;
  };
  [[nodiscard]] Clip make_clip(std::int64_t sample, Key key) const;

 private:
  /// A noise and a part of it (a share of what there is to choose from), a ratio in dB.
  struct Choice {
    std::int64_t noise;
    double part, snr_db;
  };
  [[nodiscard]] Choice choose(Key key) const;
  [[nodiscard]] std::int64_t noise_classes() const { return std::ssize(noises_.class_names); }
  [[nodiscard]] Key fixed_key(std::int64_t sample) const;

  [[nodiscard]] Batch make_room(std::int64_t samples, torch::Device device) const override;
  void write_training(const Batch& room, std::int64_t place, std::int64_t sample,
                      const Draw& draw) const override;
  void write_validation(const Batch& room, std::int64_t place, std::int64_t sample) const override;
  void write(const Batch& room, std::int64_t place, std::int64_t sample, Key key) const;
  /// Sounds to cochleagrams.
  [[nodiscard]] Batch finish(Batch batch) const override;
  /// What networks see of sounds [N, 40000]: [N, 1, height(), width()].
  [[nodiscard]] Tensor cochleagrams(const Tensor& sounds) const;
  [[nodiscard]] std::int64_t height() const { return size_.value_or(data::Cochleagram::frequencies); }
  [[nodiscard]] std::int64_t width() const { return size_.value_or(data::Cochleagram::times); }
  [[nodiscard]] bool is_cached(std::int64_t sample) const;

  std::string folder_, words_file_ = "words.csv", noises_file_ = "noises.csv";
  bool skip_bad_ = false;
  std::optional<std::int64_t> workers_{};
  std::optional<std::int64_t> size_{};  ///< side of the pooled cochleagram
  data::SplitOptions split_;
  MixtureOptions mixture_;
  double word_weight_ = 1, speaker_weight_ = 1, noise_weight_ = 1;

  data::WordManifest words_;
  data::NoiseManifest noises_;
  std::vector<std::int64_t> word_frames_, noise_frames_;  ///< lengths of the manifests' files
  mutable std::mutex mutex_;
  mutable std::map<std::string, data::Cochleagram> front_ends_;  ///< by device
  mutable std::map<std::int64_t, Tensor> cache_;                 ///< by sample, on the host
};

}  // namespace lrid::tasks
