#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/fft_ifft.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/pad.h>
#include <ATen/ops/zeros.h>

#include <lrid/data/cochleagram.hpp>

namespace lrid::data {

namespace {

constexpr double pi = std::numbers::pi;
constexpr std::int64_t stride = 100, tap_count = 1001;
constexpr std::int64_t before = 450;  // zeros before the envelope (SAME padding)
constexpr std::int64_t blocks = (tap_count + stride - 1) / stride;  // strides that the taps reach over
constexpr std::int64_t half_bins = Cochleagram::samples / 2 + 1;
constexpr double lowest = 20, highest = 8000, overcomplete = 4;
constexpr double compression = 0.3;

/// Clips whose 203 envelopes are in memory at once, 65 MB each. One by one on the CPU: then a clip's bits do
/// not depend on its place in a batch.
std::int64_t clips_at_once(const torch::Device& device) {
  return device.is_cpu() ? 1 : 16;
}

/// Number of equivalent rectangular bandwidths below a frequency in Hz.
double erb(double frequency) {
  constexpr double q = 9.265, least_bandwidth = 24.7;
  return q * std::log1p(frequency / (least_bandwidth * q));
}

/// Modified Bessel function of the first kind, order 0.
double bessel_i0(double x) {
  double term = 1, sum = 1;
  for (int k = 1; term > 1e-18 * sum; ++k) {
    term *= (x / 2 / k) * (x / 2 / k);
    sum += term;
  }
  return sum;
}

}  // namespace

Tensor cochlear_filters() {
  const double step = (erb(highest) - erb(lowest)) / static_cast<double>(Cochleagram::frequencies + 1);
  const double reach = overcomplete * step;
  const Tensor filters = at::zeros({Cochleagram::frequencies, half_bins}, torch::kFloat64);
  auto* value = filters.mutable_data_ptr<double>();
  constexpr double bin = static_cast<double>(Cochleagram::rate) / static_cast<double>(Cochleagram::samples);
  for (std::int64_t i = 0; i < Cochleagram::frequencies; ++i) {
    const double centre = erb(lowest) + static_cast<double>(i + 1) * step;
    for (std::int64_t k = 0; k < half_bins; ++k, ++value) {
      const double distance = erb(static_cast<double>(k) * bin) - centre;
      // Divided by √overcomplete, so that the squares sum to 1 over filters.
      if (std::abs(distance) < reach)
        *value = std::cos(pi * distance / (2 * reach)) / std::sqrt(overcomplete);
    }
  }
  return filters;
}

Tensor low_pass_taps() {
  constexpr double beta = 5, middle_of_window = (tap_count - 1) / 2.0, middle_of_sinc = tap_count / 2.0;
  const Tensor taps = at::empty({tap_count}, torch::kFloat64);
  auto* value = taps.mutable_data_ptr<double>();
  for (std::int64_t k = 0; k < tap_count; ++k) {
    const double place = (static_cast<double>(k) - middle_of_window) / middle_of_window;
    const double window = bessel_i0(beta * std::sqrt(std::max(0.0, 1 - place * place))) / bessel_i0(beta);
    const double u = pi * (static_cast<double>(k) - middle_of_sinc) / stride;  // never 0
    value[k] = window * std::sin(u) / u / stride;
  }
  return taps;
}

Cochleagram::Cochleagram(const torch::TensorOptions& options)
    : filters_(cochlear_filters().to(options)),
      taps_(at::pad(low_pass_taps(), {0, blocks * stride - tap_count})
                .view({blocks, stride})
                .t()
                .contiguous()) {
  // On a GPU, products of float32 matrices may be done in TF32, which is too coarse here.
  taps_ = taps_.to(options.device().is_cpu() ? options : options.dtype(torch::kFloat64));
}

Tensor Cochleagram::linear(const Tensor& sounds) const {
  std::vector<Tensor> parts;
  const std::int64_t chunk = clips_at_once(sounds.device());
  for (std::int64_t begin = 0; begin < sounds.size(0); begin += chunk) {
    const Tensor clips = sounds.narrow(0, begin, std::min(chunk, sounds.size(0) - begin));
    const Tensor spectra = at::fft_rfft(clips).unsqueeze(1) * filters_;
    const Tensor envelopes = at::fft_ifft(spectra, samples).abs();
    // Output n sees the strides n … n + blocks − 1 of the padded envelope, one column of taps each.
    const std::int64_t strides = times + blocks - 1;
    const Tensor padded = at::pad(envelopes, {before, strides * stride - before - samples});
    const Tensor products =
        padded.view({-1, frequencies, strides, stride}).to(taps_.scalar_type()).matmul(taps_);
    Tensor sum = products.select(3, 0).narrow(2, 0, times).clone();
    for (std::int64_t block = 1; block < blocks; ++block)
      sum += products.select(3, block).narrow(2, block, times);
    parts.push_back(sum.to(sounds.scalar_type()));
  }
  return at::cat(parts);
}

Tensor Cochleagram::operator()(const Tensor& sounds) const {
  return linear(sounds).relu_().pow_(compression).unsqueeze(1);
}

}  // namespace lrid::data
