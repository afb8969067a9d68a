#include "dispatched_graph.hpp"

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>
#include <torch/types.h>

namespace lrid::testing {

struct DispatchedOperation {
  c10::OperatorHandle handle;
  std::vector<c10::IValue> arguments, results;
};

struct DispatchedGraph::Operations {
  std::vector<DispatchedOperation> all;
  /// Memory that was written in place, as it was before.
  struct Before {
    c10::Storage storage;
    std::vector<std::byte> bytes;
  };
  std::map<c10::StorageImpl*, Before> before;
};

namespace {

constexpr auto key = c10::DispatchKey::Fake;  // nothing in LibTorch uses it

template <class Visit>
void visit_tensors(const std::vector<c10::IValue>& values, const Visit& visit) {
  for (const c10::IValue& value : values) {
    if (value.isTensor() && value.toTensor().defined()) visit(value.toTensor());
    if (value.isTensorList())
      for (const at::Tensor& tensor : value.toTensorVector()) visit(tensor);
  }
}

std::vector<c10::IValue> last(const torch::jit::Stack& stack, std::size_t count) {
  return {stack.end() - static_cast<std::ptrdiff_t>(count), stack.end()};
}

thread_local std::vector<DispatchedOperation>* recorded = nullptr;
thread_local std::function<void(const at::Tensor&)> keep_value;

void record_operation(const c10::OperatorHandle& handle, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  static const std::set<std::string> waits = {"aten::_local_scalar_dense", "aten::nonzero",
                                              "aten::is_nonzero",          "aten::masked_select",
                                              "aten::unique_dim",          "aten::equal"};
  const c10::impl::ExcludeDispatchKeyGuard beneath(key);
  const auto& schema = handle.schema();
  TORCH_CHECK(!waits.contains(schema.name()), "waits for the device: ", schema.name());
  DispatchedOperation operation{handle, last(*stack, schema.arguments().size()), {}};
  // The schemas of batch norms do not say that they change running averages.
  const bool norm = schema.name().find("batch_norm") != std::string::npos;
  for (std::size_t i = 0; i < schema.arguments().size(); ++i)
    if (const auto* alias = schema.arguments()[i].alias_info();
        norm || (alias != nullptr && alias->isWrite()))
      visit_tensors({operation.arguments[i]}, keep_value);
  handle.redispatchBoxed(keys & c10::DispatchKeySet(c10::DispatchKeySet::FULL_AFTER, key), stack);
  operation.results = last(*stack, schema.returns().size());
  recorded->push_back(std::move(operation));
}

TORCH_LIBRARY_IMPL(_, Fake, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&record_operation>());
}

}  // namespace

std::int64_t DispatchedGraph::replays = 0;

DispatchedGraph::DispatchedGraph() : operations_(std::make_unique<Operations>()) {}
DispatchedGraph::~DispatchedGraph() = default;

void DispatchedGraph::record(const std::function<void()>& work) {
  recorded = &operations_->all;
  keep_value = [this](const at::Tensor& tensor) {
    const auto* const bytes = static_cast<const std::byte*>(tensor.storage().data());
    operations_->before.try_emplace(
        tensor.storage().unsafeGetStorageImpl(),
        Operations::Before{tensor.storage(), {bytes, bytes + tensor.storage().nbytes()}});
  };
  struct Done {
    ~Done() {
      recorded = nullptr;
      keep_value = nullptr;
    }
  } done;
  {
    const c10::impl::IncludeDispatchKeyGuard record_all(key);
    work();
  }
  for (auto& [impl, before] : operations_->before)
    std::memcpy(before.storage.mutable_data(), before.bytes.data(), before.bytes.size());
  operations_->before.clear();
}

void DispatchedGraph::replay() {
  ++replays;
  const torch::NoGradGuard no_grad;
  for (const DispatchedOperation& operation : operations_->all) {
    torch::jit::Stack stack = operation.arguments;
    operation.handle.callBoxed(&stack);
    std::vector<at::Tensor> before, now;
    visit_tensors(operation.results, [&](const at::Tensor& tensor) { before.push_back(tensor); });
    visit_tensors(stack, [&](const at::Tensor& tensor) { now.push_back(tensor); });
    TORCH_CHECK(before.size() == now.size(), operation.handle.schema().name(), " gave other results");
    for (std::size_t i = 0; i < now.size(); ++i)
      // Copies a result that went elsewhere to where later operations expect it.
      if (now[i].storage().unsafeGetStorageImpl() != before[i].storage().unsafeGetStorageImpl())
        before[i].variable_data().copy_(now[i]);
  }
}

}  // namespace lrid::testing
