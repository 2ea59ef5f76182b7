// Data points that a trial has for itself: docs/numerics.md section 14. The CPU backend draws them for many trials at once
// (kernels/group_samples.hpp); these are for backends that take them from the host.
#pragma once
#include <cstdint>

#include "kernels/cell.hpp"

namespace limrisk {

/// Draws the points of a trial, in double and not rounded yet.
///   cell  its laws, target and noise;   inputs  [points][dimension];   outputs  [points]
void draw_points(const kernels::Cell& cell, std::uint64_t trial, double* inputs, double* outputs);

/// The training nodes of the cell as a trial chooses them: a node that none of its draws chose stands for the first one that was chosen.
///   inputs  [nodes][dimension];   outputs, weights  [nodes]
void resample_points(const kernels::Cell& cell, std::uint64_t trial, double* inputs, double* outputs, double* weights);

}  // namespace limrisk
