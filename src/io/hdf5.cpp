#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <new>
#include <type_traits>

#include <hdf5.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/io/hdf5.hpp>

#include "soundness.hpp"

namespace lrid::io::hdf5 {

static_assert(std::is_same_v<hid_t, std::int64_t>);

namespace {

std::recursive_mutex library_mutex;

/// Held around every call of the C library, which is not thread-safe in every build. Switches off HDF5's own
/// messages, a setting that belongs to the thread.
class Session {
 public:
  Session() : lock_(library_mutex) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

 private:
  std::lock_guard<std::recursive_mutex> lock_;
};

/// The innermost entry of HDF5's error stack: what really went wrong.
std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned depth, const H5E_error2_t* error, void* out) -> herr_t {
        if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
        return 0;
      },
      &reason);
  std::ranges::replace(reason, '\n', ' ');
  return reason.empty() ? "HDF5 gives no reason" : reason;
}

/// Reading: a failed call is bad input.
hid_t readable(hid_t result, const std::string& where, const char* what) {
  if (result < 0) bad_input("{}: cannot read {} ({})", where, what, hdf5_reason());
  return result;
}

/// Writing: a failed call is failed work.
hid_t written(hid_t result, const std::string& where, const char* what) {
  if (result < 0) work_failed("{}: cannot write {} ({})", where, what, hdf5_reason());
  return result;
}

Handle type_handle(hid_t id) {
  return {id, H5Tclose};
}
Handle space_handle(hid_t id) {
  return {id, H5Sclose};
}
Handle properties_handle(hid_t id) {
  return {id, H5Pclose};
}
Handle attribute_handle(hid_t id) {
  return {id, H5Aclose};
}

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int16_t>) return H5T_NATIVE_INT16;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
}

template <class T>
hid_t file_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::is_same_v<T, std::int16_t>) return H5T_STD_I16LE;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_STD_I32LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_STD_U8LE;
}

Handle utf8_type() {
  Handle type = type_handle(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

Kind kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
    case H5T_ENUM:  // h5py's booleans
      return Kind::integer;
    case H5T_FLOAT:
      return Kind::floating;
    case H5T_STRING:
      return Kind::string;
    default:
      return Kind::other;
  }
}

template <class T>
void require_kind(Kind kind, const std::string& where) {
  const char* names[] = {"integers", "floats", "strings", "another type"};
  const char* found = names[static_cast<int>(kind)];
  if constexpr (std::is_same_v<T, std::string>) {
    if (kind != Kind::string) bad_input("{}: holds {}, expected strings", where, found);
  } else if constexpr (std::is_integral_v<T>) {
    if (kind != Kind::integer) bad_input("{}: holds {}, expected integers", where, found);
  } else {
    if (kind != Kind::integer && kind != Kind::floating)
      bad_input("{}: holds {}, expected numbers", where, found);
  }
}

/// Reads the strings of an attribute or dataset, of variable or fixed length, through `read(type, buffer)`.
template <class Read>
std::vector<std::string> read_strings(hid_t object, const std::string& where, hid_t type, hid_t space,
                                      std::size_t count, const Read& read) {
  std::vector<std::string> result;
  result.reserve(count);
  Handle memory = type_handle(H5Tcopy(H5T_C_S1));
  H5Tset_cset(memory.id(), H5Tget_cset(type));
  if (H5Tis_variable_str(type) > 0) {
    require_sound_strings(object, where, count, read);
    H5Tset_size(memory.id(), H5T_VARIABLE);
    std::vector<char*> pointers(count, nullptr);
    read(memory.id(), pointers.data());
    for (const char* pointer : pointers) result.emplace_back(pointer == nullptr ? "" : pointer);
    H5Dvlen_reclaim(memory.id(), space, H5P_DEFAULT, pointers.data());
  } else {
    const std::size_t length = H5Tget_size(type);
    const bool space_padded = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    H5Tset_size(memory.id(), length);
    H5Tset_strpad(memory.id(), H5Tget_strpad(type));
    std::vector<char> buffer(count * length);
    read(memory.id(), buffer.data());
    for (std::size_t i = 0; i < count; ++i) {
      std::string text(buffer.data() + i * length, strnlen(buffer.data() + i * length, length));
      if (space_padded) text.erase(text.find_last_not_of(' ') + 1);
      result.push_back(std::move(text));
    }
  }
  return result;
}

