#include <cmath>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/data/normalization.hpp>

namespace lrid::data {

namespace {

struct Sums {
  std::vector<std::uint64_t> first, second;  // Σ byte, Σ byte² per place
};

Sums sum_up(const std::vector<Image>& images, const std::vector<std::int64_t>& numbers) {
  const auto places = to_size(images.front().shape.values());
  Sums sums{std::vector<std::uint64_t>(places), std::vector<std::uint64_t>(places)};
  for (const std::int64_t number : numbers) {
    const std::uint8_t* bytes = images[to_size(number)].bytes.data();
    for (std::size_t i = 0; i < places; ++i) {
      const std::uint32_t value = bytes[i];
      sums.first[i] += value;
      sums.second[i] += value * value;
    }
  }
  return sums;
}

}  // namespace

Normalization fit_normalization(const std::vector<Image>& images, const std::vector<std::int64_t>& numbers,
                                const NormalizationOptions& options) {
  const ImageShape shape = images.front().shape;
  const auto places = to_size(shape.values());
  const auto channels = to_size(shape.channels);
  const auto scale = static_cast<float>(options.white / 255);
  Normalization result{std::vector<float>(places, 0.0F), std::vector<float>(places, scale)};
  if (options.kind == "none") return result;

  const Sums sums = sum_up(images, numbers);
  const auto n = static_cast<double>(numbers.size());
  if (options.kind == "mean-image") {
    for (std::size_t i = 0; i < places; ++i)
      result.offset[i] = static_cast<float>(static_cast<double>(sums.first[i]) / n);
  } else if (options.kind == "mean-sd") {
    for (std::size_t c = 0; c < channels; ++c) {
      double first = 0, second = 0;  // integers below 2^53
      for (std::size_t i = c; i < places; i += channels) {
        first += static_cast<double>(sums.first[i]);
        second += static_cast<double>(sums.second[i]);
      }
      const double values = n * static_cast<double>(shape.height * shape.width);
      const double mean = first / values;
      const double variance = second / values - mean * mean;
      for (std::size_t i = c; i < places; i += channels) {
        result.offset[i] = static_cast<float>(mean);
        result.factor[i] = variance > 0 ? static_cast<float>(1 / std::sqrt(variance)) : 1.0F;
      }
    }
  } else {
    bad_input("data.normalize = \"{}\": expected mean-image, mean-sd or none", options.kind);
  }
  return result;
}

}  // namespace lrid::data
