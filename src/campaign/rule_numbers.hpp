// What the rules of several keys ask of numbers.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <string>

#include "campaign/cell.hpp"
#include "campaign/schema.hpp"

namespace limrisk::rules {

inline double rounded(double value, const CellConfig& cell) {
    // Conversion of a double beyond float's range is undefined; beyond it everything counts as infinite.
    if (cell.precision == kernels::Precision::Float64) return value;
    if (std::abs(value) > FLT_MAX) return std::copysign(HUGE_VAL, value);
    return static_cast<double>(static_cast<float>(value));
}

inline const char* precision_name(const CellConfig& cell) { return cell.precision == kernels::Precision::Float32 ? "float32" : "float64"; }

inline bool finite(double value, const CellConfig& cell) { return std::isfinite(rounded(value, cell)); }

/// Positive, finite and not subnormal in the cell's precision.
inline bool normal(double value, const CellConfig& cell) {
    const double smallest = cell.precision == kernels::Precision::Float32 ? FLT_MIN : DBL_MIN;
    return finite(value, cell) && rounded(value, cell) >= smallest;
}

inline std::string not_normal(const char* what, double value, const CellConfig& cell) {
    return fmt::format("{} {} is {} in {}; allowed are {} to {}", what, value, finite(value, cell) ? "subnormal or 0" : "not finite",
                       precision_name(cell), cell.precision == kernels::Precision::Float32 ? 1.18e-38 : 2.23e-308,
                       cell.precision == kernels::Precision::Float32 ? 3.40e38 : 1.79e308);
}

inline std::string interval(const char* what, double low, double high, const CellConfig& cell) {
    if (!finite(low, cell) || !finite(high, cell) || !finite(high - low, cell)) {
        return fmt::format("{} [{}, {}] is too wide for {}; its ends and its width must be finite there", what, low, high,
                           precision_name(cell));
    }
    if (low >= high) return fmt::format("{} [{}, {}] is empty; low must be below high", what, low, high);
    if (rounded(low, cell) >= rounded(high, cell)) {
        return fmt::format("{} [{}, {}] has equal ends in {}; choose ends further apart, or precision = \"float64\"", what, low, high,
                           precision_name(cell));
    }
    return "";
}

/// nodes^axes, or max_nodes + 1 if that is more.
inline std::int64_t grid_size(std::int64_t nodes, std::int64_t axes) {
    std::int64_t size = 1;
    for (std::int64_t i = 0; i < axes && size <= max_nodes; ++i) size *= nodes;
    return std::min(size, max_nodes + 1);
}

inline const char* round_name(const InputLaw& law) { return law.kind == InputLaw::Kind::Sphere ? "sphere" : "ball"; }

}  // namespace limrisk::rules
