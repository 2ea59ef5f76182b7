// Line by line, so that messages know the line.
#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "campaign/data_set.hpp"
#include "campaign/document.hpp"
#include "campaign/points_file.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

/// Numbers as they are written with a point; nullopt for all else, and for what is not finite or too small for a double.
std::optional<double> parsed(std::string_view field) {
    if (field.starts_with('+')) field.remove_prefix(1);
    double value = 0;
    const char* end = field.data() + field.size();
    const auto result = std::from_chars(field.data(), end, value);
    if (field.empty() || result.ec != std::errc() || result.ptr != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::string why_no_number(std::string_view field) {
    if (field.empty()) return "is empty; there must be a number";
    std::string point(field);
    std::replace(point.begin(), point.end(), ',', '.');
    const char* hint = point != field && parsed(point) ? "; write decimals with a point" : "";
    return fmt::format("\"{}\" is not a finite number{}", abbreviated(field, 40), hint);
}

/// The rows of a CSV file, one after the other.
class CsvReader {
public:
    CsvReader(std::string name, const DataColumns& columns) : name_(std::move(name)), columns_(columns) {}

    RawPoints read(std::string_view text) {
        csv_parser parser;
        if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) throw Defect("libcsv cannot be initialized");
        const struct Free {
            csv_parser* parser;
            ~Free() { csv_free(parser); }
        } free{&parser};
        for (std::size_t at = 0; at < text.size() && problem_.empty();) {
            std::size_t end = std::min(text.find_first_of("\r\n", at), text.size() - 1) + 1;
            if (text[end - 1] == '\r' && end < text.size() && text[end] == '\n') ++end;
            ++line_;
            if (csv_parse(&parser, text.data() + at, end - at, on_field, on_row, this) != end - at && problem_.empty())
                problem_ = fmt::format(
                    "line {}: a quotation mark inside a field; a field with quotation marks is written \"so \"\"quoted\"\"\"", line_);
            at = end;
        }
        if (problem_.empty() && csv_fini(&parser, on_field, on_row, this) != 0)
            problem_ = fmt::format("line {}: a quoted field does not end", line_);
        if (problem_.empty() && points_.outputs.empty()) problem_ = line_ == 0 ? "is empty" : "has no row of numbers";
        if (!problem_.empty()) throw ConfigError({fmt::format("{}: {}", name_, problem_)});
        return std::move(points_);
    }

private:
    static void on_field(void* field, std::size_t length, void* self) {
        auto& reader = *static_cast<CsvReader*>(self);
        if (reader.row_.size() < most_file_columns)
            reader.row_.emplace_back(static_cast<const char*>(field), length);
        else if (reader.problem_.empty())
            reader.problem_ = fmt::format("line {}: more than {} fields; at most that many are read", reader.line_, most_file_columns);
    }
    static void on_row(int, void* self) {
        auto& reader = *static_cast<CsvReader*>(self);
        if (reader.problem_.empty()) reader.take_row();
        reader.row_.clear();
    }

    /// 0-based position of a column.
    std::optional<std::size_t> position(const DataColumn& column) {
        const auto found = column.number > 0 ? row_.end() : std::find(row_.begin(), row_.end(), column.name);
        if (found != row_.end()) {
            if (std::find(found + 1, row_.end(), column.name) == row_.end()) return static_cast<std::size_t>(found - row_.begin());
            problem_ = fmt::format("line {}: two columns are called \"{}\"; choose by number from 1 on", line_, abbreviated(column.name));
            return std::nullopt;
        }
        if (column.number > 0 && column.number <= static_cast<std::int64_t>(row_.size()))
            return static_cast<std::size_t>(column.number - 1);
        const std::string only = row_.size() == 1 ? row_.front() : "";
        const char* hint = only.find(';') != std::string::npos    ? "; columns are separated by commas, not by semicolons"
                           : only.find('\t') != std::string::npos ? "; columns are separated by commas, not by tabs"
                                                                  : "";
        problem_ = column.number > 0
                       ? fmt::format("line {}: there is no column {}; there are {}{}", line_, column.number, row_.size(), hint)
                       : fmt::format("line {}: there is no column \"{}\"; there are {}{}", line_, abbreviated(column.name),
                                     abbreviated(fmt::format("{}", fmt::join(row_, ", ")), 200), hint);
        return std::nullopt;
    }

    /// Finds the columns in the first row. It is a head line if a column is chosen by its name, or if no chosen column has a number there.
    bool take_head() {
        fields_ = row_.size();
        std::vector<DataColumn> wanted = columns_.inputs;
        wanted.push_back(columns_.output);
        if (columns_.weight) wanted.push_back(*columns_.weight);
        for (const DataColumn& column : wanted) {
            const auto at = position(column);
            if (!at) return true;
            if (std::find(chosen_.begin(), chosen_.end(), *at) != chosen_.end()) {
                problem_ = fmt::format("column \"{}\" is chosen twice; choose every column once", abbreviated(column.name));
                return true;
            }
            chosen_.push_back(*at);
        }
        if (columns_.inputs.empty()) {
            std::vector<std::size_t> all;
            for (std::size_t k = 0; k < fields_; ++k)
                if (std::find(chosen_.begin(), chosen_.end(), k) == chosen_.end()) all.push_back(k);
            chosen_.insert(chosen_.begin(), all.begin(), all.end());
        }
        const std::size_t inputs = chosen_.size() - (columns_.weight ? 2 : 1);
        if (inputs == 0 || inputs > static_cast<std::size_t>(most_data_dimension)) {
            problem_ = fmt::format("{} columns of inputs; from 1 to {} are allowed", inputs, most_data_dimension);
            return true;
        }
        points_.dimension = static_cast<std::int64_t>(inputs);
        return std::any_of(wanted.begin(), wanted.end(), [](const DataColumn& column) { return column.number == 0; }) ||
               std::none_of(chosen_.begin(), chosen_.end(), [&](std::size_t k) { return parsed(row_[k]).has_value(); });
    }

    void take_row() {
        if (fields_ == 0 && take_head()) return;
        if (row_.size() != fields_) {
            problem_ = fmt::format("line {}: {} fields, the first line has {}; every line must have as many", line_, row_.size(), fields_);
            return;
        }
        if (points_.outputs.size() >= static_cast<std::size_t>(most_data_points)) {
            problem_ = fmt::format("line {}: more than {} points; at most that many are allowed", line_, most_data_points);
            return;
        }
        const auto d = static_cast<std::size_t>(points_.dimension);
        for (std::size_t k = 0; k < chosen_.size(); ++k) {
            const std::string& field = row_[chosen_[k]];
            const auto value = parsed(field);
            if (!value || (k > d && *value < 0)) {
                problem_ =
                    fmt::format("line {}, column {}: {}", line_, chosen_[k] + 1,
                                value ? fmt::format("the weight {} is negative; weights are at least 0", *value) : why_no_number(field));
                return;
            }
            (k < d ? points_.inputs : k == d ? points_.outputs : points_.weights).push_back(*value);
        }
    }

    std::string name_;
    const DataColumns& columns_;
    std::string problem_;
    std::int64_t line_ = 0;
    std::size_t fields_ = 0;
    std::vector<std::string> row_;
    std::vector<std::size_t> chosen_;  ///< inputs, output, weight
    RawPoints points_;
};

}  // namespace

RawPoints csv_points(const std::string& name, std::string_view bytes, const DataColumns& columns) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    return CsvReader(name, columns).read(bytes);
}

}  // namespace limrisk
