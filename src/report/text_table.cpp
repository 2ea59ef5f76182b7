// A table of right-aligned columns under grouped heads; see text_table.hpp.
#include "report/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace limrisk {
namespace {

void trim(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

void add_row(std::vector<TextColumn>& columns, std::span<const std::string> cells) {
    for (std::size_t k = 0; k < columns.size(); ++k) columns[k].cells.push_back(cells[k]);
}

TextTable::TextTable(std::vector<TextColumn> columns, std::size_t width) : columns_(std::move(columns)) {
    const std::vector<TextColumn> all = columns_;
    measure();
    while (this->width() > width) {
        const auto least =
            std::max_element(columns_.begin(), columns_.end(), [](const auto& a, const auto& b) { return a.expendable < b.expendable; });
        if (least == columns_.end() || least->expendable == 0) break;
        const int order = least->expendable;
        std::erase_if(columns_, [&](const TextColumn& column) { return column.expendable == order; });
        measure();
    }
    for (std::size_t k = 0, kept = 0; k < all.size(); ++k) {
        const TextColumn& column = all[k];
        if (kept < columns_.size() && columns_[kept].group == column.group && columns_[kept].head == column.head)
            ++kept;
        else
            dropped_.push_back(column.group.empty() ? column.head : column.group + " " + column.head);
    }
}

bool TextTable::shows(const std::string& group, const std::string& head) const {
    return std::any_of(columns_.begin(), columns_.end(),
                       [&](const TextColumn& column) { return column.group == group && (head.empty() || column.head == head); });
}

std::size_t TextTable::gap(std::size_t column) const {
    if (column == 0) return 0;
    const bool grouped = !columns_[column].group.empty() && columns_[column].group == columns_[column - 1].group;
    return grouped || columns_[column].close ? 1 : 2;
}

std::size_t TextTable::width() const {
    std::size_t sum = 0;
    for (std::size_t k = 0; k < columns_.size(); ++k) sum += gap(k) + widths_[k];
    return sum;
}

void TextTable::measure() {
    widths_.clear();
    for (const TextColumn& column : columns_) {
        std::size_t width = column.head.size();
        for (const std::string& cell : column.cells) width = std::max(width, cell.size());
        widths_.push_back(width);
    }
    // A group's heading may need more room than its columns: its first one gives it.
    for (std::size_t first = 0; first < columns_.size();) {
        std::size_t last = first, span = widths_[first];
        while (last + 1 < columns_.size() && gap(last + 1) == 1) {
            ++last;
            span += 1 + widths_[last];
        }
        if (columns_[first].group.size() > span) widths_[first] += columns_[first].group.size() - span;
        first = last + 1;
    }
}

std::string TextTable::heads() const {
    std::string above, below;
    for (std::size_t k = 0; k < columns_.size(); ++k) {
        const std::size_t start = below.size() + gap(k);
        below += fmt::format("{:{}}{:>{}}", "", gap(k), columns_[k].head, widths_[k]);
        if (columns_[k].left) below.replace(start, std::string::npos, fmt::format("{:<{}}", columns_[k].head, widths_[k]));
        if (gap(k) == 1 || columns_[k].group.empty()) continue;
        std::size_t end = k, span = widths_[k];
        while (end + 1 < columns_.size() && gap(end + 1) == 1) span += 1 + widths_[++end];
        above.resize(start, ' ');
        above += fmt::format("{:-^{}}", columns_[k].group.size() + 2 <= span ? " " + columns_[k].group + " " : columns_[k].group, span);
    }
    trim(above);
    trim(below);
    return above + "\n" + below + "\n";
}

std::string TextTable::row(std::size_t index) const {
    std::string line;
    for (std::size_t k = 0; k < columns_.size(); ++k) {
        const std::string& cell = columns_[k].cells[index];
        line.append(gap(k), ' ');
        line += columns_[k].left ? fmt::format("{:<{}}", cell, widths_[k]) : fmt::format("{:>{}}", cell, widths_[k]);
    }
    trim(line);
    return line + "\n";
}

std::string TextTable::text() const {
    std::string text = heads();
    for (std::size_t index = 0; !columns_.empty() && index < columns_.front().cells.size(); ++index) text += row(index);
    return text;
}

std::string wrapped(const std::vector<std::string>& parts, std::size_t width) {
    std::string text;
    std::size_t column = 0;
    for (std::size_t k = 0; k < parts.size(); ++k) {
        const std::string part = parts[k] + (k + 1 < parts.size() ? "," : "");
        if (column > 0 && column + 1 + part.size() > width) {
            text += '\n';
            column = 0;
        }
        if (column > 0) text += ' ';
        text += part;
        column += part.size() + (column > 0 ? 1 : 0);
    }
    return text + "\n";
}

}  // namespace limrisk
