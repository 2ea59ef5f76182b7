// Trials that end early: against the scalar reference bit for bit, whatever shares their groups, and moved between groups or not.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "backend/cell_plan.hpp"
#include "certificate/limit_certificate.hpp"
#include "compare.hpp"
#include "random_cells.hpp"

namespace limrisk::test {
namespace {

BlockResult run(Backend& backend, const CellConfig& config, std::int64_t first, std::int64_t count, bool with_checks = true) {
    const CellPlan plan(config);
    WorkStatus status;
    auto result = backend.run({&plan, first, count}, status, {with_checks, true});
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(status.replica_steps.load(), count * config.steps) << "steps that are not needed count as done";
    return std::move(*result);
}

/// The same without an early end, up to a step.
CellConfig without_stop(CellConfig config, std::int64_t steps) {
    config.steps = steps;
    config.checks = config.tail = 1;
    config.stop = {};
    return config;
}

/// Test number k of several has the cells k, k + several, ..., so that they can run side by side.
class EarlyEndOn : public testing::TestWithParam<std::size_t> {
protected:
    static constexpr std::size_t several = 4;
};

TEST_P(EarlyEndOn, ScalarReference) {
    std::map<std::string, int> seen;
    const std::vector<CellConfig> cells = early_end_cells(2026);
    for (std::size_t c = GetParam(); c < cells.size(); c += several) {
        const CellConfig& config = cells[c];
        const reference::Tables tables = reference_tables(config);
        const std::int64_t first = c % 3 == 0 ? (std::int64_t{1} << 33) - 2 : config.index, size = config.width * config.input.dimension;
        const std::int64_t count = size > 500 ? 3 : c % 4 == 0 ? 37 : 11;
        std::vector<BlockResult> blocks;
        for (const Isa isa : available_isas()) blocks.push_back(run(*make_cpu_backend(1, isa), config, first, count));
        for (std::int64_t i = 0; i < count; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, first + i);
            for (std::size_t b = 0; b < blocks.size(); ++b)
                ASSERT_EQ(first_difference(blocks[b], static_cast<std::size_t>(i), truth), "")
                    << isa_name(available_isas()[b]) << ", trial " << first + i << ", " << cell_name(config);
            const bool early = truth.record.last_step < config.steps;
            seen[(early ? "early " : "") + std::string(verdict_name(truth.record.verdict))]++;
            seen["at check 0"] += early && truth.checks.size() == 1;
            const reference::CheckResult& last = truth.checks.back();
            if (early && truth.record.verdict == Verdict::Stopped && !(last.risk < config.stop.risk_below) &&
                !(last.gradient_norm < config.stop.gradient_below)) {
                ASSERT_TRUE(config.stop.all_inactive);
                ASSERT_EQ(truth.record.inactive_final, config.width);
                seen["inactive at check 0"] += truth.record.last_step == 0;
            }
            // What a trial is at a step does not depend on when trials end.
            if (!early || truth.record.last_step == 0 || truth.record.verdict == Verdict::Diverged || i > 2) continue;
            const CellConfig shorter = without_stop(config, truth.record.last_step);
            const reference::TrialResult same = reference::run_trial(shorter, reference_tables(shorter), first + i);
            ASSERT_EQ(same.parameters, truth.parameters);
            ASSERT_EQ(same.record.fingerprint, truth.record.fingerprint);
        }
    }
    for (const char* kind : {"early stopped", "early converged", "early diverged", "budget", "oscillating", "at check 0"})
        EXPECT_GE(seen[kind], 10) << kind;
    EXPECT_GE(seen["inactive at check 0"], 3);
    EXPECT_EQ(seen["stopped"], 0) << "no trial ends early at its last check";
}
INSTANTIATE_TEST_SUITE_P(Cells, EarlyEndOn, testing::Range<std::size_t>(0, 4));

TEST(EarlyEnds, AnyBlockSizeAnyThreadAndNoChecksAsked) {
    const std::vector<CellConfig> cells = early_end_cells(7);
    auto backend = make_cpu_backend(2);
    for (std::size_t c = 0; c < cells.size(); c += 17) {
        const CellConfig& config = cells[c];
        if (config.width > 100) continue;
        const BlockResult whole = run(*backend, config, 100, 331);
        BlockResult pieces;
        std::int64_t first = 100;
        for (const std::int64_t count : {1, 33, 9, 288}) {
            BlockResult piece = run(*backend, config, first, count);
            first += count;
            for (std::size_t i = 0; i < piece.records.size(); ++i) {
                pieces.records.push_back(piece.records[i]);
                pieces.states.push_back(piece.states[i]);
                pieces.checks.push_back(piece.checks[i]);
            }
        }
        ASSERT_EQ(first_difference(whole, pieces), "") << cell_name(config);
        BlockResult bare = run(*backend, config, 100, 331, false);
        bare.checks = whole.checks;
        ASSERT_EQ(first_difference(whole, bare), "") << cell_name(config);
    }
}

/// A network of width 0 is its outer bias, 0 at the start: its risk at every check is known.
TEST(EarlyEnds, ClosedForm) {
    CellConfig config;
    config.precision = kernels::Precision::Float64;
    config.target = "1";
    config.width = 0;
    config.batch = 1;
    config.learning_rate = {0.25, 0};  // c_n = 1 - 2^-n, risk 4^-n, gradient 2^(1 - n)
    config.steps = 40;
    config.checks = 40;
    config.tail = 4;
    config.evaluation = {8, 8};
    const auto end = [&](const EarlyEnd& stop) {
        config.stop = stop;
        return run(*make_cpu_backend(1), config, 0, 1).records[0];
    };
    const TrialRecord whole = end({});
    EXPECT_EQ(whole.last_step, 40);
    EXPECT_EQ(whole.verdict, Verdict::Converged);
    const TrialRecord at_once = end({1.5, 0, false});  // the risk is 1 at check 0
    EXPECT_EQ(at_once.verdict, Verdict::Stopped);
    EXPECT_EQ(at_once.last_step, 0);
    EXPECT_EQ(at_once.tail_minimum, at_once.initial_risk);
    EXPECT_EQ(at_once.tail_mean, at_once.initial_risk);
    EXPECT_EQ(at_once.tail_maximum, at_once.initial_risk);
    EXPECT_EQ(at_once.displacement, 0);
    EXPECT_EQ(at_once.best_step, 0);
    const TrialRecord by_risk = end({0.9 * std::pow(4.0, -4), 0, false});
    EXPECT_EQ(by_risk.verdict, Verdict::Stopped);
    EXPECT_EQ(by_risk.last_step, 5);
    EXPECT_NEAR(by_risk.tail_mean, std::pow(4.0, -5), 1e-15);
    EXPECT_NEAR(by_risk.final_risk, std::pow(4.0, -5), 1e-15);
    EXPECT_NEAR(by_risk.gradient_norm, std::pow(2.0, -4), 1e-14);
    const TrialRecord by_gradient = end({0, 1.1 * std::pow(2.0, -6), false});
    EXPECT_EQ(by_gradient.verdict, Verdict::Stopped);
    EXPECT_EQ(by_gradient.last_step, 7);
    // Windows of checks 1-4, 5-8, ...: the risk 4^-n is below 1e-10, and the parameter within 1e-3 (1 + |c|), in all of the window 17-20.
    const TrialRecord by_verdict = end({0, 0, true});
    EXPECT_EQ(by_verdict.verdict, Verdict::Converged);
    EXPECT_EQ(by_verdict.last_step, 20);
    EXPECT_NEAR(by_verdict.tail_maximum, std::pow(4.0, -17), 1e-15);
    EXPECT_NEAR(by_verdict.tail_minimum, std::pow(4.0, -20), 1e-15);
    EXPECT_GT(by_verdict.displacement, 0);
    EXPECT_EQ(end({1e-30, 1e-30, true}).last_step, 20) << "the first rule that holds ends the trial";
    EXPECT_EQ(end({std::pow(4.0, -39.5), 0, false}).last_step, 40) << "only its last check is below, which ends it anyway";
}

/// Gradient descent on 12 nodes or 12 points that ends by proof: short, so that some trials get to the last check.
std::vector<CellConfig> proved_cells() {
    std::vector<CellConfig> cells;
    for (std::int64_t width = 0; width < 4; ++width)
        for (const auto precision : {kernels::Precision::Float32, kernels::Precision::Float64})
            for (int kind = 0; kind < 10; ++kind) {
                const bool in_float = precision == kernels::Precision::Float32;
                if (kind >= 4 && in_float != ((width + kind) % 2 == 0)) continue;  // one of both is enough
                CellConfig config;
                config.precision = precision;
                config.target = "x1^2";
                config.width = width;
                config.input.dimension = kind == 2 ? 2 : 1;
                config.nodes_per_axis = kind == 2 ? 4 : 12;
                config.algorithm = kind == 1 ? kernels::Algorithm::Kinks : kernels::Algorithm::Plain;
                config.learning_rate = {0.2, 0};
                config.steps = 2000;
                config.checks = 10;
                config.tail = 2;
                config.evaluation = {16, 16};
                config.stop.proved = true;
                if (kind == 3) config.stop.risk_below = 1e-3;
                if (width == 3) config.activation = {kernels::ActivationKind::LeakyRelu, 0.3};
                if (width == 2 && kind < 2) config.activation = {kernels::ActivationKind::Clipping, -0.1, 0.7};
                if (kind == 4) config.learning_rate = {0.4, 0.25};
                if (kind == 5) {
                    config.learning_rate = {0.4, 0, kernels::ScheduleKind::InverseTime};
                    config.learning_rate.factor = 0.001;
                }
                if (kind >= 6) {
                    config.optimizer.kind = kind < 8 ? kernels::OptimizerKind::Momentum : kernels::OptimizerKind::Nesterov;
                    config.optimizer.alpha = 0.75;
                    config.optimizer.sum = kind % 2 == 1;
                    if (config.optimizer.sum) config.learning_rate = {0.05, 0};
                }
                config.index = static_cast<std::int64_t>(cells.size());
                cells.push_back(config);
            }
    return cells;
}

bool is_proved(const CellPlan& plan, const reference::TrialResult& truth) {
    return certificate::certify_limit(plan.cell(), truth.parameters.data(), truth.first_state.data(), truth.record.last_step).outcome ==
           certificate::LimitOutcome::Proved;
}
bool is_proved_at_once(const CellPlan& plan, const reference::TrialResult& truth) {
    const std::vector<double> still(truth.initial_parameters.size());
    return certificate::certify_limit(plan.cell(), truth.initial_parameters.data(), still.data(), 0).outcome ==
           certificate::LimitOutcome::Proved;
}

/// As the reference says, at the first check at which the certificate proves a limit and at no other; alone, in groups, with all lanes.
TEST(EarlyEnds, ByProof) {
    std::map<std::string, int> seen;
    for (const CellConfig& config : proved_cells()) {
        const reference::Tables tables = reference_tables(config);
        const CellPlan plan(config);
        constexpr std::int64_t count = 21;
        std::vector<BlockResult> blocks;
        for (const Isa isa : available_isas()) blocks.push_back(run(*make_cpu_backend(1, isa), config, 5, count));
        for (std::int64_t i = 0; i < count; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, 5 + i);
            for (std::size_t b = 0; b < blocks.size(); ++b)
                ASSERT_EQ(first_difference(blocks[b], static_cast<std::size_t>(i), truth), "")
                    << isa_name(available_isas()[b]) << ", trial " << 5 + i << ", " << cell_name(config);
            const bool early = truth.record.last_step < config.steps;
            if (!early) {
                seen["to the end"]++;
                EXPECT_NE(truth.record.verdict, Verdict::Stopped);
                continue;
            }
            ASSERT_EQ(truth.record.verdict, Verdict::Stopped);
            EXPECT_EQ(truth.record.tail_mean, truth.checks.back().risk);
            if (truth.checks.back().risk < config.stop.risk_below) {
                seen["by risk"]++;
                continue;
            }
            seen["proved"]++;
            seen["at check 0"] += truth.record.last_step == 0;
            EXPECT_TRUE(is_proved(plan, truth));
            if (truth.checks.size() < 2) continue;
            seen[std::string(kernels::traits_of(config.optimizer.kind).name) + (config.optimizer.sum ? " sum" : "")]++;
            const CellConfig shorter = without_stop(config, truth.checks[truth.checks.size() - 2].step);
            EXPECT_FALSE(shorter.steps == 0 ? is_proved_at_once(plan, truth)
                                            : is_proved(plan, reference::run_trial(shorter, reference_tables(shorter), 5 + i)))
                << cell_name(config);
        }
        // The same in blocks of one.
        const BlockResult alone = run(*make_cpu_backend(1), config, 7, 1);
        EXPECT_EQ(alone.records[0].fingerprint, blocks.back().records[2].fingerprint);
        EXPECT_EQ(alone.records[0].last_step, blocks.back().records[2].last_step);
    }
    EXPECT_GE(seen["proved"], 100);
    EXPECT_GE(seen["at check 0"], 100) << "networks of width 0";
    EXPECT_GE(seen["by risk"], 10);
    EXPECT_GE(seen["to the end"], 30);
    for (const char* name : {"sgd", "momentum", "momentum sum", "nesterov", "nesterov sum"}) EXPECT_GE(seen[name], 10) << name;
}

