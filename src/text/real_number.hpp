// Decimal numbers as people write them, to double. A number that no double is near is a problem, never silently 0 or infinity.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace limrisk {

struct RealNumber {
    double value = 0;
    std::size_t length = 0;  ///< characters of the number; 0: the text begins with none
    std::string problem;     ///< what is wrong with its size, and what would be right; else empty
};

/// The number at the beginning of a text: digits with point and exponent, a minus sign, inf, nan (as std::from_chars). Subnormal numbers
/// are numbers.
RealNumber read_real(std::string_view text);

}  // namespace limrisk
