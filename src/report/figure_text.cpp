// Numbers and counts in words, as captions, tables and CSV files of figures write them.
#include <fmt/format.h>

#include <cmath>

#include "report/figures.hpp"

namespace limrisk {

std::string csv_number(double value) {
    if (std::isnan(value)) return "";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return fmt::format("{}", value);
}

std::string counted(std::int64_t count, const std::string& noun) {
    std::string digits = std::to_string(count);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
    return digits + " " + noun + (count == 1 ? "" : "s");
}

std::string percent_text(double share) {
    const double percent = 100 * share;
    if (percent > 0 && percent < 0.05) return fmt::format("{:.2g} %", percent);
    if (percent == 100) return "100 %";
    if (percent > 99.9995) return ">99.999 %";
    // Near 100 %, digits until the distance shows: 100 % means all.
    std::string text;
    for (int digits = 1; text.empty() || text.rfind("100", 0) == 0; ++digits) text = fmt::format("{:.{}f}", percent, digits);
    return text + " %";
}

std::string risk_text(double risk) {
    if (std::isinf(risk)) return "∞";
    return fmt::format("{:.3g}", risk);
}

}  // namespace limrisk
