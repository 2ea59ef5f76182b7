// Neurons of a start, drawn to see how many of them are frozen on data points.
#pragma once
#include <cstdint>
#include <optional>

#include "campaign/cell.hpp"

namespace limrisk {

/// So many neurons were drawn, and so many of them are frozen: in one constant piece of A at all data points.
struct DrawnNeurons {
    std::int64_t drawn = 0, frozen = 0;
};

/// Of a cell with points that all trials share, and an initialization whose neurons are independent of each other; else nothing. They are
/// drawn in double with a seed of their own, so independently of all trials, rounded to the cell's precision, and judged there by the chain
/// of the forward pass. 65,536 neurons, fewer where N d is above 61,035, at least 1,024. Neurons of a start without a condition.
std::optional<DrawnNeurons> draw_neurons(const CellConfig& cell);

}  // namespace limrisk
