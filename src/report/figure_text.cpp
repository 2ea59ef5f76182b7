// Shares, risks and rates for people; see figure_text.hpp.
#include "report/figure_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace limrisk {

std::string percent_digits(double share) {
    const double percent = 100 * share;
    if (percent > 0 && percent < 0.05) return fmt::format("{:.2g}", percent);
    if (percent == 100) return "100";
    if (percent > 99.9995) return ">99.999";
    // Near 100 %, digits until the distance shows: 100 % means all.
    std::string text;
    for (int digits = 1; text.empty() || text.rfind("100", 0) == 0; ++digits) text = fmt::format("{:.{}f}", percent, digits);
    return text;
}

std::string percent_text(double share) { return percent_digits(share) + " %"; }

std::string bound_digits(double probability) {
    if (probability >= 1) return "100";
    const double near_end = std::min(probability, 1 - probability);
    const int digits = near_end > 0 ? std::clamp(static_cast<int>(std::ceil(-std::log10(near_end))) - 1, 1, 10) : 1;
    const double scale = std::pow(10, digits);
    const double shown = std::floor(100 * probability * scale * (1 + 1e-15)) / scale;
    return shown > 0 ? fmt::format("{:.{}f}", shown, digits) : "0";
}

std::string three_digits(double value) { return std::isinf(value) ? "∞" : fmt::format("{:.3g}", value); }

}  // namespace limrisk
