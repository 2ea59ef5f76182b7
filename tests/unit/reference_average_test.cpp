// Averages of the iterates in the scalar reference, against closed forms and against sums over the iterates themselves.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "reference/average.hpp"
#include "reference_fixtures.hpp"

namespace limrisk::reference {
namespace {

using Average = AverageRule::Kind;

CellConfig cell_with(AverageRule rule, std::int64_t steps) {
    CellConfig cell;
    cell.average = rule;
    cell.steps = steps;
    return cell;
}

/// A walk around 1 with a drift, so that late iterates differ from the mean by much more than a unit of it.
template <class Real>
std::vector<Real> walk(std::size_t count) {
    std::mt19937_64 engine(5);
    std::vector<Real> steps;
    for (std::size_t n = 0; n < count; ++n)
        steps.push_back(Real(1 + 1e-3 * static_cast<double>(n) / static_cast<double>(count) +
                             1e-4 * (static_cast<double>(engine() >> 11) * 0x1p-52 - 1)));
    return steps;
}

TEST(ReferenceAverage, ALongFloatMeanIsRightWhereAPlainOneIsNot) {
    const std::vector<float> iterates = walk<float>(1'000'000);
    const CellConfig cell = cell_with({Average::Arithmetic, 1000, 0, 0}, 1'000'000);
    AveragedCoordinate<float> of{0.25F, 0};
    float plain = 0;
    long double sum = 0, distance = 0;
    for (std::size_t n = 1; n <= iterates.size(); ++n) {
        const float theta = iterates[n - 1];
        if (n > 1000) {
            sum += theta;
            distance += std::abs(static_cast<long double>(theta) - of.average);
            plain += (theta - plain) / static_cast<float>(n - 1000);
        }
        take_into_average(cell, static_cast<std::int64_t>(n), theta, of);
    }
    const long double count = 999'000, mean = sum / count, unit = 0x1p-24L;
    // docs/numerics.md: 5 units of the mean distance, n / 2 squares of a unit, the rounding of the average.
    const long double bound = 5 * unit * distance / count + count * unit * unit / 2 + unit;
    EXPECT_LE(std::abs(of.average - mean), bound);
    EXPECT_GT(std::abs(plain - mean), 100 * bound) << "a plain mean would do";
}

TEST(ReferenceAverage, AnExponentialMeanForgetsAtItsRate) {
    const CellConfig cell = cell_with({Average::Exponential, 0, 0.99, 0}, 5000);
    AveragedCoordinate<float> single{-3, 0};
    AveragedCoordinate<double> twice{-3, 0};
    for (std::int64_t n = 1; n <= 5000; ++n) {
        take_into_average(cell, n, 0.75F, single);
        take_into_average(cell, n, 0.75, twice);
        const double expected = 0.75 + std::pow(0.99, n) * (-3 - 0.75);
        ASSERT_NEAR(twice.average, expected, 1e-13);
        // 1 - delta is rounded to float, so that the rate is off by a unit of it; the largest of n 0.99^n is 37.
        ASSERT_NEAR(single.average, expected, 3.75 * 37 * 0.01 * 0x1p-24 + 8 * 0x1p-24);
    }
    EXPECT_EQ(twice.average, 0.75);
}

/// A delta whose increments are all below half a unit of the average.
TEST(ReferenceAverage, SmallIncrementsAreNotLost) {
    const CellConfig cell = cell_with({Average::Exponential, 0, 1 - 1e-7, 0}, 1'000'000);
    AveragedCoordinate<float> of{1, 0};
    float plain = 1;
    for (std::int64_t n = 1; n <= 1'000'000; ++n) {
        take_into_average(cell, n, 1.25F, of);
        plain = std::fma(1e-7F, 1.25F - plain, plain);
    }
    EXPECT_NEAR(of.average, 1.25 - 0.25 * std::exp(-0.1), 2e-7);
    EXPECT_EQ(plain, 1);
}

TEST(ReferenceAverage, CoordinatesThatDoNotMoveKeepTheirBits) {
    for (const AverageRule& rule : {AverageRule{Average::Arithmetic, 0, 0, 0},
                                    {Average::Arithmetic, 40, 0, 0},
                                    {Average::Exponential, 0, 0.9, 0},
                                    {Average::Partial, 0, 0, 0.2}}) {
        const CellConfig cell = cell_with(rule, 100);
        AveragedCoordinate<float> of{0.1F, 0};
        for (std::int64_t n = 1; n <= 100; ++n) {
            take_into_average(cell, n, 0.1F, of);
            ASSERT_EQ(of.average, 0.1F);
            ASSERT_EQ(of.lost, 0);
        }
    }
}

/// Gradient descent on the nodes with a network that is its outer bias: c_n = m + q^n (c_0 - m), q = 1 - 2 gamma, m the mean of the
/// targets.
TEST(ReferenceAverage, OfAnAffineRecursion) {
    CellConfig cell = unit_box_cell(1, 0, 300);
    cell.precision = kernels::Precision::Float64;
    cell.nodes_per_axis = cell.batch = 4;
    cell.learning_rate = {0.01, 0};
    cell.checks = 3;
    cell.tail = 1;
    Tables tables = unit_box_tables(1);
    for (int m = 0; m < 4; ++m) tables.training_inputs.push_back((m + 0.5) / 4);
    const double mean = (1 + 9 + 25 + 49) / 256.0, q = 0.98;
    struct Case {
        AverageRule rule;
        std::int64_t left_out;  ///< of an arithmetic mean
    };
    for (const Case& c : {Case{{Average::Arithmetic, 0, 0, 0}, 0},
                          {{Average::Arithmetic, 120, 0, 0}, 120},
                          {{Average::Partial, 0, 0, 0.1}, 270},
                          {{Average::Partial, 0, 0, 0.001}, 299}}) {
        cell.average = c.rule;
        const TrialResult trial = run_trial(cell, tables, 3);
        const double start = trial.initial_parameters[0], terms = static_cast<double>(300 - c.left_out);
        const double average =
            mean + (start - mean) * std::pow(q, static_cast<double>(c.left_out + 1)) * (1 - std::pow(q, terms)) / ((1 - q) * terms);
        EXPECT_NEAR(trial.average_parameters[0], average, 1e-14);
        // E (X^2 - a)^2
        EXPECT_NEAR(trial.record.average_risk, 0.2 - 2 * average / 3 + average * average, 1e-14);
        EXPECT_NEAR(trial.parameters[0], mean + (start - mean) * std::pow(q, 300), 1e-14);
    }
    cell.average = {Average::Exponential, 0, 0.95, 0};
    const TrialResult trial = run_trial(cell, tables, 3);
    double average = trial.initial_parameters[0] - mean;
    const double start = average;
    for (int n = 1; n <= 300; ++n) average = 0.95 * average + 0.05 * start * std::pow(q, n);
    EXPECT_NEAR(trial.average_parameters[0], mean + average, 1e-14);
}

/// The iterates are those of shorter trials.
TEST(ReferenceAverage, IsTheMeanOfTheIteratesOfATrial) {
    for (const OptimizerKind kind : {OptimizerKind::Sgd, OptimizerKind::Adam}) {
        CellConfig cell = unit_box_cell(2, 5, 24);
        cell.checks = 1;
        cell.tail = 1;
        cell.optimizer.kind = kind;
        if (kind == OptimizerKind::Adam) cell.optimizer = test::default_optimizers()[static_cast<std::size_t>(kind)];
        const Tables tables = unit_box_tables(2);
        std::vector<double> sum;
        for (std::int64_t n = 9; n <= 24; ++n) {
            cell.steps = n;
            const std::vector<double> iterate = run_trial(cell, tables, 2).parameters;
            sum.resize(iterate.size());
            for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += iterate[k];
        }
        cell.average = {Average::Arithmetic, 8, 0, 0};
        const TrialResult trial = run_trial(cell, tables, 2);
        for (std::size_t k = 0; k < sum.size(); ++k)
            EXPECT_NEAR(trial.average_parameters[k], sum[k] / 16, 0x1p-23 * std::abs(sum[k] / 16) + 1e-9);
        EXPECT_NE(trial.average_parameters, trial.parameters);
    }
}

TEST(ReferenceAverage, ChangesNothingOfTheTrial) {
    CellConfig cell = unit_box_cell(1, 6, 40);
    const Tables tables = unit_box_tables(1);
    const TrialResult without = run_trial(cell, tables, 7);
    EXPECT_EQ(without.average_parameters, without.parameters);
    EXPECT_EQ(without.record.average_risk, without.record.final_risk);
    EXPECT_EQ(without.record.average_inactive, without.record.inactive_final);
    EXPECT_EQ(without.record.average_kinked, without.record.kinked);
    cell.average = {Average::Arithmetic, 0, 0, 0};
    TrialResult with = run_trial(cell, tables, 7);
    EXPECT_EQ(with.parameters, without.parameters);
    EXPECT_NE(with.average_parameters, with.parameters);
    EXPECT_NE(with.record.average_risk, with.record.final_risk);
    const TrialRecord& record = with.record;
    EXPECT_EQ(record.average_inactive + record.average_constant + record.average_linear + record.average_kinked, 6);
    take_iterate_as_average(with.record);
    EXPECT_EQ(with.record, without.record);
    // Until the first step that counts the average is the iterate.
    cell.average.start = 40;
    EXPECT_EQ(run_trial(cell, tables, 7).record, without.record);
}

}  // namespace
}  // namespace limrisk::reference
