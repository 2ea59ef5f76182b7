// Read here, since the format is a line of text before the numbers.
#include "campaign/numpy_header.hpp"

#include <fmt/format.h>

#include <charconv>

#include "campaign/data_set.hpp"
#include "campaign/document.hpp"
#include "campaign/points_file.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

/// The dictionary of a header, {'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }: a small part of Python's literals.
class HeaderText {
public:
    /// `any_shape`: else only columns and tables are allowed.
    HeaderText(std::string_view text, std::string where, bool any_shape) : text_(text), where_(std::move(where)), any_shape_(any_shape) {}

    NumpyLayout read() {
        NumpyLayout layout;
        bool descr = false, order = false, shape = false;
        expect('{');
        while (!take('}')) {
            const std::string key = quoted();
            expect(':');
            if (key == "descr" && !descr) {
                descr = true;
                read_type(layout);
            } else if (key == "fortran_order" && !order) {
                order = true;
                layout.by_columns = word() == "True";
            } else if (key == "shape" && !shape) {
                shape = true;
                read_shape(layout);
            } else {
                fail(fmt::format("the key \"{}\", again or unknown", abbreviated(key)));
            }
            if (!take(',') && !at('}')) fail("no comma");
        }
        skip();
        if (at_ < text_.size() || !descr || !order || !shape) fail("not the three keys descr, fortran_order and shape");
        return layout;
    }

    [[noreturn]] void refuse(const std::string& what) const { throw ConfigError({where_ + what}); }

private:
    [[noreturn]] void fail(const std::string& found) const {
        refuse(fmt::format("the header has {}; allowed is {{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }}", found));
    }
    void skip() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    }
    bool at(char c) {
        skip();
        return at_ < text_.size() && text_[at_] == c;
    }
    bool take(char c) {
        if (!at(c)) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!take(c)) fail(fmt::format("no {} where one must be", c));
    }
    std::string quoted() {
        const char quote = at('"') ? '"' : '\'';
        expect(quote);
        const std::size_t end = text_.find(quote, at_);
        if (end == std::string_view::npos) fail("a text that does not end");
        const std::string inside(text_.substr(at_, end - at_));
        at_ = end + 1;
        return inside;
    }
    std::string_view word() {
        skip();
        for (const std::string_view known : {"True", "False"})
            if (text_.substr(at_).starts_with(known)) {
                at_ += known.size();
                return known;
            }
        fail("neither True nor False for fortran_order");
    }
    void read_type(NumpyLayout& layout) {
        constexpr const char* allowed = "allowed are '<f4', '<f8', '<i4' and '<i8'";
        if (at('[')) refuse(fmt::format("has a structured type; {}: save its fields as arrays of their own", allowed));
        const std::string type = quoted();
        const auto is = [&](std::string_view other) { return type == other; };
        if (is("<f4") || is("<f8") || is("<i4") || is("<i8")) {
            layout.kind = type[1];
            layout.size = type[2] - '0';
            return;
        }
        const char* hint = type.starts_with('>')                                 ? ", the other order of bytes: save it with astype('<f8')"
                           : type.size() > 1 && (type[1] == 'O' || type == "|O") ? ", pickled Python objects: save it with astype('<f8')"
                                                                                 : ": save it with astype('<f8')";
        refuse(fmt::format("has the type '{}'; {}{}", abbreviated(type), allowed, hint));
    }
    void read_shape(NumpyLayout& layout) {
        std::vector<std::int64_t> sizes;
        expect('(');
        while (!take(')')) {
            skip();
            std::int64_t size = -1;
            const auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
            if (result.ec != std::errc() || size < 0) fail("a shape that is no list of sizes");
            at_ = static_cast<std::size_t>(result.ptr - text_.data());
            sizes.push_back(size);
            if (sizes.size() > 32) fail("a shape of more than 32 dimensions");
            if (!take(',') && !at(')')) fail("no comma");
        }
        layout.shape = sizes;
        if (any_shape_) {
            layout.flat = true;
            layout.rows = 1;
            for (const std::int64_t size : sizes) {
                if (size > 0 && layout.rows > static_cast<std::int64_t>(most_file_bytes) / size)
                    refuse(fmt::format("has more than {} MiB of numbers", most_file_bytes >> 20));
                layout.rows *= size;
            }
            return;
        }
        if (sizes.empty() || sizes.size() > 2)
            refuse(fmt::format("has {} dimensions; allowed are 1, a column, or 2, rows and columns", sizes.size()));
        layout.flat = sizes.size() == 1;
        layout.rows = sizes[0];
        if (!layout.flat) layout.columns = sizes[1];
        if (layout.rows == 0 || layout.columns == 0) refuse("is empty; there must be at least one row and one column");
        if (layout.rows > most_data_points) refuse(fmt::format("has {} rows; at most {} are allowed", layout.rows, most_data_points));
        if (layout.columns > static_cast<std::int64_t>(most_file_columns))
            refuse(fmt::format("has {} columns; at most {} are read", layout.columns, most_file_columns));
    }

    std::string_view text_;
    std::string where_;
    bool any_shape_;
    std::size_t at_ = 0;
};

}  // namespace

NumpyLayout numpy_layout(std::string_view begin, std::uint64_t total, const std::string& where, bool any_shape) {
    const auto refuse = [&](const std::string& what) { throw ConfigError({where + what}); };
    const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(begin[at])); };
    if (!begin.starts_with(npy_magic))
        refuse("does not begin as a NPY array does, with \\x93NUMPY; write it with numpy.save or numpy.savez");
    if (begin.size() < 12) refuse("ends within its header; is it complete?");
    const std::size_t version = byte(6);
    if (version < 1 || version > 3) refuse(fmt::format("has version {} of the format; allowed are 1, 2 and 3", version));
    const std::size_t fixed = version == 1 ? 10 : 12;
    std::size_t length = byte(8) | byte(9) << 8;
    if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
    if (length > most_numpy_header_bytes)
        refuse(fmt::format("has a header of {} bytes; at most {} are read", length, most_numpy_header_bytes));
    if (fixed + length > begin.size()) refuse("ends within its header; is it complete?");
    NumpyLayout layout = HeaderText(begin.substr(fixed, length), where, any_shape).read();
    layout.begin = fixed + length;
    if (layout.bytes() != total - layout.begin)
        refuse(fmt::format("has {} bytes of numbers, its header says {}; is it complete?", total - layout.begin, layout.bytes()));
    if (layout.bytes() > most_file_bytes) refuse(fmt::format("has more than {} MiB of numbers", most_file_bytes >> 20));
    return layout;
}

}  // namespace limrisk
