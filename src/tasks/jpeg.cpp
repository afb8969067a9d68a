// libjpeg reports errors through a callback that must not return, and C code must not be left by an
// exception: so the callback jumps back into JpegDecoder::run, which holds nothing that needs a destructor.

#include <csetjmp>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include <lrid/core/error.hpp>

#include "decoders.hpp"

namespace lrid::tasks {

namespace {

class JpegDecoder {
 public:
  JpegDecoder() = default;
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  /// False: see message().
  bool run(std::string_view contents, Image& image) {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = [](j_common_ptr info) { fail(info); };
    errors_.manager.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && !is_harmless(info->err->msg_code)) fail(info);
    };
    if (setjmp(errors_.back) != 0) return false;

    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(contents.data()), contents.size());
    jpeg_read_header(&info_, TRUE);
    if (static_cast<std::int64_t>(info_.image_height) * info_.image_width > most_pixels) return false;
    // Four components are CMYK or YCCK, of which libjpeg makes CMYK; the rest is ours.
    info_.out_color_space = info_.num_components == 4                 ? JCS_CMYK
                            : info_.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE
                                                                      : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&info_);
    image.shape = {info_.output_height, info_.output_width, info_.output_components};
    image.bytes.resize(static_cast<std::size_t>(image.shape.values()));
    const auto stride = static_cast<std::size_t>(image.shape.width * image.shape.channels);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = image.bytes.data() + info_.output_scanline * stride;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  /// Adobe's programs store CMYK inverted, and leave a marker.
  [[nodiscard]] bool cmyk_inverted() const { return info_.saw_Adobe_marker != 0; }
  [[nodiscard]] std::string message() const {
    if (errors_.text[0] != '\0') return errors_.text;
    return fmt::format("{} × {} pixels are more than 2^27", info_.image_width, info_.image_height);
  }

 private:
  struct Errors {
    jpeg_error_mgr manager{};  // first: libjpeg hands out its address
    std::jmp_buf back{};
    char text[JMSG_LENGTH_MAX]{};
  };

  [[noreturn]] static void fail(j_common_ptr info) {
    auto* errors = reinterpret_cast<Errors*>(info->err);
    info->err->format_message(info, errors->text);
    std::longjmp(errors->back, 1);
  }
  /// Warnings that leave every pixel right; ImageNet has files that cause them. After all others (data that
  /// end early, bad Huffman codes) libjpeg goes on with grey.
  static bool is_harmless(int code) {
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
  }

  jpeg_decompress_struct info_{};
  Errors errors_{};
};

Image rgb_from_cmyk(const Image& cmyk, bool inverted) {
  Image rgb{{cmyk.shape.height, cmyk.shape.width, 3}, {}};
  rgb.bytes.reserve(static_cast<std::size_t>(rgb.shape.values()));
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
  if (!decoder.run(contents, image))
    bad_input("{}: broken JPEG: {}; expected a complete JPEG image", name, decoder.message());
  return image.shape.channels == 4 ? rgb_from_cmyk(image, decoder.cmyk_inverted()) : image;
}

}  // namespace lrid::tasks
