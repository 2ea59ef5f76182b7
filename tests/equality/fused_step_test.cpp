// The step that the GPU fuses into one launch, run on CPU lanes: the same bits as the CPU backend.
// Compiled on 16-byte lanes in a namespace of its own, so that no code of the backend can stand in for it.
#include "kernels/fused_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cell_plan.hpp"
#include "kernels/schedule.hpp"

namespace limrisk::test {
namespace {

using namespace kernels;

/// x1^2 + 2*x1, as Expression compiles it.
template <class V, int D>
V quadratic(const V (&x)[D]) {
    return integer_power(x[0], 2) + splat<V>(2) * x[0];
}

template <class RealType, ActivationKind Kind, OptimizerKind Opt, int D, int H, int M, bool Fresh, Storage Network = Storage::Registers,
          int Example = 0>
struct SpecOf {
    using Real = RealType;
    static constexpr int dimension = D, slots = tile_shape(H, D).neurons_per_lane, tile = tile_shape(H, D).lanes;
    static constexpr std::int64_t width = H, batch = M;
    static constexpr Activation activation = example_of(Kind);
    static constexpr Optimizer optimizer = example_of(Opt, Example);
    static constexpr Law input{LawKind::Uniform, -1, 1, 0, 0, 0, 0};
    static constexpr bool several_blocks = sizeof(Real) == 4 && M > block_samples, fresh_samples = Fresh, rebroadcast = Fresh;
    static constexpr bool keeps = Network == Storage::Registers && Opt != OptimizerKind::Momentum;
    static constexpr Storage network = Network, states = Network;
    template <class V>
    static V target(const V (&x)[D]) {
        return quadratic(x);
    }
};

template <class Spec>
CellConfig config_of() {
    CellConfig config;
    config.precision = sizeof(typename Spec::Real) == 4 ? Precision::Float32 : Precision::Float64;
    config.input.dimension = Spec::dimension;
    config.input.low = -1;
    config.target = "x1^2 + 2*x1";
    config.width = Spec::width;
    config.activation = Spec::activation;
    config.batch = Spec::batch;
    if (!Spec::fresh_samples) config.nodes_per_axis = Spec::batch;
    config.optimizer = Spec::optimizer;
    config.learning_rate = {0.03, 0.1};
    config.steps = 61;
    config.checks = config.tail = 1;
    config.evaluation = {8, 8};
    return config;
}

/// Calls body(j, row, lane of the tile) for every coordinate j in canonical order.
template <class Spec, class Body>
void for_coordinates(Body body) {
    constexpr std::int64_t d = Spec::dimension, h = Spec::width;
    for (std::int64_t i = 0; i < h; ++i)
        for (std::int64_t k = 0; k < d + 2; ++k)
            body(k < d ? i * d + k : k == d ? h * d + i : h * (d + 1) + i, i / Spec::tile * (d + 2) + k, static_cast<int>(i % Spec::tile));
    for (int lane = 0; lane < Spec::tile; ++lane) body(h * (d + 2), Spec::slots * (d + 2), lane);
}

/// Memory for a state that is not in registers, as the kernel cuts shared memory.
template <class Spec>
class Memory {
public:
    using Real = typename Spec::Real;

    StridedRows<double> totals() { return {totals_.data(), 1}; }

