// At which steps a trial is checked. docs/numerics.md section 10.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <cstdint>
#include <numeric>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk::reference {

/// Last checks of the windows of `tail` checks each, the tail's first.
inline std::vector<std::int64_t> window_ends(const CellConfig& cell) {
    std::vector<std::int64_t> ends{cell.checks};
    while (cell.stop.converged && ends.back() - cell.tail >= cell.tail) ends.push_back(ends.back() - cell.tail);
    return ends;
}

/// Steps of the checks 0 .. checks.
inline std::vector<std::int64_t> check_steps(const CellConfig& cell) {
    std::int64_t apart = cell.steps / cell.checks;
    while (std::gcd(apart, std::int64_t{2 * 3 * 5 * 7}) != 1) apart -= 1;
    std::vector<std::int64_t> steps;
    for (std::int64_t k = 0; k <= cell.checks; ++k) steps.push_back(k * cell.steps / cell.checks);
    for (const std::int64_t end : window_ends(cell))
        for (std::int64_t before = 1; before < cell.tail; ++before)
            steps[static_cast<std::size_t>(end - before)] = steps[static_cast<std::size_t>(end)] - before * apart;
    return steps;
}

}  // namespace limrisk::reference
