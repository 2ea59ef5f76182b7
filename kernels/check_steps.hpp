// The steps of the checks of a trial: docs/numerics.md section 10. `cell` is whatever has steps, checks, tail and stop_converged.
#pragma once
#include <cstdint>

#include "macros.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Whether check is one of a window, `tail` consecutive checks that a verdict looks at: the last ones, and where trials may converge early
/// those before, counted from the end.
template <class CellType>
constexpr bool in_window(const CellType& cell, std::int64_t check) {
    return check > (cell.stop_converged ? cell.checks % cell.tail : cell.checks - cell.tail);
}

/// Checks of its window that follow.
template <class CellType>
constexpr std::int64_t left_in_window(const CellType& cell, std::int64_t check) {
    return (cell.checks - check) % cell.tail;
}

/// Checks of its window before it: displacement is measured from number 0.
template <class CellType>
constexpr std::int64_t place_in_window(const CellType& cell, std::int64_t check) {
    return cell.tail - 1 - left_in_window(cell, check);
}

/// Whether later checks of a window measure their distance from check number `check`.
template <class CellType>
constexpr bool starts_window(const CellType& cell, std::int64_t check) {
    return in_window(cell, check) && place_in_window(cell, check) == 0;
}

/// Steps between two checks of a window: up to steps / checks, and prime to the length of every cycle of 2 to 10 steps.
template <class CellType>
constexpr std::int64_t tail_distance(const CellType& cell) {
    std::int64_t distance = cell.steps / cell.checks;
    while (distance % 2 == 0 || distance % 3 == 0 || distance % 5 == 0 || distance % 7 == 0) --distance;
    return distance;
}

/// Step of check k. 1 <= checks <= 2^16, checks <= steps < 2^40, so nothing overflows. They ascend: with D = steps / checks, rounded down,
/// and a window that ends with check e, the last check before it is at (e - tail) * steps / checks <= e * steps / checks - tail * D, the
/// first of the window at e * steps / checks - (tail - 1) * tail_distance >= e * steps / checks - (tail - 1) * D, which is more.
template <class CellType>
constexpr std::int64_t check_step(const CellType& cell, std::int64_t check) {
    const std::int64_t left = in_window(cell, check) ? left_in_window(cell, check) : 0;
    return (check + left) * cell.steps / cell.checks - (left > 0 ? left * tail_distance(cell) : 0);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
