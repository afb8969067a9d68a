#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include <lrid/io/shape.hpp>

/// Checks of what libhdf5 1.10 trusts and then reads or writes beyond its memory, or never ends, where a file
/// is damaged. They come before each call that would, with plain reads of the file: InputError where it is
/// not sound. Files in memory (our own, in the making) are taken as they are.
namespace lrid::io::hdf5 {

/// Checks the header of the object at an address in the file of `object`, of the version without a checksum:
/// attributes, types and shapes must lie within their messages ("HDF5 File Format Specification", IV.A).
void require_sound_header(std::int64_t object, const std::string& where, std::uint64_t address);

/// Checks strings of variable length, which lie in global heaps ("HDF5 File Format Specification", III.E):
/// what is stored are references, (length, address of a heap, index in it). `read(memory_type, buffer)` reads
/// `count` of them from the attribute or dataset `object`. Each must name an object of just its length, in a
/// heap whose objects lie within it one behind the other; together they must not be longer than the file.
void require_sound_strings(std::int64_t object, const std::string& where, std::size_t count,
                           const std::function<void(std::int64_t, void*)>& read);

/// Chunks of one dataset that were looked at and found sound, by the place of their first element.
using SoundChunks = std::set<Shape>;

/// Checks that the chunks of a block hold, once inflated, just the bytes of a chunk: libhdf5 copies as many
/// without asking how many there are. Inflates the first of them and 1 MiB of others, none of them twice, so
/// that a large block costs little more than before. Asks for chunks by their place, not by their address:
/// with a user block in front, addresses mean another thing from libhdf5 1.14.4 on.
void require_sound_chunks(std::int64_t dataset, const std::string& where, const Shape& offset,
                          const Shape& count, SoundChunks& known);

}  // namespace lrid::io::hdf5
