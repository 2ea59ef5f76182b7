// A table of right-aligned columns under grouped heads, made to fit the terminal by leaving out what matters least.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace limrisk {

/// One column. Neighbours with the same `group` share a heading above their own.
struct TextColumn {
    std::string group, head;
    int expendable = 0;  ///< 0: always shown; else the highest is left out first when the table is too wide
    bool left = false;   ///< aligned left
    std::vector<std::string> cells{};
    bool close = false;  ///< one space behind its left neighbour, as within a group
};

/// One more row: a cell for each column.
void add_row(std::vector<TextColumn>& columns, std::span<const std::string> cells);

class TextTable {
public:
    /// Drops columns until the rows fit `columns` characters (ASCII is assumed) or nothing is expendable.
    TextTable(std::vector<TextColumn> columns, std::size_t width);
    /// The heading lines, each with its newline.
    std::string heads() const;
    std::string row(std::size_t index) const;
    /// The heading lines and all rows.
    std::string text() const;
    std::size_t width() const;
    /// Whether a column of the group, or this one of it, is there.
    bool shows(const std::string& group, const std::string& head = "") const;
    /// "group head" of each column that was dropped, from left to right.
    const std::vector<std::string>& dropped() const { return dropped_; }

private:
    std::size_t gap(std::size_t column) const;  ///< spaces before a column
    void measure();
    std::vector<TextColumn> columns_;
    std::vector<std::size_t> widths_;
    std::vector<std::string> dropped_;
};

/// `parts` separated by ", ", broken into lines of at most `width` characters between parts.
std::string wrapped(const std::vector<std::string>& parts, std::size_t width);

}  // namespace limrisk
