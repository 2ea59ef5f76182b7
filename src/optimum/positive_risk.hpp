// Proofs that networks of a width stay away from the target: the infimum of their risk is positive. docs/theory.md section 5.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "optimum/problem.hpp"

namespace limrisk::optimum {

/// The infimum of the risk over networks of `width`, hence over all narrower ones, is positive (noise left aside).
struct PositiveRisk {
    std::int64_t width = 0;
    std::string proof;  ///< the line, and what was seen on it
};

/// The largest width up to `largest` for which a proof was found; none says nothing about the infimum. Works in any dimension for relu,
/// leaky_relu, power_relu and clipping; on data points in d >= 2 by those on a line along a coordinate, and for one neuron; smooth
/// activations get no proof. Interval arithmetic decides, so rounding cannot. The answer depends on the problem and `largest` only, and is
/// kept for the next call.
std::optional<PositiveRisk> positive_risk(const Problem& problem, std::int64_t largest);

}  // namespace limrisk::optimum
