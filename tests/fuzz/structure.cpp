// Files that HDF5 finds nothing wrong with, of the right names but not of the right content: objects of a
// good file replaced, removed, linked in circles, of another shape, type, size or attribute. The input is the
// list of changes; LRID_FUZZ_SAVE=FILE keeps the file that came out.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <hdf5.h>

#include "read_anything.hpp"

namespace {

/// The fuzzer's bytes, one after the other; zeros at the end.
class Choices {
 public:
  Choices(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), left_(size) {}
  [[nodiscard]] bool done() const { return left_ == 0; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *bytes_++;
  }
  template <class T>
  const T& of(const std::vector<T>& items) {
    return items[byte() % items.size()];
  }

 private:
  const std::uint8_t* bytes_;
  std::size_t left_;
};

struct Seed {
  std::string image;
  std::vector<std::string> objects;  ///< paths
};

hid_t open_image(const std::string& image) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 16, false);
  H5Pset_file_image(access, const_cast<char*>(image.data()), image.size());  // NOLINT: HDF5 copies it
  const hid_t file = H5Fopen("seed", H5F_ACC_RDWR, access);
  H5Pclose(access);
  return file;
}

/// The files of the corpus (LRID_FUZZ_SEEDS, a folder; set by CMake to tests/fuzz/corpus).
const std::vector<Seed>& seeds() {
  static const std::vector<Seed> result = [] {
    std::vector<Seed> found;
    for (const char* name : {"trajectory", "dataset", "observables", "recording", "nwb"}) {
      std::ifstream file(std::string(LRID_FUZZ_SEEDS "/") + name + ".h5", std::ios::binary);
      Seed& seed = found.emplace_back();
      seed.image.assign(std::istreambuf_iterator<char>(file), {});
      const hid_t opened = open_image(seed.image);
      if (opened < 0) std::abort();
      H5Ovisit2(
          opened, H5_INDEX_NAME, H5_ITER_INC,
          [](hid_t, const char* path, const H5O_info_t*, void* out) -> herr_t {
            static_cast<std::vector<std::string>*>(out)->emplace_back(path);
            return 0;
          },
          &seed.objects, H5O_INFO_BASIC);
      H5Fclose(opened);
    }
    return found;
  }();
  return result;
}

const std::vector<std::string> attribute_names{
    "format",     "format_version", "status", "name",       "order",         "axes",
    "scale",      "nwb_version",    "rate",   "conversion", "offset",        "table",
    "batch_size", "epochs",         "seed",   "probe_size", "neurodata_type"};
const std::vector<std::string> texts{
    "",         "lrid-recording", "lrid-dataset",       "lrid-trajectory",    "lrid-observables", "2.7",
    "complete", "failed: why",    "units,stimuli,time", "time,stimuli,units", "a,\"b\"\n"};
const std::vector<hsize_t> extents{0, 1, 2, 3, 4, 5, 7, 20, 100, hsize_t{1} << 32, hsize_t{1} << 62};
const std::vector<double> numbers{0,   1,        -1,        0.5, 2,  3, 1e300, -1e300, 1e-320, 4294967296.0,
                                  NAN, INFINITY, -INFINITY, 30,  255};

hid_t type_of(Choices& choose) {
  switch (choose.byte() % 12) {
    case 0:
    case 1:
      return H5Tcopy(H5T_IEEE_F32LE);
    case 2:
    case 3:
      return H5Tcopy(H5T_IEEE_F64BE);
    case 4:
      return H5Tcopy(H5T_STD_I16LE);
    case 5:
      return H5Tcopy(H5T_STD_I64LE);
    case 6:
      return H5Tcopy(H5T_STD_U8LE);
    case 7: {
      const hid_t text = H5Tcopy(H5T_C_S1);
      H5Tset_size(text, choose.byte() % 2 == 0 ? H5T_VARIABLE : std::size_t{1} + choose.byte());
      return text;
    }
    case 8:
      return H5Tcopy(H5T_STD_REF_OBJ);
    case 9: {
      const hid_t compound = H5Tcreate(H5T_COMPOUND, 8);
      H5Tinsert(compound, "x", 0, H5T_NATIVE_INT32);
      H5Tinsert(compound, "y", 4, H5T_NATIVE_FLOAT);
      return compound;
    }
    case 10:
      return H5Tvlen_create(H5T_NATIVE_DOUBLE);
    default:
      return H5Tenum_create(H5T_NATIVE_INT8);
  }
}

