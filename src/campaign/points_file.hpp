// What files of data points hold: CSV, and NumPy's NPY and NPZ. Each reader refuses with file, place, what was found and what would be
// right, and knows all sizes before it allocates anything of them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

/// A column of a file: its name in the head line, that of an array, or its number from 1 on.
struct DataColumn {
    std::string name;         ///< as written, also of a number
    std::int64_t number = 0;  ///< 0: by name
};

struct DataColumns {
    std::vector<DataColumn> inputs;  ///< empty: all others
    DataColumn output;
    std::optional<DataColumn> weight;
    bool standardize = false;  ///< inputs and output to mean 0 and deviation 1
};

/// Points as they were given.
struct RawPoints {
    std::int64_t dimension = 0;
    std::vector<double> inputs;   ///< [count][dimension]
    std::vector<double> outputs;  ///< [count]
    std::vector<double> weights;  ///< [count]; empty: all equal
};

inline constexpr std::size_t most_file_bytes = std::size_t{256} << 20;  ///< of a file, and of what is unpacked from it
inline constexpr std::size_t most_file_columns = 4096;

inline constexpr std::string_view npy_magic = "\x93NUMPY", npz_magic = "PK\x03\x04";

/// All of a file. Throws ConfigError for one that cannot be read, or has more than most_file_bytes.
///   kinds  "a CSV, NPY or NPZ file", for messages
std::string file_bytes(const std::filesystem::path& path, const char* kinds);

/// RFC 4180, with a head line of names or without. `name`: of the file, for messages. Throws ConfigError.
RawPoints csv_points(const std::string& name, std::string_view bytes, const DataColumns& columns);

/// One array (NEP 1), whose columns are chosen by number. Little-endian float32, float64, int32, int64, in either order of storage.
RawPoints npy_points(const std::string& name, std::string_view bytes, const DataColumns& columns);

/// A zip of arrays, chosen by name: "x" is all columns of the array x, "x[2]" its second. A number is a column of the only array.
RawPoints npz_points(const std::string& name, std::string_view bytes, const DataColumns& columns);

/// An array of any shape, in C's order.
struct WholeArray {
    std::vector<std::int64_t> shape;
    std::vector<double> numbers;
};

/// Arrays of a zip of arrays by their names, then those of `optional` that are there. Throws ConfigError as the others do.
std::vector<WholeArray> npz_arrays(const std::string& name, std::string_view bytes, const std::vector<std::string>& names,
                                   const std::vector<std::string>& optional);

}  // namespace limrisk
