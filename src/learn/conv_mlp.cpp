#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include <lrid/core/error.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/parallel.hpp>
#include <lrid/learn/conv_mlp.hpp>
#include <lrid/learn/metrics.hpp>

#include "grid.hpp"

namespace lrid::learn {

namespace {

using FloatStack = ConvStack<float>;

/// The observables of every sample, time by time, then the position as constants.
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

/// A grid point as it acts on given data: values that make no difference there are put to one, so that grid
/// points coincide exactly if these are equal.
struct Point {
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

/// `n` training samples; kernel ≤ points.
Point point_of(const Setting& setting, std::int64_t points, std::int64_t n) {
  const std::string& pool = std::get<std::string>(setting.at("pool"));
  Point point{.kernel = integer(setting, "kernel"),
              .stride = integer(setting, "stride"),
              .batch = std::min(integer(setting, "batch"), n),
              .member = {.filters = integer(setting, "filters"),
                         .pool = pool == "none"  ? Pool::none
                                 : pool == "max" ? Pool::max
                                                 : Pool::mean,
                         .learning_rate = std::get<double>(setting.at("learning_rate")),
                         .l2 = std::get<double>(setting.at("l2"))}};
  const bool one_position = (points - point.kernel) / point.stride == 0;
  if (one_position) {
    point.stride = points;
    point.member.pool = Pool::none;
  }
  return point;
}

ConvShape shape_of(const Layout& layout, int classes, const Point& point) {
  return {.points = layout.points,
          .channels = layout.channels,
          .classes = classes,
          .kernel = point.kernel,
          .stride = point.stride,
          .constants = layout.constants};
}

void train(FloatStack& stack, const Samples& samples, const FloatStack::Array& x, std::int64_t batch,
           std::int64_t from_epoch, std::int64_t to_epoch, Key key) {
  for (std::int64_t epoch = from_epoch; epoch < to_epoch; ++epoch) {
    check_interrupt();
    stack.train_epoch(x, samples.labels, batch, key.with("epoch").with(static_cast<std::uint64_t>(epoch)));
  }
}

/// Grid points that are trained side by side.
struct Together {
  std::vector<std::size_t> points;
  std::optional<FloatStack> networks = std::nullopt;
};

/// Keeps the best 1/`halving` of all points that are still in training; earlier ones win ties.
void keep_best(std::vector<Together>& stacks, const std::vector<Matrix>& scores,
               const std::vector<int>& labels, std::int64_t halving) {
  std::vector<std::pair<double, std::size_t>> ranked;  // −share right, point
  for (const Together& stack : stacks)
    for (const std::size_t p : stack.points)
      ranked.emplace_back(-accuracy(predicted_classes(scores[p]), labels), p);
  std::ranges::sort(ranked);
  const auto all = static_cast<std::int64_t>(ranked.size());
  ranked.resize(static_cast<std::size_t>((all + halving - 1) / halving));
  for (Together& stack : stacks) {
    std::vector<std::size_t> members, points;
    for (std::size_t m = 0; m < stack.points.size(); ++m) {
      const auto kept =
          std::ranges::find(ranked, stack.points[m], [](const auto& one) { return one.second; });
      if (kept == ranked.end()) continue;
      members.push_back(m);
      points.push_back(stack.points[m]);
    }
    if (points.empty())
      stack.networks.reset();
    else if (points.size() < stack.points.size())
      stack.networks->keep(members);
    stack.points = std::move(points);
  }
}

class ConvMlpModel : public Model {
 public:
  ConvMlpModel(FloatStack stack, const Point& point) : stack_(std::move(stack)), point_(point) {}
  [[nodiscard]] Matrix scores(const Samples& samples) const override {
    return stack_.probabilities(channels_by_time(samples)).front().cast<double>();
  }
  void save(io::hdf5::Group& group) const override {
    group.set_attribute("kernel", point_.kernel);
    group.set_attribute("stride", point_.stride);
    group.set_attribute("filters", point_.member.filters);
    group.set_attribute("pool", static_cast<std::int64_t>(point_.member.pool));
    const FloatStack::Vector& parameters = stack_.parameters();
    group.write("parameters", std::vector<float>(parameters.begin(), parameters.end()));
  }

