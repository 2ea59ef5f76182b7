// Shapes known at compile time, for kernels that are compiled per cell: every row of the state has a constant index and lives in a
// register, or in memory that is cut for it. NetworkPass takes them.
#pragma once
#include "network.hpp"
#include "storage.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// A Layout of dimension D, Q slots, tiles of L lanes.
template <int D, int Q, int L, bool Skip>
struct FixedLayout {
    static constexpr std::int64_t dimension = D, slots = Q;
    static constexpr int tile = L, unrolled_slots = D <= 4 ? 4 : 1;
    static constexpr std::int64_t per_slot() { return D + 2; }
    static constexpr std::int64_t outer_bias() { return Q * (D + 2); }
    static constexpr std::int64_t skip_rows() { return Skip ? D : 0; }
    static constexpr std::int64_t rows() { return outer_bias() + 1 + skip_rows(); }
};

/// A Layout of dimension D whose slots and lanes are known at run time, for kernels that serve all widths.
template <int D, bool Skip>
struct FixedDimension {
    static constexpr std::int64_t dimension = D;
    static constexpr int unrolled_slots = 1;
    std::int64_t slots;
    int tile;
    static constexpr std::int64_t per_slot() { return D + 2; }
    std::int64_t outer_bias() const { return slots * per_slot(); }
    static constexpr std::int64_t skip_rows() { return Skip ? D : 0; }
    std::int64_t rows() const { return outer_bias() + 1 + skip_rows(); }
};

/// The `count` samples of a round whose inputs, target and weight are in place 0 of the block.
///   Least  samples known at compile time; if More, lane Least has one too where count says so
template <int L, int Least, bool More>
struct FixedRound {
    int count;

    LIMRISK_INLINE static int place() { return 0; }

    template <int S, class Body>
    LIMRISK_INLINE void each_group(Body body) const {
        constexpr int rest = Least % S;
        LIMRISK_UNROLL(32)
        for (int first = 0; first + S <= Least; first += S) body(AtOnce<S>{}, first);
        if constexpr (rest > 0) body(AtOnce<rest>{}, Least - rest);
        if constexpr (More) {
            if (Least < count) body(AtOnce<1>{}, Least);
        }
    }
    template <class Body>
    LIMRISK_INLINE void each_absent(int, Body body) const {
        LIMRISK_UNROLL(32)
        for (int j = Least; j < L; ++j)
            if (!More || j > Least || j >= count) body(j);
    }
};

/// The same of the round in place `t`, for rows in memory: a number of samples known at run time, a few at once.
struct Round {
    int t, count;

    LIMRISK_INLINE int place() const { return t; }

    template <int S, class Body>
    LIMRISK_INLINE void each_group(Body body) const {
        int first = 0;
        for (; first + S <= count; first += S) body(AtOnce<S>{}, first);
        for (; first < count; ++first) body(AtOnce<1>{}, first);
    }
    template <class Body>
    LIMRISK_INLINE void each_absent(int tile, Body body) const {
        for (int j = count; j < tile; ++j) body(j);
    }
};

template <bool First, class A, class B>
struct ChooseType {
    using Type = A;
};
template <class A, class B>
struct ChooseType<false, A, B> {
    using Type = B;
};

/// Rows where the kernel wants them: an array that the compiler keeps in registers, or rows in memory.
template <class Real, int Count, bool InRegisters>
struct RowSpace {
    using Rows = Pack<Real>*;
    Pack<Real> packs[Count > 0 ? Count : 1];
    LIMRISK_INLINE Rows rows() { return packs; }
};
template <class Real, int Count>
struct RowSpace<Real, Count, false> {
    using Rows = StridedRows<Real>;
    Rows strided;
    LIMRISK_INLINE Rows rows() { return strided; }
};

/// Cuts the memory of a warp into rows.
///   Real  may differ from call to call; every row starts at a multiple of its size if the larger ones come first
class RowArena {
public:
    /// `start`: of this warp's memory;  `lane`: the lane that works here, 0 where a pack is a whole warp
    LIMRISK_INLINE RowArena(char* start, int lane) : next_(start), lane_(lane) {}

    template <class Real>
    LIMRISK_INLINE StridedRows<Real> take(std::int64_t rows) {
        Pack<Real>* first = reinterpret_cast<Pack<Real>*>(next_) + lane_;
        next_ += rows * warp_lanes * static_cast<std::int64_t>(sizeof(Real));
        return {first, warp_lanes * static_cast<std::int64_t>(sizeof(Real)) / static_cast<std::int64_t>(sizeof(Pack<Real>))};
    }

private:
    char* next_;
    int lane_;
};

/// The totals of a batch of several blocks (docs/numerics.md sections 3 and 4), one row per sum, in the place of c that of the errors;
/// nothing to do for a batch of one block.
template <class Real, bool Several, class LayoutType, class Rows>
class BlockTotals {
public:
    /// `sums`: of the present block;  `totals`: null for one block
    LIMRISK_INLINE BlockTotals(const LayoutType& layout, const Rows& sums, Pack<Real>& error_sum, const StridedRows<double>& totals)
        : layout_(layout), sums_(sums), error_sum_(error_sum), totals_(totals) {
        clear_sums();
        if constexpr (Several)
            for (std::int64_t row = 0; row < layout_.rows(); ++row) totals_[row] = Pack<double>{};
    }

