// Layer lists, shapes and numbers of parameters (architectures.json), and forward passes in evaluation mode
// on tensors from golden/README.md's formula (forward.h5). One test per case of the files.
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include <lrid/nn/architecture.hpp>
#include <lrid/nn/checkpoint.hpp>

#include "tensors.hpp"
#include "testing.hpp"

namespace lrid::nn {
namespace {

using nlohmann::json;
using testing::read_tensor;

json load_cases() {
  const auto path = testing::golden_path("architectures.json");
  if (!path) return json::array();
  std::ifstream stream(*path);
  return json::parse(stream).at("cases");
}
const json& cases() {
  static const json loaded = load_cases();
  return loaded;
}

/// golden/README.md, "forward.h5".
Tensor formula(std::uint64_t seed, std::uint64_t k, at::IntArrayRef shape) {
  Tensor result = torch::empty(shape, torch::kFloat64);
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    const std::uint64_t z =
        seed + (k + 1) * 0xD1B54A32D192ED03ULL + (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15ULL;
    result.data_ptr<double>()[i] = static_cast<double>(mix64(z) >> 11) * 0x1p-52 - 1;
  }
  return result;
}

TEST(GoldenFormula, FirstValues) {
  EXPECT_EQ(formula(1, 0, {2})[0].item<double>(), -0.24631511044577525);
  EXPECT_EQ(formula(1, 0, {2})[1].item<double>(), 0.6337693286898325);
}

class ArchitectureCase : public ::testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (cases().empty()) GTEST_SKIP() << testing::skip_reason("architectures.json");
  }
  [[nodiscard]] std::unique_ptr<Network> build(torch::ScalarType type, bool channels_last) const {
    const auto chw = case_["input_chw"].get<std::vector<std::int64_t>>();
    NetworkSpec spec{.input = {chw[0], chw[1], chw[2]},
                     .options = torch::TensorOptions(type).device(testing::device()),
                     .channels_last = channels_last};
    spec.contrastive_head = case_["classes"].is_null();
    if (!spec.contrastive_head) spec.classes = case_["classes"];
    return architectures().at(case_["architecture"].get<std::string>()).build(spec);
  }
  const json case_ = cases().empty() ? json() : cases()[GetParam()];
};

std::vector<std::int64_t> shape_of(const json& list) {
  return list.get<std::vector<std::int64_t>>();
}

/// Of each layer's output, one sample.
using LayerShapes = std::vector<std::vector<std::int64_t>>;

LayerShapes output_shapes_of(Network& network, const Tensor& x) {
  LayerShapes shapes;
  const torch::NoGradGuard no_grad;
  network.set_training(false);
  network.set_sink([&](std::size_t, const Tensor&, const Tensor& output) {
    shapes.push_back(output.sizes().slice(1).vec());
  });
  network.forward(x);
  return shapes;
}

/// Layer names, kinds, shapes, biases and positions, and how many values there are.
void expect_structure(const Network& network, const json& expected_case, const LayerShapes& output_shapes) {
  ASSERT_EQ(network.layers().size(), expected_case["layers"].size());
  ASSERT_EQ(network.layers().size(), output_shapes.size());
  constexpr std::array positions = {"early", "middle", "deep"};
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const ObservedLayer& layer = *network.layers()[i];
    const json& expected = expected_case["layers"][i];
    EXPECT_EQ(layer.spec().name, expected["name"]);
    EXPECT_EQ(layer.spec().kind == LayerKind::conv ? "conv" : "fc", expected["kind"]);
    EXPECT_EQ(layer.weight.sizes().vec(), shape_of(expected["weight_shape"]));
    EXPECT_EQ(layer.bias.defined(), expected["bias"].get<bool>());
    EXPECT_EQ(output_shapes[i], shape_of(expected["output_shape"]));
    EXPECT_EQ(positions[network.positions()[i]], expected["position"]);
  }
  std::int64_t parameters = 0, buffers = 0;
  for (const Parameter& parameter : network.parameters()) parameters += parameter.tensor.numel();
  for (const NamedTensor& buffer : network.buffers()) buffers += buffer.tensor.numel();
  EXPECT_EQ(parameters, expected_case["trainable_parameters"]);
  EXPECT_EQ(buffers, expected_case["bn_running_values"]);
}

/// Values of a tensor of the network, by its role.
Tensor golden_tensor(const json& description, std::uint64_t seed, double amplitude, bool layer_has_bias) {
  const auto shape = shape_of(description["shape"]);
  const Tensor v = formula(seed, description["k"], shape);
  const std::string role = description["role"];
  if (role == "weight")
    return v * std::sqrt((layer_has_bias ? 6.0 : 3.0) / static_cast<double>(fans(shape).in));
  if (role == "bias") return 1.5 * amplitude * v;
  if (role == "scale") return 1 + 0.25 * v;
  if (role == "running_var") return 1 + 0.5 * v.square();
  return v;  // shift, running_mean
}

/// The largest deviation of an array from its reference, in units of the scale that golden/README.md names.
struct Deviation {
  double largest = 0;
  void add(double found, double expected, double scale) {
    // NaN must not pass.
    const double deviation = std::abs(found - expected) / scale;
    largest = deviation <= largest ? largest : deviation;
  }
};