    typename FusedStep<Spec>::Pass place(FusedState<Spec>& state) {
        if constexpr (FusedState<Spec>::in_registers) {
            return {};
        } else {
            RowArena arena(reinterpret_cast<char*>(packs_.data()), 0);
            constexpr std::int64_t rows = FusedState<Spec>::rows;
            state.theta.strided = arena.take<Real>(rows);
            state.gradient.strided = arena.take<Real>(rows);
            if constexpr (FusedState<Spec>::looks_ahead) state.shifted.strided = arena.take<Real>(rows);
            if constexpr (FusedState<Spec>::states >= 1) state.first.strided = arena.take<Real>(rows);
            if constexpr (FusedState<Spec>::states >= 2) state.second.strided = arena.take<Real>(rows);
            if constexpr (FusedState<Spec>::states >= 3) state.third.strided = arena.take<Real>(rows);
            return MemoryPass<Real>(arena, Spec::tile, Spec::dimension);
        }
    }

private:
    std::vector<Pack<Real>> packs_ = std::vector<Pack<Real>>(static_cast<std::size_t>(
        shared_rows(Storage::Shared, Storage::Shared, {Spec::tile, Spec::slots}, Spec::dimension, Spec::optimizer)));
    std::vector<Pack<double>> totals_ = std::vector<Pack<double>>(FusedState<Spec>::rows);
};

template <class Spec>
class FusedStepOn : public testing::Test {};

/// The k-th optimizer with the k-th activation from the front, in one of four shapes: every kind of both occurs.
template <int K>
struct SpecOfKinds {
    static constexpr auto optimizer = static_cast<OptimizerKind>(K % optimizer_count);
    static constexpr auto activation = static_cast<ActivationKind>(K % activation_count);
    static constexpr Storage storage = K / 2 % 2 == 0 ? Storage::Registers : Storage::Shared;
    using Type = std::conditional_t<
        K % 4 == 0, SpecOf<float, activation, optimizer, 1, 3, 128, false, storage, K % 3>,
        std::conditional_t<K % 4 == 1, SpecOf<float, activation, optimizer, 5, 9, 9, true, storage, K % 3>,
                           std::conditional_t<K % 4 == 2, SpecOf<double, activation, optimizer, 1, 17, 37, false, storage, K % 3>,
                                              SpecOf<double, activation, optimizer, 2, 13, 31, true, storage, K % 3>>>>;
};

/// ReLU, whose passes are written for it, in shapes that matter; then all kinds.
template <std::size_t... K>
testing::Types<SpecOf<float, ActivationKind::Relu, OptimizerKind::Sgd, 1, 64, 64, true>,
               SpecOf<float, ActivationKind::Relu, OptimizerKind::Adam, 1, 33, 67, true>,
               SpecOf<float, ActivationKind::Relu, OptimizerKind::Sgd, 1, 140, 493, true>,
               SpecOf<float, ActivationKind::Relu, OptimizerKind::Nesterov, 2, 31, 13, true>,
               SpecOf<double, ActivationKind::Relu, OptimizerKind::Adadelta, 3, 5, 37, true>,
               SpecOf<float, ActivationKind::Relu, OptimizerKind::Adam, 1, 33, 67, true, Storage::Shared>,
               SpecOf<float, ActivationKind::Relu, OptimizerKind::Nesterov, 2, 600, 70, true, Storage::Shared>,
               SpecOf<float, ActivationKind::Relu, OptimizerKind::Nesterov, 2, 31, 13, true, Storage::Registers, 2>,
               SpecOf<float, ActivationKind::Relu, OptimizerKind::Nesterov, 2, 31, 13, true, Storage::Shared, 1>,
               SpecOf<double, ActivationKind::PowerRelu, OptimizerKind::Sgd, 10, 40, 40, true, Storage::Shared>,
               typename SpecOfKinds<static_cast<int>(K)>::Type...>
    types_of(std::index_sequence<K...>);
using Specs = decltype(types_of(std::make_index_sequence<std::max(activation_count, optimizer_count)>()));
TYPED_TEST_SUITE(FusedStepOn, Specs);

TYPED_TEST(FusedStepOn, CpuBackend) {
    using Spec = TypeParam;
    using Real = typename Spec::Real;
    constexpr int replicas = warp_lanes / Spec::tile;
    constexpr std::int64_t first_trial = 1000;
    const CellPlan plan(config_of<Spec>());
    ASSERT_EQ(plan.cell().tile.lanes, Spec::tile);
    WorkStatus status;
    const auto block = make_cpu_backend(1)->run({&plan, first_trial, replicas}, status, {false, true});
    ASSERT_TRUE(block.has_value());

    FusedState<Spec> state{};
    Memory<Spec> memory;
    const auto pass = memory.place(state);
    for (int r = 0; r < replicas; ++r)
        for_coordinates<Spec>([&](std::int64_t j, std::int64_t row, int lane) {
            state.theta.rows()[row].set_lane(
                r * Spec::tile + lane,
                static_cast<Real>(block->states[static_cast<std::size_t>(r)].initial_parameters[static_cast<std::size_t>(j)]));
        });
    for (auto& alive : state.alive) alive = equal(Vec<Real>{}, Vec<Real>{});
    NodeTable<Real> nodes{};
    if constexpr (sizeof(Real) == 4)
        nodes = plan.cell().training_nodes_float;
    else
        nodes = plan.cell().training_nodes_double;
    FusedStep<Spec> step(plan.cell().seed, trial_words(first_trial, Spec::tile), nodes, pass, memory.totals());
    Schedule schedule(plan.cell().optimizer, plan.cell().learning_rate);
    for (std::int64_t n = 1; n <= plan.cell().steps; ++n) {
        StepScalars scalars;
        schedule.next(&scalars, 1);
        MaskOf<Vec<Real>> lost[parts<Real>];
        step(n, scalars, state, lost);
        for (const auto& mask : lost) EXPECT_FALSE(any(mask));
    }
    for (int r = 0; r < replicas; ++r) {
        const FinalState& expected = block->states[static_cast<std::size_t>(r)];
        for_coordinates<Spec>([&](std::int64_t j, std::int64_t row, int lane) {
            const auto i = static_cast<std::size_t>(j);
            const int at = r * Spec::tile + lane;
            ASSERT_EQ(static_cast<double>(state.theta.rows()[row].lane(at)), expected.parameters[i])
                << "replica " << r << " coordinate " << j;
            if constexpr (FusedState<Spec>::states >= 1) {
                ASSERT_EQ(static_cast<double>(state.first.rows()[row].lane(at)), expected.first_state[i]);
            }
            if constexpr (FusedState<Spec>::states >= 2) {
                ASSERT_EQ(static_cast<double>(state.second.rows()[row].lane(at)), expected.second_state[i]);
            }
            if constexpr (FusedState<Spec>::states >= 3) {
                ASSERT_EQ(static_cast<double>(state.third.rows()[row].lane(at)), expected.third_state[i]);
            }
        });
    }
}

}  // namespace
}  // namespace limrisk::test
