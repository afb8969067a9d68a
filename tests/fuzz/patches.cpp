// Damaged HDF5 files: a file of the corpus with some bytes changed. (Bytes alone, as in bytes.cpp, mostly
// lose the signature, and then are other formats.) The input is a list of places and values;
// LRID_FUZZ_SAVE=FILE keeps the file.
#include <cstdlib>
#include <fstream>
#include <string>

#include "damaged_file.hpp"
#include "read_anything.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string image = lrid::fuzzing::damaged_file(LRID_FUZZ_SEEDS, bytes, size);
  if (image.empty()) return 0;
  if (const char* path = std::getenv("LRID_FUZZ_SAVE")) std::ofstream(path, std::ios::binary) << image;
  lrid::fuzzing::read_anything(reinterpret_cast<const std::uint8_t*>(image.data()), image.size());
  return 0;
}
