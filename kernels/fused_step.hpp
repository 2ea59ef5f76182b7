// One optimizer step of the replicas of a warp: what a GPU thread does thousands of times in one launch, in registers if the state fits.
// Tests run it on an emulated GPU (tests/emulation) against the CPU backend, bit for bit.
//
// Spec describes a cell at compile time:
//   using Real;  static constexpr int dimension, slots, tile;  static constexpr std::int64_t width, batch;
//   static constexpr Activation activation;  static constexpr Loss loss;  static constexpr Optimizer optimizer;
//   static constexpr Average average;  static constexpr Groups held;  static constexpr Law input, noise;
//
//   static constexpr bool alike;  static constexpr Law input_of(int k);
//       alike: all coordinates have the law `input`, else that of k
//
//   static constexpr InputShape shape;  static constexpr double radius;  static constexpr bool several_blocks, fresh_samples;
//
//   static constexpr Storage network, states;
//       states in registers: network too
//
//   static constexpr bool rebroadcast, keeps;
//       as of NetworkPass, for a network in registers
//
//   static constexpr Picks picks;
//       of nodes that are data points; without it all of them
//
//   static constexpr bool skip;
//       whether the network has a skip connection; without it there is none
//
//   static constexpr bool own_points;
//       whether every replica has nodes of its own; without it all have the same
//
//   template <class V> static V target(const V (&x)[dimension]);
//       one operation after the other, docs/numerics.md section 7
//
//   static constexpr bool has_noise_factor;  template <class V> static V noise_factor(const V (&x)[dimension]);
#pragma once
#include "cuda_picks.hpp"
#include "fixed_shape.hpp"
#include "initialize.hpp"
#include "step.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <Storage Kept>
struct StorageTag {
    static constexpr Storage storage = Kept;
};

/// Whether the networks of a Spec have a skip connection.
template <class Spec>
constexpr bool has_skip() {
    if constexpr (requires { Spec::skip; })
        return Spec::skip;
    else
        return false;
}

/// Whether every replica of a Spec has nodes of its own.
template <class Spec>
constexpr bool has_own_points() {
    if constexpr (requires { Spec::own_points; })
        return Spec::own_points;
    else
        return false;
}

/// The nodes of a replica: where each has its own, tables hold those of one after the other.
template <class Spec, class Real>
LIMRISK_INLINE decltype(auto) nodes_of_replica(const NodeTable<Real>& nodes, std::int64_t replica) {
    if constexpr (has_own_points<Spec>()) {
        const std::int64_t first = replica * nodes.count;
        return NodeTable<Real>{nodes.inputs + first * Spec::dimension, nodes.targets + first, nodes.weights + first, nodes.count};
    } else {
        return (nodes);
    }
}

/// State of the replicas of a warp, one row per coordinate; unused states take no registers.
template <class Spec>
struct FusedState {
    using Real = typename Spec::Real;
    using LayoutType = FixedLayout<Spec::dimension, Spec::slots, Spec::tile, has_skip<Spec>()>;
    static constexpr int rows = static_cast<int>(LayoutType::rows());
    static constexpr int states = state_count(Spec::optimizer.kind);
    static constexpr bool in_registers = Spec::network == Storage::Registers;
    static constexpr bool looks_ahead = kernels::looks_ahead(Spec::optimizer), averages = any(Spec::average);

    using Network = RowSpace<Real, rows, in_registers>;
    Network theta, gradient;
    RowSpace<Real, looks_ahead ? rows : 0, in_registers> shifted;
    RowSpace<Real, states >= 1 ? rows : 0, Spec::states == Storage::Registers> first;
    RowSpace<Real, states >= 2 ? rows : 0, Spec::states == Storage::Registers> second;
    RowSpace<Real, states >= 3 ? rows : 0, Spec::states == Storage::Registers> third;
    RowSpace<Real, averages ? rows : 0, Spec::states == Storage::Registers> average, average_lost;
    MaskOf<Vec<Real>> alive[parts<Real>];

    /// Calls body(rows, array, place) for what outlasts a launch: its rows here, its array in a Piece, and a tag of where the rows are.
    template <class Piece, class Body>
    LIMRISK_INLINE void each_array(const Piece& piece, Body body) {
        constexpr StorageTag<Spec::states> place;
        body(theta, piece.theta, StorageTag<Spec::network>{});
        if constexpr (states >= 1) body(first, piece.first, place);
        if constexpr (states >= 2) body(second, piece.second, place);
        if constexpr (states >= 3) body(third, piece.third, place);
        if constexpr (averages) body(average, piece.average, place), body(average_lost, piece.average_lost, place);
    }