TEST_P(ArchitectureCase, StructureAndForwardPass) {
  const auto path = testing::golden_path("forward.h5");
  if (!path) GTEST_SKIP() << testing::skip_reason("forward.h5");
  const io::hdf5::InputFile file(*path);
  const auto chw = shape_of(case_["input_chw"]);
  if (!file.root().has_group(case_["id"].get<std::string>())) {  // structure alone is known
    const auto network = build(torch::kFloat32, true);
    expect_structure(*network, case_, output_shapes_of(*network, torch::zeros({1, chw[0], chw[1], chw[2]})));
    return;
  }
  const io::hdf5::Group golden = file.root().group(case_["id"].get<std::string>());
  const auto amplitude = golden.attribute<double>("input_amplitude");
  const auto seed = static_cast<std::uint64_t>(file.root().attribute<std::int64_t>("S"));

  // Tensors in forward order. Names other than the layers' are labels only, but ours are the same.
  std::map<std::string, Tensor> values;
  std::set<std::string> names;
  for (const json& description : case_["tensors"]) names.insert(description["name"].get<std::string>());
  for (const json& description : case_["tensors"]) {
    const std::string name = description["name"];
    values[name] = golden_tensor(description, seed, amplitude,
                                 names.contains(name.substr(0, name.rfind('/')) + "/bias"));
  }
  const Tensor x = amplitude * formula(seed, 1000000, {2, chw[0], chw[1], chw[2]});
  const Tensor means = read_tensor(golden, "mean"), norms = read_tensor(golden, "norm"),
               sampled = read_tensor(golden, "values"), active = read_tensor(golden, "active"),
               expected = read_tensor(golden, "output");
  const auto indices = golden.dataset("indices").read<std::int64_t>();

  const auto run = [&](Network& network) {
    const torch::NoGradGuard no_grad;
    std::size_t filled = 0;
    for (const auto& item : tensors_of(network)) {
      ASSERT_TRUE(values.contains(item.name)) << item.name;
      Tensor(item.tensor).copy_(values[item.name]);
      ++filled;
    }
    EXPECT_EQ(filled, values.size());

    const auto type = network.layers()[0]->weight.scalar_type();
    Deviation deviation;
    LayerShapes output_shapes;
    network.set_training(false);
    network.set_sink([&](std::size_t index, const Tensor&, const Tensor& output) {
      output_shapes.push_back(output.sizes().slice(1).vec());
      const auto i = static_cast<std::int64_t>(index);
      const Tensor flat = output.cpu().to(torch::kFloat64).flatten(1);
      const Tensor rms = norms[i] / std::sqrt(static_cast<double>(flat.size(1)));
      for (std::int64_t sample = 0; sample < 2; ++sample) {
        const double scale = rms[sample].item<double>(), norm = norms[i][sample].item<double>();
        deviation.add(flat[sample].mean().item<double>(), means[i][sample].item<double>(), scale);
        deviation.add(flat[sample].norm().item<double>(), norm, norm);
      }
      for (std::int64_t j = 0; j < 8; ++j)
        deviation.add(flat[0][indices[static_cast<std::size_t>(8 * i + j)]].item<double>(),
                      sampled[i][j].item<double>(), rms[0].item<double>());
      EXPECT_NEAR((flat > 0).to(torch::kFloat64).mean().item<double>(), active[i].item<double>(),
                  type == torch::kFloat64 ? 1e-12 : 1e-3);
    });
    const Tensor output = network.forward(x.to(testing::device(), type)).cpu().to(torch::kFloat64);
    expect_structure(network, case_, output_shapes);
    const double rms = expected.square().mean().sqrt().item<double>();
    ASSERT_EQ(output.sizes(), expected.sizes());
    deviation.add((output - expected).abs().max().item<double>(), 0, rms);
    EXPECT_LE(deviation.largest, type == torch::kFloat64 ? 1e-10 : 1e-4);
    std::printf("deviation %s %s %.1e\n", case_["id"].get<std::string>().c_str(),
                type == torch::kFloat64 ? "float64" : "float32", deviation.largest);
  };

  // Both memory layouts of a type agree (architecture_test.cpp), so each type is held in one of them; for the
  // small networks in both.
  const bool small = chw[1] < 100;
  for (const auto type : {torch::kFloat64, torch::kFloat32})
    for (const bool channels_last : {false, true}) {
      if (!small && channels_last != (type == torch::kFloat32)) continue;
      SCOPED_TRACE(::testing::Message() << type << (channels_last ? ", channels-last" : ""));
      run(*build(type, channels_last));
    }
}

std::string case_name(const ::testing::TestParamInfo<std::size_t>& info) {
  std::string name = cases().empty() ? "none" : cases()[info.param]["id"].get<std::string>();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Golden, ArchitectureCase,
                         ::testing::Range(std::size_t{0}, std::max<std::size_t>(cases().size(), 1)),
                         case_name);

}  // namespace
}  // namespace lrid::nn
