#include "damaged_file.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

namespace lrid::fuzzing {

namespace {

std::vector<std::string> read_seeds(const std::filesystem::path& corpus) {
  std::vector<std::string> seeds;
  for (const char* name : {"trajectory.h5", "dataset.h5", "observables.h5", "recording.h5", "nwb.h5"}) {
    std::ifstream file(corpus / name, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (seeds.back().empty()) std::abort();
  }
  return seeds;
}

}  // namespace

std::string damaged_file(const std::filesystem::path& corpus, const std::uint8_t* input, std::size_t size) {
  static const std::vector<std::string> seeds = read_seeds(corpus);
  if (size < 4) return {};
  std::string image = seeds[input[0] % seeds.size()];
  constexpr std::size_t signature = 8;
  for (std::size_t i = 1; i + 2 < size; i += 3) {
    const std::size_t place = (std::size_t{input[i]} << 8) + input[i + 1];
    image[signature + place % (image.size() - signature)] = static_cast<char>(input[i + 2]);
  }
  return image;
}

}  // namespace lrid::fuzzing
