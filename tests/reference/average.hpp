// Averages of the iterates, one coordinate: docs/numerics.md section 9.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <cmath>

#include "campaign/cell.hpp"
#include "reference/real.hpp"

namespace limrisk::reference {

/// The average of a coordinate, and what its rounding has lost.
template <class Real>
struct AveragedCoordinate {
    Real average = 0, lost = 0;
};

/// The last step whose iterate is not a part of an arithmetic average.
inline std::int64_t steps_left_out(const CellConfig& cell) {
    if (cell.average.kind == AverageRule::Kind::Arithmetic) return cell.average.start;
    const double wanted = std::floor(cell.average.last * static_cast<double>(cell.steps) + 0.5);
    return cell.steps - (wanted < 1 ? 1 : static_cast<std::int64_t>(wanted));
}

/// After step `step`, which led to `theta`.
template <class Real>
void take_into_average(const CellConfig& cell, std::int64_t step, Real theta, AveragedCoordinate<Real>& of) {
    if (cell.average.kind == AverageRule::Kind::None) return;
    Real weight = Real(1 - cell.average.delta);
    if (cell.average.kind != AverageRule::Kind::Exponential) {
        const std::int64_t number = step - steps_left_out(cell);
        if (number <= 1) {
            of = {theta, 0};
            return;
        }
        weight = Real(1) / static_cast<Real>(number);
    }
    const Real before = of.average, difference = (theta - before) - of.lost;
    const Real increment = std::fma(weight, difference, of.lost);
    const Real sum = before + increment;
    const Real of_increment = sum - before, of_before = sum - of_increment;
    of.average = sum;
    of.lost = (before - of_before) + (increment - of_increment);
    if (std::abs(of.lost) < smallest_normal<Real>) of.lost = 0;
}

}  // namespace limrisk::reference
