// Neurons of a start, drawn to see how many of them are frozen.
#pragma once
#include <cstdint>
#include <optional>

#include "campaign/cell.hpp"

namespace limrisk {

/// So many neurons were drawn, and so many of them are frozen: in one constant piece of A at all data points, or on the whole box, sphere
/// or ball of the inputs.
struct DrawnNeurons {
    std::int64_t drawn = 0, frozen = 0;
};

/// Neurons of a start without a condition, each independent of the others (of `orthogonal` a row of a matrix of its own). They are drawn in
/// double with a seed of their own, so independently of all trials. At data points they are rounded to the cell's precision and judged by
/// the chain of the forward pass, on a box, sphere or ball by the formula in double. 65,536 neurons, fewer where the work per neuron is
/// above 61,035 products (the numbers of all points; of `orthogonal` 64 more for each neuron of the width), at least 1,024. Nothing without
/// neurons, for a given start, for data points that every trial draws for itself, and without data if w and b are constants.
std::optional<DrawnNeurons> draw_neurons(const CellConfig& cell);

}  // namespace limrisk
