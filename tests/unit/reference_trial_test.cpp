// Whole trials of the reference: certified neurons stay, divergence freezes, nested networks, verdicts, fingerprints.
#include <gtest/gtest.h>

#include <cstring>

#include "limrisk/trial_fields.hpp"
#include "reference/fingerprint.hpp"
#include "reference/initialization.hpp"
#include "reference/samples.hpp"
#include "reference/trial.hpp"
#include "reference_fixtures.hpp"
#include "tests/enum_values.hpp"

namespace limrisk::reference {
namespace {

using kernels::ActivationKind;
using kernels::Precision;

TEST(ReferenceTrial, NeuronsInactiveAtInitializationNeverMove) {
    int certified = 0, moved = 0;
    for (const Precision precision : {Precision::Float32, Precision::Float64})
        for (const ActivationKind kind : {ActivationKind::Relu, ActivationKind::PowerRelu})
            for (const kernels::Optimizer& optimizer : one_of_each_optimizer)
                for (std::int64_t trial = 0; trial < 4; ++trial) {
                    CellConfig cell = unit_box_cell(2, 10, 60);
                    cell.precision = precision;
                    cell.activation = {kind, 0, 0, 3};
                    cell.optimizer = optimizer;
                    const TrialResult result = run_trial(cell, unit_box_tables(2), trial);
                    const Shape shape(10, 2);
                    int inactive = 0;
                    for (std::int64_t i = 0; i < 10; ++i) {
                        const std::vector<double>& start = result.initial_parameters;
                        double z_max = start[shape.inner_bias(i)];
                        for (std::int64_t k = 0; k < 2; ++k) z_max += std::max(0.0, start[shape.weight(i, k)]);
                        const bool same = start[shape.weight(i, 0)] == result.parameters[shape.weight(i, 0)] &&
                                          start[shape.weight(i, 1)] == result.parameters[shape.weight(i, 1)] &&
                                          start[shape.inner_bias(i)] == result.parameters[shape.inner_bias(i)] &&
                                          start[shape.outer_weight(i)] == result.parameters[shape.outer_weight(i)];
                        EXPECT_TRUE(same || z_max >= 0) << "neuron " << i << " of trial " << trial;
                        inactive += z_max < 0;
                        moved += !same;
                    }
                    EXPECT_EQ(result.record.inactive_initial, inactive);
                    EXPECT_GE(result.record.inactive_final, inactive);
                    EXPECT_LE(result.record.revived, result.record.died);
                    certified += inactive;
                }
    EXPECT_GT(certified, 100);
    EXPECT_GT(moved, 300);
}

TEST(ReferenceTrial, WidthZeroDescendsToTheVariance) {
    CellConfig cell = unit_box_cell(1, 0, 400);
    cell.precision = Precision::Float64;
    cell.batch = cell.nodes_per_axis = 16;
    cell.learning_rate.initial = 0.1;
    Tables tables = unit_box_tables(1);
    double mean_target = 0;
    for (int m = 0; m < 16; ++m) {
        tables.training_inputs.push_back((m + 0.5) / 16);
        mean_target += tables.training_inputs.back() * tables.training_inputs.back() / 16;
    }
    const TrialResult result = run_trial(cell, tables, 0);
    EXPECT_EQ(result.initial_parameters, std::vector<double>{0});
    // c_n = mean (1 - (1 - 2 gamma)^n): contraction by 0.8 a step.
    EXPECT_NEAR(result.parameters[0], mean_target, 1e-15);
    const double shift = mean_target - 1.0 / 3;
    EXPECT_NEAR(result.record.final_risk, 4.0 / 45 + shift * shift, 1e-15);
    EXPECT_EQ(result.record.verdict, Verdict::Converged);
    EXPECT_NEAR(result.record.parameter_norm, mean_target, 1e-15);
    EXPECT_TRUE(result.first_state.empty());
}

TEST(ReferenceTrial, DivergenceFreezesTheReplica) {
    for (const Precision precision : {Precision::Float32, Precision::Float64}) {
        CellConfig cell = unit_box_cell(1, 5, 400);
        cell.precision = precision;
        cell.learning_rate.initial = 30;
        const Tables tables = unit_box_tables(1);
        int diverged = 0;
        for (std::int64_t trial = 0; trial < 8; ++trial) {
            const TrialResult result = run_trial(cell, tables, trial);
            const TrialRecord& record = result.record;
            for (const TrialField& field : trial_fields) {
                if (field.type != FieldType::Float64) continue;
                double value;
                std::memcpy(&value, reinterpret_cast<const char*>(&record) + field.offset, sizeof value);
                EXPECT_FALSE(std::isnan(value)) << field.name;
            }
            if (record.verdict != Verdict::Diverged) continue;
            ++diverged;
            // Every step multiplies the parameters by more than 30: both ranges are left within 100 steps.
            EXPECT_GT(record.nonfinite_step, 0);
            EXPECT_LE(record.nonfinite_step, 100);
            EXPECT_EQ(record.final_risk, infinity<double>);
            EXPECT_EQ(record.tail_mean, infinity<double>);
            EXPECT_TRUE(std::isfinite(record.best_risk));
            EXPECT_LT(record.best_step, record.nonfinite_step);
            // The first steps alone give the same parameters: those before a step that diverged, those at a check that found it.
            const std::int64_t spacing = cell.steps / cell.checks;
            CellConfig shorter = cell;
            shorter.steps = record.nonfinite_step - (record.nonfinite_step % spacing != 0);
            shorter.checks = 1;
            shorter.tail = 1;
            const TrialResult before = run_trial(shorter, tables, trial);
            EXPECT_EQ(before.record.fingerprint, record.fingerprint) << trial;
        }
        EXPECT_GT(diverged, 0);
    }
}

TEST(ReferenceTrial, InitialNetworksAreNestedAndChecksFollowTheirSteps) {
    CellConfig cell = unit_box_cell(3, 3, 10);
    cell.initialization.kind = InitializationRule::Kind::StandardNormal;
    const TrialResult small = run_trial(cell, unit_box_tables(3), 5);
    cell.width = 6;
    const TrialResult large = run_trial(cell, unit_box_tables(3), 5);
    const Shape of_small(3, 3), of_large(6, 3);
    for (std::int64_t i = 0; i < 3; ++i) {
        for (std::int64_t k = 0; k < 3; ++k)
            EXPECT_EQ(small.initial_parameters[of_small.weight(i, k)], large.initial_parameters[of_large.weight(i, k)]);
        EXPECT_EQ(small.initial_parameters[of_small.inner_bias(i)], large.initial_parameters[of_large.inner_bias(i)]);
        EXPECT_EQ(small.initial_parameters[of_small.outer_weight(i)], large.initial_parameters[of_large.outer_weight(i)]);
    }
    std::vector<std::int64_t> steps;
    for (const CheckResult& check : small.checks) steps.push_back(check.step);
    EXPECT_EQ(steps, (std::vector<std::int64_t>{0, 1, 2, 3, 5, 6, 8, 9, 10}));
}

TEST(ReferenceInitialization, SpreadOfEveryLaw) {
    using Kind = InitializationRule::Kind;
    // Variances of w, b, v for h = 2000, d = 5; sample variance of n draws deviates by at most 5 sqrt(2/n) relative (normal; less if
    // uniform).
    const double h = 2000, d = 5;
    const std::vector<std::tuple<Kind, double, double, double>> table{{Kind::Pytorch, 1 / (3 * d), 1 / (3 * d), 1 / (3 * h)},
                                                                      {Kind::KaimingUniform, 2 / d, 1 / (3 * d), 2 / h},
                                                                      {Kind::KaimingNormal, 2 / d, 1 / (3 * d), 2 / h},
                                                                      {Kind::XavierUniform, 2 / (d + h), 1 / (3 * d), 2 / (h + 1)},
                                                                      {Kind::XavierNormal, 2 / (d + h), 1 / (3 * d), 2 / (h + 1)},
                                                                      {Kind::StandardNormal, 1, 1, 1},
                                                                      {Kind::Uniform, 3, 3, 3},
                                                                      {Kind::LecunNormal, 1 / d, 1 / (3 * d), 1 / h},
                                                                      {Kind::LecunUniform, 1 / d, 1 / (3 * d), 1 / h},
                                                                      {Kind::Groups, 1 / h, d * d / 3, 4}};
    std::size_t independent = 0;  // of the others drawn_start_test
    for (std::size_t kind = 0; kind < test::enum_count<Kind>(); ++kind)
        independent += !InitializationRule{static_cast<Kind>(kind), true, -3, 3}.draws_together();
    EXPECT_EQ(test::kinds_in(table, [](const auto& row) { return std::get<Kind>(row); }), independent);
    const Shape shape(2000, 5);
    for (const auto& [kind, w, b, v] : table) {
        InitializationRule rule{kind, true, -3, 3};
        rule.inner_weight = {GroupLaw::Kind::Normal, "1/sqrt(h)"};
        rule.inner_bias = {GroupLaw::Kind::Uniform, "", "-d", "d"};
        rule.outer_weight = {GroupLaw::Kind::Constant, "-2"};
        const std::vector<double> p = initial_parameters<double>(initial_laws(rule, shape), shape, 1, 0);
        const auto variance = [&p](std::size_t first, std::size_t count) {
            double sum = 0;
            for (std::size_t k = first; k < first + count; ++k) sum += p[k] * p[k];
            return sum / static_cast<double>(count);
        };
        const auto close = [](double value, double exact, double n) { return std::abs(value / exact - 1) <= 5 * std::sqrt(2 / n); };
        EXPECT_TRUE(close(variance(0, 10000), w, 10000)) << static_cast<int>(kind);
        EXPECT_TRUE(close(variance(10000, 2000), b, 2000)) << static_cast<int>(kind);
        EXPECT_TRUE(close(variance(12000, 2000), v, 2000)) << static_cast<int>(kind);
        for (std::size_t k = 0; kind == Kind::LecunNormal && k < 10000; ++k) {
            EXPECT_LE(std::abs(p[k]), 2 / 0.87962566103423978 / std::sqrt(d));
        }
        if (kind == Kind::Groups) continue;
        const std::vector<double> q = initial_parameters<double>(initial_laws({kind, false, -3, 3}, shape), shape, 1, 0);
        EXPECT_EQ(q[10000], 0);
        EXPECT_EQ(q.back(), 0);
        EXPECT_EQ(q[0], p[0]);
    }
}

TEST(ReferenceInitialization, EveryParameterHasItsOwnWord) {
    const Shape shape(7, 5);
    const auto p = initial_parameters<double>(initial_laws({InitializationRule::Kind::Uniform, true, 0, 1}, shape), shape, 3, 4);
    for (std::uint64_t i = 0; i < 7; ++i) {
        const auto first = random_words(3, Purpose::Neuron, i, 0, 4), second = random_words(3, Purpose::Neuron, i, 1, 4);
        for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(p[5 * i + k], unit_variate(first[k], double{}));
        EXPECT_EQ(p[5 * i + 4], unit_variate(second[0], double{}));
        EXPECT_EQ(p[35 + i], unit_variate(second[1], double{}));
        EXPECT_EQ(p[42 + i], unit_variate(second[2], double{}));
    }
    EXPECT_EQ(p[49], unit_variate(random_words(3, Purpose::OuterBias, 0, 0, 4)[0], double{}));
}

TEST(ReferenceSamples, EveryCoordinateHasItsOwnWord) {
    for (const std::int64_t dimension : {1, 2, 3, 4, 5, 9}) {
        std::vector<std::uint32_t> words;
        for (std::int64_t m = 0; m < 50; ++m)
            for (std::int64_t k = 0; k < dimension; ++k) words.push_back(sample_word(1, 2, 3, dimension, m, k));
        std::sort(words.begin(), words.end());
        EXPECT_EQ(std::adjacent_find(words.begin(), words.end()), words.end()) << dimension;
    }
}

TEST(ReferenceFingerprint, SeesEveryBitAndEveryPlace) {
    const std::vector<std::vector<float>> arrays{{1, 2, 3}, {4, 5, 6}};
    const std::uint64_t hash = fingerprint(arrays);
    for (std::size_t a = 0; a < 2; ++a)
        for (std::size_t k = 0; k < 3; ++k)
            for (int bit = 0; bit < 32; ++bit) {
                auto changed = arrays;
                changed[a][k] = from_bits<float>(bits(changed[a][k]) ^ (1u << bit));
                EXPECT_NE(fingerprint(changed), hash);
            }
    EXPECT_NE(fingerprint<float>({{2, 1, 3}, {4, 5, 6}}), hash);
    EXPECT_EQ(fingerprint<float>({{from_bits<float>(0xFFC12345u)}}), fingerprint<float>({{from_bits<float>(0x7FC00000u)}}));
    EXPECT_NE(fingerprint<double>({{1.0}}), fingerprint<double>({{from_bits<double>(0x3FF0000000000001u)}}));
}

}  // namespace
}  // namespace limrisk::reference
