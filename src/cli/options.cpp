// Validators, and the examples of a help text.
#include "cli/options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "limrisk/error.hpp"
#include "text/real_number.hpp"

namespace limrisk::cli {

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
    const std::string range =
        high == UINT64_MAX ? fmt::format("a whole number from {}", low) : fmt::format("a whole number from {} to {}", low, high);
    const auto check = [low, high, range](std::string& text) -> std::string {
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
            return fmt::format("'{}' is not {}", text, range);
        text = std::to_string(value);
        return "";
    };
    return CLI::Validator(check, "");
}

CLI::Validator decimal_number(double low, double high) {
    const auto check = [low, high](std::string& text) -> std::string {
        const RealNumber number = read_real(text);
        const bool whole = number.length == text.size() && !text.empty();
        if (whole && !number.problem.empty()) return number.problem + fmt::format(", here from {} to {}", low, high);
        if (!whole || !std::isfinite(number.value) || number.value < low || number.value > high)
            return fmt::format("'{}' is not a number from {} to {}", text, low, high);
        return "";
    };
    return CLI::Validator(check, "");
}

std::chrono::seconds time_span(const std::string& option, const std::string& text) {
    const auto wrong = [&] {
        return Error(ExitCode::Usage,
                     fmt::format("{} {}: a time is needed, hours:minutes:seconds, for example 3:50:00 or 1-12:00:00 (a day "
                                 "and 12 hours)",
                                 option, text));
    };
    const std::size_t dash = text.find('-');
    std::vector<std::string> parts{dash == std::string::npos ? "0" : text.substr(0, dash)};
    for (std::size_t begin = dash == std::string::npos ? 0 : dash + 1; parts.size() < 5;) {
        const std::size_t colon = text.find(':', begin);
        parts.push_back(text.substr(begin, colon - begin));
        if (colon == std::string::npos) break;
        begin = colon + 1;
    }
    if (parts.size() != 4) throw wrong();
    std::int64_t seconds = 0;
    constexpr std::int64_t per_unit[] = {1, 24, 60, 60};
    for (std::size_t k = 0; k < parts.size(); ++k) {
        const bool digits = !parts[k].empty() && parts[k].size() <= 4 && parts[k].find_first_not_of("0123456789") == std::string::npos;
        const std::int64_t value = digits ? std::stoll(parts[k]) : -1;
        // Minutes and seconds have two digits below 60, and hours behind days are below 24.
        if (!digits || (k >= 2 && (parts[k].size() != 2 || value >= 60)) || (k == 1 && dash != std::string::npos && value >= 24))
            throw wrong();
        seconds = seconds * per_unit[k] + value;
    }
    if (seconds == 0) throw wrong();
    return std::chrono::seconds(seconds);
}

std::string time_text(std::chrono::seconds time) {
    const std::int64_t all = time.count(), days = all / 86400, hours = all / 3600 % 24, minutes = all / 60 % 60, seconds = all % 60;
    return days > 0 ? fmt::format("{}-{:02}:{:02}:{:02}", days, hours, minutes, seconds)
                    : fmt::format("{}:{:02}:{:02}", hours, minutes, seconds);
}

std::string examples(std::initializer_list<const char*> lines) {
    std::string text = "EXAMPLES";
    for (const char* line : lines) text += std::string("\n  ") + line;
    return text;
}

CLI::Option* add_output_options(CLI::App& command, const std::string& flag, const std::string& what, std::string& name, bool& force) {
    CLI::Option* const force_option = command.add_flag("--force", force, "overwrite an existing file (never a store)");
    CLI::Option* const file = command.add_option(flag, name, what + "; - for stdout")->type_name("FILE");
    force_option->needs(file);
    return file;
}

}  // namespace limrisk::cli