    LIMRISK_INLINE auto step_rows() {
        using States = decltype(first.rows());
        return StepRows<typename Network::Rows, States>{theta.rows(),  gradient.rows(), shifted.rows(), first.rows(),
                                                        second.rows(), third.rows(),    average.rows(), average_lost.rows()};
    }
};

/// The passes of a batch in registers: whole rounds at once, every index known at compile time.
template <class Spec>
class RegisterPass {
public:
    using Real = typename Spec::Real;
    using LayoutType = typename FusedState<Spec>::LayoutType;

    /// See MemoryPass::gradient; without the risk.
    template <class Load>
    LIMRISK_INLINE void gradient(const Pack<Real>& last_slot_present, const Pack<Real>* theta, Pack<Real>* gradient,
                                 const StridedRows<double>& totals, Load load) {
        Pack<Real> outputs[Spec::tile], error, error_sum, risk_sum{};
        BlockTotals<Real, Spec::several_blocks, LayoutType, Pack<Real>*> blocks(LayoutType{}, gradient, error_sum, totals);
        const PassScratch<Real> scratch{outputs, &error, lane_in_tile<Real>(Spec::tile)};
        const NetworkPass<Real, Spec::activation.kind, Spec::loss.kind, LayoutType, Pack<Real>*, Spec::rebroadcast, Spec::keeps> pass(
            LayoutType{}, Spec::activation, Spec::loss, scratch);
        Pack<Real> inputs[rounds * Spec::dimension], targets[rounds], weights[rounds];
        const SampleBlock<Real> block{inputs, targets, weights};
        constexpr std::int64_t superblock = static_cast<std::int64_t>(rounds) * Spec::tile, whole = Spec::batch / superblock * superblock;
        constexpr int left = static_cast<int>(Spec::batch - whole), least = left / rounds, more = left % rounds;
        LIMRISK_ROLLED
        for (std::int64_t base = 0; base < whole; base += superblock) {
            load(base, block);
            if constexpr (unrolled) {
                blocks.start_round(static_cast<int>(superblock));
                LIMRISK_UNROLL(4)
                for (int t = 0; t < rounds; ++t)
                    pass.accumulate(theta, {inputs + t * Spec::dimension, targets + t, weights + t},
                                    FixedRound<Spec::tile, Spec::tile, false>{Spec::tile}, gradient, error_sum, risk_sum);
            } else {
                LIMRISK_ROLLED
                for (int t = 0; t < rounds; ++t) {
                    blocks.start_round(Spec::tile);
                    pass.accumulate(theta, block, FixedRound<Spec::tile, Spec::tile, false>{Spec::tile}, gradient, error_sum, risk_sum);
                    next_round(block);
                }
            }
        }
        if constexpr (left > 0) {
            load(whole, block);
            LIMRISK_ROLLED
            for (int t = 0; t < (least > 0 ? rounds : more); ++t) {
                const int number = t < more ? least + 1 : least;
                blocks.start_round(number);
                pass.accumulate(theta, block, FixedRound<Spec::tile, least, (more > 0)>{number}, gradient, error_sum, risk_sum);
                next_round(block);
            }
        }
        blocks.finish(pass, theta, last_slot_present);
    }

private:
    static constexpr int rounds = samples_per_lane(Spec::dimension);
    /// Whether the rounds of a superblock are short enough to be laid out one after the other. A block is a whole number of superblocks.
    static constexpr bool unrolled = rounds > 1 && Spec::tile* Spec::slots <= 16 && block_samples % (rounds * Spec::tile) == 0;

    /// Moves the samples of the rounds to come one place down: the code of one round then serves all, and every index is a constant.
    static LIMRISK_INLINE void next_round(const SampleBlock<Real>& block) {
        LIMRISK_UNROLL(4)
        for (int t = 0; t + 1 < rounds; ++t) {
            LIMRISK_UNROLL(4)
            for (int k = 0; k < Spec::dimension; ++k) block.inputs[t * Spec::dimension + k] = block.inputs[(t + 1) * Spec::dimension + k];
            block.targets[t] = block.targets[t + 1];
            block.weights[t] = block.weights[t + 1];
        }
    }
};

/// Which of the training nodes a step uses.
template <class Spec>
constexpr Picks picks_of() {
    if constexpr (requires { Spec::picks; })
        return Spec::picks;
    else
        return Picks::None;
}

