#pragma once

#include <memory>

#include <lrid/core/options.hpp>
#include <lrid/core/random.hpp>
#include <lrid/data/image_source.hpp>

namespace lrid::data {

/// How a view is made.
struct ViewOptions {
  double jitter = 1;  ///< strength s of the change of colours
  bool blur = true;
  void declare(Options& options);
};

/// SimCLR's views of an image (tasks.md, section 2; Chen et al. 2020, appendix A, in the form of their code
/// of early 2020): [size, size, 3] floats in [0, 1].
///
/// A random crop (area 0.08–1, aspect 3/4–4/3) resized bicubically; mirrored half of the time; with
/// probability 0.8 brightness + U(−0.8s, 0.8s), contrast × U(1−0.8s, 1+0.8s), saturation × the same, hue +
/// U(−0.2s, 0.2s) turns, in a uniformly random order and cut to [0, 1] after each; with probability 0.2 made
/// grey; cut to [0, 1]. Blur comes last: one σ ~ U(0.1, 2) for each view of a batch, for half of the images.
class ContrastiveViews {
 public:
  ContrastiveViews(std::shared_ptr<const ImageSource> source, std::int64_t size, const ViewOptions& options)
      : source_(std::move(source)), size_(size), options_(options) {}

  [[nodiscard]] ImageShape shape() const { return {size_, size_, 3}; }
  /// Blurred with `sigma` where the key says so, with 0 never.
  void write_view(std::int64_t image, Key key, double sigma, float* out) const;
  /// The σ of a batch's view: 0 where nothing is blurred.
  [[nodiscard]] double sigma(Key key) const;
  /// What the probe shows: the central square with 0.875 of the shorter side (all of it where size ≤ 32),
  /// resized bicubically, cut to [0, 1].
  void write_centre(std::int64_t image, float* out) const;

 private:
  std::shared_ptr<const ImageSource> source_;
  std::int64_t size_;
  ViewOptions options_;
};

/// Gaussian blur as SimCLR's: 2·⌊⌊height/10⌋/2⌋ + 1 taps exp(−x²/2σ²), normalised, along rows and then along
/// columns, zeros outside, cut to [0, 1]. In place, [height, width, 3].
void gaussian_blur(float* pixels, std::int64_t height, std::int64_t width, double sigma);

}  // namespace lrid::data
