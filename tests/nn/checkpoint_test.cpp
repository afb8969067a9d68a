#include <gmock/gmock.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/nn/architecture.hpp>
#include <lrid/nn/checkpoint.hpp>

#include "tensors.hpp"
#include "testing.hpp"

namespace lrid::nn {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::unique_ptr<Network> make(std::uint64_t seed) {
  return architectures().at("KNet4").build({.input = {3, 8, 8}, .classes = 3, .initial_values = Key(seed)});
}

TEST(Checkpoint, RestoresANetworkToTheBit) {
  const testing::TemporaryFolder folder;
  const auto network = make(1), other = make(2);
  network->forward(testing::normal({4, 3, 8, 8}, 3).to(torch::kFloat32));  // moves the running averages
  const auto path = folder / "state.bin";
  save_tensors(path, tensors_of(*network));
  restore(tensors_of(*other), load_tensors(path), path.string());
  const auto a = tensors_of(*network), b = tensors_of(*other);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].tensor.equal(b[i].tensor)) << a[i].name;
  EXPECT_TRUE(other->layers()[1]->weight.is_contiguous(torch::MemoryFormat::ChannelsLast));  // as it was
}

TEST(Checkpoint, KeepsTypesShapesAndOddValues) {
  const Tensor odd = torch::tensor({0.0, -0.0, 1e-310, double(NAN), double(INFINITY)}, torch::kFloat64);
  const std::vector<NamedTensor> list = {{"odd", odd},
                                         {"scalar", torch::tensor(std::int64_t{1} << 60)},
                                         {"none", torch::empty({0, 3})},
                                         {"half", torch::ones({2, 2}, torch::kBFloat16)}};
  const auto back = unpack_tensors(pack_tensors(list), "bytes");
  ASSERT_EQ(back.size(), list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    EXPECT_EQ(back[i].name, list[i].name);
    EXPECT_EQ(back[i].tensor.scalar_type(), list[i].tensor.scalar_type());
    EXPECT_EQ(back[i].tensor.sizes(), list[i].tensor.sizes());
    EXPECT_EQ(std::memcmp(back[i].tensor.data_ptr(), list[i].tensor.data_ptr(), list[i].tensor.nbytes()), 0);
  }
}

TEST(Checkpoint, NamesTheFileThatIsTruncatedOrDamaged) {
  const std::string bytes = pack_tensors({{"a", torch::ones({4, 4})}, {"b", torch::zeros({2})}});
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THAT([&] { unpack_tensors(std::string_view(bytes).substr(0, length), "state.bin"); },
                ThrowsMessage<InputError>(HasSubstr("state.bin: ")));
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_THAT([&] { unpack_tensors(damaged, "state.bin"); },
                ThrowsMessage<InputError>(HasSubstr("state.bin: ")));
  }
  EXPECT_THROW(load_tensors("/no/such/state.bin"), InputError);
}

TEST(Checkpoint, SaysWhatDoesNotFit) {
  const std::vector<NamedTensor> live = {{"a", torch::ones({2})}};
  const auto restore_from = [&](const std::vector<NamedTensor>& saved) {
    return [&live, saved] { restore(live, saved, "state.bin"); };
  };
  EXPECT_THAT(restore_from({}), ThrowsMessage<InputError>(HasSubstr("state.bin: has no tensor \"a\"")));
  EXPECT_THAT(restore_from({{"a", torch::ones({3})}}),
              ThrowsMessage<InputError>(HasSubstr("expected Float [2]")));
  EXPECT_THAT(restore_from({{"a", torch::ones({2}, torch::kFloat64)}}),
              ThrowsMessage<InputError>(HasSubstr("a is Double [2]")));
  EXPECT_THAT(restore_from({{"a", torch::ones({2})}, {"z", torch::ones({1})}}),
              ThrowsMessage<InputError>(HasSubstr("unexpected tensor \"z\"")));
}

}  // namespace
}  // namespace lrid::nn
