// Counts for people; see number_text.hpp.
#include "text/number_text.hpp"

namespace limrisk {

std::string grouped_digits(std::int64_t number) {
    std::string digits = std::to_string(number);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string counted(std::int64_t count, const std::string& noun) { return grouped_digits(count) + " " + noun + (count == 1 ? "" : "s"); }

}  // namespace limrisk
