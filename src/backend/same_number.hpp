// When two backends agree on a number of a trial.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#include "limrisk/trial_fields.hpp"

namespace limrisk {

/// The same bits, or both NaN: the bits of a NaN differ from processor to processor, and nothing depends on them.
inline bool same_number(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (a != a && b != b);
}

/// The same for one field of two records.
inline bool same_field(const TrialRecord& a, const TrialRecord& b, const TrialField& field) {
    const auto* left = reinterpret_cast<const char*>(&a) + field.offset;
    const auto* right = reinterpret_cast<const char*>(&b) + field.offset;
    if (field.type != FieldType::Float64) return std::memcmp(left, right, field.type == FieldType::Int32 ? 4 : 8) == 0;
    double x = 0, y = 0;
    std::memcpy(&x, left, sizeof x);
    std::memcpy(&y, right, sizeof y);
    return same_number(x, y);
}

}  // namespace limrisk