hid_t space_of(Choices& choose, bool is_small) {
  const int rank = choose.byte() % 5;
  if (rank == 0) return H5Screate(choose.byte() % 8 == 0 ? H5S_NULL : H5S_SCALAR);
  std::vector<hsize_t> shape;
  for (int i = 0; i < rank; ++i) shape.push_back(is_small ? choose.byte() % 4U : choose.of(extents));
  return H5Screate_simple(rank, shape.data(), nullptr);
}

/// Values for a small object; nothing is written to a large one, nor where HDF5 cannot convert.
template <class Write>
void fill(Choices& choose, hid_t type, hid_t space, const Write& write) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count <= 0 || count > 1000) return;
  if (H5Tget_class(type) == H5T_STRING) {
    if (H5Tis_variable_str(type) <= 0) return;
    std::vector<const char*> values;
    for (hssize_t i = 0; i < count; ++i) values.push_back(choose.of(texts).c_str());
    write(type, values.data());
  } else if (H5Tget_class(type) == H5T_FLOAT || H5Tget_class(type) == H5T_INTEGER) {
    std::vector<double> values;
    for (hssize_t i = 0; i < count; ++i)
      values.push_back(choose.done() ? static_cast<double>(i) : choose.of(numbers));
    write(H5T_NATIVE_DOUBLE, values.data());
  }
}

void replace_dataset(Choices& choose, hid_t file, const std::string& path) {
  H5Ldelete(file, path.c_str(), H5P_DEFAULT);
  const hid_t type = type_of(choose), space = space_of(choose, false),
              creation = H5Pcreate(H5P_DATASET_CREATE);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank > 0 && choose.byte() % 2 == 0) {
    const std::vector<hsize_t> chunk(static_cast<std::size_t>(rank), 1 + choose.byte() % 8U);
    H5Pset_chunk(creation, rank, chunk.data());
    if (choose.byte() % 2 == 0) H5Pset_deflate(creation, 1);
  }
  const hid_t data = H5Dcreate2(file, path.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  if (data >= 0) {
    fill(choose, type, space, [&](hid_t memory, const void* values) {
      H5Dwrite(data, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    });
    H5Dclose(data);
  }
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(type);
}

void replace_attribute(Choices& choose, hid_t file, const std::string& path) {
  const std::string& name = choose.of(attribute_names);
  const hid_t object = H5Oopen(file, path.c_str(), H5P_DEFAULT);
  if (object < 0) return;
  if (H5Aexists(object, name.c_str()) > 0) H5Adelete(object, name.c_str());
  if (choose.byte() % 8 != 0) {
    const hid_t type = type_of(choose),
                space = choose.byte() % 4 == 0 ? space_of(choose, true) : H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) {
      fill(choose, type, space,
           [&](hid_t memory, const void* values) { H5Awrite(attribute, memory, values); });
      H5Aclose(attribute);
    }
    H5Sclose(space);
    H5Tclose(type);
  }
  H5Oclose(object);
}

void change(Choices& choose, hid_t file, const std::vector<std::string>& objects) {
  const std::string &path = choose.of(objects), &other = choose.of(objects);
  if (path == ".") return replace_attribute(choose, file, path);
  switch (choose.byte() % 8) {
    case 0:
      H5Ldelete(file, path.c_str(), H5P_DEFAULT);
      break;
    case 1:  // also upwards, in a circle
      H5Ldelete(file, path.c_str(), H5P_DEFAULT);
      H5Lcreate_hard(file, other.c_str(), file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 2:
      H5Ldelete(file, path.c_str(), H5P_DEFAULT);
      H5Lcreate_soft(("/" + other).c_str(), file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 3:
      H5Ldelete(file, path.c_str(), H5P_DEFAULT);
      H5Gclose(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      break;
    case 4:
      replace_attribute(choose, file, path);
      break;
    default:
      replace_dataset(choose, file, path);
      break;
  }
}

std::string build(Choices choose) {
  const Seed& seed = choose.of(seeds());
  const hid_t file = open_image(seed.image);
  for (int left = choose.byte() % 5; left > 0; --left) change(choose, file, seed.objects);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::string image(static_cast<std::size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
  H5Fget_file_image(file, image.data(), image.size());
  H5Fclose(file);
  return image;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const std::string image = build(Choices(bytes, size));
  if (const char* path = std::getenv("LRID_FUZZ_SAVE")) std::ofstream(path, std::ios::binary) << image;
  lrid::fuzzing::read_anything(reinterpret_cast<const std::uint8_t*>(image.data()), image.size());
  return 0;
}