/// Two neurons on [0, 1], inactive from the start, or pushed there by the first step: with z = 0.5 x + 0.1, v = 1 and c = 0 residuals
/// against the target -4 are at least 4.2, and a rate of 0.5 takes more from b than it has.
TEST(EarlyEnds, AllNeuronsInactive) {
    CellConfig config;
    config.precision = kernels::Precision::Float64;
    config.target = "-4";
    config.width = 2;
    config.batch = 4;
    config.learning_rate = {0.5, 0};
    config.steps = 40;
    config.checks = 40;
    config.tail = 4;
    config.evaluation = {8, 8};
    config.stop.all_inactive = true;
    const auto end = [&](std::vector<double> parameters) {
        config.start = make_start(2, 1, 0, std::move(parameters));
        return run(*make_cpu_backend(1), config, 0, 1).records[0];
    };
    const TrialRecord at_once = end({-1, 1, 0, -2, 1, 1, 0.5});
    EXPECT_EQ(at_once.verdict, Verdict::Stopped);
    EXPECT_EQ(at_once.last_step, 0);
    EXPECT_NEAR(at_once.tail_mean, 4.5 * 4.5, 1e-12);
    const TrialRecord after_a_step = end({0.5, 0.5, 0.1, 0.1, 1, 1, 0});
    EXPECT_EQ(after_a_step.verdict, Verdict::Stopped);
    EXPECT_EQ(after_a_step.last_step, 1);
    EXPECT_EQ(after_a_step.inactive_initial, 0);
    EXPECT_EQ(after_a_step.inactive_final, 2);
    const TrialRecord one_active = end({-1, 0.5, 0, 0.1, 1, -1, 0});
    EXPECT_GT(one_active.last_step, 1) << "one neuron is not all";
    config.stop = {};
    EXPECT_EQ(end({-1, 1, 0, -2, 1, 1, 0.5}).last_step, 40);
}

}  // namespace
}  // namespace limrisk::test
