#include <algorithm>
#include <map>
#include <numeric>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/random.hpp>
#include <lrid/data/split.hpp>

namespace lrid::data {

namespace {

std::vector<std::int64_t> balanced_subset(const std::vector<std::int64_t>& samples,
                                          const std::vector<std::int64_t>& labels, std::int64_t count,
                                          Key key) {
  std::map<std::int64_t, std::vector<std::int64_t>> classes;
  for (const std::int64_t sample : samples) classes[labels[to_size(sample)]].push_back(sample);
  for (auto& [label, members] : classes) shuffle(members, key.with(static_cast<std::uint64_t>(label)));
  std::vector<std::int64_t> chosen;
  for (std::size_t turn = 0; std::ssize(chosen) < count; ++turn)
    for (const auto& [label, members] : classes)
      if (turn < members.size() && std::ssize(chosen) < count) chosen.push_back(members[turn]);
  std::ranges::sort(chosen);
  return chosen;
}

}  // namespace

void SplitOptions::declare(Options& options) {
  options.add("data.training_samples", training_samples, Accepts::at_least(1),
              "train on so many samples only, drawn balanced over classes; auto: on all");
  options.add("data.validation_fraction", validation_fraction, {.low = 0, .high = 0.9, .low_open = true},
              "share of the samples to validate with where the data have none of their own (val/, test/, "
              "test_batch.bin)");
  options.add("probe.size", probe_size, Accepts::at_least(1),
              "stimuli of the probe set (all validation samples if there are fewer)");
  options.add("probe.seed", seed, Accepts::at_least(0),
              "draws the probe set, the validation share and the training samples");
}

Split make_split(const std::vector<std::int64_t>& labels, std::int64_t given_validation,
                 const SplitOptions& options) {
  const auto seed = static_cast<std::uint64_t>(options.seed);
  const auto samples = std::ssize(labels);
  const bool given = given_validation < samples;
  const Key drawn(seed, "validation share");
  Split split;
  for (std::int64_t i = 0; i < samples; ++i) {
    const bool validates = given ? i >= given_validation
                                 : drawn.uniform(static_cast<std::uint64_t>(i)) < options.validation_fraction;
    (validates ? split.validation : split.training).push_back(i);
  }
  if (split.validation.empty())
    bad_input(
        "data.validation_fraction = {}: none of {} samples were drawn for validation, expected a larger "
        "share, or a data set with validation samples of its own",
        options.validation_fraction, samples);
  if (split.training.empty())
    bad_input(
        "data.validation_fraction = {}: none of {} samples are left to train on, expected a smaller share",
        options.validation_fraction, samples);

  if (options.training_samples) {
    if (*options.training_samples > std::ssize(split.training))
      bad_input(
          "data.training_samples = {}: the data set has {} training samples, expected no more than these",
          *options.training_samples, split.training.size());
    split.training =
        balanced_subset(split.training, labels, *options.training_samples, Key(seed, "training subset"));
  }
  shuffle(split.validation, Key(seed, "probe order"));
  split.probe_size = std::min<std::int64_t>(options.probe_size, std::ssize(split.validation));
  return split;
}

}  // namespace lrid::data