template <class Spec>
class FusedStep {
public:
    using Real = typename Spec::Real;
    using V = Vec<Real>;
    using State = FusedState<Spec>;
    using LayoutType = typename State::LayoutType;
    /// What the passes work with: nothing in registers, else scratch rows that the caller cuts.
    using Pass = typename ChooseType<State::in_registers, RegisterPass<Spec>, MemoryPass<Real>>::Type;

    /// `totals`: memory for [rows], if the batch has several blocks;  `table`: of the input, if its law has one;  `picks`: where steps do
    /// not use all nodes, for those from the first of the launch on, one after the other
    LIMRISK_INLINE FusedStep(std::uint64_t seed, const TrialWords& trials, const NodeTable<Real>& nodes, const Pass& pass,
                             const StridedRows<double>& totals, const QuantileTable<Real>& table, const PickTables& picks)
        : pass_(pass),
          totals_(totals),
          nodes_(nodes),
          table_(table),
          picks_(picks),
          place_(picks.start),
          draw_{seed, trials, make_words([](int i) { return static_cast<std::uint32_t>(i & (Spec::tile - 1)) * calls; })},
          last_slot_present_(last_slot_presence<Real>(LayoutType{}, Spec::width)) {}

    /// Step number `step`. `lost` (alike in all lanes of a tile): the residuals of a living replica were not finite; it is frozen now.
    LIMRISK_INLINE void operator()(std::int64_t step, const StepScalars& scalars, State& state, MaskOf<V> (&lost)[parts<Real>]) {
        train_step<Real>(Spec{}, LayoutType{}, step, scalars, state.step_rows(), state.alive, lost,
                         [&](auto at, auto gradient) LIMRISK_INLINE_LAMBDA { batch_gradient(step, at, gradient); });
        if constexpr (picks == Picks::Epochs) {
            place_ = later(place_, picks_.batch.place, picks_.order.count);
            place_.epoch += picks_.batch.epoch;
        }
    }

private:
    static constexpr int rounds = samples_per_lane(Spec::dimension);
    static constexpr std::uint32_t calls = static_cast<std::uint32_t>(calls_per_group(Spec::dimension));
    static constexpr Picks picks = picks_of<Spec>();

    template <class Rows>
    LIMRISK_INLINE void batch_gradient(std::int64_t step, Rows theta, Rows gradient) {
        if constexpr (State::in_registers)
            pass_.gradient(last_slot_present_, theta, gradient, totals_,
                           [&](std::int64_t base, const SampleBlock<Real>& block) { load(step, base, block); });
        else
            pass_.template gradient<Spec::activation.kind, Spec::loss.kind, Spec::several_blocks>(
                LayoutType{}, Spec::activation, Spec::loss, last_slot_present_, Spec::batch, theta, gradient, totals_,
                [&](std::int64_t base) { load(step, base, pass_.block); });
    }

