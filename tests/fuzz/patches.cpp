// Damaged HDF5 files: a file of the corpus with some bytes changed. (Bytes alone, as in bytes.cpp, mostly
// lose the signature, and then are other formats.) The input is a list of places and values;
// LRID_FUZZ_SAVE=FILE keeps the file.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "read_anything.hpp"

namespace {

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> result = [] {
    std::vector<std::string> found;
    for (const char* name : {"trajectory", "dataset", "observables", "recording", "nwb"}) {
      std::ifstream file(std::string(LRID_FUZZ_SEEDS "/") + name + ".h5", std::ios::binary);
      found.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
      if (found.back().empty()) std::abort();
    }
    return found;
  }();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 4) return 0;
  std::string image = seeds()[bytes[0] % seeds().size()];
  constexpr std::size_t signature = 8;
  for (std::size_t i = 1; i + 2 < size; i += 3) {
    const std::size_t place = (std::size_t{bytes[i]} << 8) + bytes[i + 1];
    image[signature + place % (image.size() - signature)] = static_cast<char>(bytes[i + 2]);
  }
  if (const char* path = std::getenv("LRID_FUZZ_SAVE")) std::ofstream(path, std::ios::binary) << image;
  lrid::fuzzing::read_anything(reinterpret_cast<const std::uint8_t*>(image.data()), image.size());
  return 0;
}
