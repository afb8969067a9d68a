#pragma once

#include <cstdint>

#include <torch/types.h>

namespace lrid::data {

using torch::Tensor;

/// The study's cochleagram (tasks.md, section 1; tfcochleagram with its settings): a sound of 2 s at 20 kHz
/// as 203 frequencies × 400 times.
///
/// 203 half-cosine filters, equally spaced on the ERB scale (Glasberg & Moore 1990) between 20 and 8000 Hz,
/// four times overcomplete, act on the spectrum of the whole clip; envelope: modulus of the inverse transform
/// of the positive frequencies (half the Hilbert envelope); 100 Hz low pass by a Kaiser-windowed sinc of 1001
/// taps at a stride of 100 samples; negative values to 0; power 0.3. Nothing is trainable.
class Cochleagram {
 public:
  static constexpr std::int64_t samples = 40000, frequencies = 203, times = 400, rate = 20000;

  /// float32 or float64, on a device.
  explicit Cochleagram(const torch::TensorOptions& options);

  /// sounds [N, samples] → [N, frequencies, times], low frequencies first, before the power.
  [[nodiscard]] Tensor linear(const Tensor& sounds) const;
  /// The same after it, as networks take it: [N, 1, frequencies, times].
  [[nodiscard]] Tensor operator()(const Tensor& sounds) const;

 private:
  Tensor filters_;  ///< [frequencies, samples/2 + 1]
  Tensor taps_;     ///< [stride, blocks]: the low pass, in columns of one stride each
};

/// The filters' values at the bins of a clip's spectrum, 0.5 Hz apart, [203, 20001], and the low pass's 1001
/// taps; float64.
Tensor cochlear_filters();
Tensor low_pass_taps();

}  // namespace lrid::data
