// How many trials of a cell are stored together. Also where its stopping rule is judged, so part of what a store means.
#pragma once
#include <cstdint>

#include "campaign/cell.hpp"
#include "kernels/cell.hpp"

namespace limrisk {

/// Lane instructions of a step by sorted kinks, from its time beside that of the plain algorithm: per neuron with one kink, without the
/// optimizer, and per node (docs/performance.md).
inline constexpr double kinks_per_neuron = 320, kinks_per_node = 24;

/// Lane instructions of one trial's steps, roughly: the measure of its work.
inline double trial_work(const CellConfig& config) {
    if (config.algorithm == kernels::Algorithm::Kinks) {
        const auto neurons = static_cast<double>(config.width), nodes = static_cast<double>(config.batch);
        return static_cast<double>(config.steps) * (kinks_per_neuron * neurons + kinks_per_node * nodes);
    }
    const double per_sample = static_cast<double>(config.width * kernels::instructions_per_sample_neuron(config.input.dimension) +
                                                  16 * config.input.dimension + 64);
    // The checks of data points look at all of them, in double.
    // At the end two networks see what is held out.
    const double checked = config.has_data() ? 2 * (config.checks + 2.0) * static_cast<double>(config.data->count) +
                                                   4 * static_cast<double>(config.data->validation_count())
                                             : 0;
    return (static_cast<double>(config.steps) * static_cast<double>(config.batch) + checked) * per_sample;
}

/// Trials per block: about a second of work on one core, 32 / L times a power of two so that blocks of different runs meet, at most 4096. A
/// function of the cell alone. Other numbers would make other trials count in stores whose cells a half-width ended (docs/formats.md,
/// Stopping rules): a test holds them fast.
inline std::int64_t block_trials(const CellConfig& config) {
    constexpr double block_work = 5e10;
    std::int64_t trials = 32 / kernels::tile_shape(config.width, config.input.dimension).lanes;
    while (trials * 2 <= 4096 && static_cast<double>(trials * 2) * trial_work(config) <= block_work) trials *= 2;
    return trials;
}

}  // namespace limrisk
