// NumPy's .npz: an uncompressed zip archive of .npy arrays, written in one pass over the blocks of a store.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "files/output_file.hpp"

namespace limrisk {

/// All arrays are declared first, so that every one has its place in the file; then they are filled side by side, piece by piece, in
/// order. Always with the 64-bit fields of zip, so one path serves files of every size. Little-endian, C order.
class NpzWriter {
public:
    explicit NpzWriter(OutputFile& file) : file_(file) {}

    /// `type`: NumPy's, "<f8", "<i8", "<u8", "<i4" or "<U12"; `size`: bytes of an element. Returns the array's number for append().
    std::size_t declare(const std::string& name, const std::string& type, std::int64_t size, const std::vector<std::int64_t>& shape);
    std::size_t declare(const std::string& name, const std::string& type, std::int64_t size, std::int64_t count) {
        return declare(name, type, size, std::vector<std::int64_t>{count});
    }
    void append(std::size_t array, std::string_view bytes);
    /// Headers and directory. Throws Defect if an array did not get as many bytes as declared.
    void finish();

private:
    struct Entry {
        std::string name, header;  ///< "risk.npy"; the .npy header
        std::int64_t offset;       ///< of the zip entry
        std::int64_t bytes;        ///< .npy header and elements
        std::int64_t written;
        std::uint32_t crc;
        std::int64_t content() const;  ///< offset of the first byte of the .npy file
    };
    std::string local_header(const Entry& entry) const;
    OutputFile& file_;
    std::vector<Entry> entries_;
    std::int64_t end_ = 0;
};

/// Elements of a "<U{width}" array: UTF-32, padded with zeros. `texts` is UTF-8.
std::string npy_text(const std::vector<std::string>& texts, std::size_t& width);

}  // namespace limrisk
