// learning-rules.md, "Invariants that tests can hold a rule to", and what every rule of the registry owes.
#include <set>

#include <lrid/nn/checkpoint.hpp>
#include <lrid/rules/learning_rule.hpp>

#include "nn/tensors.hpp"
#include "tiny_network.hpp"

namespace lrid::rules {
namespace {

using testing::close;
using testing::normal;
using torch::Tensor;

constexpr double trial_rate = 0.05;

/// A network with a rule, and batches that depend on the step only.
struct Trial {
  explicit Trial(const std::string& name, const std::map<std::string, double>& settings = {},
                 const std::vector<std::string>& words = {}) {
    Config config;
    for (const auto& [key, value] : settings) config.assign(key, {value}, "test");
    for (const std::string& word : words) config.assign(word);
    Options options(config);
    rule = learning_rules().at(name).make(options, 1e-3);
    options.finish();
    rule->attach(network, Key(1));  // the network's own key: B must be independent of W even so
  }
  void step() {
    rule->prepare({.step = steps, .learning_rate = trial_rate, .schedule_factor = 1});
    const Tensor x = normal({7, 3, 9, 9}, 1000 + static_cast<std::uint64_t>(steps));
    const Tensor labels = (x.sum({1, 2, 3}).abs() * 7).to(torch::kInt64).remainder(5);
    at::cross_entropy_loss(network.forward(x), labels).backward();
    if (before_update) before_update();
    rule->update();
    ++steps;
  }
  void run(int count) {
    for (int i = 0; i < count; ++i) step();
  }
  [[nodiscard]] std::vector<nn::NamedTensor> everything() const {
    auto result = nn::tensors_of(network);
    for (nn::NamedTensor& item : rule->state()) result.push_back(item);
    return result;
  }
  [[nodiscard]] double weight_cosine(std::size_t layer) const {
    const Tensor w = network.layers()[layer]->weight.detach(), b = rule->backward_kernel(layer);
    return ((w * b).sum() / (w.norm() * b.norm())).item<double>();
  }

