#include "random_samples.hpp"

#include <lrid/core/random.hpp>

namespace lrid::testing {

learn::Samples random_samples(std::int64_t n, int classes, std::int64_t channels, std::int64_t points,
                              double separation, std::uint64_t seed) {
  learn::Samples samples;
  samples.layout = {.constants = 3, .channels = channels, .points = points};
  samples.classes = classes;
  samples.x = learn::Matrix::Zero(n, samples.layout.columns());
  Stream stream(Key(seed, "samples"));
  for (std::int64_t i = 0; i < n; ++i) {
    const int label = static_cast<int>(i % classes);
    samples.labels.push_back(label);
    samples.x(i, static_cast<std::int64_t>(stream.below(3))) = 1;
    for (std::int64_t c = 3; c < samples.x.cols(); ++c)
      samples.x(i, c) = stream.normal() + (c % classes == label ? separation : 0.0);
  }
  return samples;
}

}  // namespace lrid::testing
