// The predicted probability against the program's own networks: every initialization, boxes around, at and beside 0, both precisions,
// the activations that can be inactive. The counts must pass the exact test of test_inactive_counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <vector>

#include "backend/backend.hpp"
#include "campaign/catalog.hpp"
#include "evaluation/drawn_start.hpp"
#include "statistics/inactive_law.hpp"
#include "statistics/inactive_probability.hpp"
#include "tests/enum_values.hpp"

namespace limrisk {
namespace {

using Kind = InitializationRule::Kind;

constexpr std::int64_t width = 8, trials = 8192;

CellConfig cell_of(Kind kind, std::int64_t dimension, double low, double high) {
    CellConfig cell;
    cell.seed = 20261121;
    cell.input.dimension = dimension;
    cell.input.low = low;
    cell.input.high = high;
    cell.width = width;
    cell.initialization.kind = kind;
    cell.initialization.low = -0.4;
    cell.initialization.high = 0.7;
    cell.initialization.inner_weight = {GroupLaw::Kind::Normal, "h^(-1/2)"};
    cell.initialization.inner_bias = {GroupLaw::Kind::Constant, "-0.3"};
    cell.batch = cell.steps = 1;
    cell.checks = cell.tail = 1;
    cell.evaluation = {4, 4};
    return cell;
}

InactiveProbability predicted(const CellConfig& cell) {
    if (cell.initialization.kind == Kind::RandomizedAsymmetric)
        return asymmetric_frozen_probability(asymmetric_deviation(cell.input.dimension), cell.activation,
                                             {{cell.input.low, cell.input.high, cell.input.dimension}})
            .value();
    return frozen_probability(initialization_laws(cell.initialization, cell.width, cell.input.dimension), cell.activation,
                              input_law(cell.input), cell.input.bounded, cell.input.dimension);
}

/// How many trials have 0, 1, ... frozen neurons at initialization.
std::vector<std::int64_t> counted(const CellConfig& cell) {
    const CellPlan plan(cell);
    WorkStatus status;
    const std::optional<BlockResult> result = make_cpu_backend(1)->run({&plan, 0, trials}, status, {});
    if (!result) throw std::runtime_error("the block was abandoned, though nobody asked for it");
    std::vector<std::int64_t> counts(width + 1);
    for (const TrialRecord& record : result->records) ++counts.at(static_cast<std::size_t>(frozen_initial(record)));
    return counts;
}

/// False-alarm rate 1e-6 for each; the seed is fixed.
void expect_law(const CellConfig& cell) {
    const bool together = cell.initialization.draws_together();
    if (together && cell.initialization.kind != Kind::RandomizedAsymmetric) return;  // no law of a neuron by itself is stated
    if (!together && !has_frozen_probability(initialization_laws(cell.initialization, cell.width, cell.input.dimension))) {
        EXPECT_EQ(cell.initialization.kind, Kind::LecunNormal);
        return;
    }
    const InactiveProbability p = predicted(cell);
    const CountTest test = test_inactive_counts(counted(cell), p.value, cell.width);
    EXPECT_GE(test.p_value, 1e-6) << initialization_catalog().chosen(cell).name << ", d = " << cell.input.dimension << " on ["
                                  << cell.input.low << ", " << cell.input.high << "]: p = " << p.value << ", seen "
                                  << static_cast<double>(test.inactive) / static_cast<double>(test.neurons);
}

TEST(PredictedProbability, HoldsForTheProgramsNetworks) {
    for (const Kind kind : test::enum_values<Kind>())
        for (const std::int64_t dimension : {1, 2, 5})
            for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 1.0}, {-0.5, 2.0}, {0.5, 1.5}, {-3.0, -1.0}}) {
                CellConfig cell = cell_of(kind, dimension, low, high);
                expect_law(cell);
                if (dimension == 2) {
                    cell.precision = kernels::Precision::Float64;
                    expect_law(cell);
                    cell.initialization.drawn_bias = false;
                    expect_law(cell);
                }
            }
}

