// Scalar double arithmetic of the evaluation: targets and the specified elementary functions, the same bits on every machine (no libm).
// Keeps the lane templates of kernels/ out of the other files of this directory.
#pragma once
#include "kernels/law_kinds.hpp"
#include "kernels/loss_kinds.hpp"
#include "kernels/program.hpp"

namespace limrisk {

/// The target at `inputs` [dimension], in double. docs/numerics.md section 7.
double evaluate_target(const kernels::Program& program, const double* inputs);

/// The loss of a residual. docs/numerics.md section 4.
double loss_of(const kernels::Loss& loss, double residual);

/// exp and the standard normal quantile (2^-40 <= p <= 1 - 2^-40) of docs/numerics.md section 6.
double exponential(double x);
double normal_quantile(double p);

/// The quantile function of a table at u in (0, 1): docs/numerics.md section 15.
double quantile(const kernels::QuantileTable<double>& table, double u);

/// Distribution function of the standard normal law. Relative error below 2e-15 for -37 <= z <= 0, absolute error below 3e-16 for
/// z > 0 (tests/unit/evaluation_normal_test.cpp). -inf gives 0, +inf gives 1.
double normal_probability(double z);

/// P(low < Z < high) of the standard normal law, low <= high; keeps its relative accuracy in either tail.
double normal_mass(double low, double high);

}  // namespace limrisk
