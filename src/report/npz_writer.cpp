// NumPy's .npz; see npz_writer.hpp. Zip: PKWARE's APPNOTE 6.3.3; .npy: NEP 1, version 1.0.
#include "report/npz_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t k = 0; k < 256; ++k) {
        std::uint32_t remainder = k;
        for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ (remainder & 1 ? 0xEDB88320u : 0u);
        table[k] = remainder;
    }
    return table;
}

/// CRC-32 of zip, continued from `crc` (0 at the start).
std::uint32_t continue_crc(std::uint32_t crc, std::string_view bytes) {
    static constexpr auto table = make_crc_table();
    crc = ~crc;
    for (const char byte : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
    return ~crc;
}

/// Appends the lowest `size` bytes of a value.
void put(std::string& to, std::uint64_t value, int size) {
    for (int k = 0; k < size; ++k) to.push_back(static_cast<char>(value >> (8 * k)));
}

constexpr std::uint64_t in_extra = 0xFFFFFFFF;  // this 32-bit field's value is in the zip64 extra field
constexpr int version_zip64 = 45, date_1980 = 0x21;
constexpr int local_fixed_bytes = 30, local_extra_bytes = 20;

std::string npy_header(const std::string& type, const std::vector<std::int64_t>& shape) {
    std::string description = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type, fmt::join(shape, ", "),
                                          shape.size() == 1 ? "," : "");
    const std::size_t unpadded = 10 + description.size() + 1;
    description.append((64 - unpadded % 64) % 64, ' ');
    description += '\n';
    std::string header = "\x93NUMPY\x01";
    header.push_back('\0');
    put(header, description.size(), 2);
    return header + description;
}

}  // namespace

std::int64_t NpzWriter::Entry::content() const {
    return offset + local_fixed_bytes + static_cast<std::int64_t>(name.size()) + local_extra_bytes;
}

std::size_t NpzWriter::declare(const std::string& name, const std::string& type, std::int64_t size,
                               const std::vector<std::int64_t>& shape) {
    Entry entry{name + ".npy", npy_header(type, shape), end_, 0, 0, 0};
    std::int64_t count = 1;
    for (const std::int64_t length : shape) count *= length;
    entry.bytes = static_cast<std::int64_t>(entry.header.size()) + size * count;
    end_ = entry.content() + entry.bytes;
    entries_.push_back(entry);
    append(entries_.size() - 1, entry.header);
    return entries_.size() - 1;
}

void NpzWriter::append(std::size_t array, std::string_view bytes) {
    Entry& entry = entries_[array];
    file_.write_at(entry.content() + entry.written, bytes);
    entry.crc = continue_crc(entry.crc, bytes);
    entry.written += static_cast<std::int64_t>(bytes.size());
}

std::string NpzWriter::local_header(const Entry& entry) const {
    std::string header = "PK\x03\x04";
    put(header, version_zip64, 2);
    put(header, 0, 2);  // flags
    put(header, 0, 2);  // stored
    put(header, 0, 2);  // time
    put(header, date_1980, 2);
    put(header, entry.crc, 4);
    put(header, in_extra, 4);
    put(header, in_extra, 4);
    put(header, entry.name.size(), 2);
    put(header, local_extra_bytes, 2);
    header += entry.name;
    put(header, 1, 2);  // zip64 extra field
    put(header, local_extra_bytes - 4, 2);
    put(header, static_cast<std::uint64_t>(entry.bytes), 8);
    put(header, static_cast<std::uint64_t>(entry.bytes), 8);
    return header;
}

void NpzWriter::finish() {
    std::string directory;
    for (const Entry& entry : entries_) {
        if (entry.written != entry.bytes)
            throw Defect(fmt::format("npz: {} got {} bytes, declared were {}", entry.name, entry.written, entry.bytes));
        file_.write_at(entry.offset, local_header(entry));
        directory += "PK\x01\x02";
        put(directory, version_zip64, 2);  // made by
        put(directory, version_zip64, 2);  // needed
        put(directory, 0, 6);              // flags, stored, time
        put(directory, date_1980, 2);
        put(directory, entry.crc, 4);
        put(directory, in_extra, 4);
        put(directory, in_extra, 4);
        put(directory, entry.name.size(), 2);
        put(directory, 28, 2);  // extra field
        put(directory, 0, 4);   // comment, disk
        put(directory, 0, 6);   // internal and external attributes
        put(directory, in_extra, 4);
        directory += entry.name;
        put(directory, 1, 2);
        put(directory, 24, 2);
        put(directory, static_cast<std::uint64_t>(entry.bytes), 8);
        put(directory, static_cast<std::uint64_t>(entry.bytes), 8);
        put(directory, static_cast<std::uint64_t>(entry.offset), 8);
    }
    const auto directory_bytes = directory.size();
    const auto start = static_cast<std::uint64_t>(end_);
    directory += "PK\x06\x06";  // zip64 end of central directory
    put(directory, 44, 8);
    put(directory, version_zip64, 2);
    put(directory, version_zip64, 2);
    put(directory, 0, 8);  // disks
    put(directory, entries_.size(), 8);
    put(directory, entries_.size(), 8);
    put(directory, directory_bytes, 8);
    put(directory, start, 8);
    directory += "PK\x06\x07";  // its locator
    put(directory, 0, 4);
    put(directory, start + directory_bytes, 8);
    put(directory, 1, 4);
    directory += "PK\x05\x06";  // the old end record, which points to the new one
    put(directory, 0, 4);
    put(directory, std::min<std::size_t>(entries_.size(), 0xFFFF), 2);
    put(directory, std::min<std::size_t>(entries_.size(), 0xFFFF), 2);
    put(directory, in_extra, 4);
    put(directory, in_extra, 4);
    put(directory, 0, 2);
    file_.write_at(end_, directory);
}

std::string npy_text(const std::vector<std::string>& texts, std::size_t& width) {
    std::vector<std::vector<std::uint32_t>> decoded;
    width = 1;
    for (const std::string& text : texts) {
        std::vector<std::uint32_t>& characters = decoded.emplace_back();
        for (const char raw : text) {
            const auto byte = static_cast<unsigned char>(raw);
            if (byte < 0x80)
                characters.push_back(byte);
            else if (byte >= 0xC0)
                characters.push_back(byte & (byte >= 0xF0 ? 0x07u : byte >= 0xE0 ? 0x0Fu : 0x1Fu));
            else if (!characters.empty())
                characters.back() = (characters.back() << 6) | (byte & 0x3Fu);
        }
        width = std::max(width, characters.size());
    }
    std::string bytes;
    for (std::vector<std::uint32_t>& characters : decoded) {
        characters.resize(width);
        for (const std::uint32_t character : characters) put(bytes, character, 4);
    }
    return bytes;
}

}  // namespace limrisk