// docs/theory.md section 4; in two dimensions the double integral by Simpson's rule in another program.
TEST(PredictedProbability, OfRandomizedAsymmetricStartsInClosedForm) {
    const auto p = [](double low, double high, std::int64_t dimension, const kernels::Activation& activation = {}) {
        return asymmetric_frozen_probability(asymmetric_deviation(dimension), activation, {{low, high, dimension}}).value();
    };
    const auto phi = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
    const auto one = [&](double a) {  // E Phi(-a T)
        return phi(-a) + (0.5 - phi(-a) - a * std::exp(-0.5 * a * a) / std::sqrt(2 * 3.141592653589793)) / (a * a);
    };
    constexpr double s = 0.6007;
    EXPECT_NEAR(p(0, 1, 1).value, 0.5 * one(1 / s), 1e-14);
    EXPECT_NEAR(p(0, 1, 1).value, 0.0755700224, 1e-10);
    EXPECT_NEAR(p(-1, 1, 1).value, 0.5 * one(1 / s), 1e-14);
    EXPECT_NEAR(p(-7, 2.5, 1).value, 0.5 * one(2.5 / s), 1e-14);
    EXPECT_NEAR(p(0.5, 1.5, 1).value, 0.5 * one(1.5 / s) + 0.5 * one(2 / s), 1e-12);
    EXPECT_NEAR(p(0, 1, 2).value, 0.039767935, 1e-9);
    for (const std::int64_t dimension : {1, 2, 5, 16}) {
        EXPECT_GT(p(0, 1, dimension).value, 0);
        EXPECT_LT(p(0, 1, dimension).error, 1e-9 * p(0, 1, dimension).value + 1e-15) << dimension;
    }
    EXPECT_FALSE(asymmetric_frozen_probability(0.1, {}, {{0, 1, 17}}).has_value());
    EXPECT_EQ(name_of(p(0, 1, 3).method), "mean of contour integrals");
}

/// P(max z <= 0) by the midpoint rule over the angle of a coordinate of a random unit vector, whose density is a power of its sine.
double orthogonal_by_angles(double gain, std::int64_t h, bool drawn_bias, double low, double high) {
    constexpr int nodes = 200000;
    double sum = 0, mass = 0;
    for (int k = 0; k < nodes; ++k) {
        const double angle = M_PI * (k + 0.5) / nodes, w = gain * std::cos(angle);
        const double density = std::pow(std::sin(angle), static_cast<double>(h - 2));
        const double most = std::max(w * low, w * high);
        sum += density * (drawn_bias ? std::clamp(0.5 * (1 - most), 0.0, 1.0) : most <= 0);
        mass += density;
    }
    return sum / mass;
}

TEST(PredictedProbability, OfOrthogonalStartsInDimensionOne) {
    const kernels::Law drawn{kernels::LawKind::Uniform, -1, 1, 0, 0, 0, 0}, zero{kernels::LawKind::Zero, 0, 0, 0, 0, 0, 0};
    const kernels::Activation relu{};
    const auto p = [&](double gain, std::int64_t h, bool bias, double low, double high) {
        return orthogonal_frozen_probability(gain, h, bias ? drawn : zero, relu, low, high).value;
    };
    EXPECT_NEAR(p(1, 1, true, 0, 1), 0.25, 1e-15);
    EXPECT_NEAR(p(1, 2, true, 0, 1), 0.5 - 1 / (2 * M_PI), 1e-15);
    EXPECT_NEAR(p(1, 3, true, 0, 1), 0.375, 1e-15);
    EXPECT_NEAR(p(2, 1, true, 0, 1), 0.25, 1e-15) << "w = 2: never; w = -2: where b <= 0";
    EXPECT_EQ(p(1, 5, false, 0, 1), 0.5);
    EXPECT_EQ(p(1, 5, false, -1, 1), 0);
    EXPECT_EQ(p(1, 1, false, 0, 1), 0.5);
    const std::pair<double, double> boxes[] = {{0, 1}, {-1, 1}, {0.5, 2}, {-3, -0.25}, {-0.1, 4}};
    for (const auto& [low, high] : boxes)
        for (const std::int64_t h : {2, 3, 4, 8, 64, 1000})
            for (const double gain : {1.0, 0.3, 5.0})
                for (const bool bias : {true, false})
                    EXPECT_NEAR(p(gain, h, bias, low, high), orthogonal_by_angles(gain, h, bias, low, high), 2e-5)
                        << gain << " " << h << " " << bias << " [" << low << ", " << high << "]";
}

/// Neurons of the program, clipped ones too: the mean of their numbers over the trials, whose own spread says how exact it is.
TEST(PredictedProbability, HoldsForOrthogonalNetworks) {
    for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-0.5, 1.5}, {0.25, 1.0}})
        for (const kernels::ActivationKind activation : {kernels::ActivationKind::Relu, kernels::ActivationKind::Clipping})
            for (const double gain : {1.0, 1.75}) {
                CellConfig cell = cell_of(Kind::Orthogonal, 1, low, high);
                cell.initialization.gain = gain;
                cell.activation.kind = activation;
                cell.activation.first = activation == kernels::ActivationKind::Clipping ? -0.25 : 0;
                cell.activation.second = 0.5;
                const std::vector<std::int64_t> counts = counted(cell);
                double sum = 0, squares = 0;
                for (std::size_t j = 0; j < counts.size(); ++j) {
                    sum += static_cast<double>(counts[j]) * static_cast<double>(j);
                    squares += static_cast<double>(counts[j]) * static_cast<double>(j * j);
                }
                const double mean = sum / trials, variance = squares / trials - mean * mean;
                const InactiveProbability p =
                    orthogonal_frozen_probability(gain, width, {kernels::LawKind::Uniform, -1, 1, 0, 0, 0, 0}, cell.activation, low, high);
                constexpr double deviations = 5;
                EXPECT_NEAR(mean, width * p.value, deviations * std::sqrt(variance / trials)) << low << " " << high << " " << gain;
                EXPECT_GT(p.value, 0.01);
            }
}

