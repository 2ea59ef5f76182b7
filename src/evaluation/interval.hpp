// Bounds of a target on a whole box at once, by interval arithmetic over its program: what sampling cannot give.
#pragma once
#include "kernels/program.hpp"

namespace limrisk {

/// All numbers from low to high; the ends may be infinite.
struct Interval {
    double low = 0, high = 0;

    static Interval point(double x) { return {x, x}; }
    bool contains(double x) const { return low <= x && x <= high; }
    double width() const { return high - low; }
};

/// Bounds of a function on a box.
struct Enclosure {
    /// Holds the function's value at every point of the box where no operation gives NaN: the exact real value and the one that
    /// `evaluate_target` computes in double.
    Interval value;
    /// Holds (f(x + t u) - f(x)) / t for any two points of the box that differ by a multiple t of the direction u, f computed exactly. A
    /// bounded slope proves that f is Lipschitz continuous along u on the box.
    Interval slope;
    /// Every operation has a finite result on the whole box: no NaN, no overflow. False where that is not proved.
    bool defined = true;
};

/// Encloses the target on `box` [dimension]. `direction` [dimension]: of the slope; null for none (slope 0). The ends are computed in
/// double and rounded outward, without libm: the same bits on every machine. docs/numerics.md section 12.
Enclosure enclose_target(const kernels::Program& program, const Interval* box, const double* direction = nullptr);

}  // namespace limrisk
