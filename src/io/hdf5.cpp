#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <new>
#include <set>
#include <type_traits>

#include <hdf5.h>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/io/hdf5.hpp>
#include <lrid/io/linked_files.hpp>

#include "filters.hpp"
#include "handle.hpp"
#include "soundness.hpp"

namespace lrid::io::hdf5 {

namespace {

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int16_t>) return H5T_NATIVE_INT16;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
}

/// Numbers are little-endian in our files.
template <class T>
Handle file_type() {
  Handle type = type_handle(H5Tcopy(memory_type<T>()));
  H5Tset_order(type.id(), H5T_ORDER_LE);
  return type;
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
    case H5T_ENUM:
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

/// How finely a type of floating point tells numbers apart.
struct Precision {
  int mantissa_bits = 52;
  int least_exponent = -1022;  ///< of normal numbers, base 2
};

/// The shortest text that reads back as `value`, a float that stands for a number of less precision: half,
/// bfloat16.
std::string short_text(float value, const Precision& precision) {
  if (precision.mantissa_bits >= 23 || !std::isfinite(value)) return fmt::format("{}", value);
  const double half_step =
      std::ldexp(0.5, std::max(std::ilogb(value), precision.least_exponent) - precision.mantissa_bits);
  for (int digits = 1; digits < 9; ++digits) {
    const std::string text = fmt::format("{:.{}g}", value, digits);
    if (const auto number = parse_number<double>(text);
        number && std::abs(*number - static_cast<double>(value)) < half_step)
      return text;
  }
  return fmt::format("{}", value);
}

template <class T, class Read>
std::vector<std::string> number_texts(std::size_t count, const Read& read, const Precision& precision = {}) {
  std::vector<T> values(count);
  read(memory_type<T>(), values.data());
  std::vector<std::string> texts;
  texts.reserve(count);
  for (const T value : values) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(value) || value == 0)  // −0 is 0
        texts.emplace_back(value == 0 ? "0" : "nan");
      else if constexpr (std::is_same_v<T, float>)
        texts.push_back(short_text(value, precision));
      else
        texts.push_back(fmt::format("{}", value));
    } else
      texts.push_back(std::to_string(value));
  }
  return texts;
}

/// Names of enumerated values; the number of a value that has none.
template <class Read>
std::vector<std::string> enumeration_texts(hid_t type, std::size_t count, const Read& read) {
  std::vector<std::string> texts = number_texts<std::int64_t>(count, read);
  std::map<std::string, std::string> names;
  for (int i = 0; i < H5Tget_nmembers(type); ++i) {
    const auto member = static_cast<unsigned>(i);
    std::vector<unsigned char> value(std::max(H5Tget_size(type), sizeof(std::int64_t)));
    char* const name = H5Tget_member_name(type, member);
    const Handle base = type_handle(H5Tget_super(type));
    if (name != nullptr && H5Tget_member_value(type, member, value.data()) >= 0 &&
        H5Tconvert(base.id(), H5T_NATIVE_INT64, 1, value.data(), nullptr, H5P_DEFAULT) >= 0) {
      std::int64_t number = 0;
      std::memcpy(&number, value.data(), sizeof number);
      names.emplace(std::to_string(number), name);
    }
    H5free_memory(name);
  }
  for (std::string& text : texts)
    if (const auto name = names.find(text); name != names.end()) text = name->second;
  return texts;
}

/// See Dataset::read_texts; for all types but strings.
template <class Read>
std::vector<std::string> value_texts(hid_t type, std::size_t count, const Read& read) {
  if (H5Tget_class(type) == H5T_ENUM) return enumeration_texts(type, count, read);
  if (H5Tget_class(type) == H5T_FLOAT) {
    std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
    H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits);
    if (mantissa_bits > 23 || exponent_bits > 8) return number_texts<double>(count, read);
    return number_texts<float>(count, read,
                               {.mantissa_bits = static_cast<int>(mantissa_bits),
                                .least_exponent = 1 - static_cast<int>(H5Tget_ebias(type))});
  }
  return H5Tget_sign(type) == H5T_SGN_NONE ? number_texts<std::uint64_t>(count, read)
                                           : number_texts<std::int64_t>(count, read);
}

