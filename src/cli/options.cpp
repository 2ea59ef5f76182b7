// Validators, and the examples of a help text.
#include "cli/options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

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

std::string examples(std::initializer_list<const char*> lines) {
    std::string text = "EXAMPLES";
    for (const char* line : lines) text += std::string("\n  ") + line;
    return text;
}

CLI::Option* add_output_options(CLI::App& command, const std::string& flag, const std::string& what, std::string& name, bool& force) {
    command.add_flag("--force", force, "overwrite an existing file (never a store)");
    return command.add_option(flag, name, what + "; - for stdout")->type_name("FILE");
}

}  // namespace limrisk::cli
