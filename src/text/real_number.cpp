// std::from_chars, with the cases in which it may leave 0, infinity or nothing without a word.
#include "text/real_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace limrisk {
namespace {

/// Whether the digits before the exponent are all 0.
bool is_zero(std::string_view number) {
    const std::string_view digits = number.substr(0, number.find_first_of("eE"));
    return std::none_of(digits.begin(), digits.end(), [](char c) { return c >= '1' && c <= '9'; });
}

/// Of a number outside the range of double: whether it is beyond its large end.
bool is_large(std::string_view number) {
    const std::size_t mark = number.find_first_of("eE");
    if (mark != std::string_view::npos && mark + 1 < number.size() && number.find_first_of("123456789", mark) != std::string_view::npos) {
        const std::string_view digits = number.substr(0, mark);
        // Only a text of hundreds of digits is not decided by its exponent.
        if (digits.size() < 300) return number[mark + 1] != '-';
    }
    const std::size_t point = std::min({number.find('.'), mark, number.size()});
    return number.find_first_of("123456789") < point;
}

}  // namespace

RealNumber read_real(std::string_view text) {
    RealNumber number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
    number.length = static_cast<std::size_t>(end - text.data());
    if (error == std::errc::invalid_argument) return {};
    const std::string_view read = text.substr(0, number.length);
    const bool named = read.find_first_of("0123456789") == std::string_view::npos;  // inf, nan
    const bool lost = error == std::errc::result_out_of_range || (number.value == 0 && !is_zero(read)) || std::isinf(number.value);
    if (named || !lost) return number;
    number.value = 0;
    number.problem = "the number " + std::string(read.substr(0, 40)) + (read.size() > 40 ? "..." : "") + " is too " +
                     (is_large(read) ? "large" : "small") + " for double precision; allowed are 0 and magnitudes from 4.9e-324 to 1.79e308";
    return number;
}

}  // namespace limrisk
