#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/learn/metrics.hpp>

#include "classifiers.hpp"
#include "conv_stack.hpp"
#include "grid.hpp"

namespace lrid::learn {

namespace {

using FloatStack = ConvStack<float>;

/// [n, ConvShape::row_size()] samples time by time: the channels of each point, then the constants.
FloatStack::Array channels_by_time(const Samples& samples) {
  const std::int64_t points = samples.layout.points, observables = samples.layout.channels;
  const std::int64_t positions = samples.layout.constants;
  FloatStack::Array x(samples.size(), points * observables + positions);
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    for (std::int64_t t = 0; t < points; ++t)
      for (std::int64_t k = 0; k < observables; ++k)
        x(i, t * observables + k) = static_cast<float>(samples.x(i, positions + k * points + t));
    for (std::int64_t p = 0; p < positions; ++p)
      x(i, points * observables + p) = static_cast<float>(samples.x(i, p));
  }
  return x;
}

/// A grid point on given data, with hyperparameters that make no difference there set to one value, so that
/// equivalent points are equal.
struct Candidate {
  std::int64_t kernel, stride, batch;
  ConvMember member;

  [[nodiscard]] auto stack() const { return std::tie(kernel, stride, batch); }
  [[nodiscard]] auto all() const {
    return std::tie(kernel, stride, batch, member.filters, member.pool, member.learning_rate, member.l2);
  }
};

std::int64_t integer(const Setting& setting, const char* name) {
  return std::get<std::int64_t>(setting.at(name));
}

/// `n`: number of training samples; the kernel must be ≤ points.
Candidate candidate_of(const Setting& setting, std::int64_t points, std::int64_t n) {
  const std::string& pool = std::get<std::string>(setting.at("pool"));
  Candidate candidate{.kernel = integer(setting, "kernel"),
                      .stride = integer(setting, "stride"),
                      .batch = std::min(integer(setting, "batch"), n),
                      .member = {.filters = integer(setting, "filters"),
                                 .pool = pool == "none"  ? Pool::none
                                         : pool == "max" ? Pool::max
                                                         : Pool::mean,
                                 .learning_rate = std::get<double>(setting.at("learning_rate")),
                                 .l2 = std::get<double>(setting.at("l2"))}};
  const bool one_position = (points - candidate.kernel) / candidate.stride == 0;
  if (one_position) {
    candidate.stride = points;
    candidate.member.pool = Pool::none;
  }
  return candidate;
}

ConvShape shape_of(const Layout& layout, int classes, const Candidate& candidate) {
  return {.points = layout.points,
          .channels = layout.channels,
          .classes = classes,
          .kernel = candidate.kernel,
          .stride = candidate.stride,
          .constants = layout.constants};
}

void train(FloatStack& stack, const Samples& samples, const FloatStack::Array& x, std::int64_t batch,
           std::int64_t from_epoch, std::int64_t to_epoch, Key key) {
  for (std::int64_t epoch = from_epoch; epoch < to_epoch; ++epoch) {
    check_interrupt();
    stack.train_epoch(x, samples.labels, batch, key.with("epoch").with(static_cast<std::uint64_t>(epoch)));
  }
}

/// Candidates trained side by side.
struct Together {
  std::vector<std::size_t> candidates;
  std::optional<FloatStack> networks = std::nullopt;
};

/// Keeps the most accurate 1/`halving` of all candidates in training; earlier ones win ties.
void keep_best(std::vector<Together>& stacks, const std::vector<Matrix>& scores,
               const std::vector<int>& labels, std::int64_t halving) {
  std::vector<std::pair<double, std::size_t>> ranked;  // −accuracy, candidate
  for (const Together& stack : stacks)
    for (const std::size_t c : stack.candidates)
      ranked.emplace_back(-accuracy(predicted_classes(scores[c]), labels), c);
  std::ranges::sort(ranked);
  const auto all = std::ssize(ranked);
  ranked.resize(to_size((all + halving - 1) / halving));
  for (Together& stack : stacks) {
    std::vector<std::size_t> members, candidates;
    for (std::size_t m = 0; m < stack.candidates.size(); ++m) {
      const auto kept =
          std::ranges::find(ranked, stack.candidates[m], [](const auto& one) { return one.second; });
      if (kept == ranked.end()) continue;
      members.push_back(m);
      candidates.push_back(stack.candidates[m]);
    }
    if (candidates.empty())
      stack.networks.reset();
    else if (candidates.size() < stack.candidates.size())
      stack.networks->keep(members);
    stack.candidates = std::move(candidates);
  }
}

class ConvMlpModel : public Model {
 public:
  ConvMlpModel(FloatStack stack, const Candidate& candidate)
      : stack_(std::move(stack)), candidate_(candidate) {}
  [[nodiscard]] Matrix scores(const Samples& samples) const override {
    return stack_.probabilities(channels_by_time(samples)).front().cast<double>();
  }
  void save(io::hdf5::Group& group) const override {
    group.set_attribute("kernel", candidate_.kernel);
    group.set_attribute("stride", candidate_.stride);
    group.set_attribute("filters", candidate_.member.filters);
    group.set_attribute("pool", static_cast<std::int64_t>(candidate_.member.pool));
    const FloatStack::Vector& parameters = stack_.parameters();
    group.write("parameters", std::vector<float>(parameters.begin(), parameters.end()));
  }

