// The bytes of one cached program, and the checks that make a torn, truncated or foreign file worth nothing.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backend/cuda/cubin_key.hpp"

namespace limrisk::cuda {

/// Layout, integers in the order of the machine (a cache does not travel):
///   16 bytes  magic with the version of this layout
///   16 bytes  key
///    8 bytes  length of the body
///   16 bytes  XXH3-128 of all of the above and of the body
///    body     cubin, log, number of lowered names, and for each: name expression, lowered name; texts behind their 8-byte lengths
inline constexpr std::size_t cubin_header_bytes = 56;

std::string encode_cubin_file(const CubinKey& key, const CompiledProgram& program);

/// The program, or nothing if the bytes are not exactly what encode_cubin_file writes for this key.
std::optional<CompiledProgram> decode_cubin_file(const CubinKey& key, std::string_view bytes);

}  // namespace limrisk::cuda
