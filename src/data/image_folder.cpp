#include "image_folder.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/index.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/text.hpp>
#include <lrid/data/folder.hpp>
#include <lrid/data/image.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

/// Whether a file begins and ends as a whole JPEG or PNG does.
bool looks_whole(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;  // opening a pipe could take forever
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file ? static_cast<std::int64_t>(file.tellg()) : 0;
  if (size < 16) return false;
  const auto read = [&](std::int64_t from, std::int64_t count) {
    std::string bytes(to_size(count), '\0');
    file.seekg(from);
    file.read(bytes.data(), count);
    return file ? bytes : std::string();
  };
  const std::int64_t tail = std::min<std::int64_t>(size, 256);
  const std::string start = read(0, 8), end = read(size - tail, tail);
  if (start.starts_with("\xFF\xD8\xFF")) return end.find("\xFF\xD9") != std::string::npos;
  if (start == "\x89PNG\r\n\x1A\n") return end.find("IEND") != std::string::npos;
  return false;
}

class FolderSource : public EncodedSource {
 public:
  FolderSource(ImageList list, fs::path folder, std::vector<fs::path> files)
      : EncodedSource(std::move(list)), folder_(std::move(folder)), files_(std::move(files)) {}

  std::string_view contents(std::int64_t image, std::string& room) const override {
    room = read_file(files_[to_size(image)]);
    return room;
  }
  std::string file_name(std::int64_t image) const override { return files_[to_size(image)].string(); }
  std::string relative_name(std::int64_t image) const override {
    return files_[to_size(image)].lexically_relative(folder_).string();
  }
  void require_whole(std::int64_t image) const override {
    const fs::path& file = files_[to_size(image)];
    if (looks_whole(file)) return;
    // Bytes behind an image's end are harmless, and so on: what counts is whether it can be decoded.
    decode_image(read_file(file), file.string());
  }
  std::int64_t bytes() const override {
    std::size_t characters = 0;
    for (const fs::path& file : files_) characters += file.native().size() + sizeof file;
    return static_cast<std::int64_t>(characters);
  }

 private:
  fs::path folder_;
  std::vector<fs::path> files_;
};

std::vector<std::string> class_names(const fs::path& part) {
  std::vector<std::string> names;
  for (const fs::path& folder : sorted_entries(part, true)) names.push_back(folder.filename().string());
  return names;
}

std::string extension_of(const fs::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

/// A kind of files that are not read: how many there are, and the first.
struct LeftOut {
  std::int64_t count = 0;
  fs::path example;

  void add(const fs::path& path) {
    if (count++ == 0) example = path;
  }
};

/// Everything below a data set's folder that is not read, for a line in the log.
class Remainder {
 public:
  explicit Remainder(fs::path folder) : folder_(std::move(folder)) {}

  void add_file(const fs::path& file) {
    static const std::set<std::string> images = {".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".heif",
                                                 ".avif", ".jp2", ".jxl", ".jfif", ".jpe", ".ppm",  ".pgm",
                                                 ".pnm",  ".npy", ".tga", ".dng",  ".cr2", ".nef",  ".exr"};
    const std::string extension = extension_of(file);
    if (!images.contains(extension)) return others_.add(file);
    unread_.add(file);
    extensions_.insert(extension);
  }
  void add_hidden(std::int64_t count) { hidden_ += count; }
  void add_nested(const fs::path& folder) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code broken_link;
      if (entry->is_regular_file(broken_link)) nested_.add(entry->path());
    }
  }
  void add_part(const fs::path& folder, const std::string& why) {
    parts_.push_back(fmt::format("{}/ ({})", folder.filename().string(), why));
  }

  /// Says all of it in one line, once a process.
  void report() const {
    std::vector<std::string> kinds;
    const auto name = [&](const LeftOut& some) { return some.example.lexically_relative(folder_).string(); };
    if (unread_.count > 0)
      kinds.push_back(fmt::format("{} of kinds that are not read ({}; such as {})",
                                  counted(unread_.count, "image"), fmt::join(extensions_, ", "),
                                  name(unread_)));
    if (nested_.count > 0)
      kinds.push_back(fmt::format("{} in sub-folders of classes (such as {})", counted(nested_.count, "file"),
                                  name(nested_)));
    if (others_.count > 0)
      kinds.push_back(fmt::format("{} (such as {})", counted(others_.count, "other file"), name(others_)));
    if (hidden_ > 0) kinds.push_back(counted(hidden_, "hidden file"));
    for (const std::string& part : parts_) kinds.push_back("the folder " + part);
    if (kinds.empty()) return;
    const std::string line = fmt::format(
        "{}: left out {}; read are .jpg, .jpeg and .png files in train/<class>/ and val/ or test/",
        folder_.string(), join(kinds, ", "));
    static std::mutex mutex;
    static std::set<std::string> said;
    const std::lock_guard lock(mutex);
    if (said.insert(line).second) spdlog::warn("{}", line);
  }

 private:
  fs::path folder_;
  LeftOut unread_, others_, nested_;
  std::set<std::string> extensions_;
  std::int64_t hidden_ = 0;
  std::vector<std::string> parts_;
};

