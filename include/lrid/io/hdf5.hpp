#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <lrid/io/shape.hpp>

/// The one place that talks to the HDF5 C library. HDF5 never prints anything; every failure is an exception
/// in one line with file and object: InputError while reading, WorkError while writing. Calls may come from
/// any thread (they take turns: the library has one lock).
namespace lrid::io::hdf5 {

/// Enumerations, h5py's booleans among them, count as integers.
enum class Kind { integer, floating, string, other };

class Handle;
class Group;

/// A group or a dataset: a place in a file, with attributes.
/// Element types T: float, double, int16_t, int32_t, int64_t, uint8_t, uint64_t, std::string. Reading
/// converts numbers to T; a float where integers are asked for, an integer that T cannot hold, or a string
/// for a number is an InputError.
class Node {
 public:
  /// "runs/a.h5: /layers/conv1", for messages; the root group is just the file.
  [[nodiscard]] std::string where() const;
  /// Throws InputError "file: object: message".
  [[noreturn]] void fail(std::string_view message) const;
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Last part of the path.
  [[nodiscard]] std::string name() const;

  [[nodiscard]] bool has_attribute(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> attribute_names() const;  ///< in order of name
  [[nodiscard]] Kind attribute_kind(const std::string& name) const;
  template <class T>
  [[nodiscard]] T attribute(const std::string& name) const;
  template <class T>
  [[nodiscard]] T attribute_or(const std::string& name, T otherwise) const {
    return has_attribute(name) ? attribute<T>(name) : otherwise;
  }
  template <class T>
  void set_attribute(const std::string& name, const T& value);
  /// A single value as text, as Dataset::read_texts gives it; nothing for an array or another type.
  [[nodiscard]] std::optional<std::string> attribute_text(const std::string& name) const;
  /// Path of the object that an attribute refers to, in the file that holds this one.
  [[nodiscard]] std::string attribute_target(const std::string& name) const;
  /// The group that an attribute refers to, also where this object was reached through an external link.
  [[nodiscard]] Group attribute_group(const std::string& name) const;

 protected:
  Node(std::shared_ptr<const Handle> handle, std::string file, std::string path)
      : handle_(std::move(handle)), file_(std::move(file)), path_(std::move(path)) {}
  [[nodiscard]] std::int64_t id() const;
  [[nodiscard]] const std::string& file() const { return file_; }
  std::shared_ptr<const Handle> handle_;
  std::string file_, path_;
};

/// A dataset open for reading.
class Dataset : public Node {
 public:
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] int element_bytes() const { return element_bytes_; }
  /// "float32", "int64", "string", "enumeration".
  [[nodiscard]] std::string type_name() const;
  /// Extents of a chunk; empty where the data lie in one piece.
  [[nodiscard]] Shape chunk() const;
  /// The filter that keeps the data from being read since its plug-in is not there, and what to do about it;
  /// empty where there is none.
  [[nodiscard]] std::string unreadable_filter() const;

  /// All elements, row-major.
  template <class T>
  [[nodiscard]] std::vector<T> read() const;
  /// All elements; InputError if the shape is another one (−1 matches any extent).
  template <class T>
  [[nodiscard]] std::vector<T> read(const Shape& expected) const;
  /// The block of `count` elements (per dimension) from `offset` on, row-major.
  template <class T>
  [[nodiscard]] std::vector<T> read_block(const Shape& offset, const Shape& count) const;
  /// All elements as texts: strings as they are, enumerations by their names, numbers by the shortest
  /// decimals that read back in the type they are stored in. InputError for another type.
  [[nodiscard]] std::vector<std::string> read_texts() const;
  /// Whether its elements refer to objects.
  [[nodiscard]] bool holds_references() const;
  /// The groups that its elements refer to, one for each of them.
  [[nodiscard]] std::vector<Group> read_groups() const;
  /// The same numbers into `values`, whose memory is used again.
  template <class T>
  requires std::is_arithmetic_v<T>
  void read_block(const Shape& offset, const Shape& count, std::vector<T>& values) const;