    template <class Rows>
    LIMRISK_INLINE void load(std::int64_t step, std::int64_t base, const SampleBlock<Real, Rows>& block) const {
        if constexpr (Spec::fresh_samples) {
            LIMRISK_UNROLL(16)
            for (std::uint32_t call = 0; call < calls; ++call) {
                WordPack calls_of_lanes = draw_.lane_call;
                for (int p = 0; p < word_parts; ++p)
                    calls_of_lanes.part[p] = calls_of_lanes.part[p] + (static_cast<std::uint32_t>(base / rounds) * calls + call);
                WordPack words[4];
                draw_words(draw_.seed, draw_.trials, Purpose::Samples, static_cast<std::uint64_t>(step), calls_of_lanes, words);
                LIMRISK_UNROLL(4)
                for (int w = 0; w < 4; ++w)
                    if (4 * call + w < rounds * Spec::dimension)
                        block.inputs[4 * call + w] = coordinate(static_cast<int>(4 * call + w) % Spec::dimension, words[w]);
            }
            if constexpr (Spec::shape != InputShape::Coordinates) {
                WordPack words[4];
                if constexpr (Spec::shape == InputShape::Ball) draw_beside(Purpose::Radius, step, base, words);
                LIMRISK_UNROLL(4)
                for (int t = 0; t < rounds; ++t) {
                    Pack<Real> radius = splat_pack<Real>(Spec::radius);
                    if constexpr (Spec::shape == InputShape::Ball) radius = uniform_variates<Real>(words[t]);
                    for_parts<Real>([&](int p) {
                        const V at = Spec::shape == InputShape::Ball ? radius_in_ball(radius.part[p], Spec::radius, Spec::dimension)
                                                                     : radius.part[p];
                        move_to_radius(at, Spec::dimension,
                                       [&](std::int64_t k) -> V& { return block.inputs[t * Spec::dimension + k].part[p]; });
                    });
                }
            }
            LIMRISK_UNROLL(4)
            for (int t = 0; t < rounds; ++t) {
                block.weights[t] = splat_pack<Real>(1.0 / static_cast<double>(Spec::batch));
                for_parts<Real>([&](int p) {
                    V x[Spec::dimension];
                    LIMRISK_UNROLL(16)
                    for (int k = 0; k < Spec::dimension; ++k) x[k] = block.inputs[t * Spec::dimension + k].part[p];
                    block.targets[t].part[p] = Spec::target(x);
                });
            }
            if constexpr (Spec::noise.kind != LawKind::Zero) {
                WordPack words[4];
                draw_beside(Purpose::Noise, step, base, words);
                LIMRISK_UNROLL(4)
                for (int t = 0; t < rounds; ++t) {
                    Pack<Real> noise = variates_of<Real, Spec::noise.kind>(Spec::noise, words[t]);
                    if constexpr (Spec::has_noise_factor)
                        for_parts<Real>([&](int p) {
                            V x[Spec::dimension];
                            LIMRISK_UNROLL(16)
                            for (int k = 0; k < Spec::dimension; ++k) x[k] = block.inputs[t * Spec::dimension + k].part[p];
                            noise.part[p] = noise.part[p] * Spec::noise_factor(x);
                        });
                    for_parts<Real>([&](int p) { block.targets[t].part[p] = block.targets[t].part[p] + noise.part[p]; });
                }
            }
        } else if constexpr (picks != Picks::None) {
            std::uint32_t nodes[rounds]{};
            const auto lane = static_cast<std::uint32_t>(lane_of_thread() & (Spec::tile - 1));
            const std::uint32_t first = static_cast<std::uint32_t>(base) + rounds * lane;
            if constexpr (picks == Picks::Epochs)
                pick_by_epochs(picks_.order, draw_.seed, draw_.trials, later(place_, first, picks_.order.count), nodes);
            else
                pick_independently(picks_.thresholds, nodes_.count, draw_.seed, draw_.trials, step, first, nodes);
            LIMRISK_UNROLL(4)
            for (int t = 0; t < rounds; ++t) {
                const std::int64_t node = nodes[t];
                LIMRISK_UNROLL_ROWS(Rows)
                for (int k = 0; k < Spec::dimension; ++k)
                    block.inputs[t * Spec::dimension + k] = Pack<Real>{{nodes_.inputs[node * Spec::dimension + k]}};
                block.targets[t] = Pack<Real>{{nodes_.targets[node]}};
                block.weights[t] = splat_pack<Real>(1.0 / static_cast<double>(Spec::batch));
            }
        } else {
            load_node_rows<Spec::dimension>(nodes_, base, Spec::tile, block);
        }
    }

    /// Coordinate k of an input, or what it is made of.
    LIMRISK_INLINE Pack<Real> coordinate(int k, const WordPack& words) const {
        if constexpr (Spec::input.kind == LawKind::Table) {
            Pack<Real> x = uniform_variates<Real>(words);
            if constexpr (Spec::alike)
                apply_table(table_, Spec::input, x.part, parts<Real>);
            else
                apply_table(table_, Spec::input_of(k), x.part, parts<Real>);
            return x;
        } else if constexpr (Spec::alike)
            return variates_of<Real, Spec::input.kind>(Spec::input, words);
        else
            return variates_of<Real, Spec::input.kind>(Spec::input_of(k), words);
    }

    /// The words of one variate more per sample: word t is that of round t.
    LIMRISK_INLINE void draw_beside(Purpose purpose, std::int64_t step, std::int64_t base, WordPack (&words)[4]) const {
        const WordPack groups =
            make_words([&](int i) { return static_cast<std::uint32_t>(i & (Spec::tile - 1)) + static_cast<std::uint32_t>(base / rounds); });
        draw_words(draw_.seed, draw_.trials, purpose, static_cast<std::uint64_t>(step), groups, words);
    }

    Pass pass_;
    StridedRows<double> totals_;
    NodeTable<Real> nodes_;
    QuantileTable<Real> table_;
    PickTables picks_;
    EpochPlace place_;  ///< of the first sample of the step
    Draw draw_;
    Pack<Real> last_slot_present_;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
