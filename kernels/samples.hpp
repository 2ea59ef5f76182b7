// The samples of one superblock: which lane owns which, drawn from Philox or read from a table of nodes. docs/numerics.md sections 2, 3.
#pragma once
#include "law.hpp"
#include "target.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

inline constexpr int max_superblock = 4 * warp_lanes;

/// A number of samples known at compile time.
template <int N>
struct AtOnce {
    static constexpr int value = N;
};

/// Processing order of a superblock: t = 0.., within it lanes j = 0.., samples beyond the batch left out.
struct SampleOrder {
    int count = 0;
    std::uint8_t rounds[max_superblock];   ///< t of each sample
    std::uint8_t sources[max_superblock];  ///< j of each sample
    int round_count[4] = {0, 0, 0, 0};     ///< samples of each round: lanes 0 .. round_count[t] - 1

    int round(int i) const { return rounds[i]; }
    int source(int i) const { return sources[i]; }
    /// Place of the lane sums of sample i among the outputs, and of the first of round t.
    int output(int i, int tile) const { return rounds[i] * tile + sources[i]; }
    static int first_output(int t, int tile) { return t * tile; }

    /// Calls body(AtOnce<S>, first) for groups of S consecutive samples, then of 1 for the rest.
    template <int S, class Body>
    LIMRISK_INLINE void each_group(Body body) const {
        int first = 0;
        for (; first + S <= count; first += S) body(AtOnce<S>{}, first);
        for (; first < count; ++first) body(AtOnce<1>{}, first);
    }
    /// Calls body(t, samples of round t).
    template <class Body>
    LIMRISK_INLINE void each_round(Body body) const {
        for (int t = 0; t < 4 && round_count[t] > 0; ++t) body(t, round_count[t]);
    }
    /// Calls body(j) for the lanes of a tile that have no sample in a round of `samples`.
    template <class Body>
    LIMRISK_INLINE static void each_absent(int samples, int tile, Body body) {
        for (int j = samples; j < tile; ++j) body(j);
    }
};

/// `left`: samples of the batch from this superblock's base on.
inline SampleOrder sample_order(std::int64_t left, int rounds, int tile) {
    SampleOrder order;
    for (int t = 0; t < rounds; ++t)
        for (int j = 0; j < tile && rounds * j + t < left; ++j) {
            order.rounds[order.count] = static_cast<std::uint8_t>(t);
            order.sources[order.count] = static_cast<std::uint8_t>(j);
            ++order.count;
            ++order.round_count[t];
        }
    return order;
}

/// Samples of one superblock, lane-owned.
///   inputs   [rounds][dimension]   sample (t, j) in round t, lane j of each tile
///   targets  [rounds]
///   weights  [rounds]
template <class Real, class Rows = Pack<Real>*>
struct SampleBlock {
    Rows inputs, targets, weights;
};

/// What every draw of a warp needs.
struct Draw {
    std::uint64_t seed;
    TrialWords trials;
    WordPack lane_call;  ///< lane within its tile, times the calls of a group
};

/// Draws the fresh samples of the superblock with base index `base` of step `step`, and their targets.
///   stack  [max_program_depth][rounds * parts] registers of scratch
template <class Real>
void draw_samples(const Cell& cell, const Draw& draw, std::int64_t step, std::int64_t base, const SampleBlock<Real>& block,
                  Vec<Real>* stack) {
    const int rounds = samples_per_lane(cell.dimension);
    const auto calls = static_cast<std::uint32_t>(calls_per_group(cell.dimension));
    const auto first_call = static_cast<std::uint32_t>(base / rounds) * calls;
    const std::int64_t values = rounds * cell.dimension;
    for (std::uint32_t call = 0; call < calls; ++call) {
        WordPack calls_of_lanes;
        for (int p = 0; p < word_parts; ++p) calls_of_lanes.part[p] = draw.lane_call.part[p] + (first_call + call);
        WordPack words[4];
        draw_words(draw.seed, draw.trials, Purpose::Samples, static_cast<std::uint64_t>(step), calls_of_lanes, words);
        for (int w = 0; w < 4 && 4 * call + w < values; ++w) block.inputs[4 * call + w] = variates<Real>(cell.input, words[w]);
    }
    // A pack is `parts` registers in a row: registers of round t, coordinate k start at (t * dimension + k) * parts.
    constexpr int registers = parts<Real>;
    if (cell.dimension == 1) {
        run_target(cell.target, block.inputs[0].part, registers, 1, rounds * registers, stack);
        for (int t = 0; t < rounds; ++t)
            for (int p = 0; p < registers; ++p) block.targets[t].part[p] = stack[t * registers + p];
        return;
    }
    for (int p = 0; p < registers; ++p) {
        run_target(cell.target, block.inputs[0].part + p, registers, cell.dimension * registers, rounds, stack);
        for (int t = 0; t < rounds; ++t) block.targets[t].part[p] = stack[t];
    }
}

/// Reads the nodes of the superblock with base index `base`; lanes beyond the table get its last node (they are masked later).
template <class Real>
void load_nodes(const NodeTable<Real>& nodes, std::int64_t dimension, int tile, std::int64_t base, const SampleBlock<Real>& block) {
    const int rounds = samples_per_lane(dimension);
    for (int t = 0; t < rounds; ++t)
        for (int i = 0; i < warp_lanes; ++i) {
            std::int64_t m = base + rounds * (i & (tile - 1)) + t;
            if (m >= nodes.count) m = nodes.count - 1;
            for (std::int64_t k = 0; k < dimension; ++k) block.inputs[t * dimension + k].set_lane(i, nodes.inputs[m * dimension + k]);
            block.targets[t].set_lane(i, nodes.targets[m]);
            block.weights[t].set_lane(i, nodes.weights[m]);
        }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
