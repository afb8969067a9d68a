#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <lrid/io/hdf5.hpp>

/// What libhdf5 1.10 trusts without looking, and then reads or writes beyond its memory, or never ends, where
/// a file is damaged. Looked at here before it is asked, with plain reads of the file; InputError where it is
/// not sound. Files in memory (our own, in the making) are taken as they are.
namespace lrid::io::hdf5 {

/// The header of the object at an address in the file of `object`, of the version without a checksum:
/// attributes, types and shapes must lie within their messages ("HDF5 File Format Specification", IV.A).
void require_sound_header(std::int64_t object, const std::string& where, std::uint64_t address);

/// Strings of variable length lie in global heaps ("HDF5 File Format Specification", III.E): what is stored
/// are references, (length, address of a heap, index in it). `read(memory_type, buffer)` reads `count` of
/// them from the attribute or dataset `object`. Each must name an object of just its length, in a heap whose
/// objects lie within it one behind the other; together they must not be longer than the file.
void require_sound_strings(std::int64_t object, const std::string& where, std::size_t count,
                           const std::function<void(std::int64_t, void*)>& read);

/// Chunks must hold, once inflated, just the bytes of a chunk: libhdf5 copies as many without asking how many
/// there are. Looks at the chunks of a block of a dataset; inflates the first of them and 1 MiB of others, so
/// that a large block costs little more than before.
void require_sound_chunks(std::int64_t dataset, const std::string& where, const Shape& offset,
                          const Shape& count);

}  // namespace lrid::io::hdf5
