#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <fmt/format.h>
#include <torch/cuda.h>
#include <unistd.h>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/random.hpp>
#include <lrid/core/text.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/train/run_config.hpp>

namespace lrid::train {

namespace {

/// Seeds lie in 0…2^63−1, so that every reader's signed integers hold them.
std::int64_t as_seed(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits >> 1);
}

/// The number that a "none" stands for: differs from network to network, repeats with the sweep (formats.md).
std::int64_t derived_seed(const RunConfig& config, std::string_view purpose) {
  return as_seed(Key(static_cast<std::uint64_t>(config.seed.value), purpose)
                     .with(config.architecture)
                     .with(config.task)
                     .with(config.learning_rule)
                     .with(static_cast<std::uint64_t>(config.batch_size))
                     .with(config.model_seed_setting.text())
                     .with(config.dataset_seed_setting.text())
                     .value());
}

void declare_top(Options& options, RunConfig& config) {
  options.add("architecture", config.architecture, Accepts::one_of(nn::architectures().names()),
              "the network");
  options.add("task", config.task, Accepts::one_of(tasks::tasks().names()), "the task it is trained on");
  options.add("learning_rule", config.learning_rule, Accepts::one_of(rules::learning_rules().names()),
              "its learning rule");
  options.add("batch_size", config.batch_size, Accepts::between(1, 1 << 20), "samples a step");
  options.add("seed", config.seed, Accepts::anything(), "master seed, behind every seed that is \"none\"");
  options.add("model_seed", config.model_seed_setting, Accepts::anything(),
              "initial values and backward kernels; \"none\": derived from all that names the network");
  options.add("dataset_seed", config.dataset_seed_setting, Accepts::anything(),
              "order and augmentation of the data; \"none\": derived likewise");
  options.add("epochs", config.epochs, Accepts::above(0), "length of the run; fractions are allowed");
  options.add("points", config.points, Accepts::between(2, 100000), "trajectory points, the start included");
}

void declare_compute(Options& options, Compute& compute) {
  options.add("compute.device", compute.device, Accepts::anything(),
              "auto, cpu, cuda or cuda:i; auto: a GPU if there is one; recorded without the index");
  options.add("compute.threads", compute.threads, Accepts::between(0, 4096),
              "processor threads a network, 0: all cores; part of what decides a file's bits");
  options.add("compute.channels_last", compute.channels_last, Accepts::anything(),
              "memory layout of convolutions: channels last is faster on processors and with bf16");
  options.add("compute.precision", compute.precision, Accepts::one_of({"float32", "tf32", "bf16"}),
              "float32 is exact; tf32 is for GPUs of compute capability 8.0 and later");
  options.add(
      "compute.autotune", compute.autotune, Accepts::anything(),
      "on a GPU, let cuDNN pick the fastest algorithm by trial; the choice may differ from run to run");
  options.add("compute.deterministic", compute.deterministic, Accepts::anything(),
              "on a GPU, only kernels that give the same bits in every run (--deterministic)");
  options.add("compute.record_steps", compute.record_steps, Accepts::anything(),
              "on a GPU, record a training step and replay it (CUDA graphs): the same numbers, faster");
}

/// Declares all options of a run; what it makes on the way goes to whoever asked for it.
void declare_run(Options& options, RunConfig& config, const DeclareMore& declare_more,
                 std::unique_ptr<tasks::Task>* task = nullptr,
                 std::unique_ptr<rules::LearningRule>* rule = nullptr) {
  declare_top(options, config);
  const nn::Architecture& architecture = nn::architectures().at(config.architecture);
  const rules::RuleEntry& rule_entry = rules::learning_rules().at(config.learning_rule);

  std::optional<double> base;
  std::optional<bool> scale;
  options.add("optimizer.learning_rate", base, Accepts::above(0),
              "base learning rate of W; auto: the architecture's, or the rule's own");
  options.add("optimizer.scale_with_batch", scale, Accepts::anything(),
              "multiply it with batch_size/256; auto: unless the rule has a learning rate of its own");
  base = base.value_or(rule_entry.own_learning_rate.value_or(architecture.base_learning_rate));
  scale = scale.value_or(!rule_entry.own_learning_rate);
  options.resolve("optimizer.learning_rate", {*base});
  options.resolve("optimizer.scale_with_batch", {*scale});
  config.learning_rate = *scale ? *base * static_cast<double>(config.batch_size) / 256 : *base;

  const tasks::TaskEntry& task_entry = tasks::tasks().at(config.task);
  auto made_rule = rule_entry.make(options, task_entry.own_weight_decay.value_or(architecture.weight_decay));
  config.schedule.declare(options);
  if (!made_rule->can_align_alone())
    for (const auto& [key, used] : {std::pair{"schedule.delay", config.schedule.delay > 0},
                                    std::pair{"schedule.alternate", config.schedule.alternate > 0}})
      if (used)
        options.fail(key,
                     fmt::format("{} has no layer-wise loss that could be descended by itself, expected 0",
                                 config.learning_rule));
  auto made_task = task_entry.make(options, config.architecture);
  options.add("validation.samples", config.validation_samples, Accepts::at_least(1),
              "validation samples to measure loss and accuracy on; auto: all");
  declare_compute(options, config.compute);
  options.add("checkpoint.keep", config.keep_checkpoints, Accepts::anything(),
              "keep all parameters and buffers at every trajectory point");
  options.add("checkpoint.state_seconds", config.state_seconds, Accepts::at_least(0),
              "least seconds between two writes of the state that a resume needs");
  if (declare_more) declare_more(options);
  if (task != nullptr) *task = std::move(made_task);
  if (rule != nullptr) *rule = std::move(made_rule);
}

void resolve_seeds(Options& options, RunConfig& config) {
  const auto resolve = [&](const char* key, const SeedSetting& setting) {
    if (setting.kind == SeedSetting::Kind::random)
      options.fail(key, "expected an integer or \"none\" (only `seed` may be \"random\")");
    return setting.kind == SeedSetting::Kind::fixed ? setting.value : derived_seed(config, key);
  };
  if (config.seed.kind != SeedSetting::Kind::fixed) options.fail("seed", "expected an integer or \"random\"");
  config.model_seed = resolve("model_seed", config.model_seed_setting);
  config.dataset_seed = resolve("dataset_seed", config.dataset_seed_setting);
}

/// 1 of "cuda:1"; nothing of anything else.
std::optional<std::int64_t> gpu_index(const std::string& device) {
  if (!device.starts_with("cuda:")) return std::nullopt;
  const std::string index = device.substr(5);
  if (index.empty() || index.size() > 3 || index.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::stoi(index);
}

void resolve_compute(Options& options, Compute& compute) {
  const bool cuda = torch::cuda::is_available();
  if (compute.device == "auto") compute.device = cuda ? "cuda" : "cpu";
  if (const auto index = gpu_index(compute.device)) {
    compute.device_index = *index;
    compute.device = "cuda";
  }
  if (compute.device != "cpu" && compute.device != "cuda")
    options.fail("compute.device", "expected auto, cpu, cuda or cuda:i");
  if (compute.device == "cuda" && !cuda)
    options.fail("compute.device", "there is no usable CUDA device here, expected cpu or auto");
  if (compute.device == "cuda" &&
      compute.device_index >= static_cast<std::int64_t>(torch::cuda::device_count()))
    options.fail("compute.device",
                 fmt::format("this machine has {}", counted(torch::cuda::device_count(), "device")));
  if (compute.precision == "tf32" && compute.device != "cuda")
    options.fail("compute.precision", "tf32 needs a CUDA device, expected float32 or bf16");
  if (compute.autotune && compute.deterministic)
    options.fail("compute.autotune",
                 "which algorithm is fastest differs from run to run, expected false with deterministic");
  if (compute.threads == 0) compute.threads = available_cores();
  options.resolve("compute.device", {compute.device});
  options.resolve("compute.threads", {compute.threads});
}

}  // namespace

torch::Device Compute::torch_device() const {
  if (device != "cuda") return torch::kCPU;
  return {torch::kCUDA, static_cast<torch::DeviceIndex>(device_index)};
}

std::int64_t Compute::memory() const {
  if (device != "cuda") return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  at::globalContext().lazyInitDevice(torch::kCUDA);  // creates the allocator
  const auto index = static_cast<c10::DeviceIndex>(device_index);
  return static_cast<std::int64_t>(c10::getDeviceAllocator(torch::kCUDA)->getMemoryInfo(index).second);
}

void Compute::apply() const {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(precision == "tf32");
  context.setAllowTF32CuDNN(precision == "tf32");
  context.setBenchmarkCuDNN(autotune);
  // cuBLAS' kernels are deterministic with a workspace of this kind only (its documentation, "Results
  // reproducibility").
  if (deterministic) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  context.setDeterministicCuDNN(deterministic);
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);  // we read none
}

