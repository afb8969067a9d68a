// As in jpeg.cpp: libpng's error callback must not return, so it jumps back into PngDecoder::run, which holds
// nothing that needs a destructor.

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include <png.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>

#include "codecs.hpp"

namespace lrid::data {

namespace {

class PngDecoder {
 public:
  explicit PngDecoder(std::string_view contents) : rest_(contents) {}
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  /// False: see message().
  bool run(Image& image) {
    if (setjmp(back_) != 0) return false;
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return explain("libpng could not start");
    png_set_read_fn(png_, this, read);
    png_read_info(png_, info_);
    if (std::int64_t{png_get_image_width(png_, info_)} * png_get_image_height(png_, info_) > most_pixels)
      return explain("more than 2^27 pixels");

    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    image.shape = {png_get_image_height(png_, info_), png_get_image_width(png_, info_),
                   png_get_channels(png_, info_)};
    image.bytes.resize(to_size(image.shape.values()));
    rows_.resize(to_size(image.shape.height));
    for (std::size_t y = 0; y < rows_.size(); ++y)
      rows_[y] = image.bytes.data() + y * to_size(image.shape.width * image.shape.channels);
    png_read_image(png_, rows_.data());
    png_read_end(png_, nullptr);
    return true;
  }

  [[nodiscard]] const char* message() const { return text_; }

 private:
  bool explain(const char* text) {
    std::snprintf(text_, sizeof text_, "%s", text);
    return false;
  }
  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto* decoder = static_cast<PngDecoder*>(png_get_error_ptr(png));
    decoder->explain(text);
    std::longjmp(decoder->back_, 1);
  }
  /// libpng warns of ancillary chunks (profiles, dates) only; damaged pixels are errors.
  static void on_warning(png_structp /*png*/, png_const_charp /*text*/) {}
  static void read(png_structp png, png_bytep bytes, std::size_t count) {
    auto* decoder = static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (count > decoder->rest_.size()) png_error(png, "ends early");
    std::memcpy(bytes, decoder->rest_.data(), count);
    decoder->rest_.remove_prefix(count);
  }

  std::string_view rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::vector<png_bytep> rows_;
  std::jmp_buf back_{};
  char text_[256]{};
};

}  // namespace

Image decode_png(std::string_view contents, const std::string& name) {
  PngDecoder decoder(contents);
  Image image;
  if (!decoder.run(image))
    bad_input("{}: broken PNG: {}; expected a complete PNG image", name, decoder.message());
  return image;
}

}  // namespace lrid::data