/// Where the object is that a reference leads to.
std::string target_path(hid_t from, const hobj_ref_t& reference, const std::string& where) {
  const ssize_t length = H5Rget_name(from, H5R_OBJECT, &reference, nullptr, 0);
  readable(length, where, "what it refers to");
  std::string path(static_cast<std::size_t>(length), '\0');
  readable(H5Rget_name(from, H5R_OBJECT, &reference, path.data(), path.size() + 1), where,
           "what it refers to");
  if (path.empty()) bad_input("{}: refers to nothing that has a path in the file", where);
  return path;
}

std::string join_path(const std::string& parent, const std::string& name) {
  return parent == "/" ? "/" + name : parent + "/" + name;
}

/// Chunks of at most 1 MiB, cut along the leading dimensions so that a chunk is one run of memory.
std::vector<hsize_t> chunk_shape(const Shape& shape, std::size_t element_bytes) {
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  hsize_t bytes = element_bytes;
  for (const hsize_t extent : chunk) bytes *= extent;
  constexpr hsize_t limit = 1 << 20;
  for (hsize_t& extent : chunk) {
    if (bytes <= limit) break;
    const hsize_t inner = bytes / extent;
    extent = std::max<hsize_t>(1, limit / inner);
    bytes = inner * extent;
  }
  return chunk;
}

}  // namespace

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + (shape[i] < 0 ? std::string("any") : std::to_string(shape[i]));
  return text + "]";
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count)) count = std::numeric_limits<std::int64_t>::max();
  return std::ranges::find(shape, 0) == shape.end() ? count : 0;
}

// --- Handle --------------------------------------------------------------------------------------------

Handle::Handle(Handle&& other) noexcept
    : id_(std::exchange(other.id_, -1)), close_(std::exchange(other.close_, nullptr)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}

Handle::~Handle() {
  if (close_ == nullptr || id_ < 0) return;
  const Session session;
  close_(id_);
}

// --- Node ----------------------------------------------------------------------------------------------

std::string Node::where() const {
  return file_ + ": " + path_;
}

void Node::fail(std::string_view message) const {
  bad_input("{}: {}", where(), message);
}

std::string Node::name() const {
  return path_.substr(path_.rfind('/') + 1);
}

bool Node::has_attribute(const std::string& name) const {
  const Session session;
  return H5Aexists(id(), name.c_str()) > 0;
}

std::vector<std::string> Node::attribute_names() const {
  const Session session;
  std::vector<std::string> result;
  hsize_t position = 0;
  readable(H5Aiterate2(
               id(), H5_INDEX_NAME, H5_ITER_INC, &position,
               [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
                 static_cast<std::vector<std::string>*>(out)->emplace_back(name);
                 return 0;
               },
               &result),
           where(), "its attributes");
  return result;
}

Kind Node::attribute_kind(const std::string& name) const {
  const Session session;
  const Handle attribute =
      attribute_handle(readable(H5Aopen(id(), name.c_str(), H5P_DEFAULT), where(), name.c_str()));
  const Handle type = type_handle(readable(H5Aget_type(attribute.id()), where(), name.c_str()));
  return kind_of(type.id());
}

