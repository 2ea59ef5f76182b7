// Numbers for JSON, which has no infinity.
#pragma once
#include <cmath>
#include <nlohmann/json.hpp>

namespace limrisk {

/// The number, or the string "Infinity" or "-Infinity".
inline nlohmann::ordered_json json_number(double value) {
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    return value;
}

}  // namespace limrisk
