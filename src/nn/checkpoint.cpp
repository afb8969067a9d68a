// Layout (little-endian):
//
//   "LRIDTENS"  u32 version  u32 number of tensors  u64 length of everything
//   per tensor: u32 length of name, name, u8 type, u8 dimensions, i64 extents, elements row-major
//   SHA-256 of all before it, 64 hex digits
#include <bit>
#include <cstring>
#include <map>

#include <torch/types.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/nn/checkpoint.hpp>

namespace lrid::nn {

namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::string_view magic = "LRIDTENS";
constexpr std::uint32_t version = 1;
constexpr std::size_t digest_length = 64;

/// Types by their number in files, which never changes.
constexpr std::array file_types = {torch::kFloat32, torch::kFloat64, torch::kBFloat16,
                                   torch::kInt64,   torch::kInt32,   torch::kUInt8};

std::uint8_t file_type(const NamedTensor& item) {
  for (std::size_t i = 0; i < file_types.size(); ++i)
    if (item.tensor.scalar_type() == file_types[i]) return static_cast<std::uint8_t>(i);
  throw std::logic_error(item.name + ": a tensor type that checkpoints do not know");
}

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Takes values off the front of bytes, never more than there are.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& source) : left_(bytes), source_(source) {}

  std::string_view take(std::uint64_t count) {
    if (count > left_.size())
      bad_input("{}: truncated: expected {} more bytes", source_, count - left_.size());
    const std::string_view front = left_.substr(0, count);
    left_.remove_prefix(count);
    return front;
  }
  template <class T>
  T take() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

 private:
  std::string_view left_;
  const std::string& source_;
};

NamedTensor take_tensor(Reader& reader, const std::string& source) {
  NamedTensor item;
  item.name = reader.take(reader.take<std::uint32_t>());
  const auto type = reader.take<std::uint8_t>();
  if (type >= file_types.size()) bad_input("{}: {}: unknown element type {}", source, item.name, type);
  std::vector<std::int64_t> shape(reader.take<std::uint8_t>());
  for (std::int64_t& extent : shape) extent = reader.take<std::int64_t>();
  item.tensor = torch::empty(shape, file_types[type]);
  const std::string_view elements = reader.take(item.tensor.nbytes());
  std::memcpy(item.tensor.data_ptr(), elements.data(), elements.size());
  return item;
}

}  // namespace

std::vector<NamedTensor> tensors_of(const Network& network) {
  std::vector<NamedTensor> result(network.parameters().begin(), network.parameters().end());
  result.insert(result.end(), network.buffers().begin(), network.buffers().end());
  return result;
}

std::string pack_tensors(const std::vector<NamedTensor>& tensors) {
  std::string bytes(magic);
  append(bytes, version);
  append(bytes, static_cast<std::uint32_t>(tensors.size()));
  const std::size_t length_at = bytes.size();
  append(bytes, std::uint64_t{0});
  for (const NamedTensor& item : tensors) {
    const Tensor values = item.tensor.detach().cpu().contiguous();
    append(bytes, static_cast<std::uint32_t>(item.name.size()));
    bytes += item.name;
    append(bytes, file_type(item));
    append(bytes, static_cast<std::uint8_t>(values.dim()));
    for (const std::int64_t extent : values.sizes()) append(bytes, extent);
    bytes.append(static_cast<const char*>(values.data_ptr()), values.nbytes());
  }
  const std::uint64_t length = bytes.size() + digest_length;
  std::memcpy(bytes.data() + length_at, &length, sizeof length);
  bytes += sha256(bytes);
  return bytes;
}

std::vector<NamedTensor> unpack_tensors(std::string_view bytes, const std::string& source) {
  if (!bytes.starts_with(magic)) bad_input("{}: not a file of lrid's tensors", source);
  Reader reader(bytes, source);
  reader.take(magic.size());
  if (const auto found = reader.take<std::uint32_t>(); found != version)
    bad_input("{}: version {} of the format, expected {}", source, found, version);
  const auto count = reader.take<std::uint32_t>();
  if (const auto length = reader.take<std::uint64_t>(); length != bytes.size())
    bad_input("{}: truncated or extended: {} bytes, expected {}", source, bytes.size(), length);
  // The length holds at least the header, yet a changed header may say anything.
  if (bytes.size() < digest_length ||
      sha256(bytes.substr(0, bytes.size() - digest_length)) != bytes.substr(bytes.size() - digest_length))
    bad_input("{}: damaged: its checksum does not match", source);
  std::vector<NamedTensor> result;
  for (std::uint32_t i = 0; i < count; ++i) result.push_back(take_tensor(reader, source));
  return result;
}

void save_tensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors) {
  write_atomically(path, pack_tensors(tensors));
}

std::vector<NamedTensor> load_tensors(const std::filesystem::path& path) {
  return unpack_tensors(read_file(path), path.string());
}

void restore(const std::vector<NamedTensor>& live, const std::vector<NamedTensor>& saved,
             const std::string& source) {
  const torch::NoGradGuard no_grad;
  std::map<std::string_view, Tensor> by_name;
  for (const NamedTensor& item : saved) by_name[item.name] = item.tensor;
  for (const NamedTensor& item : live) {
    const auto found = by_name.find(item.name);
    if (found == by_name.end()) bad_input("{}: has no tensor \"{}\"", source, item.name);
    const Tensor& values = found->second;
    if (values.sizes() != item.tensor.sizes() || values.scalar_type() != item.tensor.scalar_type())
      bad_input("{}: {} is {} [{}], expected {} [{}]", source, item.name, c10::toString(values.scalar_type()),
                fmt::join(values.sizes(), ", "), c10::toString(item.tensor.scalar_type()),
                fmt::join(item.tensor.sizes(), ", "));
    Tensor target = item.tensor;
    target.copy_(values);
    by_name.erase(found);
  }
  if (!by_name.empty()) bad_input("{}: has an unexpected tensor \"{}\"", source, by_name.begin()->first);
}

}  // namespace lrid::nn