  testing::TinyNetwork network;
  std::unique_ptr<LearningRule> rule;
  std::int64_t steps = 0;
  std::function<void()> before_update;
};

void expect_same_network(const Trial& a, const Trial& b, double tolerance) {
  const auto x = nn::tensors_of(a.network), y = nn::tensors_of(b.network);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_TRUE(close(x[i].tensor, y[i].tensor, tolerance)) << x[i].name;
}

TEST(FeedbackAlignment, WithBTiedToWIsBackpropagation) {
  Trial tied("fa", {}, {"rule.backward_initial=as-forward"}), sgdm("sgdm");
  for (int step = 0; step < 10; ++step) {
    for (std::size_t i = 0; i < 4; ++i)
      Tensor(tied.rule->backward_kernel(i)).copy_(tied.network.layers()[i]->weight.detach());
    tied.step();
    sgdm.step();
  }
  expect_same_network(tied, sgdm, 1e-12);
}

TEST(FeedbackAlignment, NeverTouchesB) {
  Trial run("fa");
  std::vector<Tensor> before;
  for (std::size_t i = 0; i < 4; ++i) before.push_back(run.rule->backward_kernel(i).clone());
  run.run(5);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(run.rule->backward_kernel(i).equal(before[i]));
}

TEST(FeedbackAlignment, DiffersFromBackpropagation) {
  Trial fa("fa"), sgdm("sgdm");
  fa.run(3);
  sgdm.run(3);
  EXPECT_FALSE(close(fa.network.layers()[0]->weight, sgdm.network.layers()[0]->weight, 1e-4));
}

TEST(FeedbackAlignment, BStartsIndependentOfWUnlessToldOtherwise) {
  const Trial independent("fa"), same("fa", {}, {"rule.backward_initial=as-forward"});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LT(std::abs(independent.weight_cosine(i)), 0.5);
    EXPECT_NEAR(same.weight_cosine(i), 1, 1e-12);
    EXPECT_FALSE(same.rule->backward_kernel(i).is_alias_of(same.network.layers()[i]->weight));
  }
}

TEST(InformationAlignment, WithoutItsLossIsFeedbackAlignment) {
  Trial ia("ia", {{"rule.alpha", 0}, {"rule.beta", 0}, {"rule.gamma", 0}}), fa("fa");
  ia.run(5);
  fa.run(5);
  expect_same_network(ia, fa, 0);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(ia.rule->backward_kernel(i).equal(fa.rule->backward_kernel(i)));
}

TEST(InformationAlignment, BringsBTowardsW) {
  Trial ia("ia", {{"rule.learning_rate", 0.01}}), fa("fa");
  const double before = ia.weight_cosine(1);
  ia.run(150);
  fa.run(150);
  EXPECT_GT(ia.weight_cosine(1), before + 0.2);
  EXPECT_GT(ia.weight_cosine(1), fa.weight_cosine(1));
}

/// Without its null term, and from noise, it is the weight mirror: to the bit.
TEST(InformationAlignment, FromNoiseWithoutTheNullTermIsTheWeightMirror) {
  Trial ia("ia", {{"rule.alpha", 3e-3}, {"rule.beta", 0}, {"rule.gamma", 2e-3}}, {"rule.input=noise"}),
      wm("wm", {{"rule.alpha", 2e-3}, {"rule.beta", 3e-3}});
  ia.run(4);
  wm.run(4);
  expect_same_network(ia, wm, 0);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(ia.rule->backward_kernel(i).equal(wm.rule->backward_kernel(i)));
}

/// R of each layer from its terms' definitions, with x standardised as the options say.
TEST(InformationAlignment, StandardisesTheInputOfR) {
  struct Case {
    std::vector<std::string> words;
    bool centred = false, unit_length = false, bias = true, batch_centred = false;
  };
  for (const Case& c : std::vector<Case>{
           {.words = {"rule.input_standardiser=centred"}, .centred = true},
           {.words = {"rule.input_standardiser=unit-length"}, .centred = true, .unit_length = true},
           {.words = {"rule.forward_bias=false"}, .bias = false},
           {.words = {"rule.backward_input=batch-centred"}, .batch_centred = true},
           {.words = {"rule.input_standardiser=centred", "rule.backward_input=batch-centred"},
           .centred = true,
           .batch_centred = true}}) {
    SCOPED_TRACE(c.words.front());
    Trial run("ia", {{"rule.alpha", 0.3}, {"rule.beta", 0.2}, {"rule.gamma", 0.1}}, c.words);
    run.step();  // biases are no longer 0
    std::vector<double> expected;
    run.before_update = [&] {
      const torch::NoGradGuard no_grad;
      for (std::size_t i = 0; i < 4; ++i) {
        const nn::ObservedLayer& layer = *run.network.layers()[i];
        const Tensor w = layer.weight.detach(), b = run.rule->backward_kernel(i);
        const auto n = static_cast<double>(layer.capture.input.size(0));
        Tensor x = layer.capture.input.contiguous().flatten(1);
        if (c.centred) x = x - x.mean(1, true);
        if (c.unit_length) x = x / x.square().sum(1, true).sqrt();
        const Tensor of_bwd = (c.batch_centred ? x - x.mean(0, true) : x).view(layer.capture.input.sizes());
        x = x.view(layer.capture.input.sizes());
        const Tensor fwd = c.bias ? layer.preactivation(x) : layer.apply(w, x);
        const Tensor bwd = layer.add_bias(layer.apply(b, of_bwd));
        const Tensor rec = layer.apply_transposed(b, fwd, x.sizes());
        const Tensor r = -0.3 * (fwd * bwd).sum() / n + 0.2 * rec.square().sum() / n +
                         0.1 * (w.square().sum() + b.square().sum());
        expected.push_back(r.item<double>());
      }
    };
    run.step();
    const Tensor r = run.rule->layerwise_losses();
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_NEAR(r[static_cast<std::int64_t>(i)].item<double>(), expected[i],
                  1e-10 * (1 + std::abs(expected[i])))
          << i;
  }
}

/// learning-rules.md, "Where information alignment rests": from white inputs, with a light null term, at W.
TEST(InformationAlignment, FromNoiseMeetsWWhereTheNullTermIsLight) {
  const auto cosine = [](const std::string& input) {
    Trial ia("ia", {{"rule.learning_rate", 0.02}, {"rule.beta", 1e-5}}, {"rule.input=" + input});
    for (int step = 0; step < 250; ++step) {  // W rests
      ia.rule->prepare({.step = step, .schedule_factor = step < 150 ? 1 : 0.1, .task = false});
      ia.network.forward(normal({8, 3, 9, 9}, 1000 + static_cast<std::uint64_t>(step)));
      ia.rule->update();
    }
    return ia.weight_cosine(2);  // fcC, whose input is far from white
  };
  const double from_noise = cosine("noise");
  EXPECT_GT(from_noise, 0.9);
  EXPECT_LT(cosine("layer"), from_noise - 0.03);
}

TEST(InformationAlignment, FollowsTheScheduleUnlessToldOtherwise) {
  Trial frozen("ia"), constant("ia", {}, {"rule.schedule=constant"});
  for (Trial* run : {&frozen, &constant}) {
    const Tensor before = run->rule->backward_kernel(2).clone();
    run->rule->prepare({.step = 0, .learning_rate = 0, .schedule_factor = 0});
    run->network.forward(normal({2, 3, 9, 9}, 1)).sum().backward();
    run->rule->update();
    EXPECT_EQ(run->rule->backward_kernel(2).equal(before), run == &frozen);
  }
}

TEST(FeedbackAlignment, StartsWithBEqualToWWhereAskedForEveryRuleThatHasOne) {
  for (const std::string name : {"fa", "ia", "wm", "sa", "aa", "kp", "frsf"}) {
    const Trial same(name, {}, {"rule.backward_initial=as-forward"});
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_TRUE(same.rule->backward_kernel(i).equal(same.network.layers()[i]->weight)) << name;
  }
}

/// B and W that decay alike and receive the same updates forget what they started with.
TEST(KolenPollack, BMeetsWWhereBothDecayAlike) {
  const auto apart = [](const Trial& run, std::size_t i) {
    return (run.rule->backward_kernel(i) - run.network.layers()[i]->weight.detach()).norm().item<double>();
  };
  Trial matched("kp", {{"optimizer.weight_decay", 0.2}}, {"rule.alpha_from_weight_decay=true"});
  Trial unmatched("kp", {{"optimizer.weight_decay", 0.2}, {"rule.alpha", 0.0}});
  std::vector<double> before;
  for (std::size_t i = 0; i < 4; ++i) before.push_back(apart(matched, i));
  matched.run(100);
  unmatched.run(100);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LT(apart(matched, i), 1e-3 * before[i]);
    EXPECT_GT(apart(unmatched, i), 0.1 * before[i]);
  }
}

