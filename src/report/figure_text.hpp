// Shares, risks and rates for people, as captions and tables of a report write them.
#pragma once
#include <string>

namespace limrisk {

/// What a caption adds where a prediction is one of drawn neurons.
inline constexpr const char* drawn_prediction = "; where no formula is known, with 95 % confidence, by neurons that are drawn for it";

/// A share in percent for people, without the sign: "37.3", "0.012".
std::string percent_digits(double share);

/// The same with it: "37.3 %".
std::string percent_text(double share);

/// A lower bound of a probability in per cent without the sign, never rounded up, with as many digits as it takes to tell it from 0 and
/// 100: "84.7".
std::string bound_digits(double probability);

/// A risk or a rate, three digits: "0.00123", "1.23e-05", "∞".
std::string three_digits(double value);

}  // namespace limrisk
