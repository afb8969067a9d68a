#include <algorithm>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/log.hpp>
#include <lrid/data/cifar10_binary.hpp>
#include <lrid/data/parallel.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t side = 32, plane = side * side, record = 1 + 3 * plane;
constexpr std::size_t class_count = 10;

std::vector<fs::path> training_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;  // asked of folders that may not exist or not be ours to read
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("data_batch_") && entry.path().extension() == ".bin")
      files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// Says which batches are there besides those that are read.
void report_other_batches(const fs::path& folder, const fs::path& read) {
  const fs::path inner = folder / "cifar-10-batches-bin";
  if (read != inner && !training_files(inner).empty())
    spdlog::warn("{}: left out: {} holds data_batch_*.bin itself", inner.string(), folder.string());
}

fs::path folder_with_batches(const fs::path& folder) {
  const fs::path inner = folder / "cifar-10-batches-bin";
  return training_files(folder).empty() && !training_files(inner).empty() ? inner : folder;
}

void append(const fs::path& path, ImageDataset& data) {
  const std::string contents = read_file(path);
  if (contents.empty() || contents.size() % record != 0)
    bad_input("{}: {} bytes, expected a positive multiple of {} (a class number and 32 × 32 × 3 values)",
              path.string(), contents.size(), record);
  for (std::size_t start = 0; start < contents.size(); start += record) {
    const auto label = static_cast<unsigned char>(contents[start]);
    if (label >= class_count)
      bad_input("{}: image {} has class {}, expected 0 to 9", path.string(), start / record, label);
    Image image{{side, side, 3}, std::vector<std::uint8_t>(3 * plane)};
    const auto* planes = reinterpret_cast<const std::uint8_t*>(contents.data()) + start + 1;
    for (std::size_t i = 0; i < plane; ++i)
      for (std::size_t c = 0; c < 3; ++c) image.bytes[3 * i + c] = planes[c * plane + i];
    data.images.push_back(std::move(image));
    data.labels.push_back(label);
  }
}

}  // namespace

bool is_cifar10_binary(const fs::path& folder) {
  return !training_files(folder_with_batches(folder)).empty();
}

ImageDataset read_cifar10_binary(const fs::path& folder, const ReadOptions& options) {
  const fs::path where = folder_with_batches(folder);
  const std::vector<fs::path> files = training_files(where);
  if (files.empty())
    bad_input("{}: no data_batch_*.bin, expected the binary files of CIFAR-10's home page", where.string());
  report_other_batches(folder, where);
  ImageDataset data;
  data.name = "cifar10";
  data.classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  std::map<std::string, fs::path> seen;  // by content
  for (const fs::path& path : files) {
    const auto [first, is_new] = seen.emplace(sha256_of_file(path), path);
    if (is_new)
      append(path, data);
    else
      spdlog::warn("{}: left out: its bytes are those of {}, expected each image once", path.string(),
                   first->second.filename().string());
  }
  data.training_images = data.size();
  std::error_code ignored;
  if (fs::exists(where / "test_batch.bin", ignored)) append(where / "test_batch.bin", data);
  if (options.size)
    parallel_for(data.size(), options.threads, [&](std::int64_t i) {
      Image& image = data.images[to_size(i)];
      image = resize_to_square(image, *options.size);
    });
  return data;
}

}  // namespace lrid::data
