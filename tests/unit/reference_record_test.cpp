// The reference's trial records: consistency with the checks, the shifted gradient of Nesterov, data nodes, fresh samples.
#include <gtest/gtest.h>

#include "reference/samples.hpp"
#include "reference/tracker.hpp"
#include "reference_fixtures.hpp"

namespace limrisk::reference {
namespace {

using kernels::ActivationKind;
using kernels::Precision;

TEST(ReferenceRecord, FollowsFromTheChecks) {
    int died = 0, best_inside = 0;
    for (std::int64_t trial = 0; trial < 30; ++trial) {
        CellConfig cell = unit_box_cell(2, 12, 300);
        cell.learning_rate.initial = 0.3;
        cell.batch = 2;
        Tables tables = unit_box_tables(2);
        for (double& weight : tables.final_rule.weights) weight *= 2;
        const TrialResult result = run_trial(cell, tables, trial);
        const TrialRecord& record = result.record;
        if (record.verdict == Verdict::Diverged) continue;
        double best = infinity<double>, least = infinity<double>, largest = 0, sum = 0;
        std::int64_t best_step = -1;
        std::int32_t most_inactive = 0;
        for (std::size_t k = 0; k < result.checks.size(); ++k) {
            const CheckResult& check = result.checks[k];
            EXPECT_EQ(check.inactive + check.constant + check.linear + check.kinked, 12);
            if (check.risk < best) {
                best = check.risk;
                best_step = check.step;
            }
            most_inactive = std::max(most_inactive, check.inactive);
            if (k < result.checks.size() - 3) continue;
            least = std::min(least, check.risk);
            largest = std::max(largest, check.risk);
            sum += check.risk;
        }
        EXPECT_EQ(record.initial_risk, result.checks.front().risk);
        // The final rule is the check rule with doubled weights, and doubling is exact.
        EXPECT_EQ(record.final_risk, 2 * result.checks.back().risk);
        EXPECT_EQ(record.best_risk, 2 * best);
        EXPECT_EQ(record.best_step, best_step);
        EXPECT_EQ(record.tail_minimum, least);
        EXPECT_EQ(record.tail_maximum, largest);
        EXPECT_EQ(record.tail_mean, sum / 3);
        EXPECT_EQ(record.inactive_maximum, most_inactive);
        EXPECT_EQ(record.died - record.revived, record.inactive_final - record.inactive_initial);
        EXPECT_EQ(record.kinked, result.checks.back().kinked);
        EXPECT_EQ(record.gradient_norm, result.checks.back().gradient_norm);
        EXPECT_EQ(record.training_gradient_norm, record.gradient_norm);
        died += record.died;
        best_inside += best_step > 0 && best_step < 300;
    }
    EXPECT_GT(died, 0);
    EXPECT_GT(best_inside, 0);
}

TEST(ReferenceRecord, CountsDeathsRevivalsAndTheMostInactive) {
    // Two neurons x + b on [0, 1], inactive at b = -2, kinked at -0.5, linear at 1.
    CellConfig cell = unit_box_cell(1, 2, 4);
    cell.checks = 4;
    const Tables tables = unit_box_tables(1);
    Tracker<double> tracker(cell, tables, Shape(2, 1), {});
    const double dead = -2, kinked = -0.5, linear = 1;
    std::int64_t step = 0;
    for (const auto& [first, second] : {std::pair{dead, kinked}, {dead, dead}, {kinked, linear}, {dead, linear}, {linear, kinked}})
        tracker.check(step++, {1, 1, first, second, 0.25, 0.5, 0}, {});
    const TrialRecord record = tracker.finish();
    EXPECT_EQ(record.inactive_initial, 1);
    EXPECT_EQ(record.inactive_maximum, 2);
    EXPECT_EQ(record.inactive_final, 0);
    EXPECT_EQ(record.died, 2);
    EXPECT_EQ(record.revived, 3);
    EXPECT_EQ(record.linear, 1);
    EXPECT_EQ(record.kinked, 1);
    EXPECT_EQ(record.constant, 0);
}

TEST(ReferenceRecord, ChecksAfterDivergenceLeaveTheBestAlone) {
    CellConfig cell = unit_box_cell(1, 0, 2);
    cell.checks = 2;
    cell.tail = 1;
    const Tables tables = unit_box_tables(1);
    Tracker<double> tracker(cell, tables, Shape(0, 1), {});
    tracker.check(0, {5}, {});
    tracker.check(1, {1e200}, {});  // the rule risk overflows
    tracker.check(2, {1.0 / 3}, {});
    const TrialRecord record = tracker.finish();
    EXPECT_EQ(record.verdict, Verdict::Diverged);
    EXPECT_EQ(record.nonfinite_step, 1);
    EXPECT_EQ(record.best_step, 0);
    EXPECT_EQ(record.tail_minimum, infinity<double>);
    // E (X^2 - 5)^2 = 1/5 - 10/3 + 25.
    EXPECT_NEAR(record.best_risk, 0.2 - 10.0 / 3 + 25, 1e-13);
}

TEST(ReferenceRecord, DisplacementIsTheLargestDistanceFromTheFirstTailCheck) {
    CellConfig cell = unit_box_cell(3, 9, 80);
    cell.precision = Precision::Float64;
    const Tables tables = unit_box_tables(3);
    const TrialResult whole = run_trial(cell, tables, 4);  // checks 6, 7, 8 of 8 are at steps 78, 79, 80
    const auto parameters_at = [&](std::int64_t steps) {
        cell.steps = steps;
        return run_trial(cell, tables, 4).parameters;
    };
    const std::vector<double> start = parameters_at(78), middle = parameters_at(79);
    const auto distance = [](const std::vector<double>& a, const std::vector<double>& b) {
        double square = 0;
        for (std::size_t k = 0; k < a.size(); ++k) square += std::pow(a[k] - b[k], 2);
        return std::sqrt(square);
    };
    const double largest = std::max(distance(middle, start), distance(whole.parameters, start));
    const double norm = distance(whole.parameters, std::vector<double>(whole.parameters.size()));
    EXPECT_GT(largest, 0);
    // 46 squares, each of relative error below 2e-16, in another order.
    EXPECT_TRUE(std::abs(whole.record.displacement - largest) <= 1e-14 * largest);
    EXPECT_TRUE(std::abs(whole.record.parameter_norm - norm) <= 1e-14 * norm);
    // A trial that comes back, by hand.
    cell.checks = 4;
    const Tables line = unit_box_tables(1);
    Tracker<double> tracker(cell, line, Shape(0, 1), {});
    std::int64_t step = 0;
    for (const double c : {5.0, 1.0, 2.0, 4.5, 2.0}) tracker.check(step++, {c}, {});
    EXPECT_EQ(tracker.finish().displacement, 2.5);
}

TEST(ReferenceRecord, TrainingGradientIsThatOfTheNodes) {
    // At c = 1 the gradient on nodes 1/4 and 3/4 with targets x^2 is 2 (1 - 5/16), whatever the check rule.
    CellConfig cell = unit_box_cell(1, 0, 2);
    cell.checks = cell.tail = 2;
    const Tables tables = unit_box_tables(1);
    const Batch<float> grid{{0.25f, 0.75f}, {0.0625f, 0.5625f}, {0.5f, 0.5f}};
    for (const bool nodes : {false, true}) {
        Tracker<float> tracker(cell, tables, Shape(0, 1), nodes ? grid : Batch<float>{});
        for (std::int64_t step = 0; step < 3; ++step) tracker.check(step, {1.0f}, {});
        const TrialRecord record = tracker.finish();
        EXPECT_EQ(record.training_gradient_norm, nodes ? 2 * (1 - 5.0 / 16) : record.gradient_norm);
        EXPECT_NE(record.gradient_norm, 2 * (1 - 5.0 / 16));
    }
}

TEST(ReferenceRecord, FrozenConstantNeuronsOfTheStart) {
    // Clipping to [0, 1] on [0, 1]: z from 2 to 3 is frozen; z = 1/2 everywhere is constant and moves; z below 0 is inactive.
    CellConfig cell = unit_box_cell(1, 3, 4);
    cell.checks = 4;
    cell.activation = {ActivationKind::Clipping, 0, 1, 0};
    const Tables tables = unit_box_tables(1);
    Tracker<double> tracker(cell, tables, Shape(3, 1), {});
    for (std::int64_t step = 0; step < 5; ++step) tracker.check(step, {1, 0, 1, step == 0 ? 2.0 : -0.5, 0.5, -2, 1, 1, 1, 0}, {});
    const TrialRecord record = tracker.finish();
    EXPECT_EQ(record.constant_initial, 1);
    EXPECT_EQ(record.inactive_initial, 1);
    EXPECT_EQ(frozen_initial(record), 2);
    EXPECT_EQ(record.constant, 1);
}

/// Width 0 on a grid: the gradient is 2 (c - mean), so THEORY section 5 can be run by hand.
double outer_bias_after(const kernels::Optimizer& optimizer, std::int64_t steps, double& mean) {
    CellConfig cell = unit_box_cell(1, 0, steps);
    cell.precision = Precision::Float64;
    cell.batch = cell.nodes_per_axis = 2;
    cell.checks = cell.tail = 1;
    cell.optimizer = optimizer;
    cell.learning_rate = {0.1, 0.5};
    Tables tables = unit_box_tables(1);
    tables.training_inputs = {0.25, 0.75};
    mean = (0.0625 + 0.5625) / 2;
    return run_trial(cell, tables, 0).parameters[0];
}

TEST(ReferenceTrial, MomentumAndNesterovAtWidthZero) {
    const double alpha = 0.8;
    for (const bool nesterov : {false, true}) {
        double mean;
        const double c =
            outer_bias_after({nesterov ? OptimizerKind::Nesterov : OptimizerKind::Momentum, alpha, 0, 0, false, false}, 25, mean);
        long double expected = 0, m = 0;
        for (int n = 1; n <= 25; ++n) {
            const long double gamma = 0.1L / std::sqrt(static_cast<long double>(n));
            const long double at = nesterov ? expected - gamma * alpha * m : expected;
            m = alpha * m + (1 - alpha) * 2 * (at - mean);
            expected -= gamma * m;
        }
        EXPECT_GT(std::abs(expected), 0.01);
        // 25 steps of a contraction, a few roundings of numbers below 1 each.
        EXPECT_TRUE(std::abs(c - expected) <= 1e-14) << nesterov;
    }
}

TEST(ReferenceRecord, InactiveOnDataOnly) {
    // Target and nodes in the left half of the box: a neuron whose kink lies beyond the last node is inactive there, not on the box.
    CellConfig cell = unit_box_cell(1, 40, 1);
    Tables tables = unit_box_tables(1);
    for (double& x : tables.check.inputs) x /= 2;
    const TrialResult result = run_trial(cell, tables, 0);
    int expected = 0, inactive = 0;
    const std::vector<double>& p = result.initial_parameters;
    for (std::size_t i = 0; i < 40; ++i) {
        const double w = p[i], b = p[40 + i], last = 63.5 / 128, first = 0.5 / 128;
        const bool on_box = std::max(b, w + b) <= 0;
        inactive += on_box;
        expected += !on_box && std::max(w * first, w * last) + b <= 0;
    }
    EXPECT_GT(expected, 0);
    EXPECT_EQ(result.checks[0].inactive, inactive);
    EXPECT_EQ(result.checks[0].inactive_on_data, expected);
}

TEST(ReferenceSamples, FreshOnesFollowTheLaw) {
    const TargetProgram target{{Op::Variable, 0, 0}, {Op::Variable, 1, 0}, {Op::Subtract, 0, 0}};
    const Law law{LawKind::Uniform, -1, 3, 0, 0, 0, 0};
    const Batch<float> batch = fresh_batch<float>(law, 2, 20000, target, 5, 6, 7);
    double sum = 0, product = 0;
    for (std::size_t m = 0; m < 20000; ++m) {
        const float x = batch.inputs[2 * m], y = batch.inputs[2 * m + 1];
        EXPECT_TRUE(x >= -1 && x <= 3);
        EXPECT_EQ(batch.targets[m], x - y);
        EXPECT_EQ(batch.weights[m], 1.0f / 20000);
        sum += x + y;
        product += (x - 1) * (y - 1);
    }
    // Mean 1, variance 4/3 a coordinate, coordinates independent: five standard deviations.
    EXPECT_TRUE(std::abs(sum / 40000 - 1) <= 5 * std::sqrt(4.0 / 3 / 40000));
    EXPECT_TRUE(std::abs(product / 20000) <= 5 * (4.0 / 3) / std::sqrt(20000));
    for (const auto& other : {fresh_batch<float>(law, 2, 1, target, 4, 6, 7), fresh_batch<float>(law, 2, 1, target, 5, 7, 7),
                              fresh_batch<float>(law, 2, 1, target, 5, 6, 8)})
        EXPECT_NE(other.inputs[0], batch.inputs[0]);
}

/// Moments of the uniform law on a sphere and in a ball: E x_k^2 = R^2 / d or R^2 / (d + 2); |x|^d / R^d is uniform in a ball, so P(|x| <=
/// R/2) = 2^-d. Five standard deviations; x_k^2 has a deviation of at most sqrt(2) times its mean.
template <class Real>
void expect_uniform_on(InputLaw::Kind kind, std::int64_t d) {
    constexpr std::int64_t count = 40000;
    InputLaw law;
    law.kind = kind;
    law.dimension = d;
    law.bounded = false;
    law.radius = 1.5;
    const std::vector<Law> normal(static_cast<std::size_t>(d), Law{LawKind::Normal, 0, 0, 0, 1, 0, 0});
    const Batch<Real> batch = fresh_batch<Real>(law, normal, count, {{Op::Variable, 0, 0}}, 5, 6, 7);
    double mean = 0, square = 0, product = 0, inner = 0;
    for (std::size_t m = 0; m < count; ++m) {
        double length = 0;
        const Real* x = &batch.inputs[m * static_cast<std::size_t>(d)];
        for (std::int64_t k = 0; k < d; ++k) length += static_cast<double>(x[k]) * static_cast<double>(x[k]);
        length = std::sqrt(length) / 1.5;
        const double rounding = static_cast<double>(d + 16) * (sizeof(Real) == 4 ? 0x1p-24 : 0x1p-53);
        ASSERT_LE(length, 1 + rounding);
        if (kind == InputLaw::Kind::Sphere) {
            ASSERT_GE(length, 1 - rounding);
        }
        inner += length <= 0.5;
        mean += static_cast<double>(x[0]) / count;
        square += static_cast<double>(x[d - 1]) * static_cast<double>(x[d - 1]) / count;
        product += static_cast<double>(x[0]) * static_cast<double>(x[1]) / count;
    }
    const double variance = 2.25 / static_cast<double>(kind == InputLaw::Kind::Sphere ? d : d + 2), part = 5 / std::sqrt(double(count));
    EXPECT_LE(std::abs(mean), part * std::sqrt(variance)) << d;
    EXPECT_LE(std::abs(square / variance - 1), part * std::sqrt(2)) << d;
    EXPECT_LE(std::abs(product / variance), part) << d;
    const double p = kind == InputLaw::Kind::Sphere ? 0 : std::ldexp(1, -static_cast<int>(d));
    EXPECT_LE(std::abs(inner / count - p), part * std::sqrt(p * (1 - p))) << d;
}

TEST(ReferenceSamples, AreUniformOnSpheresAndInBalls) {
    for (const InputLaw::Kind kind : {InputLaw::Kind::Sphere, InputLaw::Kind::Ball})
        for (const std::int64_t d : {2, 3, 5, 12}) {
            expect_uniform_on<float>(kind, d);
            expect_uniform_on<double>(kind, d);
        }
}

/// Mean 0, the variance of the law, every value where it can be; independent of the inputs, of other samples, steps and trials.
template <class Real>
void expect_noise(const NoiseLaw& noise, double least, double largest, double fourth_moment) {
    constexpr std::int64_t count = 40000;
    for (const std::int64_t d : {1, 2, 3}) {
        const auto drawn = [&](std::uint64_t trial, std::int64_t step) {
            Batch<Real> batch{{}, std::vector<Real>(count), std::vector<Real>(count, Real(1) / count)};
            batch.inputs.resize(static_cast<std::size_t>(d * count));
            add_noise(batch, noise, d, 5, trial, step);
            return batch.targets;
        };
        const std::vector<Real> values = drawn(6, 7), of_step = drawn(6, 8), of_trial = drawn(7, 7);
        double sum = 0, squares = 0, next = 0, step = 0, trial = 0;
        for (std::size_t m = 0; m < count; ++m) {
            ASSERT_TRUE(values[m] >= least - 1e-6 && values[m] <= largest + 1e-6) << values[m];
            sum += values[m];
            squares += double{values[m]} * values[m];
            if (m > 0) next += double{values[m]} * values[m - 1];
            step += double{values[m]} * of_step[m];
            trial += double{values[m]} * of_trial[m];
        }
        const double variance = noise.variance(), n = count;
        EXPECT_LE(std::abs(sum / n), 5 * std::sqrt(variance / n));
        EXPECT_LE(std::abs(squares / n - variance), 5 * std::sqrt((fourth_moment - variance * variance) / n));
        for (const double product : {next, step, trial}) EXPECT_LE(std::abs(product / n), 5 * variance / std::sqrt(n));
    }
}

TEST(ReferenceSamples, NoiseHasTheMomentsOfItsLaw) {
    using Kind = NoiseLaw::Kind;
    const double infinity = std::numeric_limits<double>::infinity();
    const auto all = [&]<class Real>(Real) {
        expect_noise<Real>({Kind::Normal, 0.5, 0, 0, 0}, -infinity, infinity, 3.0 / 16);
        expect_noise<Real>({Kind::Uniform, 1, -1, 5, 0}, -3, 3, 81.0 / 5);
        // Values -1/4 and 3/4 with probability 3/4 and 1/4.
        expect_noise<Real>({Kind::TwoPoint, 1, 0, 1, 0.25}, -0.25, 0.75, 0.75 / 256 + 0.25 * 81 / 256);
        expect_noise<Real>({Kind::Exponential, 2, 0, 0, 0}, -2, infinity, 9 * 16);
    };
    all(float{});
    all(double{});
    const NoiseLaw two_point{Kind::TwoPoint, 1, 0, 1, 0.25}, uniform{Kind::Uniform, 1, -1, 5, 0};
    EXPECT_EQ(two_point.mean(), 0.25);
    EXPECT_EQ(two_point.variance(), 3.0 / 16);
    EXPECT_EQ(uniform.mean(), 2);
    EXPECT_EQ(uniform.variance(), 3);
}

}  // namespace
}  // namespace limrisk::reference
