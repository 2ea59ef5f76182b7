// Collects what is wrong with a campaign, so that everything can be reported at once, in the order of the file's lines.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limrisk/error.hpp"

namespace limrisk {

class Problems {
public:
    /// One line "place: key `key`: what"; repetitions are dropped, and beyond 100 lines they are only counted.
    void add(std::string_view place, std::string_view key, std::string_view what) {
        add(key.empty() ? fmt::format("{}: {}", place, what) : fmt::format("{}: key `{}`: {}", place, key, what), line_number(place));
    }
    void add(std::string line, std::size_t number = 0) {
        if (lines_.size() >= most) {
            ++more_;
        } else if (seen_.insert(line).second) {
            lines_.push_back({number, std::move(line)});
        }
    }
    bool empty() const { return lines_.empty(); }
    bool full() const { return lines_.size() >= most; }
    /// Throws ConfigError if there is any problem.
    void raise() const {
        if (empty()) return;
        std::vector<Line> sorted = lines_;
        std::stable_sort(sorted.begin(), sorted.end(), [](const Line& left, const Line& right) { return left.number < right.number; });
        std::vector<std::string> lines;
        for (const Line& line : sorted) lines.push_back(line.text);
        if (more_ > 0) lines.push_back(fmt::format("... and at least {} more", more_));
        throw ConfigError(lines);
    }

private:
    static constexpr std::size_t most = 100;
    struct Line {
        std::size_t number;  ///< of the file, 0 if none
        std::string text;
    };
    /// The number behind the last colon of "file:12".
    static std::size_t line_number(std::string_view place) {
        const std::size_t colon = place.rfind(':');
        std::size_t number = 0;
        if (colon != std::string_view::npos) std::from_chars(place.data() + colon + 1, place.data() + place.size(), number);
        return number;
    }
    std::vector<Line> lines_;
    std::set<std::string> seen_;
    std::size_t more_ = 0;
};

}  // namespace limrisk
