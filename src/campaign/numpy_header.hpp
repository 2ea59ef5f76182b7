// The header of an array in NumPy's NPY format: NEP 1, versions 1 to 3.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

inline constexpr std::size_t most_numpy_header_bytes = 65536;

/// What a header says.
struct NumpyLayout {
    char kind = 'f';          ///< f: floating point, i: integer with sign
    std::int64_t size = 8;    ///< bytes of a number: 4 or 8
    bool by_columns = false;  ///< in Fortran's order
    bool flat = false;        ///< one dimension
    std::int64_t rows = 0, columns = 1;
    std::vector<std::int64_t> shape;  ///< as it is written
    std::size_t begin = 0;            ///< of the numbers, in bytes from the begin of the array
    std::size_t bytes() const { return static_cast<std::size_t>(rows * columns * size); }
};

/// From the begin of an array, of which `total` bytes are there. `where`: "points.npy: ", for messages. `any_shape`: else only columns and
/// tables are allowed. Throws ConfigError.
NumpyLayout numpy_layout(std::string_view begin, std::uint64_t total, const std::string& where, bool any_shape = false);

}  // namespace limrisk
