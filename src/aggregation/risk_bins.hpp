// Bins of a risk: a pure integer function of the double's bits, the same on every machine, for the histograms of an Aggregate.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define LIMRISK_HOST_DEVICE __host__ __device__
#else
#define LIMRISK_HOST_DEVICE
#endif

namespace limrisk {

/// Bins per octave: 2^10, so the ends of a bin of normal numbers differ by less than 2^-10 relative to the lower one.
inline constexpr int risk_bin_digits = 10;
inline constexpr int risk_bin_shift = 52 - risk_bin_digits;
inline constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

/// The bin of +infinity, which holds nothing else.
inline constexpr std::int32_t infinite_risk_bin = 1 + (0x7FF << risk_bin_digits);

LIMRISK_HOST_DEVICE inline std::uint64_t bits_of(double value) {
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

/// 0 for a zero; else 1 + the exponent and the leading risk_bin_digits digits of the fraction as one integer, negated for negative values.
/// Grows with the value. Subnormal numbers, which have no leading digit, lie in bins 1 to 1024 of equal width. `risk` is not NaN.
LIMRISK_HOST_DEVICE inline std::int32_t risk_bin(double risk) {
    const std::uint64_t bits = bits_of(risk), magnitude = bits & ~sign_bit;
    if (magnitude == 0) return 0;
    const std::int32_t bin = 1 + static_cast<std::int32_t>(magnitude >> risk_bin_shift);
    return bits & sign_bit ? -bin : bin;
}

/// Doubles that are not NaN in the order of their values, -0 before 0.
LIMRISK_HOST_DEVICE inline std::uint64_t order_of(double value) {
    const std::uint64_t bits = bits_of(value);
    return bits & sign_bit ? ~bits : bits | sign_bit;
}

LIMRISK_HOST_DEVICE inline double value_of_order(std::uint64_t order) {
    const std::uint64_t bits = order & sign_bit ? order & ~sign_bit : ~order;
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// A closed interval of risks.
struct RiskRange {
    double low, high;
    bool operator==(const RiskRange&) const = default;
};

/// The smallest and the largest double of a bin.
RiskRange risk_bin_range(std::int32_t bin);

}  // namespace limrisk
