// At which steps a trial is checked. docs/numerics.md section 10.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <cstdint>
#include <numeric>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk::reference {

/// Steps of the checks 0 .. checks.
inline std::vector<std::int64_t> check_steps(const CellConfig& cell) {
    std::int64_t apart = cell.steps / cell.checks;
    while (std::gcd(apart, std::int64_t{2 * 3 * 5 * 7}) != 1) apart -= 1;
    std::vector<std::int64_t> steps;
    for (std::int64_t k = 0; k <= cell.checks; ++k)
        steps.push_back(k <= cell.checks - cell.tail ? k * cell.steps / cell.checks : cell.steps - (cell.checks - k) * apart);
    return steps;
}

}  // namespace limrisk::reference
