// libjpeg reports errors through a callback that must not return, and C code must not be left by an
// exception: so the callback jumps back into JpegDecoder or JpegEncoder, whose functions
// hold nothing that needs a destructor.

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jerror.h>
#include <jpeglib.h>

#include <lrid/core/error.hpp>
#include <lrid/core/index.hpp>

#include "codecs.hpp"

namespace lrid::data {

namespace {

/// Where libjpeg's errors end.
struct Errors {
  jpeg_error_mgr manager{};  // first: libjpeg hands out its address
  std::jmp_buf back{};
  char text[JMSG_LENGTH_MAX]{};
};

[[noreturn]] void fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  info->err->format_message(info, errors->text);
  std::longjmp(errors->back, 1);
}

class JpegDecoder {
 public:
  JpegDecoder() = default;
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  /// Reads the header; then shape() is known. False: see reject().
  bool open(std::string_view contents) {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = fail;
    errors_.manager.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && !is_harmless(info->err->msg_code)) fail(info);
    };
    if (setjmp(errors_.back) != 0) return false;

    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(contents.data()), contents.size());
    jpeg_read_header(&info_, TRUE);
    if (height() * width() > most_pixels) return false;
    // Four components are CMYK or YCCK, of which libjpeg makes CMYK; the rest is ours.
    info_.out_color_space = info_.num_components == 4                 ? JCS_CMYK
                            : info_.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE
                                                                      : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    return true;
  }

  /// Decodes all pixels. False: see reject().
  bool read_all(Image& image) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_start_decompress(&info_);
    read_rows(image, info_.output_height);
    jpeg_finish_decompress(&info_);
    return true;
  }

  /// Decodes a region of the image at 1/`reduction` of its size (1, 2, 4 or 8), the region being one of the
  /// reduced image, with some more columns at its sides: their number on the left goes to `extra`. False: see
  /// reject().
  bool read_region(const Region& region, int reduction, Image& image, std::int64_t& extra) {
    if (setjmp(errors_.back) != 0) return false;
    info_.scale_num = 1;
    info_.scale_denom = static_cast<unsigned int>(reduction);
    jpeg_start_decompress(&info_);
    // Chroma is interpolated from its neighbours, and libjpeg knows none beyond the columns that it decodes:
    // one block more on either side makes the region's own bytes right.
    const std::int64_t block = info_.max_h_samp_factor * info_.min_DCT_scaled_size;
    const std::int64_t first = std::max<std::int64_t>(0, region.left - block);
    const std::int64_t last = std::min<std::int64_t>(info_.output_width, region.left + region.width + block);
    if (last - first < info_.output_width) {
      auto offset = static_cast<JDIMENSION>(first), columns = static_cast<JDIMENSION>(last - first);
      jpeg_crop_scanline(&info_, &offset, &columns);
      extra = region.left - offset;
    } else {
      extra = region.left;
    }
    if (region.top > 0) jpeg_skip_scanlines(&info_, static_cast<JDIMENSION>(region.top));
    read_rows(image, region.height);
    jpeg_abort_decompress(&info_);
    return true;
  }

  [[nodiscard]] std::int64_t height() const { return info_.image_height; }
  [[nodiscard]] std::int64_t width() const { return info_.image_width; }
  /// Adobe's programs store CMYK inverted, and leave a marker.
  [[nodiscard]] bool cmyk_inverted() const { return info_.saw_Adobe_marker != 0; }
  /// InputError about what went wrong.
  [[noreturn]] void reject(const std::string& name) const {
    const std::string reason = errors_.text[0] != '\0'
                                   ? errors_.text
                                   : fmt::format("{} × {} pixels are more than 2^27", width(), height());
    bad_input("{}: broken JPEG: {}; expected a complete JPEG image", name, reason);
  }

 private:
  void read_rows(Image& image, std::int64_t rows) {
    image.shape = {rows, info_.output_width, info_.output_components};
    image.bytes.resize(to_size(image.shape.values()));
    const std::int64_t stride = image.shape.width * image.shape.channels;
    for (std::int64_t y = 0; y < rows; ++y) {
      JSAMPROW row = image.bytes.data() + y * stride;
      jpeg_read_scanlines(&info_, &row, 1);
    }
  }

  /// Returns whether a warning leaves every pixel right: bytes between segments, unknown Adobe transforms or
  /// JFIF versions (ImageNet has them), and a baseline scan whose header has odd spectral selection (as some
  /// phones write it; baseline decoding ignores it). After all others (data that end early, bad Huffman
  /// codes) libjpeg goes on with grey.
  static bool is_harmless(int code) {
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
           code == JWRN_NOT_SEQUENTIAL;
  }

  jpeg_decompress_struct info_{};
  Errors errors_{};
};

