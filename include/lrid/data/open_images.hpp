#pragma once

#include <filesystem>
#include <memory>

#include <lrid/data/image_dataset.hpp>
#include <lrid/data/image_source.hpp>

namespace lrid::data {

/// Opens an image folder, or a pack of one (pack.hpp). Where `skip_bad`, every image is decoded now, and
/// those that cannot be are left out, each with a line in the log.
///
/// **Folder**: `train/<class>/` and, for validation, `val/<class>/` or `test/<class>/` as described in
/// image_dataset.hpp; or a flat `val/` as ILSVRC's, with images side by side and a text file that names their
/// classes, in the folder, in `val/` or in the devkit's `data/`:
/// `ILSVRC2012_validation_ground_truth.txt` (a line per image in order of file names: a class folder's name,
/// or a number of the devkit's `map_clsloc.txt` beside it, or, where classes are no WordNet numbers, the
/// place of the class by name, from 1), `imagenet_2012_validation_synset_labels.txt` (likewise), or `val.txt`
/// (a line "<file> <class>", the class a name or its place by name, from 0).
std::shared_ptr<const EncodedSource> open_images(const std::filesystem::path& path, bool skip_bad,
                                                 int threads);

/// Decodes all of an image folder or pack. InputError naming folder or file.
ImageDataset read_encoded_images(const std::filesystem::path& path, const ReadOptions& options);

}  // namespace lrid::data