/// Path of the object that a reference leads to, in its file.
std::string target_path(hid_t from, const hobj_ref_t& reference, const std::string& where) {
  const ssize_t length = H5Rget_name(from, H5R_OBJECT, &reference, nullptr, 0);
  readable(length, where, "what it refers to");
  std::string path(static_cast<std::size_t>(length), '\0');
  readable(H5Rget_name(from, H5R_OBJECT, &reference, path.data(), path.size() + 1), where,
           "what it refers to");
  if (path.empty()) bad_input("{}: refers to nothing that has a path in the file", where);
  return path;
}

/// The group that a reference leads to; `from` is any object of its file.
std::shared_ptr<const Handle> open_target(hid_t from, const hobj_ref_t& reference, const std::string& where) {
  require_sound_header(from, where, reference);
  const hid_t target =
      readable(H5Rdereference2(from, H5P_DEFAULT, H5R_OBJECT, &reference), where, "what it refers to");
  auto group = std::make_shared<const Handle>(target, H5Oclose);
  if (H5Iget_type(target) != H5I_GROUP) bad_input("{}: refers to no group, expected one", where);
  return group;
}

std::string join_path(const std::string& parent, const std::string& name) {
  if (name.starts_with('/')) return name;
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

/// Files are complete once they have their name, so no reader needs the locks that network folders often
/// lack.
Handle unlocked_file_access() {
  Handle access = properties_handle(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_file_locking(access.id(), false, true);
  return access;
}

/// Files that this process reads through others. Guarded by a Session.
std::set<std::filesystem::path>& files_behind_links() {
  static std::set<std::filesystem::path> files;
  return files;
}

/// Where HDF5 looks for a file that `parent` names; `prefixes` is the environment's variable for more places.
std::vector<std::filesystem::path> places_of(const std::filesystem::path& name, const std::string& parent,
                                             const char* prefixes) {
  const std::filesystem::path folder = std::filesystem::path(parent).parent_path();
  std::vector<std::filesystem::path> places{name, folder / name, folder / name.filename()};
  if (const char* const set = std::getenv(prefixes); set != nullptr)
    for (const std::string& prefix : split(set, ':')) places.push_back(std::filesystem::path(prefix) / name);
  return places;
}

/// Notes a file that is about to be read through another one; false if reading it could wait forever, as a
/// pipe's would, or fails anyway.
bool note_file_behind_link(const std::vector<std::filesystem::path>& places) {
  for (const std::filesystem::path& place : places) try {
      if (type_of(place) == std::filesystem::file_type::not_found) continue;
      require_input_file(place);
      files_behind_links().insert(std::filesystem::absolute(place));
    } catch (const std::exception&) {
      return false;
    }
  return true;
}

/// For reading links, or objects through them; files behind external links are opened as the first one is.
Handle link_access(hid_t access_class) {
  Handle access = properties_handle(H5Pcreate(access_class));
  H5Pset_elink_fapl(access.id(), unlocked_file_access().id());
  const auto look = [](const char* parent, const char*, const char* file, const char*, unsigned*, hid_t,
                       void*) -> herr_t {
    return note_file_behind_link(places_of(file, parent, "HDF5_EXT_PREFIX")) ? 0 : -1;
  };
  H5Pset_elink_cb(access.id(), look, nullptr);
  return access;
}

/// For links that make the groups on their way.
Handle link_creation() {
  Handle links = properties_handle(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.id(), 1);
  return links;
}

/// Of objects without times, so that equal content gives equal bytes.
Handle object_creation(hid_t object_class) {
  Handle creation = properties_handle(H5Pcreate(object_class));
  H5Pset_obj_track_times(creation.id(), false);
  return creation;
}

/// An attribute open for reading.
struct Attribute {
  std::string where;
  Handle handle, type, space;

  Attribute(hid_t object, const std::string& object_name, const std::string& name)
      : where(object_name + ": attribute \"" + name + "\"") {
    if (H5Aexists(object, name.c_str()) <= 0) bad_input("{}: attribute \"{}\" is missing", object_name, name);
    handle = attribute_handle(readable(H5Aopen(object, name.c_str(), H5P_DEFAULT), where, "it"));
    type = type_handle(readable(H5Aget_type(handle.id()), where, "its type"));
    space = space_handle(readable(H5Aget_space(handle.id()), where, "its shape"));
  }
  [[nodiscard]] bool is_single() const { return H5Sget_simple_extent_npoints(space.id()) == 1; }
  void read(hid_t memory, void* out) const { readable(H5Aread(handle.id(), memory, out), where, "it"); }
  [[nodiscard]] auto reader() const {
    return [this](hid_t memory, void* out) { read(memory, out); };
  }
  [[nodiscard]] std::string text() const {
    return read_strings(handle.id(), where, type.id(), space.id(), 1, reader()).front();
  }
  /// An integer that T holds.
  template <class T>
  [[nodiscard]] T integer() const {
    const auto as = [&]<class Wide>(Wide value) {
      read(memory_type<Wide>(), &value);
      if (!std::in_range<T>(value)) bad_input("{}: {} is out of range", where, value);
      return static_cast<T>(value);
    };
    return H5Tget_sign(type.id()) == H5T_SGN_NONE ? as(std::uint64_t{}) : as(std::int64_t{});
  }
  /// The object that it refers to.
  [[nodiscard]] hobj_ref_t reference() const {
    if (H5Tequal(type.id(), H5T_STD_REF_OBJ) <= 0 || !is_single())
      bad_input("{}: expected a reference to an object", where);
    hobj_ref_t reference{};
    read(type.id(), &reference);
    return reference;
  }
};

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

// --- Node ----------------------------------------------------------------------------------------------

std::int64_t Node::id() const {
  return handle_->id();
}

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
  return kind_of(Attribute(id(), where(), name).type.id());
}

template <class T>
T Node::attribute(const std::string& name) const {
  const Session session;
  const Attribute attribute(id(), where(), name);
  require_kind<T>(kind_of(attribute.type.id()), attribute.where);
  if (!attribute.is_single()) bad_input("{}: expected a single value", attribute.where);
  if constexpr (std::is_same_v<T, std::string>) {
    return attribute.text();
  } else if constexpr (std::is_integral_v<T>) {
    return attribute.integer<T>();
  } else {
    T value{};
    attribute.read(memory_type<T>(), &value);
    return value;
  }
}

std::optional<std::string> Node::attribute_text(const std::string& name) const {
  const Session session;
  const Attribute attribute(id(), where(), name);
  const Kind kind = kind_of(attribute.type.id());
  if (kind == Kind::other || !attribute.is_single()) return std::nullopt;
  if (kind == Kind::string) return attribute.text();
  return value_texts(attribute.type.id(), 1, attribute.reader()).front();
}

template <class T>
void Node::set_attribute(const std::string& name, const T& value) {
  const Session session;
  const std::string here = where() + ": attribute \"" + name + "\"";
  const Handle space = space_handle(H5Screate(H5S_SCALAR));
  if (H5Aexists(id(), name.c_str()) > 0) written(H5Adelete(id(), name.c_str()), here, "it");
  const auto write = [&](const Handle& in_file, hid_t in_memory, const void* data) {
    const Handle attribute = attribute_handle(written(
        H5Acreate2(id(), name.c_str(), in_file.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), here, "it"));
    written(H5Awrite(attribute.id(), in_memory, data), here, "it");
  };
  if constexpr (std::is_same_v<T, std::string>) {
    const Handle type = utf8_type();
    const char* pointer = value.c_str();
    write(type, type.id(), &pointer);
  } else {
    write(file_type<T>(), memory_type<T>(), &value);
  }
}

std::string Node::attribute_target(const std::string& name) const {
  const Session session;
  const Attribute attribute(id(), where(), name);
  return target_path(id(), attribute.reference(), attribute.where);
}

Group Node::attribute_group(const std::string& name) const {
  const Session session;
  const Attribute attribute(id(), where(), name);
  const hobj_ref_t reference = attribute.reference();
  return {open_target(id(), reference, attribute.where), file_,
          target_path(id(), reference, attribute.where)};
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
  enumeration_ = H5Tget_class(type.id()) == H5T_ENUM;
  signed_ = kind_ == Kind::integer && !enumeration_ && H5Tget_sign(type.id()) == H5T_SGN_2;
  sound_chunks_ = std::make_shared<SoundChunks>();
}

std::string Dataset::type_name() const {
  if (enumeration_) return "enumeration";
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

std::string Dataset::unreadable_filter() const {
  const Session session;
  const Handle creation =
      properties_handle(readable(H5Dget_create_plist(id()), where(), "how it is laid out"));
  const std::string filter = missing_filter(creation.id());
  return filter.empty() ? filter : "stored with " + filter + ", which this HDF5 lacks: " + filter_remedy();
}

void Dataset::require_plausible(std::int64_t elements) const {
  // Deflate makes at most 1,032 bytes of one, and no layout stores less than that.
  constexpr double most_per_byte = 1032, harmless = 256 << 20;
  const double bytes = static_cast<double>(elements) * element_bytes_;
  if (bytes < harmless) return;
  const Handle file = file_handle(readable(H5Iget_file_id(id()), where(), "its file"));
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
  // HDF5 would put the nearest integer that the type in memory holds.
  bool out_of_range = false;
  const auto refuse = [](H5T_conv_except_t exception, hid_t, hid_t to, void*, void*, void* out) {
    if (exception != H5T_CONV_EXCEPT_RANGE_HI && exception != H5T_CONV_EXCEPT_RANGE_LOW)
      return H5T_CONV_UNHANDLED;
    if (H5Tget_class(to) != H5T_INTEGER) return H5T_CONV_UNHANDLED;
    *static_cast<bool*>(out) = true;
    return H5T_CONV_ABORT;
  };
  const Handle transfer = properties_handle(H5Pcreate(H5P_DATASET_XFER));
  H5Pset_type_conv_cb(transfer.id(), refuse, &out_of_range);
  require_plausible(element_count(count));
  require_sound_chunks(id(), where(), offset, count, *sound_chunks_);
  try {
    read(memory_space.id(), [&](hid_t memory, void* out) {
      if (H5Dread(id(), memory, memory_space.id(), space.id(), transfer.id(), out) >= 0) return;
      if (out_of_range)
        fail(fmt::format("holds {} values out of range, expected {} {} bytes", type_name(),
                         H5Tget_sign(memory) == H5T_SGN_NONE ? "unsigned integers of" : "integers of",
                         H5Tget_size(memory)));
      const std::string reason = library_reason(), filter = unreadable_filter();
      fail(filter.empty() ? "cannot read its data (" + reason + ")" : filter);
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

std::vector<std::string> Dataset::read_texts() const {
  if (kind_ == Kind::string) return read<std::string>();
  if (kind_ == Kind::other) fail("holds " + type_name() + ", expected texts or numbers");
  const Session session;
  const auto elements = static_cast<std::size_t>(element_count(shape_));
  std::vector<std::string> texts;
  if (elements == 0) return texts;
  with_block(Shape(shape_.size(), 0), shape_, [&](hid_t, const auto& read_into) {
    const Handle type = type_handle(readable(H5Dget_type(id()), where(), "its type"));
    texts = value_texts(type.id(), elements, read_into);
  });
  return texts;
}

bool Dataset::holds_references() const {
  const Session session;
  const Handle type = type_handle(readable(H5Dget_type(id()), where(), "its type"));
  return H5Tequal(type.id(), H5T_STD_REF_OBJ) > 0;
}

std::vector<Group> Dataset::read_groups() const {
  const Session session;
  if (!holds_references()) fail("holds " + type_name() + ", expected references to objects");
  std::vector<Group> groups;
  const auto elements = static_cast<std::size_t>(element_count(shape_));
  if (elements == 0) return groups;
  with_block(Shape(shape_.size(), 0), shape_, [&](hid_t, const auto& read_into) {
    std::vector<hobj_ref_t> references(elements);
    read_into(H5T_STD_REF_OBJ, references.data());
    std::map<hobj_ref_t, Group> known;  // HDF5 searches the whole file for the path of each
    for (const hobj_ref_t reference : references) {
      auto found = known.find(reference);
      if (found == known.end())
        found = known
                    .emplace(reference, Group(open_target(id(), reference, where()), file_,
                                              target_path(id(), reference, where())))
                    .first;
      groups.push_back(found->second);
    }
  });
  return groups;
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
  const Handle access = link_access(H5P_LINK_ACCESS);
  // H5Lexists wants every link on the way to exist.
  for (std::size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1))
    if (H5Lexists(id(), name.substr(0, slash).c_str(), access.id()) <= 0) return Child::none;
  if (H5Lexists(id(), name.c_str(), access.id()) <= 0) return Child::none;
  const std::string here = file_ + ": " + join_path(path_, name);
  H5O_info_t info, own;
  readable(H5Oget_info_by_name2(id(), name.c_str(), &info, H5O_INFO_BASIC, access.id()), here,
           "what it links to");
  readable(H5Oget_info2(id(), &own, H5O_INFO_BASIC), where(), "it");
  if (info.fileno == own.fileno) require_sound_header(id(), here, info.addr);  // not behind an external link
  if (info.type == H5O_TYPE_GROUP) return Child::group;
  return info.type == H5O_TYPE_DATASET ? Child::dataset : Child::other;
}

std::string Group::require_child(const std::string& name, Child expected) const {
  const std::string path = join_path(path_, name);
  const char* const noun = expected == Child::group ? "group" : "dataset";
  const Child found = child(name);
  if (found == Child::none) bad_input("{}: {} {} is missing", file_, noun, path);
  if (found != expected) bad_input("{}: {} is no {}, expected one", file_, path, noun);
  return path;
}

bool Group::has_group(const std::string& name) const {
  return child(name) == Child::group;
}
bool Group::has_dataset(const std::string& name) const {
  return child(name) == Child::dataset;
}

Group Group::group(const std::string& name) const {
  const Session session;
  const std::string path = require_child(name, Child::group);
  const Handle access = link_access(H5P_GROUP_ACCESS);
  const hid_t opened = readable(H5Gopen2(id(), name.c_str(), access.id()), file_ + ": " + path, "the group");
  return {std::make_shared<const Handle>(opened, H5Gclose), file_, path};
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

namespace {

/// Tells objects apart: the number of the open file, and the address in it.
using Identity = std::pair<unsigned long, haddr_t>;

/// Collects what links lead to. See Group::linked.
class LinkFollower {
 public:
  LinkFollower(hid_t root, std::string file) : root_(root), file_(std::move(file)) {
    H5O_info_t info;
    readable(H5Oget_info2(root, &info, H5O_INFO_BASIC), file_, "its links");
    known_.emplace(Identity(info.fileno, info.addr), "");
    file_number_ = info.fileno;
    add_members("");
  }

  std::vector<Group::Linked> follow() {
    for (std::size_t g = 0; g < groups_.size(); ++g)
      for (const std::string& name : links_in(groups_[g]))
        follow_link(groups_[g].empty() ? name : groups_[g] + "/" + name);
    std::ranges::sort(found_, {}, &Group::Linked::path);
    return std::move(found_);
  }

 private:
  using Leads = Group::Linked::Leads;

  /// Adds a group and all that lies in it through hard links.
  void add_members(const std::string& group) {
    groups_.push_back(group);
    struct Visit {
      LinkFollower& self;
      const std::string& group;
    } visit{*this, group};
    H5Ovisit_by_name2(
        root_, group.empty() ? "." : group.c_str(), H5_INDEX_NAME, H5_ITER_INC,
        [](hid_t, const char* name, const H5O_info_t* info, void* out) -> herr_t {
          auto& [self, within] = *static_cast<Visit*>(out);
          if (std::strcmp(name, ".") == 0) return 0;
          const std::string path = within.empty() ? name : within + "/" + name;
          const auto [same, is_new] = self.known_.emplace(Identity(info->fileno, info->addr), path);
          const bool is_group = info->type == H5O_TYPE_GROUP;
          if (is_new && is_group) self.groups_.push_back(path);
          if (!within.empty() && (is_group || info->type == H5O_TYPE_DATASET))
            self.found_.push_back(
                {path, "", is_new ? "" : same->second, is_group ? Leads::to_group : Leads::to_dataset});
          return 0;
        },
        &visit, H5O_INFO_BASIC, access_.id());
  }

  [[nodiscard]] std::vector<std::string> links_in(const std::string& group) const {
    std::vector<std::string> names;
    hsize_t position = 0;
    H5Literate_by_name(
        root_, group.empty() ? "." : group.c_str(), H5_INDEX_NAME, H5_ITER_INC, &position,
        [](hid_t, const char* name, const H5L_info_t* info, void* out) -> herr_t {
          if (info->type == H5L_TYPE_SOFT || info->type == H5L_TYPE_EXTERNAL)
            static_cast<std::vector<std::string>*>(out)->emplace_back(name);
          return 0;
        },
        &names, access_.id());
    return names;
  }

  void follow_link(const std::string& path) {
    Group::Linked& link = found_.emplace_back(Group::Linked{path, target_of(path), "", Leads::nowhere});
    H5O_info_t info;
    if (H5Oget_info_by_name2(root_, path.c_str(), &info, H5O_INFO_BASIC, access_.id()) < 0) return;
    if (info.fileno == file_number_) require_sound_header(root_, file_ + ": /" + path, info.addr);
    const hid_t opened = H5Oopen(root_, path.c_str(), access_.id());
    if (opened < 0) return;
    open_.emplace_back(opened, H5Oclose);  // its file gets another number if it is opened again
    if (H5Oget_info2(opened, &info, H5O_INFO_BASIC) < 0) return;
    if (info.type != H5O_TYPE_GROUP && info.type != H5O_TYPE_DATASET) return;
    link.leads = info.type == H5O_TYPE_GROUP ? Leads::to_group : Leads::to_dataset;
    const auto [same, is_new] = known_.emplace(Identity(info.fileno, info.addr), path);
    if (!is_new)
      link.same_as = same->second.empty() ? "/" : same->second;
    else if (link.leads == Leads::to_group)
      add_members(path);
  }

  [[nodiscard]] std::string target_of(const std::string& path) const {
    H5L_info_t info;
    if (H5Lget_info(root_, path.c_str(), &info, access_.id()) < 0) return "?";
    std::vector<char> value(info.u.val_size + 1, '\0');
    if (H5Lget_val(root_, path.c_str(), value.data(), info.u.val_size, access_.id()) < 0) return "?";
    if (info.type == H5L_TYPE_SOFT) return value.data();
    const char *file = nullptr, *object = nullptr;
    unsigned flags = 0;
    if (H5Lunpack_elink_val(value.data(), info.u.val_size, &flags, &file, &object) < 0) return "?";
    return std::string(file) + ":" + object;
  }

  hid_t root_;
  Handle access_ = link_access(H5P_LINK_ACCESS);
  std::string file_;
  unsigned long file_number_ = 0;
  std::vector<std::string> groups_;        ///< still to be looked through for links
  std::map<Identity, std::string> known_;  ///< path
  std::vector<Handle> open_;
  std::vector<Group::Linked> found_;
};

}  // namespace

std::vector<Group::Linked> Group::linked() const {
  const Session session;
  return LinkFollower(id(), file_).follow();
}

namespace {

/// Slots of a cache for `chunks`: with a prime number of them, those of a row or a column don't share any.
std::size_t slots_for(std::size_t chunks) {
  const auto is_prime = [](std::size_t n) {
    for (std::size_t d = 2; d * d <= n; ++d)
      if (n % d == 0) return false;
    return true;
  };
  std::size_t slots = std::max<std::size_t>(521, 10 * chunks + 1);  // HDF5's own number at least
  while (!is_prime(slots)) ++slots;
  return slots;
}

}  // namespace

/// Looks at the files that a dataset without chunks may have its values in.
void require_readable_storage(hid_t dataset, const std::string& file, const std::string& where) {
  const Handle creation =
      properties_handle(readable(H5Dget_create_plist(dataset), where, "how it is laid out"));
  for (int i = 0; i < H5Pget_external_count(creation.id()); ++i) {
    std::vector<char> name(PATH_MAX + 1, '\0');
    off_t offset = 0;
    hsize_t size = 0;
    readable(H5Pget_external(creation.id(), static_cast<unsigned>(i), PATH_MAX, name.data(), &offset, &size),
             where, "where its values are");
    if (!note_file_behind_link(places_of(name.data(), file, "HDF5_EXTFILE_PREFIX")))
      bad_input("{}: has its values in {}, which cannot be read, expected a file", where, name.data());
  }
}

Dataset Group::dataset(const std::string& name, std::size_t cache_bytes) const {
  const Session session;
  const std::string path = require_child(name, Child::dataset);
  const auto open = [&](const Handle& access) {
    const hid_t opened =
        readable(H5Dopen2(id(), name.c_str(), access.id()), file_ + ": " + path, "the dataset");
    Dataset dataset(std::make_shared<const Handle>(opened, H5Dclose), file_, path);
    require_readable_storage(opened, file_, dataset.where());
    return dataset;
  };
  const Handle access = link_access(H5P_DATASET_ACCESS);
  if (cache_bytes == 0) return open(access);
  // The cache is settled by whoever opens a dataset first, the size of its chunks is known only then.
  const std::int64_t chunk_bytes = [&] {
    const Dataset dataset = open(access);
    const Shape chunk = dataset.chunk();
    return chunk.empty() ? 0 : element_count(chunk) * dataset.element_bytes();
  }();
  if (chunk_bytes > 0) {
    cache_bytes = std::max(cache_bytes, static_cast<std::size_t>(chunk_bytes));
    H5Pset_chunk_cache(access.id(), slots_for(cache_bytes / static_cast<std::size_t>(chunk_bytes)),
                       cache_bytes, H5D_CHUNK_CACHE_W0_DEFAULT);
  }
  return open(access);
}

Group Group::create_group(const std::string& name) {
  const Session session;
  const std::string path = join_path(path_, name);
  const Handle links = link_creation(), creation = object_creation(H5P_GROUP_CREATE);
  const hid_t created = written(H5Gcreate2(id(), name.c_str(), links.id(), creation.id(), H5P_DEFAULT),
                                file_ + ": " + path, "the group");
  return {std::make_shared<const Handle>(created, H5Gclose), file_, path};
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
  const Handle links = link_creation(), creation = object_creation(H5P_DATASET_CREATE);
  if (storage == Storage::compressed && !values.empty()) {
    const std::vector<hsize_t> chunk = chunk_shape(shape, sizeof(T));
    H5Pset_chunk(creation.id(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(creation.id());
    H5Pset_deflate(creation.id(), 4);
  }
  const auto create_and_write = [&](const Handle& in_file, hid_t in_memory, const void* data) {
    const Handle set(written(H5Dcreate2(id(), name.c_str(), in_file.id(), space.id(), links.id(),
                                        creation.id(), H5P_DEFAULT),
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
    create_and_write(type, type.id(), pointers.data());
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
  const Handle access = unlocked_file_access();
  const hid_t id = H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0)
    bad_input("{}: not an HDF5 file, or damaged ({}); expected one that lrid or h5py wrote", name,
              library_reason());
  return {id, H5Fclose};
}

std::shared_ptr<const Handle> create_in_memory() {
  const Session session;
  const Handle access = properties_handle(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access.id(), 1 << 20, false);
  const Handle creation = object_creation(H5P_FILE_CREATE);
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

void require_not_read_through_links(const std::filesystem::path& out) {
  const Session session;
  for (const std::filesystem::path& file : files_behind_links())
    if (same_file(out, file))
      bad_input("{}: is {}, which an input links to: expected another file", out.string(), file.string());
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
  require_not_read_through_links(path);
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
LRID_HDF5_NUMBER(std::uint64_t)
LRID_HDF5_ELEMENT(std::string)

}  // namespace lrid::io::hdf5