template <class T>
T Node::attribute(const std::string& name) const {
  const Session session;
  if (!has_attribute(name)) fail("attribute \"" + name + "\" is missing");
  const std::string here = where() + ": attribute \"" + name + "\"";
  const Handle attribute = attribute_handle(readable(H5Aopen(id(), name.c_str(), H5P_DEFAULT), here, "it"));
  const Handle type = type_handle(readable(H5Aget_type(attribute.id()), here, "its type"));
  const Handle space = space_handle(readable(H5Aget_space(attribute.id()), here, "its shape"));
  require_kind<T>(kind_of(type.id()), here);
  if (H5Sget_simple_extent_npoints(space.id()) != 1) bad_input("{}: expected a single value", here);
  const auto read = [&](hid_t memory, void* out) {
    readable(H5Aread(attribute.id(), memory, out), here, "it");
  };
  if constexpr (std::is_same_v<T, std::string>) {
    return read_strings(attribute.id(), here, type.id(), space.id(), 1, read).front();
  } else {
    T value{};
    read(memory_type<T>(), &value);
    return value;
  }
}

template <class T>
void Node::set_attribute(const std::string& name, const T& value) {
  const Session session;
  const std::string here = where() + ": attribute \"" + name + "\"";
  const Handle space = space_handle(H5Screate(H5S_SCALAR));
  const auto create = [&](hid_t type) {
    return attribute_handle(
        written(H5Acreate2(id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), here, "it"));
  };
  if constexpr (std::is_same_v<T, std::string>) {
    const Handle type = utf8_type();
    const Handle attribute = create(type.id());
    const char* pointer = value.c_str();
    written(H5Awrite(attribute.id(), type.id(), &pointer), here, "it");
  } else {
    const Handle attribute = create(file_type<T>());
    written(H5Awrite(attribute.id(), memory_type<T>(), &value), here, "it");
  }
}

std::string Node::attribute_target(const std::string& name) const {
  const Session session;
  if (!has_attribute(name)) fail("attribute \"" + name + "\" is missing");
  const std::string here = where() + ": attribute \"" + name + "\"";
  const Handle attribute = attribute_handle(readable(H5Aopen(id(), name.c_str(), H5P_DEFAULT), here, "it"));
  const Handle type = type_handle(readable(H5Aget_type(attribute.id()), here, "its type"));
  const Handle space = space_handle(readable(H5Aget_space(attribute.id()), here, "its shape"));
  if (H5Tequal(type.id(), H5T_STD_REF_OBJ) <= 0 || H5Sget_simple_extent_npoints(space.id()) != 1)
    bad_input("{}: expected a reference to an object", here);
  hobj_ref_t reference{};
  readable(H5Aread(attribute.id(), type.id(), &reference), here, "it");
  return target_path(id(), reference, here);
}

// --- Dataset -------------------------------------------------------------------------------------------

Dataset::Dataset(std::shared_ptr<const Handle> handle, std::string file, std::string path)
    : Node(std::move(handle), std::move(file), std::move(path)) {
  const Session session;
  const Handle space = space_handle(readable(H5Dget_space(id()), where(), "its shape"));
  const Handle type = type_handle(readable(H5Dget_type(id()), where(), "its type"));
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0) fail("not an array");
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr);
  shape_.assign(extents.begin(), extents.end());
  if (std::ranges::any_of(shape_, [](std::int64_t extent) { return extent < 0; }))
    fail("has an extent of 2^63 or more");
  kind_ = kind_of(type.id());
  const std::size_t bytes = H5Tget_size(type.id());
  if (bytes > std::numeric_limits<int>::max()) fail(fmt::format("has elements of {} bytes", bytes));
  element_bytes_ = static_cast<int>(bytes);
  signed_ = kind_ == Kind::integer && H5Tget_sign(type.id()) == H5T_SGN_2;
}

std::string Dataset::type_name() const {
  const std::string bits = std::to_string(8 * static_cast<std::int64_t>(element_bytes_));
  switch (kind_) {
    case Kind::integer:
      return (signed_ ? "int" : "uint") + bits;
    case Kind::floating:
      return "float" + bits;
    case Kind::string:
      return "string";
    case Kind::other:
      break;
  }
  return "another type";
}