 private:
  FloatStack stack_;
  Candidate candidate_;
};

/// The classifier "mlp": a convolution over time with the series (and the constants) as channels, ReLU,
/// optional pooling over the remaining time, a fully connected layer and softmax, trained by Adam. Grid:
/// kernel × filters × stride × pool × learning rate × batch × L2. Points with the same kernel, stride and
/// batch are trained as one stack; equivalent points are computed once.
///
/// Optionally uses successive halving (Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and
/// hyperparameter optimization"): after each round only the points most accurate on the fold's validation
/// samples are trained further; the others keep their scores.
class ConvMlp : public Classifier {
 public:
  void declare(Options& options) override {
    const auto grid = [&](const char* name, auto& values, const Accepts& accepts, const char* help) {
      const std::string key = std::string("mlp.") + name;
      options.add(key, values, accepts, help);
      if (values.empty()) options.fail(key, "is empty: expected at least one value");
    };
    grid("kernel", kernel_, Accepts::at_least(1),
         "grid: points of the trajectory spanned by the convolution");
    grid("filters", filters_, Accepts::at_least(1), "grid: number of filters");
    grid("stride", stride_, Accepts::at_least(1), "grid: points between positions of the convolution");
    grid("pool", pool_, Accepts::one_of({"none", "max", "mean"}), "grid: pooling over time");
    grid("learning_rate", learning_rate_, Accepts::above(0), "grid: learning rate of Adam");
    grid("batch", batch_, Accepts::at_least(1), "grid: samples in a mini-batch");
    grid("l2", l2_, Accepts::at_least(0), "grid: λ of the penalty ½λ‖·‖² on all weights and biases");
    options.add("mlp.epochs", epochs_, Accepts::at_least(1), "passes over the training samples");
    options.add("mlp.halving", halving_, Accepts::at_least(0),
                "successive halving: after each round keep only the best 1/halving of the grid's points, and "
                "make the "
                "next round end halving times as late; 0: train all points to the end");
    options.add("mlp.first_round", first_round_, Accepts::at_least(1),
                "epochs of the first round of successive halving");
    if (halving_ == 1) options.fail("mlp.halving", "is 1: expected 0, or at least 2");
  }

  std::vector<Setting> settings() const override {
    std::vector<Setting> result;
    for (const std::int64_t kernel : kernel_)
      for (const std::int64_t filters : filters_)
        for (const std::int64_t stride : stride_)
          for (const std::string& pool : pool_)
            for (const double learning_rate : learning_rate_)
              for (const std::int64_t batch : batch_)
                for (const double l2 : l2_)
                  result.push_back({{"kernel", kernel},
                                    {"filters", filters},
                                    {"stride", stride},
                                    {"pool", pool},
                                    {"learning_rate", learning_rate},
                                    {"batch", batch},
                                    {"l2", l2}});
    return result;
  }

  std::vector<std::string> notes() const override {
    const ConvMlp study;
    const auto axis = [](const char* name, const auto& values, const auto& study_values) {
      return GridAxis{name, grid_text(values), grid_text(study_values)};
    };
    return grid_notes("mlp", {axis("kernel", kernel_, study.kernel_),
                              axis("filters", filters_, study.filters_),
                              axis("stride", stride_, study.stride_),
                              axis("pool", pool_, study.pool_),
                              axis("learning rate", learning_rate_, study.learning_rate_),
                              axis("batch", batch_, study.batch_),
                              axis("L2", l2_, study.l2_),
                              {"epochs", std::to_string(epochs_), std::to_string(study.epochs_)},
                              {"successive halving (0: none)", std::to_string(halving_), "0"}});
  }

  /// Epochs after which each round of training ends.
  std::vector<std::int64_t> rounds() const {
    std::vector<std::int64_t> result;
    if (halving_ > 0)
      for (std::int64_t epochs = first_round_; epochs < epochs_; epochs *= halving_) result.push_back(epochs);
    result.push_back(epochs_);
    return result;
  }