/// All pairs of laws of w and b that are known, and which are not.
TEST(PredictedProbability, HoldsForGroupLaws) {
    using Law = GroupLaw::Kind;
    const GroupLaw laws[] = {{},
                             {Law::Constant, "-0.3"},
                             {Law::Constant, "0.2"},
                             {Law::Normal, "1.5/sqrt(d)"},
                             {Law::Uniform, "h/10"},
                             {Law::Uniform, "", "-1", "0.2"}};
    int known = 0;
    for (const GroupLaw& weight : laws)
        for (const GroupLaw& bias : laws)
            for (const std::int64_t dimension : {1, 3})
                for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-0.5, 2.0}, {0.5, 1.5}})
                    for (const bool clips : {false, true}) {
                        CellConfig cell = cell_of(Kind::Groups, dimension, low, high);
                        cell.initialization.inner_weight = weight;
                        cell.initialization.inner_bias = bias;
                        if (clips) cell.activation = {kernels::ActivationKind::Clipping, -0.1, 0.4, 0};
                        const bool constant = weight.kind <= Law::Constant && bias.kind <= Law::Constant;
                        const bool is_known = constant ? weight.kind == Law::Zero && bias.kind == Law::Zero
                                                       : weight.kind != Law::Uniform || bias.kind != Law::Normal;
                        EXPECT_EQ(has_frozen_probability(initialization_laws(cell.initialization, width, dimension)), is_known);
                        if (!is_known) continue;
                        expect_law(cell);
                        ++known;
                    }
    EXPECT_EQ(known, 12 * (36 - 8 - 2));
}

// Saturated at either level; levels at 0, beside it, and both of one sign.
TEST(PredictedProbability, HoldsForClipping) {
    for (const Kind kind : test::enum_values<Kind>())
        for (const std::int64_t dimension : {1, 3})
            for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 0.0}, {-0.3, 0.2}, {0.1, 0.4}, {-0.6, -0.2}}) {
                CellConfig cell = cell_of(kind, dimension, -0.5, 1);
                cell.activation = {kernels::ActivationKind::Clipping, low, high, 0};
                expect_law(cell);
                cell.initialization.drawn_bias = false;
                expect_law(cell);
            }
}

TEST(PredictedProbability, HoldsForPowersAndClippings) {
    for (const Kind kind : {Kind::KaimingNormal, Kind::Uniform}) {
        CellConfig cell = cell_of(kind, 2, -0.5, 1);
        cell.activation = {kernels::ActivationKind::Clipping, 0, 1, 0};
        expect_law(cell);
        cell.activation = {kernels::ActivationKind::Clipping, -1, 0, 0};
        expect_law(cell);
        cell.activation = {kernels::ActivationKind::Clipping, -1, 1, 0};
        expect_law(cell);
        cell.activation = {kernels::ActivationKind::PowerRelu, 0, 0, 3};
        expect_law(cell);
    }
}

TEST(PredictedProbability, HoldsOnBoxesWithOwnEnds) {
    for (const Kind kind : test::enum_values<Kind>())
        for (const kernels::Activation& activation :
             {kernels::Activation{kernels::ActivationKind::Relu, 0, 0, 0}, {kernels::ActivationKind::Clipping, -0.1, 0.2, 0}}) {
            CellConfig cell = cell_of(kind, 3, 0, 1);
            cell.activation = activation;
            cell.input.lows = {-0.5, 0, 0.25};
            cell.input.highs = {0.75, 1, 0.5};
            cell.input.low = cell.input.high = std::nan("");
            const std::vector<BoxSides> box{{-0.5, 0.75, 1}, {0, 1, 1}, {0.25, 0.5, 1}};
            std::optional<InactiveProbability> p;
            if (kind == Kind::RandomizedAsymmetric) {
                p = asymmetric_frozen_probability(asymmetric_deviation(3), cell.activation, box);
            } else {
                if (cell.initialization.draws_together()) continue;
                const kernels::Initialization laws = initialization_laws(cell.initialization, width, 3);
                if (!has_frozen_probability(laws)) continue;
                p = frozen_probability_on_box(laws, cell.activation, box);
            }
            ASSERT_TRUE(p);
            const CountTest test = test_inactive_counts(counted(cell), p->value, width);
            EXPECT_GE(test.p_value, 1e-6) << initialization_catalog().chosen(cell).name << ": p = " << p->value << ", seen "
                                          << static_cast<double>(test.inactive) / static_cast<double>(test.neurons);
        }
}