std::vector<fs::path> images_in(const fs::path& folder, Remainder& remainder) {
  Entries entries = list_folder(folder);
  std::vector<fs::path> images;
  for (fs::path& file : entries.files)
    if (has_image_extension(file))
      images.push_back(std::move(file));
    else
      remainder.add_file(file);
  for (const fs::path& nested : entries.folders) remainder.add_nested(nested);
  remainder.add_hidden(entries.hidden);
  if (images.empty()) bad_input("{}: holds no images, expected .jpg, .jpeg or .png files", folder.string());
  return images;
}

void list_classes(const fs::path& part, ImageList& list, std::vector<fs::path>& files, Remainder& remainder) {
  for (std::size_t label = 0; label < list.classes.size(); ++label) {
    const std::vector<fs::path> found = images_in(part / list.classes[label], remainder);
    files.insert(files.end(), found.begin(), found.end());
    list.labels.insert(list.labels.end(), found.size(), to_index(label));
  }
  const Entries entries = list_folder(part);
  for (const fs::path& file : entries.files) remainder.add_file(file);
  remainder.add_hidden(entries.hidden);
}

void require_same_classes(const fs::path& train, const std::vector<std::string>& expected,
                          const fs::path& part) {
  const std::vector<std::string> found = class_names(part);
  for (const std::string& name : expected)
    if (!std::ranges::binary_search(found, name))
      bad_input("{}: class folder {}/ is missing, expected the classes of {}", part.string(), name,
                train.string());
  for (const std::string& name : found)
    if (!std::ranges::binary_search(expected, name))
      bad_input("{}: no such class in {}, expected the same classes in both", (part / name).string(),
                train.string());
}

// --- ILSVRC's flat val/ ---

constexpr const char* devkit_truth = "ILSVRC2012_validation_ground_truth.txt";
constexpr const char* synset_labels = "imagenet_2012_validation_synset_labels.txt";
constexpr const char* caffe_list = "val.txt";
constexpr const char* devkit_numbers = "map_clsloc.txt";

/// Lines of a text file as words; empty lines are passed over.
std::vector<std::vector<std::string>> words_of(const fs::path& file) {
  std::vector<std::vector<std::string>> lines;
  for (std::string& line : split(read_text(file), '\n')) {
    std::ranges::replace_if(
        line, [](unsigned char c) { return std::isspace(c) != 0; }, ' ');
    std::vector<std::string> words = split(trim(line), ' ');
    std::erase(words, "");
    if (!words.empty()) lines.push_back(std::move(words));
  }
  return lines;
}

/// "n01440764"
bool is_wordnet_number(const std::string& name) {
  return name.size() == 9 && name[0] == 'n' && parse_number<std::int64_t>(name.substr(1)).has_value();
}

/// Class numbers as a ground-truth file writes them.
class ClassNumbers {
 public:
  /// `first`: what a file without a devkit's list calls the first class by name.
  ClassNumbers(const std::vector<std::string>& classes, const fs::path& file, std::int64_t first)
      : file_(file), classes_(classes.size()) {
    for (std::size_t i = 0; i < classes.size(); ++i) by_text_[classes[i]] = to_index(i);
    const fs::path numbers = file.parent_path() / devkit_numbers;
    std::error_code ignored;
    if (first == 1 && fs::exists(numbers, ignored)) {
      for (const std::vector<std::string>& words : words_of(numbers))
        if (words.size() >= 2 && by_text_.contains(words[0])) by_text_[words[1]] = by_text_[words[0]];
    } else if (first == 0 || !std::ranges::all_of(classes, is_wordnet_number)) {
      for (std::size_t i = 0; i < classes.size(); ++i)
        by_text_[std::to_string(to_index(i) + first)] = to_index(i);
    } else {
      hint_ = fmt::format("; the devkit's numbers are not in order of names: put its {} beside the file",
                          devkit_numbers);
    }
  }
  [[nodiscard]] std::int64_t at(const std::string& text) const {
    const auto found = by_text_.find(text);
    if (found == by_text_.end())
      bad_input("{}: \"{}\" names no class, expected one of the {} class folders in train/{}", file_.string(),
                text, classes_, hint_);
    return found->second;
  }