 private:
  FloatStack stack_;
  Point point_;
};

}  // namespace

void ConvMlp::declare(Options& options) {
  const auto grid = [&](const char* name, auto& values, const Accepts& accepts, const char* help) {
    const std::string key = std::string("mlp.") + name;
    options.add(key, values, accepts, help);
    if (values.empty()) options.fail(key, "is empty: expected at least one value");
  };
  grid("kernel", kernel_, Accepts::at_least(1), "grid: points of the trajectory that the convolution spans");
  grid("filters", filters_, Accepts::at_least(1), "grid: filters of the convolution");
  grid("stride", stride_, Accepts::at_least(1), "grid: points between positions of the convolution");
  grid("pool", pool_, Accepts::one_of({"none", "max", "mean"}), "grid: pooling over time");
  grid("learning_rate", learning_rate_, Accepts::above(0), "grid: of Adam");
  grid("batch", batch_, Accepts::at_least(1), "grid: samples a step");
  grid("l2", l2_, Accepts::at_least(0), "grid: λ of the penalty ½λ‖·‖² on all weights and biases");
  options.add("mlp.epochs", epochs_, Accepts::at_least(1), "passes over the training samples");
  options.add(
      "mlp.halving", halving_, Accepts::at_least(0),
      "successive halving: after each round only the best 1/halving of the grid's points go on, and the "
      "rounds end halving times as late each; 0: all points are trained to the end");
  options.add("mlp.first_round", first_round_, Accepts::at_least(1),
              "epochs of the first round of successive halving");
  if (halving_ == 1) options.fail("mlp.halving", "is 1: expected 0, or at least 2");
}

std::vector<Setting> ConvMlp::settings() const {
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

std::vector<std::string> ConvMlp::notes() const {
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

std::vector<std::int64_t> ConvMlp::rounds() const {
  std::vector<std::int64_t> result;
  if (halving_ > 0)
    for (std::int64_t epochs = first_round_; epochs < epochs_; epochs *= halving_) result.push_back(epochs);
  result.push_back(epochs_);
  return result;
}

GridOutcome ConvMlp::fit_grid(const Samples& train_samples, const Samples& validation, Key key) const {
  const std::vector<Setting> all = settings();
  GridOutcome outcome;
  outcome.scores.resize(all.size());

  // Settings by what they amount to on these data, those grouped into stacks.
  std::vector<Point> points;
  std::vector<std::size_t> point_of_setting(all.size(), all.size());
  for (std::size_t s = 0; s < all.size(); ++s) {
    if (integer(all[s], "kernel") > train_samples.layout.points) {
      ++outcome.skipped;
      continue;
    }
    const Point point = point_of(all[s], train_samples.layout.points, train_samples.size());
    const auto same =
        std::ranges::find_if(points, [&](const Point& other) { return other.all() == point.all(); });
    point_of_setting[s] = static_cast<std::size_t>(same - points.begin());
    if (same == points.end())
      points.push_back(point);
    else
      ++outcome.coinciding;
  }
  outcome.computed = static_cast<std::int64_t>(points.size());
  std::vector<Together> stacks;
  for (std::size_t p = 0; p < points.size(); ++p) {
    const auto stack = std::ranges::find_if(stacks, [&](const Together& other) {
      return points[other.points.front()].stack() == points[p].stack();
    });
    if (stack == stacks.end())
      stacks.push_back({{p}});
    else
      stack->points.push_back(p);
  }

  const FloatStack::Array x = channels_by_time(train_samples), x_validation = channels_by_time(validation);
  std::vector<Matrix> scores(points.size());
  std::int64_t trained = 0;
  for (const std::int64_t epochs : rounds()) {
    parallel_each(stacks.size(), [&](std::size_t i) {
      Together& stack = stacks[i];
      if (stack.points.empty()) return;
      const Point& first = points[stack.points.front()];
      if (!stack.networks) {
        std::vector<ConvMember> members;
        for (const std::size_t p : stack.points) members.push_back(points[p].member);
        stack.networks.emplace(shape_of(train_samples.layout, train_samples.classes, first),
                               std::move(members), key.with("weights"));
      }
      train(*stack.networks, train_samples, x, first.batch, trained, epochs, key);
      const std::vector<FloatStack::Array> probabilities = stack.networks->probabilities(x_validation);
      for (std::size_t m = 0; m < stack.points.size(); ++m)
        scores[stack.points[m]] = probabilities[m].cast<double>();
      if (epochs == epochs_) stack.networks.reset();
    });
    trained = epochs;
    if (epochs < epochs_) keep_best(stacks, scores, validation.labels, halving_);
  }
  for (std::size_t s = 0; s < all.size(); ++s)
    if (point_of_setting[s] < points.size()) outcome.scores[s] = scores[point_of_setting[s]];
  return outcome;
}

std::unique_ptr<Model> ConvMlp::fit(const Samples& train_samples, const Setting& setting, Key key) const {
  const Point point = point_of(setting, train_samples.layout.points, train_samples.size());
  FloatStack stack(shape_of(train_samples.layout, train_samples.classes, point), {point.member},
                   key.with("weights"));
  train(stack, train_samples, channels_by_time(train_samples), point.batch, 0, epochs_, key);
  return std::make_unique<ConvMlpModel>(std::move(stack), point);
}

std::unique_ptr<Model> ConvMlp::load(const io::hdf5::Group& group, const Layout& layout, int classes) const {
  const auto positive = [&](const char* name, std::int64_t most) {
    const auto value = group.attribute<std::int64_t>(name);
    if (value < 1 || value > most) group.fail(fmt::format("{} is {}: expected 1 to {}", name, value, most));
    return value;
  };
  const auto pool = group.attribute<std::int64_t>("pool");
  if (pool < 0 || pool > static_cast<std::int64_t>(Pool::mean)) group.fail("unknown pooling");
  const Point point{.kernel = positive("kernel", layout.points),
                    .stride = positive("stride", layout.points),
                    .batch = 1,
                    .member = {.filters = positive("filters", 1 << 20), .pool = static_cast<Pool>(pool)}};
  FloatStack stack(shape_of(layout, classes, point), {point.member}, Key(0));
  const auto parameters = group.dataset("parameters").read<float>({stack.parameters().size()});
  stack.parameters() = Eigen::Map<const FloatStack::Vector>(parameters.data(), stack.parameters().size());
  return std::make_unique<ConvMlpModel>(std::move(stack), point);
}

}  // namespace lrid::learn