std::int64_t RunConfig::steps(std::int64_t steps_per_epoch) const {
  return static_cast<std::int64_t>(epochs * static_cast<double>(steps_per_epoch) + 1e-9);
}

std::int64_t RunConfig::point_step(std::int64_t point, std::int64_t steps) const {
  return point * steps / (points - 1);
}

RunPlan make_plan(Config config, std::filesystem::path out, const DeclareMore& declare_more) {
  RunPlan plan;
  plan.source = config;
  plan.out = std::move(out);
  Options options(std::move(config));
  declare_run(options, plan.config, declare_more);
  options.finish();
  resolve_seeds(options, plan.config);
  resolve_compute(options, plan.config.compute);
  plan.toml = options.to_toml();
  plan.task_key = plan.config.task;
  Options of_task(plan.source);
  tasks::tasks().at(plan.config.task).make(of_task, plan.config.architecture);
  for (const auto& [key, value] : of_task.values()) plan.task_key += fmt::format(" {}={}", key, value);
  return plan;
}

std::unique_ptr<tasks::Task> RunPlan::make_task() const {
  Options options(source);
  RunConfig ignored;
  std::unique_ptr<tasks::Task> task;
  declare_run(options, ignored, {}, &task);
  return task;
}

std::unique_ptr<rules::LearningRule> RunPlan::make_rule() const {
  Options options(source);
  RunConfig ignored;
  std::unique_ptr<rules::LearningRule> rule;
  declare_run(options, ignored, {}, nullptr, &rule);
  return rule;
}

