// A small problem on the unit box and a list of optimizers, for the tests of the reference's trials.
// Nodes are made by hand, so that these tests depend on nothing but the reference.
#pragma once
#include <vector>

#include "reference/trial.hpp"
#include "tests/kind_values.hpp"

namespace limrisk::reference {

using kernels::Op;
using kernels::OptimizerKind;

/// Target x1^2, checked at 64 midpoints of the unit box's diagonal, mesh of one piece.
inline Tables unit_box_tables(std::int64_t dimension) {
    Tables tables;
    tables.target = {{Op::Variable, 0, 0}, {Op::IntegerPower, 2, 0}};
    tables.check.dimension = dimension;
    for (int m = 0; m < 64; ++m) {
        const double x = (m + 0.5) / 64;
        for (std::int64_t k = 0; k < dimension; ++k) tables.check.inputs.push_back(x);
        tables.check.targets.push_back(x * x);
        tables.check.weights.push_back(1.0 / 64);
    }
    tables.final_rule = tables.check;
    tables.mesh = {0, 1};
    return tables;
}

inline CellConfig unit_box_cell(std::int64_t dimension, std::int64_t width, std::int64_t steps) {
    CellConfig cell;
    cell.seed = 11;
    cell.input.dimension = dimension;
    cell.width = width;
    cell.batch = 7;
    cell.steps = steps;
    cell.checks = 8;
    cell.tail = 3;
    return cell;
}

/// One of each kind.
inline const std::vector<kernels::Optimizer> one_of_each_optimizer = test::default_optimizers();

}  // namespace limrisk::reference
