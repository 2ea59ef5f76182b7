// Neurons certified at initialization never move, bit for bit, under any optimizer, and bound the risk from below.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <vector>

#include "tests/enum_values.hpp"
#include "theory_fixtures.hpp"

namespace limrisk::theory {
namespace {

/// Is neuron i inactive on the box by the chain of the forward pass, in `Real`, at the maximising vertex?
template <class Real>
bool certified(const std::vector<double>& parameters, std::int64_t h, std::int64_t d, std::int64_t i, double low, double high) {
    Real z = static_cast<Real>(parameters[static_cast<std::size_t>(h * d + i)]);
    for (std::int64_t k = 0; k < d; ++k) {
        const Real w = static_cast<Real>(parameters[static_cast<std::size_t>(i * d + k)]);
        z = std::fma(w, static_cast<Real>(w < 0 ? low : high), z);
    }
    return z <= 0;
}

/// Indices of (w, b, v) of neuron i in canonical order.
std::vector<std::size_t> coordinates(std::int64_t h, std::int64_t d, std::int64_t i) {
    std::vector<std::size_t> indices;
    for (std::int64_t k = 0; k < d; ++k) indices.push_back(static_cast<std::size_t>(i * d + k));
    indices.push_back(static_cast<std::size_t>(h * d + i));
    indices.push_back(static_cast<std::size_t>(h * (d + 1) + i));
    return indices;
}

class Freezing : public ::testing::TestWithParam<kernels::OptimizerKind> {};

constexpr std::int64_t width = 6;

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

/// Neuron i after training: parameters as at the start, and optimizer state still +0, bit for bit?
struct Frozen {
    bool parameters = true, state = true;
};

Frozen frozen_neuron(const FinalState& trial, std::int64_t d, std::int64_t i) {
    Frozen frozen;
    for (const std::size_t j : coordinates(width, d, i)) {
        frozen.parameters &= bits(trial.initial_parameters[j]) == bits(trial.parameters[j]);
        for (const std::vector<double>* memory : {&trial.first_state, &trial.second_state, &trial.third_state})
            frozen.state &= memory->empty() || bits((*memory)[j]) == 0;
    }
    return frozen;
}

template <class Real>
void expect_certified_neurons_frozen(const CellConfig& cell) {
    const std::int64_t d = cell.input.dimension;
    const BlockResult block = run_trials(cell, 100, 96);
    int certified_neurons = 0, moved = 0, trainable = 0;
    for (std::size_t trial = 0; trial < block.records.size(); ++trial) {
        const FinalState& state = block.states[trial];
        ASSERT_NE(block.records[trial].verdict, Verdict::Diverged);
        int inactive = 0;
        for (std::int64_t i = 0; i < width; ++i) {
            const Frozen frozen = frozen_neuron(state, d, i);
            if (certified<Real>(state.initial_parameters, width, d, i, cell.input.low, cell.input.high)) {
                ++inactive;
                EXPECT_TRUE(frozen.parameters && frozen.state) << "trial " << trial << " neuron " << i;
            } else {
                ++trainable;
                moved += !frozen.parameters;
            }
        }
        EXPECT_EQ(inactive, block.records[trial].inactive_initial);
        certified_neurons += inactive;
    }
    EXPECT_GE(certified_neurons, 20) << "too few certified neurons: nothing is tested";
    // The others move, but for those whose active corner of the box no sample ever hit.
    EXPECT_GE(moved, 0.95 * trainable) << "neurons that are not certified must move, else the comparison sees nothing";
}

// After 3000 steps on noisy batches of 7, d = 1 and 2, both boxes, both precisions.
TEST_P(Freezing, CertifiedNeuronsNeverMove) {
    for (const std::int64_t d : {1, 2})
        for (const double low : {0.0, -1.0})
            for (const auto precision : {kernels::Precision::Float32, kernels::Precision::Float64}) {
                CellConfig cell = square_cell(width, d, low, 1);
                cell.precision = precision;
                cell.target = d == 1 ? "sin(3*x1)" : "sin(3*x1)*x2 + abs(x2 - 0.3)";
                cell.optimizer = test::default_optimizer(GetParam());
                cell.learning_rate.initial = 0.02;
                cell.batch = 7;
                cell.steps = 3000;
                cell.checks = cell.tail = 2;
                if (precision == kernels::Precision::Float32)
                    expect_certified_neurons_frozen<float>(cell);
                else
                    expect_certified_neurons_frozen<double>(cell);
            }
}

// x^2 over [0, 1]: with J certified neurons the risk is at least that of width h - J (docs/theory.md, the pathwise floor). Rounding of a
// float chain can make a certified neuron positive by 1e-7 in real arithmetic, and the rule of the checks errs by 1e-3 of such risks.
TEST_P(Freezing, EveryTrialStaysAboveItsFloor) {
    CellConfig cell = square_cell(5);
    cell.optimizer = test::default_optimizer(GetParam());
    cell.learning_rate.initial = test::quick_learning_rate(GetParam());
    cell.batch = 16;
    cell.steps = 20000;
    cell.checks = 16;
    cell.tail = 4;
    cell.evaluation.check_nodes = 256;
    const BlockResult block = run_trials(cell, 0, 128);
    double closest = HUGE_VAL;
    std::array<int, 6> trials_with{};
    for (const TrialRecord& record : block.records) {
        const double floor = risk_floor(5 - record.inactive_initial);
        EXPECT_GE(record.final_risk, floor * (1 - 1e-6));
        EXPECT_GE(record.best_risk, floor * (1 - 1e-6));
        EXPECT_GE(record.tail_minimum, floor * (1 - 1e-3));
        if (record.inactive_initial <= 3) closest = std::min(closest, record.best_risk / floor);
        ++trials_with.at(static_cast<std::size_t>(record.inactive_initial));
    }
    std::printf("  smallest best risk over its floor, J <= 3: %.2f; trials with 0..5 certified neurons: %d %d %d %d %d %d\n", closest,
                trials_with[0], trials_with[1], trials_with[2], trials_with[3], trials_with[4], trials_with[5]);
    EXPECT_GE(trials_with[3] + trials_with[4], 5) << "too few floors: nothing is tested";
}

INSTANTIATE_TEST_SUITE_P(AllOptimizers, Freezing, ::testing::ValuesIn(test::enum_values<kernels::OptimizerKind>()));

}  // namespace
}  // namespace limrisk::theory