std::string options_help(const DeclareMore& declare_more) {
  Options options;
  RunConfig config;
  declare_run(options, config, declare_more);
  std::string text = fmt::format("Configuration keys with task = \"{}\" and learning_rule = \"{}\":\n{}",
                                 config.task, config.learning_rule, options.help());
  // Keys that other tasks and rules add.
  const auto describe_others = [&](const std::string& key, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      Config other;
      other.assign(key, {name}, "--help");
      Options theirs(other);
      RunConfig ignored;
      declare_run(theirs, ignored, declare_more);
      if (const std::string more = theirs.help_beyond(options); !more.empty())
        text += fmt::format("\nWith {} = \"{}\", also or otherwise:\n{}", key, name, more);
    }
  };
  describe_others("task", tasks::tasks().names());
  describe_others("learning_rule", rules::learning_rules().names());
  return text;
}

void resolve_random_seed(Config& config, const std::filesystem::path& kept_in) {
  const Config::Entry* seed = config.find("seed");
  if (seed == nullptr || seed->value != ConfigValue{std::string("random")}) return;
  if (!std::filesystem::exists(kept_in)) {
    // Of several jobs that start at once, only one draws it.
    create_exclusively(kept_in, fmt::format("{}\n", as_seed(system_bits())));
  }
  std::string text = trim(read_file(kept_in));
  for (int attempt = 0; text.empty() && attempt < 50; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    text = trim(read_file(kept_in));
  }
  if (text.empty() || text.size() > 19 || text.find_first_not_of("0123456789") != std::string::npos)
    bad_input("{}: holds \"{}\", expected the seed that was drawn for this folder", kept_in.string(), text);
  config.assign("seed", {static_cast<std::int64_t>(std::stoll(text))}, kept_in.string());
}

std::vector<std::int64_t> parse_gpus(const std::string& list) {
  std::vector<std::int64_t> gpus;
  const auto count = static_cast<std::int64_t>(torch::cuda::is_available() ? torch::cuda::device_count() : 0);
  for (const std::string& name : split(list, ',')) {
    const auto index = gpu_index(name);
    if (!index) bad_input("--devices {}: \"{}\": expected cuda:i", list, name);
    if (*index >= count) bad_input("--devices {}: {}: there are {} usable GPUs here", list, name, count);
    if (std::ranges::find(gpus, *index) != gpus.end())
      bad_input("--devices {}: {}: named twice (--jobs says how many networks share a GPU)", list, name);
    gpus.push_back(*index);
  }
  return gpus;
}

std::string first_difference(const std::string& recorded_toml, const std::string& wanted_toml,
                             bool complete) {
  if (recorded_toml == wanted_toml) return "";
  const Config recorded = Config::from_toml(recorded_toml, "recorded");
  const Config wanted = Config::from_toml(wanted_toml, "wanted");
  const auto ignored = [&](const std::string& key) {
    return key == "checkpoint.state_seconds" || key == "compute.workers" ||
           (complete && key.starts_with("compute."));
  };
  for (const auto& [key, entry] : wanted.entries()) {
    const Config::Entry* before = recorded.find(key);
    if (ignored(key) || (before != nullptr && before->value == entry.value)) continue;
    return fmt::format("{} was {}, now {}", key, before != nullptr ? before->value.to_toml() : "not there",
                       entry.value.to_toml());
  }
  for (const auto& [key, entry] : recorded.entries())
    if (!ignored(key) && wanted.find(key) == nullptr)
      return fmt::format("{} was {}, now not there", key, entry.value.to_toml());
  return "";
}

}  // namespace lrid::train