template <class T>
std::vector<T> Dataset::read() const {
  return read_block<T>(Shape(shape_.size(), 0), shape_);
}

template <class T>
std::vector<T> Dataset::read(const Shape& expected) const {
  bool matches = expected.size() == shape_.size();
  for (std::size_t i = 0; matches && i < expected.size(); ++i)
    matches = expected[i] < 0 || expected[i] == shape_[i];
  if (!matches) fail("has shape " + to_string(shape_) + ", expected " + to_string(expected));
  return read<T>();
}

Shape Dataset::chunk() const {
  const Session session;
  const Handle creation =
      properties_handle(readable(H5Dget_create_plist(id()), where(), "how it is laid out"));
  if (H5Pget_layout(creation.id()) != H5D_CHUNKED) return {};
  std::vector<hsize_t> extents(shape_.size());
  readable(H5Pget_chunk(creation.id(), static_cast<int>(extents.size()), extents.data()), where(),
           "its chunks");
  return {extents.begin(), extents.end()};
}

void Dataset::require_plausible(std::int64_t elements) const {
  // Deflate makes at most 1,032 bytes of one, and no layout stores less than that.
  constexpr double most_per_byte = 1032, harmless = 256 << 20;
  const double bytes = static_cast<double>(elements) * element_bytes_;
  if (bytes < harmless) return;
  const Handle file(readable(H5Iget_file_id(id()), where(), "its file"), H5Fclose);
  hsize_t size = 0;
  readable(H5Fget_filesize(file.id(), &size), where(), "its file's size");
  const hsize_t stored = std::min<hsize_t>(size, H5Dget_storage_size(id()));
  if (bytes > most_per_byte * static_cast<double>(stored))
    fail(fmt::format("{} values of {} bytes, but only {} bytes are stored: damaged, or never written",
                     elements, element_bytes_, stored));
}

