// The name of a compiled program by what went into it: same key, same machine code.
#pragma once
#include <array>
#include <string>

#include "backend/cuda/compile_job.hpp"

namespace limrisk::cuda {

/// 128 bits, big-endian.
struct CubinKey {
    std::array<unsigned char, 16> bytes{};

    std::string hex() const;  ///< 32 digits
    auto operator<=>(const CubinKey&) const = default;
};

/// XXH3-128 of source, headers, options, name expressions, architecture, and the compiler's identity and fixed options. The job's name
/// is no part of it. Headers that an option like --include-path brings in are not seen: give sources as `headers`.
CubinKey cubin_key(const CompileJob& job, const Compiler& compiler);

}  // namespace limrisk::cuda
