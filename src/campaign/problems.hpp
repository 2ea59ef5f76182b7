// Collects what is wrong with a campaign, so that everything can be reported at once.
#pragma once
#include <fmt/format.h>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "limrisk/error.hpp"

namespace limrisk {

class Problems {
public:
    /// One line "place: key `key`: what"; repetitions are dropped, and beyond 100 lines they are only counted.
    void add(std::string_view place, std::string_view key, std::string_view what) {
        add(key.empty() ? fmt::format("{}: {}", place, what) : fmt::format("{}: key `{}`: {}", place, key, what));
    }
    void add(std::string line) {
        if (lines_.size() >= most) {
            ++more_;
        } else if (seen_.insert(line).second) {
            lines_.push_back(std::move(line));
        }
    }
    bool empty() const { return lines_.empty(); }
    bool full() const { return lines_.size() >= most; }
    /// Throws ConfigError if there is any problem.
    void raise() const {
        if (empty()) return;
        std::vector<std::string> lines = lines_;
        if (more_ > 0) lines.push_back(fmt::format("... and at least {} more", more_));
        throw ConfigError(lines);
    }

private:
    static constexpr std::size_t most = 100;
    std::vector<std::string> lines_;
    std::set<std::string> seen_;
    std::size_t more_ = 0;
};

}  // namespace limrisk