  GridOutcome fit_grid(const Samples& train_samples, const Samples& validation, Key key) const override {
    const std::vector<Setting> all = settings();
    GridOutcome outcome;
    outcome.scores.resize(all.size());

    // Find the distinct candidates, and group them into stacks.
    std::vector<Candidate> candidates;
    std::vector<std::size_t> of_setting(all.size(), all.size());
    for (std::size_t s = 0; s < all.size(); ++s) {
      if (integer(all[s], "kernel") > train_samples.layout.points) {
        ++outcome.skipped;
        continue;
      }
      const Candidate candidate = candidate_of(all[s], train_samples.layout.points, train_samples.size());
      const auto same = std::ranges::find_if(
          candidates, [&](const Candidate& other) { return other.all() == candidate.all(); });
      of_setting[s] = to_size(same - candidates.begin());
      if (same == candidates.end())
        candidates.push_back(candidate);
      else
        ++outcome.coinciding;
    }
    outcome.computed = std::ssize(candidates);
    std::vector<Together> stacks;
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      const auto stack = std::ranges::find_if(stacks, [&](const Together& other) {
        return candidates[other.candidates.front()].stack() == candidates[p].stack();
      });
      if (stack == stacks.end())
        stacks.push_back({{p}});
      else
        stack->candidates.push_back(p);
    }

    const FloatStack::Array x = channels_by_time(train_samples), x_validation = channels_by_time(validation);
    std::vector<Matrix> scores(candidates.size());
    std::int64_t trained = 0;
    for (const std::int64_t epochs : rounds()) {
      parallel_each(stacks.size(), [&](std::size_t i) {
        Together& stack = stacks[i];
        if (stack.candidates.empty()) return;
        const Candidate& first = candidates[stack.candidates.front()];
        if (!stack.networks) {
          std::vector<ConvMember> members;
          for (const std::size_t p : stack.candidates) members.push_back(candidates[p].member);
          stack.networks.emplace(shape_of(train_samples.layout, train_samples.classes, first),
                                 std::move(members), key.with("weights"));
        }
        train(*stack.networks, train_samples, x, first.batch, trained, epochs, key);
        const std::vector<FloatStack::Array> probabilities = stack.networks->probabilities(x_validation);
        for (std::size_t m = 0; m < stack.candidates.size(); ++m)
          scores[stack.candidates[m]] = probabilities[m].cast<double>();
        if (epochs == epochs_) stack.networks.reset();
      });
      trained = epochs;
      if (epochs < epochs_) keep_best(stacks, scores, validation.labels, halving_);
    }
    for (std::size_t s = 0; s < all.size(); ++s)
      if (of_setting[s] < candidates.size()) outcome.scores[s] = scores[of_setting[s]];
    return outcome;
  }

  std::unique_ptr<Model> fit(const Samples& train_samples, const Setting& setting, Key key) const override {
    const Candidate candidate = candidate_of(setting, train_samples.layout.points, train_samples.size());
    FloatStack stack(shape_of(train_samples.layout, train_samples.classes, candidate), {candidate.member},
                     key.with("weights"));
    train(stack, train_samples, channels_by_time(train_samples), candidate.batch, 0, epochs_, key);
    return std::make_unique<ConvMlpModel>(std::move(stack), candidate);
  }

  std::unique_ptr<Model> load(const io::hdf5::Group& group, const Layout& layout,
                              int classes) const override {
    const auto positive = [&](const char* name, std::int64_t most) {
      const auto value = group.attribute<std::int64_t>(name);
      if (value < 1 || value > most) group.fail(fmt::format("{} is {}: expected 1 to {}", name, value, most));
      return value;
    };
    const auto pool = group.attribute<std::int64_t>("pool");
    if (pool < 0 || pool > static_cast<std::int64_t>(Pool::mean)) group.fail("unknown pooling");
    const Candidate candidate{
        .kernel = positive("kernel", layout.points),
        .stride = positive("stride", layout.points),
        .batch = 1,
        .member = {.filters = positive("filters", 1 << 20), .pool = static_cast<Pool>(pool)}};
    FloatStack stack(shape_of(layout, classes, candidate), {candidate.member}, Key(0));
    const auto parameters = group.dataset("parameters").read<float>({stack.parameters().size()});
    stack.parameters() = Eigen::Map<const FloatStack::Vector>(parameters.data(), stack.parameters().size());
    return std::make_unique<ConvMlpModel>(std::move(stack), candidate);
  }

  bool scores_are_probabilities() const override { return true; }
  std::int64_t least_points() const override { return std::ranges::min(kernel_); }

 private:
  std::vector<std::int64_t> kernel_ = {1, 2, 6, 11, 21}, filters_ = {20, 40}, stride_ = {1, 2, 4};
  std::vector<std::string> pool_ = {"none", "max", "mean"};
  std::vector<double> learning_rate_ = {1e-3, 1e-4};
  std::vector<std::int64_t> batch_ = {512, 1024};
  std::vector<double> l2_ = {1e-4, 0};
  std::int64_t epochs_ = 400, halving_ = 0, first_round_ = 50;
};

}  // namespace

std::unique_ptr<Classifier> make_conv_mlp() {
  return std::make_unique<ConvMlp>();
}

}  // namespace lrid::learn
