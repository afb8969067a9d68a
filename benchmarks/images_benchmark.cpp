// Throughput of what stands between image files and a network: reading a crop, resizing and normalising it,
// against libjpeg-turbo's decoding of the same files, on one core.
//
//     bench_images FOLDER [--benchmark_...]        train/<class>/ with JPEG files
#include <cstdio>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <jpeglib.h>

#include <lrid/core/random.hpp>
#include <lrid/data/imagenet_preparation.hpp>
#include <lrid/data/open_images.hpp>

namespace lrid {
namespace {

constexpr std::size_t most_files = 300;

std::shared_ptr<const data::EncodedSource> source;  // NOLINT: set in main, before any benchmark
std::vector<std::string> files;                     // NOLINT: their contents

/// The plainest use of libjpeg-turbo: all rows, as RGB.
void decode(const std::string& file, std::vector<unsigned char>& pixels) {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  const std::size_t line = std::size_t{3} * info.output_width;
  pixels.resize(line * info.output_height);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels.data() + info.output_scanline * line;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
}

void libjpeg(benchmark::State& state) {
  std::vector<unsigned char> pixels;
  for (auto _ : state)
    for (const std::string& file : files) {
      decode(file, pixels);
      benchmark::DoNotOptimize(pixels.data());
    }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(files.size()));
}
BENCHMARK(libjpeg)->Unit(benchmark::kMillisecond);

void prepare(benchmark::State& state, data::ImagenetPreparation::Kind kind, std::int64_t size, bool scaled) {
  const data::ImagenetPreparation preparation(source, kind, size, true, scaled);
  std::vector<float> out(static_cast<std::size_t>(preparation.shape().values()));
  std::uint64_t round = 0;
  for (auto _ : state) {
    ++round;
    for (std::size_t i = 0; i < files.size(); ++i) {
      preparation.write_training(static_cast<std::int64_t>(i), Key(round, "benchmark", {i}), out.data());
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(files.size()));
}
BENCHMARK_CAPTURE(prepare, resnet_224, data::ImagenetPreparation::Kind::resnet, 224, false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(prepare, resnet_224_scaled_decode, data::ImagenetPreparation::Kind::resnet, 224, true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(prepare, inception_299, data::ImagenetPreparation::Kind::inception, 299, false)
    ->Unit(benchmark::kMillisecond);

}  // namespace

int run_images(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "bench_images: expected a folder with train/<class>/ of JPEG files\n");
    return 2;
  }
  source = data::open_images(argv[1], false, 1);
  std::string room;
  for (std::int64_t i = 0; i < source->list().size() && files.size() < most_files; ++i)
    files.emplace_back(source->contents(i, room));
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace lrid

int main(int argc, char** argv) {
  return lrid::run_images(argc, argv);
}
