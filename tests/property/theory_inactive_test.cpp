// Neurons certified at initialization: their number is Binomial(h, p) with the exact p of docs/theory.md, they never move, and they bound
// the risk from below.
#include <array>
#include <bit>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numbers>

#include "campaign/cell_names.hpp"
#include "theory_fixtures.hpp"

namespace limrisk::theory {
namespace {

using Kind = InitializationRule::Kind;

/// Integral over [low, high] by 16 panels of 8-point Gauss-Legendre.
double integral(double low, double high, const std::function<double(double)>& f) {
    static constexpr std::array nodes{0.18343464249564980494, 0.52553240991632898582, 0.79666647741362673959, 0.96028985649753623168};
    static constexpr std::array weights{0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054, 0.10122853629037625915};
    double sum = 0;
    for (int panel = 0; panel < 16; ++panel) {
        const double half = (high - low) / 32, middle = low + (2 * panel + 1) * half;
        for (std::size_t g = 0; g < 4; ++g) sum += half * weights[g] * (f(middle - half * nodes[g]) + f(middle + half * nodes[g]));
    }
    return sum;
}

double half_normal_density(double t) { return std::sqrt(2 / std::numbers::pi) * std::exp(-0.5 * t * t); }

/// q_k = P(-b >= |w_1| + ... + |w_k|) of one neuron; the dimension does not matter.
double tail_probability(Kind kind, int k) {
    if (kind == Kind::Pytorch) return 0.5 / std::tgamma(k + 2);  // w, b alike uniform: 1 / (2 (k+1)!)
    if (kind == Kind::StandardNormal) {
        // remaining(k, s) = P(-b - s >= |w_1| + ... + |w_k|), by one integral per weight
        const std::function<double(int, double)> remaining = [&](int count, double s) {
            if (count == 0) return 0.5 * std::erfc(s / std::numbers::sqrt2);
            return integral(0, 9, [&](double t) { return half_normal_density(t) * remaining(count - 1, s + t); });
        };
        return remaining(k, 0);
    }
    // kaiming_normal, scaled by sqrt(d): w ~ N(0, 2), b ~ U(-1, 1): E (1 - sqrt 2 (|G_1| + ... + |G_k|))_+ / 2
    const std::function<double(int, double)> expectation = [&](int count, double s) {
        if (count == 0) return s;
        return integral(0, s / std::numbers::sqrt2,
                        [&](double t) { return half_normal_density(t) * expectation(count - 1, s - std::numbers::sqrt2 * t); });
    };
    return 0.5 * expectation(k, 1);
}

/// Probability that a neuron is inactive on [0, 1]^d (signs of the weights decide which count) or on [-1, 1]^d.
double inactive_probability(Kind kind, int d, bool symmetric_box) {
    if (symmetric_box) return tail_probability(kind, d);
    double p = 0, binomial = 1;
    for (int k = 0; k <= d; ++k) {
        p += binomial * std::pow(0.5, d) * tail_probability(kind, k);
        binomial = binomial * (d - k) / (k + 1);
    }
    return p;
}

// Closed forms where there are any, and the table of docs/theory.md.
TEST(InactiveProbability, QuadratureAgreesWithClosedForms) {
    EXPECT_NEAR(tail_probability(Kind::StandardNormal, 1), 0.25, 1e-13);
    EXPECT_NEAR(tail_probability(Kind::StandardNormal, 2), std::asin(1.0 / 3) / std::numbers::pi, 1e-13);
    EXPECT_NEAR(tail_probability(Kind::StandardNormal, 3), 1.0 / 24, 1e-13);
    const double table[3][3][2] = {{{0.3750000, 0.2500000}, {0.2708333, 0.0833333}, {0.1901042, 0.0208333}},
                                   {{0.3750000, 0.2500000}, {0.2770434, 0.1081734}, {0.2020234, 0.0416667}},
                                   {{0.3177258, 0.1354516}, {0.1990390, 0.0252529}, {0.1232093, 0.00356082}}};
    const Kind kinds[] = {Kind::Pytorch, Kind::StandardNormal, Kind::KaimingNormal};
    for (std::size_t i = 0; i < 3; ++i)
        for (int d = 1; d <= 3; ++d)
            for (const bool symmetric : {false, true})
                EXPECT_NEAR(inactive_probability(kinds[i], d, symmetric), table[i][d - 1][symmetric], 5.1e-8) << i << ' ' << d << symmetric;
}

/// Upper tail probability of Pearson's chi-square of the observed counts against Binomial(width, p), bins pooled to 10 expected or more.
double goodness_of_fit(const std::vector<std::int64_t>& observed, double p, std::int64_t trials) {
    const auto width = static_cast<double>(observed.size() - 1);
    const boost::math::binomial_distribution<double> law(width, p);
    double statistic = 0, expected = 0, seen = 0, rest = static_cast<double>(trials);
    int bins = 0;
    for (std::size_t j = 0; j < observed.size(); ++j) {
        expected += static_cast<double>(trials) * boost::math::pdf(law, static_cast<double>(j));
        seen += static_cast<double>(observed[j]);
        rest -= static_cast<double>(trials) * boost::math::pdf(law, static_cast<double>(j));
        if ((expected < 10 || rest < 10) && j + 1 < observed.size()) continue;
        statistic += (seen - expected) * (seen - expected) / expected;
        expected = seen = 0;
        ++bins;
    }
    if (bins < 2) throw std::logic_error("one bin only: nothing is tested");
    return boost::math::cdf(boost::math::complement(boost::math::chi_squared_distribution<double>(bins - 1), statistic));
}

// False-alarm rate 1e-6 for each of the 18 tests; the seed is fixed, so the outcome is the same each time.
TEST(CertifiedNeurons, TheirNumberIsBinomial) {
    constexpr std::int64_t trials = 30000;
    constexpr std::int64_t width = 8;
    for (const Kind kind : {Kind::Pytorch, Kind::StandardNormal, Kind::KaimingNormal})
        for (int d = 1; d <= 3; ++d)
            for (const bool symmetric : {false, true}) {
                CellConfig cell = square_cell(width, d, symmetric ? -1 : 0, 1);
                cell.precision = kernels::Precision::Float32;
                cell.initialization.kind = kind;
                cell.batch = 1;
                cell.evaluation = {4, 4};
                std::vector<std::int64_t> counts(width + 1);
                for (const TrialRecord& record : run_trials(cell, 0, trials).records)
                    ++counts.at(static_cast<std::size_t>(record.inactive_initial));
                const double p = inactive_probability(kind, d, symmetric);
                const double tail = goodness_of_fit(counts, p, trials);
                std::printf("  %s, d = %d, [%d, 1]^d: p = %.7f, chi-square tail probability %.3f\n", name_of(kind, initialization_names), d,
                            symmetric ? -1 : 0, p, tail);
                EXPECT_GE(tail, 1e-6);
                EXPECT_LT(goodness_of_fit(counts, p * 1.25, trials), 1e-6) << "the test would not notice a p that is wrong by 25 %";
            }
}

/// Is neuron i inactive on the box by the float chain of the forward pass at the maximising vertex?
bool certified(const std::vector<double>& parameters, std::int64_t width, std::int64_t d, std::int64_t i, float low, float high) {
    float z = static_cast<float>(parameters[static_cast<std::size_t>(width * d + i)]);
    for (std::int64_t k = 0; k < d; ++k) {
        const float w = static_cast<float>(parameters[static_cast<std::size_t>(i * d + k)]);
        z = std::fma(w, w < 0 ? low : high, z);
    }
    return z <= 0;
}

/// Indices of (w, b, v) of neuron i in canonical order.
std::vector<std::size_t> coordinates(std::int64_t width, std::int64_t d, std::int64_t i) {
    std::vector<std::size_t> indices;
    for (std::int64_t k = 0; k < d; ++k) indices.push_back(static_cast<std::size_t>(i * d + k));
    indices.push_back(static_cast<std::size_t>(width * d + i));
    indices.push_back(static_cast<std::size_t>(width * (d + 1) + i));
    return indices;
}

class Freezing : public ::testing::TestWithParam<kernels::OptimizerKind> {};

// Bitwise, after 3000 steps on noisy batches of 7, d = 1 and 2, both boxes; the optimizer state of those neurons is still +0.
TEST_P(Freezing, CertifiedNeuronsNeverMove) {
    for (const std::int64_t d : {1, 2})
        for (const double low : {0.0, -1.0}) {
            CellConfig cell = square_cell(6, d, low, 1);
            cell.precision = kernels::Precision::Float32;
            cell.target = d == 1 ? "sin(3*x1)" : "sin(3*x1)*x2 + abs(x2 - 0.3)";
            cell.optimizer = optimizer(GetParam());
            cell.learning_rate.initial = 0.02;
            cell.batch = 7;
            cell.steps = 3000;
            cell.checks = cell.tail = 2;
            const BlockResult block = run_trials(cell, 100, 96);
            int frozen = 0, moved = 0, trainable = 0;
            for (std::size_t trial = 0; trial < block.records.size(); ++trial) {
                const FinalState& state = block.states[trial];
                ASSERT_NE(block.records[trial].verdict, Verdict::Diverged);
                int inactive = 0;
                for (std::int64_t i = 0; i < 6; ++i) {
                    bool same = true, state_zero = true;
                    for (const std::size_t j : coordinates(6, d, i)) {
                        same &=
                            std::bit_cast<std::uint64_t>(state.initial_parameters[j]) == std::bit_cast<std::uint64_t>(state.parameters[j]);
                        for (const std::vector<double>* memory : {&state.first_state, &state.second_state})
                            state_zero &= memory->empty() || std::bit_cast<std::uint64_t>((*memory)[j]) == 0;
                    }
                    if (certified(state.initial_parameters, 6, d, i, static_cast<float>(low), 1)) {
                        ++inactive;
                        EXPECT_TRUE(same) << "trial " << trial << " neuron " << i;
                        EXPECT_TRUE(state_zero) << "trial " << trial << " neuron " << i;
                        ++frozen;
                    } else {
                        ++trainable;
                        moved += !same;
                    }
                }
                EXPECT_EQ(inactive, block.records[trial].inactive_initial);
            }
            EXPECT_GE(frozen, 20) << "too few certified neurons: nothing is tested";
            // The others move, but for those whose active corner of the box no sample ever hit.
            EXPECT_GE(moved, 0.95 * trainable) << "neurons that are not certified must move, else the comparison sees nothing";
        }
}

// x^2 over [0, 1]: with J certified neurons the risk is at least that of width h - J (docs/theory.md, the pathwise floor). Rounding of a
// float chain can make a certified neuron positive by 1e-7 in real arithmetic, and the rule of the checks errs by 1e-3 of such risks.
TEST_P(Freezing, EveryTrialStaysAboveItsFloor) {
    CellConfig cell = square_cell(5);
    cell.optimizer = optimizer(GetParam());
    cell.learning_rate.initial = GetParam() == kernels::OptimizerKind::Adadelta ? 1 : 0.02;
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

INSTANTIATE_TEST_SUITE_P(AllOptimizers, Freezing,
                         ::testing::Values(kernels::OptimizerKind::Sgd, kernels::OptimizerKind::Momentum, kernels::OptimizerKind::Nesterov,
                                           kernels::OptimizerKind::Adagrad, kernels::OptimizerKind::Rmsprop,
                                           kernels::OptimizerKind::Adadelta, kernels::OptimizerKind::Adam));

}  // namespace
}  // namespace limrisk::theory
