// Risk and gradient of one whole batch for the networks of a warp, whatever the samples come from.
// The template arguments of the inner loops are chosen here; explicit instantiations keep the compile time down.
#pragma once
#include "network.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Where the samples of a batch come from, superblock by superblock.
template <class Real>
struct BatchSource {
    enum class Kind { Fresh, Nodes } kind;
    SampleBlock<Real> block;        ///< buffers that a load fills
    std::int64_t count;             ///< samples of the batch
    SampleOrder full, rest;         ///< order of a whole superblock, and of the last one
    const Draw* draw;               ///< Fresh
    std::int64_t step;              ///< Fresh: number of the step
    Vec<Real>* stack;               ///< Fresh: scratch of run_target
    NodeTable<Real> nodes;          ///< Nodes
    const Pack<Real>* superblocks;  ///< Nodes: all superblocks loaded in advance, or null

    /// To be called once `count` is known.
    void set_orders(std::int64_t dimension, int tile) {
        const int rounds = samples_per_lane(dimension);
        const std::int64_t superblock = static_cast<std::int64_t>(rounds) * tile;
        full = sample_order(superblock, rounds, tile);
        rest = sample_order(count % superblock, rounds, tile);
    }

    /// Packs of one superblock in `superblocks`: inputs, targets, weights.
    static std::int64_t superblock_packs(std::int64_t dimension) { return samples_per_lane(dimension) * (dimension + 2); }

    /// The superblock at `base` (a multiple of the superblock's size).
    SampleBlock<Real> load(const Cell& cell, std::int64_t base, int tile) const {
        if (kind == Kind::Fresh) {
            draw_samples(cell, *draw, step, base, block, stack);
            return block;
        }
        const std::int64_t rounds = samples_per_lane(cell.dimension);
        if (superblocks) {
            auto* start = const_cast<Pack<Real>*>(superblocks) + base / (rounds * tile) * superblock_packs(cell.dimension);
            return {start, start + rounds * cell.dimension, start + rounds * (cell.dimension + 1)};
        }
        load_nodes(nodes, cell.dimension, tile, base, block);
        return block;
    }
};

/// What stays the same from batch to batch.
template <class Real>
struct BatchContext {
    const Cell* cell;
    Layout layout;
    PassScratch<Real> scratch;
    Pack<Real> last_slot_present;  ///< 1 in lanes whose last slot holds a neuron, else 0
};

/// Gradient (written, [rows]) and risk (returned, alike in all lanes of a tile) at theta.
template <class Real>
Pack<Real> batch_gradient(const BatchContext<Real>& context, const BatchSource<Real>& source, const Pack<Real>* theta,
                          Pack<Real>* gradient);

template <class Real, ActivationKind Kind, int D>
Pack<Real> batch_gradient_of(const BatchContext<Real>& context, const BatchSource<Real>& source, const Pack<Real>* theta,
                             Pack<Real>* gradient) {
    const Layout& layout = context.layout;
    const int rounds = samples_per_lane(layout.dimension);
    const std::int64_t superblock = static_cast<std::int64_t>(rounds) * layout.tile;
    const NetworkPass<Real, Kind, D> pass(layout, context.cell->activation, context.scratch);
    for (std::int64_t row = 0; row < layout.rows(); ++row) gradient[row] = Pack<Real>{};
    Pack<Real> error_sum{}, risk_sum{};
    std::int64_t base = 0;
    for (; base + superblock <= source.count; base += superblock)
        pass.accumulate(theta, source.load(*context.cell, base, layout.tile), source.full, gradient, error_sum, risk_sum);
    if (base < source.count)
        pass.accumulate(theta, source.load(*context.cell, base, layout.tile), source.rest, gradient, error_sum, risk_sum);
    pass.finish(theta, gradient, error_sum, context.last_slot_present);
    return tile_sum(risk_sum, layout.tile);
}

#if defined(LIMRISK_DEFINE_BATCH)
template <class Real>
Pack<Real> batch_gradient(const BatchContext<Real>& context, const BatchSource<Real>& source, const Pack<Real>* theta,
                          Pack<Real>* gradient) {
    return with_activation(context.cell->activation.kind, [&](auto tag) {
        constexpr ActivationKind kind = decltype(tag)::kind;
        if constexpr (kind == ActivationKind::Relu) {
            if (context.layout.dimension == 1) return batch_gradient_of<Real, kind, 1>(context, source, theta, gradient);
            if (context.layout.dimension == 2) return batch_gradient_of<Real, kind, 2>(context, source, theta, gradient);
            if (context.layout.dimension == 3) return batch_gradient_of<Real, kind, 3>(context, source, theta, gradient);
            if (context.layout.dimension == 4) return batch_gradient_of<Real, kind, 4>(context, source, theta, gradient);
        }
        return batch_gradient_of<Real, kind, 0>(context, source, theta, gradient);
    });
}
template Pack<LIMRISK_DEFINE_BATCH> batch_gradient(const BatchContext<LIMRISK_DEFINE_BATCH>&, const BatchSource<LIMRISK_DEFINE_BATCH>&,
                                                   const Pack<LIMRISK_DEFINE_BATCH>*, Pack<LIMRISK_DEFINE_BATCH>*);
#endif

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