 private:
  friend class Group;
  /// Calls `read(memory_space, read_into)`, where read_into(memory_type, out) reads the block.
  template <class Read>
  void with_block(const Shape& offset, const Shape& count, const Read& read) const;
  /// InputError if a file of this size cannot hold so much, damaged as it must be.
  void require_plausible(std::int64_t elements) const;
  Dataset(std::shared_ptr<const Handle> handle, std::string file, std::string path);
  Shape shape_;
  Kind kind_ = Kind::other;
  int element_bytes_ = 0;
  bool signed_ = false, enumeration_ = false;
  std::shared_ptr<std::set<Shape>> sound_chunks_;  ///< those that were looked at, by all copies of this
};

enum class Storage { plain, compressed };  ///< compressed: gzip and shuffle

class Group : public Node {
 public:
  /// Names of what the group holds, in order of name.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has_group(const std::string& name) const;
  [[nodiscard]] bool has_dataset(const std::string& name) const;
  /// Child by relative path ("meta/layer"), or by absolute path in the file of this group; InputError if it
  /// is missing or of the other kind. Links are followed; for one that leads nowhere already the questions
  /// above are an InputError.
  [[nodiscard]] Group group(const std::string& name) const;
  /// Chunks that a reader comes back to stay in memory within `cache_bytes`, and one of them however large it
  /// is; 0: HDF5's own 1 MB.
  [[nodiscard]] Dataset dataset(const std::string& name, std::size_t cache_bytes = 0) const;

  struct Object {
    std::string path;  ///< relative
    bool is_group;
  };
  /// Lists all objects below in order of name, every one once, through no soft or external link.
  [[nodiscard]] std::vector<Object> objects() const;

  /// A soft or external link, or what lies in a group that one leads to.
  struct Linked {
    std::string path;     ///< relative
    std::string target;   ///< "/a/b", "other.h5:/a/b"; empty for what lies in the group that a link leads to
    std::string same_as;  ///< where `objects`, or this list, has the same object under another path
    enum class Leads { to_group, to_dataset, nowhere } leads;
  };
  /// Lists what `objects` leaves out, in order of name. Does not go into groups that are known by another
  /// path, so there are no circles.
  [[nodiscard]] std::vector<Linked> linked() const;

  /// A new group; groups in between ("checkpoints/3") are made as needed.
  Group create_group(const std::string& name);
  /// A new dataset. Strings are UTF-8 of variable length, numbers little-endian.
  template <class T>
  void write(const std::string& name, std::span<const T> values, const Shape& shape,
             Storage storage = Storage::plain);
  template <class T>
  void write(const std::string& name, const std::vector<T>& values, const Shape& shape,
             Storage storage = Storage::plain) {
    write(name, std::span<const T>(values), shape, storage);
  }
  /// One-dimensional.
  template <class T>
  void write(const std::string& name, const std::vector<T>& values) {
    write(name, std::span<const T>(values), Shape{static_cast<std::int64_t>(values.size())});
  }

 private:
  friend class InputFile;
  friend class OutputFile;
  friend class Node;
  friend class Dataset;
  using Node::Node;
  enum class Child { none, group, dataset, other };
  [[nodiscard]] Child child(const std::string& name) const;
  /// Absolute path of a child; InputError if it is missing or of another kind.
  [[nodiscard]] std::string require_child(const std::string& name, Child expected) const;
};

/// A file open for reading: its root group. InputError if it is missing, truncated, or no HDF5 file.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  [[nodiscard]] const Group& root() const { return root_; }
  /// InputError unless the root attribute `format` is this one and `format_version` is 1.
  void require_format(const std::string& format) const;
  /// The root attribute `format`, "" if there is none.
  [[nodiscard]] std::string format() const;

 private:
  Group root_;
};

/// A file in the making. It lives in memory until `save`, which writes it whole or not at all: a full disk
/// then fails like any other write, where HDF5's own files would be left broken and open. Equal content
/// written in the same order gives equal bytes (no times are stored). `save` needs memory for the file twice.
class OutputFile {
 public:
  /// Sets the root attributes `format` and `format_version` (1).
  explicit OutputFile(const std::string& format);
  [[nodiscard]] Group& root() { return root_; }
  /// The whole file; the object is closed by it.
  [[nodiscard]] std::string bytes() &&;
  void save(const std::filesystem::path& path) &&;

 private:
  std::shared_ptr<const Handle> file_;
  Group root_;
};

}  // namespace lrid::io::hdf5
