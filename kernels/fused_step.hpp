// One optimizer step of the replicas of a warp with everything in registers: what a GPU thread does thousands of times in one launch.
// Lane-generic like all of kernels/: tests run it on CPU lanes against the CPU backend, bit for bit.
//
// Spec describes a cell at compile time:
//   using Real;  static constexpr int dimension, slots, tile;  static constexpr std::int64_t width, batch;
//   static constexpr Activation activation;  static constexpr Optimizer optimizer;  static constexpr Law input;
//   static constexpr bool fresh_samples;
//   template <class V> static V target(const V (&x)[dimension]);   // one operation after the other, docs/numerics.md section 7
#pragma once
#include "fixed_shape.hpp"
#include "optimizer.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// State of the replicas of a warp, one row per coordinate; unused states take no registers.
template <class Spec>
struct FusedState {
    using Real = typename Spec::Real;
    using LayoutType = FixedLayout<Spec::dimension, Spec::slots, Spec::tile>;
    static constexpr int rows = static_cast<int>(LayoutType::rows());
    static constexpr int states = state_count(Spec::optimizer.kind);

    Pack<Real> theta[rows];
    Pack<Real> first[states >= 1 ? rows : 1];
    Pack<Real> second[states >= 2 ? rows : 1];
    MaskOf<Vec<Real>> alive[parts<Real>];
};

template <class Spec>
class FusedStep {
public:
    using Real = typename Spec::Real;
    using V = Vec<Real>;
    using State = FusedState<Spec>;
    using LayoutType = typename State::LayoutType;

    LIMRISK_INLINE FusedStep(std::uint64_t seed, std::int64_t first_trial, const NodeTable<Real>& nodes)
        : nodes_(nodes),
          draw_{seed, trial_words(first_trial, Spec::tile),
                make_words([](int i) { return static_cast<std::uint32_t>(i & (Spec::tile - 1)) * calls; })},
          lane_number_(lane_in_tile<Real>(Spec::tile)),
          last_slot_present_(make_pack<Real>(
              [](int i) { return (Spec::slots - 1) * Spec::tile + (i & (Spec::tile - 1)) < Spec::width ? Real(1) : Real(0); })) {}

    /// Step number `step`. `lost` (alike in all lanes of a tile): the residuals of a living replica were not finite; it is frozen now.
    LIMRISK_INLINE void operator()(std::int64_t step, const StepScalars& scalars, State& state, MaskOf<V> (&lost)[parts<Real>]) const {
        Pack<Real> gradient[State::rows];
        if constexpr (Spec::optimizer.kind == OptimizerKind::Nesterov) {
            Pack<Real> shifted[State::rows];
            look_ahead(Spec::optimizer, scalars, State::rows, state.theta, state.first, shifted);
            batch_gradient(step, shifted, gradient);
        } else {
            batch_gradient(step, state.theta, gradient);
        }
        for_parts<Real>([&](int p) {
            const auto finite = less_equal(abs(gradient[State::rows - 1].part[p]), splat<V>(RealTraits<Real>::largest));
            lost[p] = both(state.alive[p], negate(finite));
            state.alive[p] = both(state.alive[p], finite);
        });
        update_rows<Spec::optimizer.kind>(Spec::optimizer, scalars, State::rows, gradient, state.alive, state.theta, state.first,
                                          state.second);
    }

private:
    static constexpr int rounds = samples_per_lane(Spec::dimension);
    static constexpr std::uint32_t calls = static_cast<std::uint32_t>(calls_per_group(Spec::dimension));
    static constexpr std::int64_t superblock = static_cast<std::int64_t>(rounds) * Spec::tile;

    /// Samples of one superblock in registers.
    struct Samples {
        Pack<Real> inputs[rounds * Spec::dimension], targets[rounds], weights[rounds];
    };

    LIMRISK_INLINE void batch_gradient(std::int64_t step, const Pack<Real>* theta, Pack<Real>* gradient) const {
        LIMRISK_UNROLL(64)
        for (int row = 0; row < State::rows; ++row) gradient[row] = Pack<Real>{};
        Pack<Real> outputs[Spec::tile], errors[rounds], error_sum{}, risk_sum{};
        const PassScratch<Real> scratch{outputs, errors, nullptr, lane_number_};
        const NetworkPass<Real, Spec::activation.kind, Spec::dimension, LayoutType> pass(LayoutType{}, Spec::activation, scratch);
        Samples samples;
        const SampleBlock<Real> block{samples.inputs, samples.targets, samples.weights};
        constexpr std::int64_t whole = Spec::batch / superblock * superblock;
        for (std::int64_t base = 0; base < whole; base += superblock) {
            load(step, base, samples);
            LIMRISK_UNROLL(4)
            for (int t = 0; t < rounds; ++t)
                pass.accumulate(theta, block, RoundOrder<Spec::tile, true>{t, Spec::tile}, gradient, error_sum, risk_sum);
        }
        if constexpr (whole < Spec::batch) {
            load(step, whole, samples);
            LIMRISK_UNROLL(4)
            for (int t = 0; t < rounds; ++t) {
                const std::int64_t left = Spec::batch - whole - t;
                const int count = left <= 0 ? 0 : static_cast<int>((left + rounds - 1) / rounds);
                pass.accumulate(theta, block, RoundOrder<Spec::tile, false>{t, count < Spec::tile ? count : Spec::tile}, gradient,
                                error_sum, risk_sum);
            }
        }
        pass.finish(theta, gradient, error_sum, last_slot_present_);
    }

    LIMRISK_INLINE void load(std::int64_t step, std::int64_t base, Samples& samples) const {
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
                    if (4 * call + w < rounds * Spec::dimension) samples.inputs[4 * call + w] = variates<Real>(Spec::input, words[w]);
            }
            LIMRISK_UNROLL(4)
            for (int t = 0; t < rounds; ++t) {
                samples.weights[t] = splat_pack<Real>(1.0 / static_cast<double>(Spec::batch));
                for_parts<Real>([&](int p) {
                    V x[Spec::dimension];
                    LIMRISK_UNROLL(16)
                    for (int k = 0; k < Spec::dimension; ++k) x[k] = samples.inputs[t * Spec::dimension + k].part[p];
                    samples.targets[t].part[p] = Spec::target(x);
                });
            }
        } else {
            LIMRISK_UNROLL(4)
            for (int t = 0; t < rounds; ++t) {
                const auto node = [&](int i) {
                    const std::int64_t m = base + rounds * (i & (Spec::tile - 1)) + t;
                    return m < nodes_.count ? m : nodes_.count - 1;
                };
                LIMRISK_UNROLL(16)
                for (int k = 0; k < Spec::dimension; ++k)
                    samples.inputs[t * Spec::dimension + k] =
                        make_pack<Real>([&](int i) { return nodes_.inputs[node(i) * Spec::dimension + k]; });
                samples.targets[t] = make_pack<Real>([&](int i) { return nodes_.targets[node(i)]; });
                samples.weights[t] = make_pack<Real>([&](int i) { return nodes_.weights[node(i)]; });
            }
        }
    }

    NodeTable<Real> nodes_;
    Draw draw_;
    Pack<Real> lane_number_, last_slot_present_;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