class JpegEncoder {
 public:
  JpegEncoder() = default;
  ~JpegEncoder() {
    jpeg_destroy_compress(&info_);
    std::free(buffer_);  // NOLINT: libjpeg's
  }
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;

  /// False: see message().
  bool run(const Image& image, int quality) {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = fail;
    if (setjmp(errors_.back) != 0) return false;
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &buffer_, &size_);
    info_.image_height = static_cast<JDIMENSION>(image.shape.height);
    info_.image_width = static_cast<JDIMENSION>(image.shape.width);
    info_.input_components = static_cast<int>(image.shape.channels);
    info_.in_color_space = image.shape.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality, TRUE);
    info_.dct_method = JDCT_ISLOW;
    jpeg_start_compress(&info_, TRUE);
    const std::int64_t stride = image.shape.width * image.shape.channels;
    while (info_.next_scanline < info_.image_height) {
      auto* row = const_cast<JSAMPROW>(image.bytes.data() + info_.next_scanline * stride);
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
    return true;
  }
  [[nodiscard]] std::string message() const { return errors_.text; }
  [[nodiscard]] std::string bytes() const { return {reinterpret_cast<const char*>(buffer_), size_}; }

 private:
  jpeg_compress_struct info_{};
  Errors errors_{};
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
};

Image rgb_from_cmyk(const Image& cmyk, bool inverted) {
  Image rgb{{cmyk.shape.height, cmyk.shape.width, 3}, {}};
  rgb.bytes.reserve(to_size(rgb.shape.values()));
  const auto light = [&](std::uint8_t ink) { return inverted ? ink : 255 - ink; };
  for (std::size_t i = 0; i < cmyk.bytes.size(); i += 4)
    for (std::size_t c = 0; c < 3; ++c)
      rgb.bytes.push_back(
          static_cast<std::uint8_t>((light(cmyk.bytes[i + c]) * light(cmyk.bytes[i + 3]) + 127) / 255));
  return rgb;
}

}  // namespace

Image decode_jpeg(std::string_view contents, const std::string& name) {
  JpegDecoder decoder;
  Image image;
  if (!decoder.open(contents) || !decoder.read_all(image)) decoder.reject(name);
  return image.shape.channels == 4 ? rgb_from_cmyk(image, decoder.cmyk_inverted()) : image;
}

Image decode_jpeg_region(std::string_view contents, const std::string& name, const RegionRequest& request) {
  JpegDecoder decoder;
  if (!decoder.open(contents)) decoder.reject(name);
  Region region = request.choose(decoder.height(), decoder.width());
  int reduction = 1;
  while (request.scale_down_to > 0 && reduction < 8 &&
         std::min(region.height, region.width) >= 2 * reduction * request.scale_down_to)
    reduction *= 2;
  region = {region.top / reduction, region.left / reduction, region.height / reduction,
            region.width / reduction};
  Image image;
  std::int64_t extra = 0;
  if (!decoder.read_region(region, reduction, image, extra)) decoder.reject(name);
  if (extra > 0 || image.shape.width > region.width)
    image = cut(image, {0, extra, region.height, region.width});
  return image.shape.channels == 4 ? rgb_from_cmyk(image, decoder.cmyk_inverted()) : image;
}

std::string encode_jpeg(const Image& image, int quality, const std::string& name) {
  JpegEncoder encoder;
  if (!encoder.run(image, quality)) bad_input("{}: cannot become a JPEG: {}", name, encoder.message());
  return encoder.bytes();
}

}  // namespace lrid::data