// On a sphere and in a ball, where p is known.
TEST(PredictedProbability, HoldsOnSpheresAndInBalls) {
    int known = 0, unknown = 0;
    for (const Kind kind : test::enum_values<Kind>())
        for (const std::int64_t dimension : {2, 3, 5})
            for (const double radius : {0.4, 1.0}) {
                CellConfig cell = cell_of(kind, dimension, 0, 1);
                if (cell.initialization.draws_together()) continue;  // it is not known there
                cell.input.kind = dimension == 3 ? InputLaw::Kind::Sphere : InputLaw::Kind::Ball;
                cell.input.bounded = false;
                cell.input.radius = radius;
                cell.evaluation = {8, 8};
                const auto expect = [&] {
                    const std::optional<InactiveProbability> p = frozen_probability_in_ball(
                        initialization_laws(cell.initialization, width, dimension), cell.activation, radius, dimension);
                    known += p.has_value();
                    unknown += !p.has_value();
                    if (!p) return;
                    const CountTest test = test_inactive_counts(counted(cell), p->value, width);
                    EXPECT_GE(test.p_value, 1e-6)
                        << initialization_catalog().chosen(cell).name << ", d = " << dimension << ", radius " << radius
                        << ": p = " << p->value << ", seen " << static_cast<double>(test.inactive) / static_cast<double>(test.neurons);
                };
                expect();
                cell.activation = {kernels::ActivationKind::Clipping, -0.1, 0.2, 0};
                expect();
                cell.initialization.drawn_bias = false;
                expect();
            }
    EXPECT_GE(known, 50);
    EXPECT_GE(unknown, 20);
}

// Every activation's neurons are inactive as often as predicted, most never; and a wrong prediction would be noticed.
TEST(PredictedProbability, OfEveryActivationAndOfAWrongOne) {
    for (const auto kind : test::enum_values<kernels::ActivationKind>()) {
        CellConfig cell = cell_of(Kind::StandardNormal, 1, 0, 1);
        cell.activation = {kind, 0.1, 1, 2};
        if (predicted(cell).value == 0) {
            EXPECT_EQ(counted(cell)[0], trials) << static_cast<int>(kind);
        } else {
            expect_law(cell);
        }
    }
    CellConfig unbounded = cell_of(Kind::Pytorch, 1, 0, 0);
    unbounded.input.kind = InputLaw::Kind::Normal;
    unbounded.input.bounded = false;
    EXPECT_EQ(predicted(unbounded).value, 0);
    EXPECT_EQ(counted(unbounded)[0], trials);
    const CellConfig cell = cell_of(Kind::Pytorch, 1, 0, 1);
    EXPECT_LT(test_inactive_counts(counted(cell), 0.375 + 0.02, width).p_value, 1e-6);
}

/// Clipping: of a frozen neuron that is inactive only the side counts on which it is 0.
TEST(Initialization, InactiveIsLessThanFrozen) {
    CellConfig cell;
    const kernels::Initialization laws = initialization_laws(cell.initialization, 1, 1);
    const auto both = [&](kernels::ActivationKind kind, double low, double high) {
        const kernels::Activation activation{kind, low, high, 2};
        const kernels::Law input = input_law(cell.input);
        return std::pair(frozen_probability(laws, activation, input, true, 1).value,
                         frozen_probability(laws, activation, input, true, 1, StillNeuron::Inactive).value);
    };
    using enum kernels::ActivationKind;
    // b and w uniform on [-1, 1], x in [0, 1]: P(max z <= 0) = P(min z > 0) = 3/8.
    EXPECT_EQ(both(Relu, 0, 0), std::pair(0.375, 0.375));
    const auto upper = both(Clipping, -5, 0.5);  // saturated above alone, at 0.5
    EXPECT_GT(upper.first, 0);
    EXPECT_EQ(upper.second, 0);
    const auto positive = both(Clipping, 0, 0.5);
    EXPECT_EQ(positive.second, 0.375);
    EXPECT_NEAR(positive.first, 0.375 + upper.first, 1e-15);
    EXPECT_EQ(both(Clipping, -0.5, 0).second, 0.375);
    EXPECT_EQ(both(Clipping, -0.25, 0.25).second, 0);
}

}  // namespace
}  // namespace limrisk