TEST(SymmetricAlignment, BringsBToWTimesTheRatioOfItsCoefficients) {
  Trial sa("sa", {{"rule.learning_rate", 5e-3}, {"rule.alpha", 0.5}, {"rule.beta", 2}});
  for (int step = 0; step < 1000; ++step) {  // W rests
    sa.rule->prepare({.step = step, .task = false});
    sa.rule->update();
  }
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(close(sa.rule->backward_kernel(i), 2 * sa.network.layers()[i]->weight, 1e-3));
}

/// Layers learn from their own error alone: another output error for one place changes no other layer's
/// gradient.
TEST(DirectFeedbackAlignment, SendsTheOutputErrorThroughItsMap) {
  Trial dfa("dfa");
  for (const auto& layer : dfa.network.layers()) layer->capture.keep_error = true;
  dfa.before_update = [&] {
    const Tensor e = dfa.network.layers()[3]->capture.error;
    for (const nn::NamedTensor& map : dfa.rule->constants()) {
      if (map.name != "direct_feedback/fcC") continue;
      // fcC's nonlinearity is its own ReLU: what arrives at W∗x + b is e·M where the unit is active.
      const Tensor arrived = dfa.network.layers()[2]->capture.error;
      EXPECT_TRUE(close(arrived, e.mm(map.tensor) * (arrived != 0), 1e-13));
      EXPECT_GT((arrived != 0).sum().item<std::int64_t>(), 10);
    }
  };
  dfa.run(2);
}

TEST(SignSymmetry, CarriesTheErrorThroughTheSignsOfW) {
  for (const std::string name : {"usf", "brsf", "frsf"}) {
    Trial run(name);
    run.run(2);
    for (std::size_t i = 0; i < 4; ++i) {
      const Tensor b = run.rule->backward_kernel(i);
      EXPECT_TRUE(b.sign().equal(run.network.layers()[i]->weight.sign())) << name;
      EXPECT_TRUE(b.equal(run.rule->backward_kernel(i))) << name;
    }
    const Tensor before = run.rule->backward_kernel(1).abs();
    run.step();
    EXPECT_EQ(before.equal(run.rule->backward_kernel(1).abs()), name != "brsf");
  }
}

