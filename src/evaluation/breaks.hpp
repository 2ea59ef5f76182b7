// Points where a target of one variable is not smooth, found from its program.
#pragma once
#include <vector>

#include "evaluation/rule.hpp"

namespace limrisk {

/// Breaks of the target strictly inside the domain, ascending, without repetition: sign changes of arguments of abs, of differences of
/// min, max and comparisons, and zeros of arguments of sqrt, log, non-integer powers and divisors. Each is found by a scan of 4096
/// equal cells and bisection to the last bit; two sign changes or a touching zero within one cell are found where the argument has a
/// local minimum there.
std::vector<double> target_breaks(const Domain& domain, const kernels::Program& program);

}  // namespace limrisk
