#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// The one place that talks to the HDF5 C library. HDF5 never prints anything; every failure is an exception
/// in one line with file and object: InputError while reading, WorkError while writing. Calls may come from
/// any thread (they take turns: the library has one lock).
namespace lrid::io::hdf5 {

using Shape = std::vector<std::int64_t>;

/// "[21, 5, 45]".
std::string to_string(const Shape& shape);
std::int64_t element_count(const Shape& shape);  ///< 2⁶³−1 if it is that or more

enum class Kind { integer, floating, string, other };

/// An open HDF5 object, closed by the last owner.
class Handle {
 public:
  using Close = int (*)(std::int64_t);
  Handle() = default;
  Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  ~Handle();
  [[nodiscard]] std::int64_t id() const { return id_; }

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

/// What groups and datasets have in common: a place in a file, and attributes.
/// Element types T: float, double, int16_t, int32_t, int64_t, uint8_t, std::string. Numbers are converted to
/// T on reading; a float where integers are asked for, or a string for a number, is an InputError.
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
  /// Path of the object that an attribute refers to.
  [[nodiscard]] std::string attribute_target(const std::string& name) const;

 protected:
  Node(std::shared_ptr<const Handle> handle, std::string file, std::string path)
      : handle_(std::move(handle)), file_(std::move(file)), path_(std::move(path)) {}
  [[nodiscard]] std::int64_t id() const { return handle_->id(); }
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
  /// "float32", "int64", "string".
  [[nodiscard]] std::string type_name() const;
  /// Extents of a chunk; empty where the data lie in one piece.
  [[nodiscard]] Shape chunk() const;

  /// All elements, row-major.
  template <class T>
  [[nodiscard]] std::vector<T> read() const;
  /// All elements; InputError if the shape is another one (−1 matches any extent).
  template <class T>
  [[nodiscard]] std::vector<T> read(const Shape& expected) const;
  /// The block of `count` elements (per dimension) from `offset` on, row-major.
  template <class T>
  [[nodiscard]] std::vector<T> read_block(const Shape& offset, const Shape& count) const;
  /// Paths of the objects that its elements refer to.
  [[nodiscard]] std::vector<std::string> read_targets() const;
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
  bool signed_ = false;
};

enum class Storage { plain, compressed };  ///< compressed: gzip and shuffle

class Group : public Node {
 public:
  /// Names of what the group holds, in order of name.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has_group(const std::string& name) const;
  [[nodiscard]] bool has_dataset(const std::string& name) const;
  /// Child by relative path ("meta/layer"); InputError if it is missing or of the other kind. Links are
  /// followed; for one that leads nowhere already the questions above are an InputError.
  [[nodiscard]] Group group(const std::string& name) const;
  /// Chunks that a reader comes back to stay in memory within `cache_bytes`; 0: HDF5's own 1 MB.
  [[nodiscard]] Dataset dataset(const std::string& name, std::size_t cache_bytes = 0) const;

  /// What is below, by relative path in order of name; every object once, through no soft or external link.
  struct Object {
    std::string path;
    bool is_group;
  };
  [[nodiscard]] std::vector<Object> objects() const;

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
  using Node::Node;
  enum class Child { none, group, dataset, other };
  [[nodiscard]] Child child(const std::string& name) const;
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