 private:
  fs::path file_;
  std::size_t classes_;
  std::map<std::string, std::int64_t> by_text_;
  std::string hint_;
};

void list_flat(const fs::path& folder, const fs::path& part, ImageList& list, std::vector<fs::path>& files,
               Remainder& remainder) {
  const std::vector<fs::path> images = images_in(part, remainder);
  std::error_code ignored;
  for (const fs::path& where :
       {folder, part, folder / "data", folder / "devkit" / "data", folder / "ILSVRC2012_devkit_t12" / "data"})
    for (const char* name : {devkit_truth, synset_labels, caffe_list}) {
      const fs::path file = where / name;
      if (!fs::is_regular_file(file, ignored)) continue;
      const auto lines = words_of(file);
      if (lines.size() != images.size())
        bad_input("{}: {}, expected one for each of {} in {}", file.string(), counted(lines.size(), "line"),
                  counted(images.size(), "image"), part.string());
      const bool with_names = name == caffe_list;
      const ClassNumbers numbers(list.classes, file, with_names ? 0 : 1);
      std::map<std::string, std::int64_t> by_name;
      for (const auto& words : lines) {
        if (words.size() != (with_names ? 2 : 1))
          bad_input("{}: line \"{}\", expected {}", file.string(), join(words, " "),
                    with_names ? "a file name and a class" : "a class");
        if (with_names) by_name[fs::path(words[0]).filename().string()] = numbers.at(words[1]);
      }
      for (std::size_t i = 0; i < images.size(); ++i) {
        const std::string image = images[i].filename().string();
        if (with_names && !by_name.contains(image))
          bad_input("{}: has no line for {}, expected one for each image", file.string(), image);
        files.push_back(images[i]);
        list.labels.push_back(with_names ? by_name[image] : numbers.at(lines[i][0]));
      }
      return;
    }
  bad_input("{}: images without class folders, expected class folders, or {}, {} or {} in {}", part.string(),
            devkit_truth, synset_labels, caffe_list, folder.string());
}

/// Folders beside train/ whose names say that they are a part of the data set.
void add_other_parts(const fs::path& folder, const fs::path& validation, Remainder& remainder) {
  static const std::set<std::string> names = {"train", "training", "val",  "valid",   "validation",
                                              "dev",   "eval",     "test", "testing", "holdout"};
  for (const fs::path& part : list_folder(folder).folders) {
    std::string name = part.filename().string();
    if (name == "train" || part.filename() == validation.filename()) continue;
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (names.contains(name))
      remainder.add_part(part, validation.empty()
                                   ? "for validation, expected val/ or test/"
                                   : validation.filename().string() + "/ is there for validation");
  }
}

}  // namespace

bool is_image_folder(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder / "train", error);
}

std::shared_ptr<const EncodedSource> open_image_folder(const fs::path& folder) {
  std::error_code ignored;
  const fs::path train = folder / "train";
  if (!fs::is_directory(train, ignored))
    bad_input("{}: no such folder, expected {}", train.string(),
              "train/<class>/ with .jpg, .jpeg or .png files");
  ImageList list;
  list.name = folder_name(folder);
  list.classes = class_names(train);
  if (list.classes.size() < 2)
    bad_input("{}: {}, expected at least 2", train.string(), counted(list.classes.size(), "class folder"));
  std::vector<fs::path> files;
  Remainder remainder(folder);
  list_classes(train, list, files, remainder);
  list.training_images = list.size();
  fs::path validation;
  for (const char* name : {"val", "test"}) {
    const fs::path part = folder / name;
    if (!fs::is_directory(part, ignored)) continue;
    validation = part;
    if (class_names(part).empty() && !sorted_entries(part, false).empty()) {
      list_flat(folder, part, list, files, remainder);
    } else {
      require_same_classes(train, list.classes, part);
      list_classes(part, list, files, remainder);
    }
    break;
  }
  add_other_parts(folder, validation, remainder);
  remainder.report();
  return std::make_shared<const FolderSource>(std::move(list), folder, std::move(files));
}

}  // namespace lrid::data