    /// To be called before each round, with the number of its samples.
    LIMRISK_INLINE void start_round(int samples) {
        if constexpr (Several) {
            if (samples_ + samples > block_samples) {
                end_block();
                clear_sums();
                samples_ = 0;
            }
            samples_ += samples;
        }
    }

    /// Turns sums or totals into the gradient, by a NetworkPass.
    template <class Pass, class ConstRows>
    LIMRISK_INLINE void finish(const Pass& pass, const ConstRows& theta, const Pack<Real>& last_slot_present) {
        if constexpr (Several) {
            end_block();
            pass.finish_totals(theta, sums_, totals_, last_slot_present);
        } else {
            pass.finish(theta, sums_, error_sum_, last_slot_present);
        }
    }

private:
    LIMRISK_INLINE void clear_sums() {
        LIMRISK_UNROLL_ROWS(Rows)
        for (std::int64_t row = 0; row < layout_.rows(); ++row) sums_[row] = Pack<Real>{};
        error_sum_ = Pack<Real>{};
    }
    LIMRISK_INLINE void end_block() {
        LIMRISK_UNROLL_ROWS(Rows)
        for (std::int64_t row = 0; row < layout_.rows(); ++row) {
            const bool of_error = LayoutType::skip_rows() > 0 ? row == layout_.outer_bias() : !(row < layout_.outer_bias());
            const Pack<double> sum = to_double(of_error ? error_sum_ : sums_[row]);
            for_parts<double>([&](int p) { totals_[row].part[p] = totals_[row].part[p] + sum.part[p]; });
        }
    }

    LayoutType layout_;
    Rows sums_;
    Pack<Real>& error_sum_;
    StridedRows<double> totals_;
    int samples_ = 0;  ///< of the present block
};

/// Scratch and sums of a pass whose rows are in memory.
template <class Real>
struct MemoryPass {
    PassScratch<Real, StridedRows<Real>> scratch;
    SampleBlock<Real, StridedRows<Real>> block;

    /// scratch_rows(tile, dimension) rows of `arena`.
    LIMRISK_INLINE MemoryPass(RowArena& arena, std::int64_t tile, std::int64_t dimension) {
        const int rounds = samples_per_lane(dimension);
        scratch.outputs = arena.take<Real>(tile);
        scratch.errors = arena.take<Real>(rounds);
        scratch.lane_number = lane_in_tile<Real>(static_cast<int>(tile));
        block.inputs = arena.take<Real>(rounds * dimension);
        block.targets = arena.take<Real>(rounds);
        block.weights = arena.take<Real>(rounds);
    }

    /// Gradient (written) and risk (returned, alike in all lanes of a tile; of the last block) of a batch of `count` samples at theta.
    ///   Several  whether the batch has several blocks;   totals  of the blocks, if it has
    ///   load    (base): fills `block` with the superblock from sample `base` on
    template <ActivationKind Kind, LossKind OfLoss, bool Several, class LayoutType, class Load>
    LIMRISK_INLINE Pack<Real> gradient(const LayoutType& layout, const Activation& activation, const Loss& loss,
                                       const Pack<Real>& last_slot_present, std::int64_t count, StridedRows<Real> theta,
                                       StridedRows<Real> gradient, StridedRows<double> totals, Load load) const {
        constexpr int rounds = samples_per_lane(LayoutType::dimension);
        const NetworkPass<Real, Kind, OfLoss, LayoutType, StridedRows<Real>> pass(layout, activation, loss, scratch);
        Pack<Real> error_sum, risk_sum{};
        BlockTotals<Real, Several, LayoutType, StridedRows<Real>> blocks(layout, gradient, error_sum, totals);
        for (std::int64_t base = 0; base < count; base += rounds * layout.tile) {
            warp_barrier();
            load(base);
            warp_barrier();
            LIMRISK_UNROLL_ROWS(StridedRows<Real>)
            for (int t = 0; t < rounds; ++t) {
                const std::int64_t left = count - base - t, samples = (left + rounds - 1) / rounds;
                if (left <= 0) break;
                const int number = static_cast<int>(samples < layout.tile ? samples : layout.tile);
                blocks.start_round(number);
                pass.accumulate(theta, block, Round{t, number}, gradient, error_sum, risk_sum);
            }
        }
        blocks.finish(pass, theta, last_slot_present);
        return tile_sum(risk_sum, layout.tile);
    }
};

/// Reads nodes into the samples of one superblock; lanes beyond the table get its last node (they are masked later).
template <int D, class Real, class Rows>
LIMRISK_INLINE void load_node_rows(const NodeTable<Real>& nodes, std::int64_t base, int tile, const SampleBlock<Real, Rows>& block) {
    constexpr int rounds = samples_per_lane(D);
    LIMRISK_UNROLL_ROWS(Rows)
    for (int t = 0; t < rounds; ++t) {
        const auto node = [&](int i) {
            const std::int64_t m = base + rounds * (i & (tile - 1)) + t;
            return m < nodes.count ? m : nodes.count - 1;
        };
        LIMRISK_UNROLL_ROWS(Rows)
        for (int k = 0; k < D; ++k) block.inputs[t * D + k] = make_pack<Real>([&](int i) { return nodes.inputs[node(i) * D + k]; });
        block.targets[t] = make_pack<Real>([&](int i) { return nodes.targets[node(i)]; });
        block.weights[t] = make_pack<Real>([&](int i) { return nodes.weights[node(i)]; });
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
