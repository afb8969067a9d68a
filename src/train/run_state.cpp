#include <algorithm>

#include <torch/csrc/autograd/grad_mode.h>
#include <torch/types.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/train/run_config.hpp>
#include <lrid/train/run_state.hpp>

namespace lrid::train {

namespace {

namespace fs = std::filesystem;
using nn::NamedTensor;
using nn::Tensor;

fs::path state_path(const fs::path& out) {
  return companion_path(out, ".state");
}

Tensor text_tensor(const std::string& text) {
  return torch::from_blob(const_cast<char*>(text.data()), {to_index(text.size())}, torch::kUInt8).clone();
}

std::string tensor_text(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.const_data_ptr<std::uint8_t>()), to_size(tensor.numel())};
}

}  // namespace

std::optional<RunState> RunState::read(const fs::path& out, const std::string& config) {
  const fs::path path = state_path(out);
  if (!fs::exists(path)) return std::nullopt;
  std::vector<NamedTensor> saved = nn::load_tensors(path);
  const auto take = [&](const std::string& name) {
    const auto found = std::ranges::find(saved, name, &NamedTensor::name);
    if (found == saved.end())
      bad_input("{}: has no {}, expected the state of a training run", path.string(), name);
    Tensor tensor = found->tensor;
    saved.erase(found);
    return tensor;
  };
  if (const std::string difference = first_difference(tensor_text(take("config")), config, false);
      !difference.empty())
    bad_input("{}: {}; expected the configuration it was made with (or remove the file to start anew)",
              path.string(), difference);
  const Tensor numbers = take("counters");
  const auto* number = numbers.const_data_ptr<std::int64_t>();
  const RunCounters counters{.step = number[0],
                             .points = number[1],
                             .steps_since_point = number[2],
                             .steps_since_epoch = number[3],
                             .device_seconds = take("device_seconds").item<double>()};
  return RunState(path, counters, std::move(saved));
}

void RunState::write(const fs::path& out, std::vector<NamedTensor> tensors, const RunCounters& counters,
                     const std::string& config) {
  tensors.push_back({"counters", torch::tensor({counters.step, counters.points, counters.steps_since_point,
                                                counters.steps_since_epoch})});
  tensors.push_back({"device_seconds", torch::tensor(counters.device_seconds, torch::kFloat64)});
  tensors.push_back({"config", text_tensor(config)});
  nn::save_tensors(state_path(out), tensors);
}

void RunState::restore(const std::vector<NamedTensor>& tensors) const {
  const torch::NoGradGuard no_grad;
  nn::restore(tensors, tensors_, path_.string());
}

void remove_leftovers(const fs::path& out) {
  std::error_code ignored;
  fs::remove(state_path(out), ignored);
  remove_temporaries_of({out, state_path(out)});
}

}  // namespace lrid::train
