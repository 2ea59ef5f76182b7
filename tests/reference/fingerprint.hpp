// Hash of the final parameters and optimizer states. docs/numerics.md section 10.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <vector>

#include "reference/real.hpp"

namespace limrisk::reference {

/// Contribution of 32-bit word W at place J to the half of the fingerprint with this salt.
inline std::uint32_t mixed_word(std::uint32_t word, std::uint32_t place, std::uint32_t salt) {
    std::uint32_t x = (word ^ salt) + place * 0x9E3779B1u;
    x ^= x >> 16;
    x *= 0x85EBCA6Bu;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    x ^= x >> 16;
    return x;
}

/// arrays: parameters, then the optimizer's states, each in canonical order and of the same length.
template <class Real>
std::uint64_t fingerprint(const std::vector<std::vector<Real>>& arrays) {
    std::uint32_t low = 0, high = 0;
    std::uint32_t place = 0;
    const auto add = [&](std::uint32_t word, std::uint32_t at) {
        low += mixed_word(word, at, 0x243F6A88u);
        high += mixed_word(word, at, 0x85A308D3u);
    };
    for (const std::vector<Real>& array : arrays)
        for (const Real value : array) {
            const Pattern<Real> canonical_nan = static_cast<Pattern<Real>>(sizeof(Real) == 4 ? 0x7FC00000u : 0x7FF8000000000000u);
            const std::uint64_t pattern = std::isnan(value) ? canonical_nan : bits(value);
            add(static_cast<std::uint32_t>(pattern), place);
            if (sizeof(Real) == 8) add(static_cast<std::uint32_t>(pattern >> 32), place + 1);
            place += 2;
        }
    return (std::uint64_t{high} << 32) + low;
}

}  // namespace limrisk::reference
