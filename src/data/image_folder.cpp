#include "image_folder.hpp"

#include <algorithm>
#include <map>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/text.hpp>
#include <lrid/data/folder.hpp>
#include <lrid/data/image.hpp>

namespace lrid::data {

namespace fs = std::filesystem;

namespace {

class FolderSource : public EncodedSource {
 public:
  FolderSource(ImageList list, fs::path folder, std::vector<fs::path> files)
      : EncodedSource(std::move(list)), folder_(std::move(folder)), files_(std::move(files)) {}

  std::string_view contents(std::int64_t image, std::string& room) const override {
    room = read_file(files_[static_cast<std::size_t>(image)]);
    return room;
  }
  std::string file_name(std::int64_t image) const override {
    return files_[static_cast<std::size_t>(image)].string();
  }
  std::string relative_name(std::int64_t image) const override {
    return files_[static_cast<std::size_t>(image)].lexically_relative(folder_).string();
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

std::vector<fs::path> images_in(const fs::path& folder) {
  std::vector<fs::path> files = sorted_entries(folder, false);
  std::erase_if(files, [](const fs::path& file) { return !has_image_extension(file); });
  if (files.empty()) bad_input("{}: holds no images, expected .jpg, .jpeg or .png files", folder.string());
  return files;
}

void list_classes(const fs::path& part, ImageList& list, std::vector<fs::path>& files) {
  for (std::size_t label = 0; label < list.classes.size(); ++label) {
    const std::vector<fs::path> found = images_in(part / list.classes[label]);
    files.insert(files.end(), found.begin(), found.end());
    list.labels.insert(list.labels.end(), found.size(), static_cast<std::int64_t>(label));
  }
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
  for (const std::string& line : split(read_file(file), '\n')) {
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
    for (std::size_t i = 0; i < classes.size(); ++i) by_text_[classes[i]] = static_cast<std::int64_t>(i);
    const fs::path numbers = file.parent_path() / devkit_numbers;
    std::error_code ignored;
    if (first == 1 && fs::exists(numbers, ignored)) {
      for (const std::vector<std::string>& words : words_of(numbers))
        if (words.size() >= 2 && by_text_.contains(words[0])) by_text_[words[1]] = by_text_[words[0]];
    } else if (first == 0 || !std::ranges::all_of(classes, is_wordnet_number)) {
      for (std::size_t i = 0; i < classes.size(); ++i)
        by_text_[std::to_string(static_cast<std::int64_t>(i) + first)] = static_cast<std::int64_t>(i);
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

void list_flat(const fs::path& folder, const fs::path& part, ImageList& list, std::vector<fs::path>& files) {
  const std::vector<fs::path> images = images_in(part);
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
  list_classes(train, list, files);
  list.training_images = list.size();
  for (const char* name : {"val", "test"}) {
    const fs::path part = folder / name;
    if (!fs::is_directory(part, ignored)) continue;
    if (class_names(part).empty() && !sorted_entries(part, false).empty()) {
      list_flat(folder, part, list, files);
    } else {
      require_same_classes(train, list.classes, part);
      list_classes(part, list, files);
    }
    break;
  }
  return std::make_shared<const FolderSource>(std::move(list), folder, std::move(files));
}

}  // namespace lrid::data
