// Random cells on two backends, every bit compared: what `limrisk selftest --backend cuda` does.
#pragma once
#include <cstdint>
#include <string>

#include "backend/backend.hpp"

namespace limrisk::cli {

/// Runs the cell's trials 0 .. trials-1 on one worker of each backend. Empty if parameters, optimizer states, checks and records agree in
/// every bit; else the first trial that differs, the first step after which it does (found by bisection over shorter runs), the neuron and
/// both values.
std::string backend_difference(const CellConfig& cell, std::int64_t trials, Backend& expected, Backend& found, int worker);

struct ComparisonTally {
    std::int64_t cells = 0, trials = 0, comparisons = 0;
};

/// Random cells 0 .. cells-1 of the seed on `expected` and on every worker of `found`. Throws Defect with cell, trial, step and neuron of
/// the first difference.
ComparisonTally compare_backends(std::int64_t cells, std::uint64_t seed, Backend& expected, Backend& found);

}  // namespace limrisk::cli