TEST(KernelNoise, IsAddedToBTimesItsLearningRate) {
  for (const std::string name : {"sa", "aa", "kp", "wm", "ia"}) {
    for (const std::string kind : {"normal", "uniform"}) {
      Trial noisy(name, {{"rule.noise_variance", 4}}, {"rule.noise=" + kind}), plain(name);
      noisy.step();
      plain.step();
      const double lr = name == "kp" ? trial_rate : 1e-3;
      const Tensor noise = (noisy.rule->backward_kernel(2) - plain.rule->backward_kernel(2)) / lr;
      const double root_n = std::sqrt(static_cast<double>(noise.numel()));
      EXPECT_NEAR(noise.mean().item<double>(), 0, 5 * 2 / root_n) << name;
      EXPECT_NEAR(noise.square().mean().item<double>(), 4, 5 * 4 * std::sqrt(2) / root_n) << name;
      if (kind == "uniform") {
        EXPECT_LE(noise.abs().max().item<double>(), 2 * std::sqrt(3) * (1 + 1e-9)) << name;
      }
      expect_same_network(noisy, plain, 0);
    }
  }
}

/// [schedule] delay and alternate: where one of the losses rests, what it moves stands still.
TEST(LayerwiseRules, MoveOnlyWhatAStepIsFor) {
  for (const std::string name : {"ia", "wm", "sa", "aa"}) {
    Trial run(name);
    run.step();
    const Tensor w = run.network.layers()[1]->weight.detach().clone(),
                 b = run.rule->backward_kernel(1).clone();
    run.rule->prepare({.step = 1, .learning_rate = trial_rate, .task = false});
    run.network.forward(normal({7, 3, 9, 9}, 1));
    run.rule->update();
    EXPECT_TRUE(run.network.layers()[1]->weight.equal(w)) << name;
    EXPECT_FALSE(run.rule->backward_kernel(1).equal(b)) << name;
    b.copy_(run.rule->backward_kernel(1));
    run.rule->prepare({.step = 2, .learning_rate = trial_rate, .layerwise = false});
    run.network.forward(normal({7, 3, 9, 9}, 1)).sum().backward();
    run.rule->update();
    EXPECT_FALSE(run.network.layers()[1]->weight.equal(w)) << name;
    EXPECT_TRUE(run.rule->backward_kernel(1).equal(b)) << name;
  }
}

class EveryRule : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryRule, ResumesToTheBit) {
  const bool noisy = std::set<std::string>{"ia", "wm", "sa", "aa", "kp"}.contains(GetParam());
  const std::vector<std::string> words =
      noisy ? std::vector<std::string>{"rule.noise=normal"} : std::vector<std::string>{};
  Trial whole(GetParam(), {}, words), first(GetParam(), {}, words), second(GetParam(), {}, words);
  whole.run(6);
  first.run(3);
  const std::string bytes = nn::pack_tensors(first.everything());
  nn::restore(second.everything(), nn::unpack_tensors(bytes, "state"), "state");
  second.steps = 3;
  second.run(3);
  const auto a = whole.everything(), b = second.everything();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].tensor.equal(b[i].tensor)) << a[i].name;
}

TEST_P(EveryRule, StateNamesAreUnique) {
  const Trial run(GetParam());
  std::set<std::string> names;
  for (const nn::NamedTensor& item : run.everything())
    EXPECT_TRUE(names.insert(item.name).second) << item.name;
}

TEST_P(EveryRule, GradientsAreTheTrueLocalOnes) {
  Trial run(GetParam());
  for (const auto& layer : run.network.layers())
    layer->capture.keep_error = layer->capture.keep_forward = true;
  run.before_update = [&] {
    for (const auto& layer : run.network.layers()) {
      EXPECT_TRUE(close(layer->weight.grad(),
                        layer->kernel_gradient(layer->capture.input, layer->capture.error), 1e-13));
      if (!layer->bias.defined()) continue;
      const Tensor& error = layer->capture.error;
      EXPECT_TRUE(close(layer->bias.grad(), error.dim() == 4 ? error.sum({0, 2, 3}) : error.sum(0), 1e-13));
    }
  };
  run.run(2);
}

TEST_P(EveryRule, WeightDecayLossIsHalfTheSumOfSquares) {
  Trial run(GetParam(), {{"optimizer.weight_decay", 0.25}});
  double expected = 0;
  for (const nn::Parameter& parameter : run.network.parameters())
    if (parameter.decays) expected += 0.125 * parameter.tensor.detach().square().sum().item<double>();
  EXPECT_NEAR(run.rule->decay_loss().item<double>(), expected, 1e-12 * expected);
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryRule, ::testing::ValuesIn(learning_rules().names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace lrid::rules