template <class Read>
void Dataset::with_block(const Shape& offset, const Shape& count, const Read& read) const {
  const Handle space = space_handle(readable(H5Dget_space(id()), where(), "its shape"));
  const std::vector<hsize_t> start(offset.begin(), offset.end()), extent(count.begin(), count.end());
  if (!extent.empty())
    readable(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
             where(), "the block asked for");
  const Handle memory_space =
      space_handle(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  require_plausible(element_count(count));
  require_sound_chunks(id(), where(), offset, count);
  try {
    read(memory_space.id(), [&](hid_t memory, void* out) {
      readable(H5Dread(id(), memory, memory_space.id(), space.id(), H5P_DEFAULT, out), where(), "its data");
    });
  } catch (const std::bad_alloc&) {
    fail("shape " + to_string(count) + " does not fit into memory");
  } catch (const std::length_error&) {
    fail("shape " + to_string(count) + " does not fit into memory");
  }
}

template <class T>
std::vector<T> Dataset::read_block(const Shape& offset, const Shape& count) const {
  std::vector<T> values;
  if constexpr (std::is_same_v<T, std::string>) {
    const Session session;
    require_kind<T>(kind_, where());
    const auto elements = static_cast<std::size_t>(element_count(count));
    if (elements == 0) return values;
    with_block(offset, count, [&](hid_t memory_space, const auto& read_into) {
      const Handle type = type_handle(readable(H5Dget_type(id()), where(), "its type"));
      values = read_strings(id(), where(), type.id(), memory_space, elements, read_into);
    });
  } else {
    read_block(offset, count, values);
  }
  return values;
}

template <class T>
requires std::is_arithmetic_v<T>
void Dataset::read_block(const Shape& offset, const Shape& count, std::vector<T>& values) const {
  const Session session;
  require_kind<T>(kind_, where());
  const auto elements = static_cast<std::size_t>(element_count(count));
  if (elements == 0) return values.clear();
  with_block(offset, count, [&](hid_t, const auto& read_into) {
    values.resize(elements);
    read_into(memory_type<T>(), values.data());
  });
}

std::vector<std::string> Dataset::read_targets() const {
  const Session session;
  const Handle type = type_handle(readable(H5Dget_type(id()), where(), "its type"));
  if (H5Tequal(type.id(), H5T_STD_REF_OBJ) <= 0)
    fail("holds " + type_name() + ", expected references to objects");
  require_plausible(element_count(shape_));
  require_sound_chunks(id(), where(), Shape(shape_.size(), 0), shape_);
  std::vector<hobj_ref_t> references(static_cast<std::size_t>(element_count(shape_)));
  if (!references.empty())
    readable(H5Dread(id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, references.data()), where(), "its data");
  std::map<hobj_ref_t, std::string> known;  // HDF5 searches the whole file for each
  std::vector<std::string> paths;
  for (const hobj_ref_t reference : references) {
    std::string& path = known[reference];
    if (path.empty()) path = target_path(id(), reference, where());
    paths.push_back(path);
  }
  return paths;
}

// --- Group ---------------------------------------------------------------------------------------------

std::vector<std::string> Group::names() const {
  const Session session;
  std::vector<std::string> result;
  hsize_t position = 0;
  readable(H5Literate(
               id(), H5_INDEX_NAME, H5_ITER_INC, &position,
               [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
                 static_cast<std::vector<std::string>*>(out)->emplace_back(name);
                 return 0;
               },
               &result),
           where(), "what it holds");
  return result;
}

Group::Child Group::child(const std::string& name) const {
  const Session session;
  // H5Lexists wants every link on the way to exist.
  for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
    if (H5Lexists(id(), name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return Child::none;
  if (H5Lexists(id(), name.c_str(), H5P_DEFAULT) <= 0) return Child::none;
  H5O_info_t info;
  readable(H5Oget_info_by_name2(id(), name.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT),
           file_ + ": " + join_path(path_, name), "what it links to");
  H5O_info_t here;
  readable(H5Oget_info2(id(), &here, H5O_INFO_BASIC), where(), "it");
  if (info.fileno == here.fileno)  // not through an external link
    require_sound_header(id(), file_ + ": " + join_path(path_, name), info.addr);
  if (info.type == H5O_TYPE_GROUP) return Child::group;
  return info.type == H5O_TYPE_DATASET ? Child::dataset : Child::other;
}

bool Group::has_group(const std::string& name) const {
  return child(name) == Child::group;
}
bool Group::has_dataset(const std::string& name) const {
  return child(name) == Child::dataset;
}

Group Group::group(const std::string& name) const {
  const Session session;
  const std::string path = join_path(path_, name);
  const Child found = child(name);
  if (found == Child::none) bad_input("{}: group {} is missing", file_, path);
  if (found != Child::group) bad_input("{}: {} is no group, expected one", file_, path);
  const hid_t id_of_group =
      readable(H5Gopen2(id(), name.c_str(), H5P_DEFAULT), file_ + ": " + path, "the group");
  return {std::make_shared<const Handle>(id_of_group, H5Gclose), file_, path};
}

std::vector<Group::Object> Group::objects() const {
  const Session session;
  std::vector<Object> result;
  readable(H5Ovisit2(
               id(), H5_INDEX_NAME, H5_ITER_INC,
               [](hid_t, const char* name, const H5O_info_t* info, void* out) -> herr_t {
                 const bool is_group = info->type == H5O_TYPE_GROUP;
                 if (std::strcmp(name, ".") != 0 && (is_group || info->type == H5O_TYPE_DATASET))
                   static_cast<std::vector<Object>*>(out)->push_back({name, is_group});
                 return 0;
               },
               &result, H5O_INFO_BASIC),
           where(), "what it holds");
  return result;
}

Dataset Group::dataset(const std::string& name, std::size_t cache_bytes) const {
  const Session session;
  const std::string path = join_path(path_, name);
  const Child found = child(name);
  if (found == Child::none) bad_input("{}: dataset {} is missing", file_, path);
  if (found != Child::dataset) bad_input("{}: {} is no dataset, expected one", file_, path);
  const Handle access = properties_handle(H5Pcreate(H5P_DATASET_ACCESS));
  if (cache_bytes > 0)
    H5Pset_chunk_cache(access.id(), H5D_CHUNK_CACHE_NSLOTS_DEFAULT, cache_bytes, H5D_CHUNK_CACHE_W0_DEFAULT);
  const hid_t id_of_set =
      readable(H5Dopen2(id(), name.c_str(), access.id()), file_ + ": " + path, "the dataset");
  return {std::make_shared<const Handle>(id_of_set, H5Dclose), file_, path};
}

Group Group::create_group(const std::string& name) {
  const Session session;
  const std::string path = join_path(path_, name);
  const Handle links = properties_handle(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.id(), 1);
  const Handle creation = properties_handle(H5Pcreate(H5P_GROUP_CREATE));
  H5Pset_obj_track_times(creation.id(), false);
  const hid_t id_of_group = written(H5Gcreate2(id(), name.c_str(), links.id(), creation.id(), H5P_DEFAULT),
                                    file_ + ": " + path, "the group");
  return {std::make_shared<const Handle>(id_of_group, H5Gclose), file_, path};
}

template <class T>
void Group::write(const std::string& name, std::span<const T> values, const Shape& shape, Storage storage) {
  const Session session;
  const std::string here = file_ + ": " + join_path(path_, name);
  if (element_count(shape) != static_cast<std::int64_t>(values.size()))
    work_failed("{}: {} values for shape {}", here, values.size(), to_string(shape));

  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const Handle space = space_handle(written(
      H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), here, "its shape"));
  const Handle links = properties_handle(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.id(), 1);
  const Handle creation = properties_handle(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(creation.id(), false);
  if (storage == Storage::compressed && !values.empty()) {
    const std::vector<hsize_t> chunk = chunk_shape(shape, sizeof(T));
    H5Pset_chunk(creation.id(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(creation.id());
    H5Pset_deflate(creation.id(), 4);
  }
  const auto create_and_write = [&](hid_t in_file, hid_t in_memory, const void* data) {
    const Handle set(
        written(H5Dcreate2(id(), name.c_str(), in_file, space.id(), links.id(), creation.id(), H5P_DEFAULT),
                here, "the dataset"),
        H5Dclose);
    if (!values.empty())
      written(H5Dwrite(set.id(), in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), here, "its data");
  };
  if constexpr (std::is_same_v<T, std::string>) {
    const Handle type = utf8_type();
    std::vector<const char*> pointers;
    pointers.reserve(values.size());
    for (const std::string& text : values) pointers.push_back(text.c_str());
    create_and_write(type.id(), type.id(), pointers.data());
  } else {
    create_and_write(file_type<T>(), memory_type<T>(), values.data());
  }
}

// --- Files ---------------------------------------------------------------------------------------------

namespace {

Handle open_file(const std::filesystem::path& path) {
  const std::string name = path.string();
  require_input_file(path, "an HDF5 file");
  const Session session;
  const Handle access = properties_handle(H5Pcreate(H5P_FILE_ACCESS));
  // Files are complete once they have their name, so nobody needs the locks that network folders often lack.
  H5Pset_file_locking(access.id(), false, true);
  const hid_t id = H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0)
    bad_input("{}: not an HDF5 file, or damaged ({}); expected one that lrid or h5py wrote", name,
              hdf5_reason());
  return {id, H5Fclose};
}

std::shared_ptr<const Handle> create_in_memory() {
  const Session session;
  const Handle access = properties_handle(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access.id(), 1 << 20, false);
  const Handle creation = properties_handle(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_obj_track_times(creation.id(), false);
  static int count = 0;  // HDF5 tells open files apart by name; the name is not part of the file
  const std::string name = "lrid-" + std::to_string(count++);
  return std::make_shared<const Handle>(
      written(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), "a file in memory", "it"),
      H5Fclose);
}

std::shared_ptr<const Handle> open_root(const Handle& file, const std::string& name) {
  const Session session;
  auto root = std::make_shared<const Handle>(
      readable(H5Gopen2(file.id(), "/", H5P_DEFAULT), name, "its root group"), H5Gclose);
  H5O_info_t info;
  readable(H5Oget_info2(root->id(), &info, H5O_INFO_BASIC), name, "its root group");
  require_sound_header(root->id(), name, info.addr);
  return root;
}

}  // namespace

// The root group keeps the file open (HDF5 closes a file with its last object).
InputFile::InputFile(const std::filesystem::path& path)
    : root_(open_root(open_file(path), path.string()), path.string(), "/") {}

std::string InputFile::format() const {
  if (!root_.has_attribute("format") || root_.attribute_kind("format") != Kind::string) return "";
  return root_.attribute<std::string>("format");
}

void InputFile::require_format(const std::string& format) const {
  const std::string found = this->format();
  if (found != format)
    root_.fail(found.empty() ? "attribute \"format\" is missing, expected \"" + format + "\""
                             : "format is \"" + found + "\", expected \"" + format + "\"");
  const auto version = root_.attribute_or<std::int64_t>("format_version", 1);
  if (version != 1)
    root_.fail("format_version is " + std::to_string(version) + ", this program knows version 1");
}

OutputFile::OutputFile(const std::string& format)
    : file_(create_in_memory()), root_(open_root(*file_, "new file"), "new file", "/") {
  root_.set_attribute("format", format);
  root_.set_attribute<std::int64_t>("format_version", 1);
}

std::string OutputFile::bytes() && {
  const Session session;
  written(H5Fflush(file_->id(), H5F_SCOPE_GLOBAL), "new file", "it");
  const ssize_t size = H5Fget_file_image(file_->id(), nullptr, 0);
  written(size, "new file", "its bytes");
  std::string image(static_cast<std::size_t>(size), '\0');
  written(H5Fget_file_image(file_->id(), image.data(), image.size()), "new file", "its bytes");
  root_.handle_.reset();
  file_.reset();
  return image;
}

void OutputFile::save(const std::filesystem::path& path) && {
  write_atomically(path, std::move(*this).bytes());
}

// --- Element types -------------------------------------------------------------------------------------

#define LRID_HDF5_ATTRIBUTE(T)                             \
  template T Node::attribute<T>(const std::string&) const; \
  template void Node::set_attribute<T>(const std::string&, const T&);
#define LRID_HDF5_NUMBER(T)                                                                \
  template void Dataset::read_block<T>(const Shape&, const Shape&, std::vector<T>&) const; \
  LRID_HDF5_ELEMENT(T)
#define LRID_HDF5_ELEMENT(T)                                                        \
  LRID_HDF5_ATTRIBUTE(T)                                                            \
  template std::vector<T> Dataset::read<T>() const;                                 \
  template std::vector<T> Dataset::read<T>(const Shape&) const;                     \
  template std::vector<T> Dataset::read_block<T>(const Shape&, const Shape&) const; \
  template void Group::write<T>(const std::string&, std::span<const T>, const Shape&, Storage);
LRID_HDF5_NUMBER(float)
LRID_HDF5_NUMBER(double)
LRID_HDF5_NUMBER(std::int16_t)
LRID_HDF5_NUMBER(std::int32_t)
LRID_HDF5_NUMBER(std::int64_t)
LRID_HDF5_NUMBER(std::uint8_t)
LRID_HDF5_ELEMENT(std::string)

}  // namespace lrid::io::hdf5
