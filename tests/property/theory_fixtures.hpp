// Short hand of the theory tests: cells in the setting of the theorem, and runs of a block of their trials on the CPU backend.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "backend/backend.hpp"
#include "tests/kind_values.hpp"

namespace limrisk::theory {

/// Target x1^2 on [low, high]^dimension, one kind of everything; tests change what they are about.
inline CellConfig square_cell(std::int64_t width, std::int64_t dimension = 1, double low = 0, double high = 1) {
    CellConfig cell;
    cell.seed = 20240515;
    cell.precision = kernels::Precision::Float64;
    cell.input.dimension = dimension;
    cell.input.low = low;
    cell.input.high = high;
    cell.target = "x1^2";
    cell.width = width;
    cell.steps = 1;
    cell.checks = cell.tail = 1;
    cell.evaluation.check_nodes = dimension == 1 ? 64 : dimension == 2 ? 16 : dimension == 3 ? 8 : 64;
    cell.evaluation.final_nodes = dimension <= 3 ? 16 : 64;
    return cell;
}

/// Trials first .. first + count - 1 of a cell, with initial and final states.
inline BlockResult run_trials(const CellConfig& cell, std::int64_t first, std::int64_t count) {
    const CellPlan plan(cell);
    WorkStatus status;
    BlockOptions options;
    options.states = true;
    std::optional<BlockResult> result = make_cpu_backend(1)->run({&plan, first, count}, status, options);
    if (!result) throw std::runtime_error("the block was abandoned, though nobody asked for it");
    return std::move(*result);
}

/// Var of x^2 over [0, 1]: the risk of the best constant.
inline constexpr double constant_level = 4.0 / 45;
/// Risk of the best affine function for x^2 over [0, 1].
inline constexpr double linear_level = 1.0 / 180;

/// Infimum of the risk of width 1: flat on [0, 1/3], a line on [1/3, 1], which meet: 4/45 3^-5 + 2^5/180 3^-5.
inline constexpr double one_kink_level = 4.0 / 3645;

/// Lower bound of the risk of width k for x^2 over [0, 1]: exact for widths 0 and 1, k + 1 free pieces, 1 / (180 (k+1)^4), beyond.
inline double risk_floor(int k) {
    if (k < 2) return k == 0 ? constant_level : one_kink_level;
    return linear_level / ((k + 1.0) * (k + 1.0) * (k + 1.0) * (k + 1.0));
}

}  // namespace limrisk::theory
