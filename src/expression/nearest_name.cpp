// Dynamic programming over three rows; names are short, so nothing cleverer is needed.
#include "expression/nearest_name.hpp"

#include <algorithm>
#include <array>

namespace limrisk {
namespace {

constexpr std::size_t longest = 64;

std::string lower(std::string_view text) {
    std::string result(text.substr(0, longest));
    for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return result;
}

}  // namespace

std::size_t edit_distance(std::string_view left, std::string_view right) {
    left = left.substr(0, longest);
    right = right.substr(0, longest);
    using Row = std::array<std::size_t, longest + 1>;
    Row before{}, previous{}, current{};
    for (std::size_t j = 0; j <= right.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t substitution = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, substitution});
            const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
        }
        before = previous;
        previous = current;
    }
    return previous[right.size()];
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
    const std::string wanted = lower(name);
    std::string best;
    std::size_t best_distance = 2 + wanted.size() / 3;  // one beyond what counts as close
    for (const std::string& candidate : known) {
        const std::size_t distance = edit_distance(wanted, lower(candidate));
        // A name that shares nothing is no suggestion, however short both are.
        if (distance >= std::max(wanted.size(), candidate.size())) continue;
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace limrisk
