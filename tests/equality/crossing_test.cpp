// Kinks of neurons that are compared with those at the start: against the scalar reference bit for bit, against counts by hand from the
// parameters at the checks, and where nothing else may change.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "backend/cell_plan.hpp"
#include "compare.hpp"
#include "random_cells.hpp"

namespace limrisk::test {
namespace {

constexpr std::int64_t trials = 19;
constexpr double infinity = std::numeric_limits<double>::infinity();

BlockResult run(Backend& backend, const CellConfig& config, std::int64_t first, std::int64_t count) {
    const CellPlan plan(config);
    WorkStatus status;
    auto result = backend.run({&plan, first, count}, status, {.checks = true, .states = true});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
}

/// Test number k of several has the cells k, k + several, ..., so that they can run side by side.
class CrossingOn : public testing::TestWithParam<std::size_t> {
protected:
    static constexpr std::size_t several = 4;
};

TEST_P(CrossingOn, ScalarReference) {
    const std::vector<CellConfig> cells = crossing_cells(2031, trials);
    int none = 0, some = 0, finite = 0, infinite = 0, stopped = 0, diverged = 0, own = 0, shared = 0, grids = 0, at_rest = 0;
    for (std::size_t c = GetParam(); c < cells.size(); c += several) {
        const CellConfig& config = cells[c];
        own += config.has_own_points();
        shared += config.has_shared_data();
        grids += config.has_training_grid();
        const std::int64_t first = config.has_start() ? 2 : (std::int64_t{1} << 33) - 2;
        const std::int64_t count = config.width > 100 ? 3 : trials - 2;
        const reference::Tables tables = reference_tables(config);
        std::vector<BlockResult> results;
        for (const Isa isa : available_isas()) results.push_back(run(*make_cpu_backend(1, isa), config, first, count));
        for (std::int64_t i = 0; i < count; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, first + i);
            for (std::size_t b = 0; b < results.size(); ++b)
                ASSERT_EQ(first_difference(results[b], static_cast<std::size_t>(i), truth), "")
                    << isa_name(available_isas()[b]) << ", trial " << first + i << ", " << cell_name(config);
            const TrialRecord& record = truth.record;
            ASSERT_LE(record.kinks_crossed, config.width);
            none += record.kinks_crossed == 0;
            some += record.kinks_crossed > 0 && record.kinks_crossed < config.width;
            finite += record.kink_displacement > 0 && record.kink_displacement < infinity;
            infinite += record.kink_displacement == infinity;
            at_rest += record.kink_displacement == 0;
            diverged += record.verdict == Verdict::Diverged;
            stopped += config.stop.kinks_crossed && record.verdict == Verdict::Stopped && record.kinks_crossed > 0;
        }
    }
    EXPECT_GT(none, 100);
    EXPECT_GT(some, 100);
    EXPECT_GT(finite, 100);
    EXPECT_GT(infinite, 50);
    EXPECT_GT(at_rest, 5);
    EXPECT_GT(stopped, 50);
    EXPECT_GT(diverged, 20);
    EXPECT_GT(own, 3);
    EXPECT_GT(shared, 5);
    EXPECT_GT(grids, 20);
}
INSTANTIATE_TEST_SUITE_P(Cells, CrossingOn, testing::Range<std::size_t>(0, 4));

/// Whatever shares their groups, and however blocks are cut.
TEST(Crossing, AnyBlockSize) {
    auto backend = make_cpu_backend(2);
    int compared = 0;
    for (const CellConfig& config : crossing_cells(7, trials)) {
        if (config.index % 7 != 0 || config.width > 100 || config.has_start()) continue;
        const BlockResult whole = run(*backend, config, 100, 71);
        BlockResult pieces;
        std::int64_t first = 100;
        for (const std::int64_t count : {1, 33, 9, 28}) {
            const BlockResult piece = run(*backend, config, first, count);
            first += count;
            pieces.records.insert(pieces.records.end(), piece.records.begin(), piece.records.end());
            pieces.states.insert(pieces.states.end(), piece.states.begin(), piece.states.end());
            pieces.checks.insert(pieces.checks.end(), piece.checks.begin(), piece.checks.end());
        }
        ASSERT_EQ(first_difference(whole, pieces), "") << cell_name(config);
        ++compared;
    }
    EXPECT_GT(compared, 10);
}

/// Looking at kinks changes nothing else.
TEST(Crossing, ChangesNothingElse) {
    auto backend = make_cpu_backend(1);
    for (CellConfig config : crossing_cells(8, trials)) {
        if (config.index % 5 != 0 || config.width > 100) continue;
        config.stop.kinks_crossed = false;
        const BlockResult followed = run(*backend, config, 0, 5);
        config.kinks = false;
        BlockResult plain = run(*backend, config, 0, 5);
        for (std::size_t i = 0; i < plain.records.size(); ++i) {
            EXPECT_EQ(plain.records[i].kinks_crossed, -1);
            EXPECT_EQ(plain.records[i].kink_displacement, -1);
            plain.records[i].kinks_crossed = followed.records[i].kinks_crossed;
            plain.records[i].kink_displacement = followed.records[i].kink_displacement;
        }
        ASSERT_EQ(first_difference(followed, plain), "") << cell_name(config);
    }
}

/// One neuron on the points -1 and 1 whose outer weight is held, so that w and b follow by hand.
class OneKink : public testing::Test {
protected:
    OneKink() {
        config_.precision = kernels::Precision::Float64;
        config_.width = 1;
        config_.nodes_per_axis = 2;  // -1 and 1
        config_.batch = 2;
        config_.input.low = -2;
        config_.input.high = 2;
        config_.target = "1";
        config_.outer_bias = false;
        config_.trainable = "b";
        config_.steps = config_.checks = 8;
        config_.tail = 1;
        config_.evaluation = {8, 8};
        config_.kinks = true;
    }
    TrialRecord from(double w, double b, double v) {
        config_.start = make_start(1, 1, 0, {w, b, v, 0});
        return run(*make_cpu_backend(1), config_, 0, 1).records[0];
    }
    CellConfig config_;
};

TEST_F(OneKink, PassesOnePointAndThenTheOther) {
    // N(x) = relu(x + b) from b = 0: only x = 1 is active, the derivative in b is b + 1 - 3, and b = 2 - 2 (1 - 0.25)^n: 0.5, 0.875, and
    // 1.15625 after 3 steps, where the kink -b is beyond -1.
    config_.target = "3";
    config_.learning_rate = {0.25, 0};
    config_.steps = config_.checks = 3;
    config_.tail = 1;
    const TrialRecord passed = from(1, 0, 1);
    EXPECT_EQ(passed.kinks_crossed, 1);
    EXPECT_EQ(passed.kink_displacement, 1.15625);
    config_.steps = config_.checks = 2;
    const TrialRecord before = from(1, 0, 1);
    EXPECT_EQ(before.kinks_crossed, 0);
    EXPECT_EQ(before.kink_displacement, 0.875);
    config_.steps = config_.checks = 8;
    config_.stop.kinks_crossed = true;
    const TrialRecord stopped = from(1, 0, 1);
    EXPECT_EQ(stopped.verdict, Verdict::Stopped);
    EXPECT_EQ(stopped.last_step, 3);
    EXPECT_EQ(stopped.kinks_crossed, 1);
    EXPECT_EQ(stopped.kink_displacement, 1.15625);
}

TEST_F(OneKink, IsNotSeenBetweenChecks) {
    // The target is 3 at 1 and 0 at -1. From b = 0 the first step goes to 2.5, where both points are active and the derivative is
    // 2 b - 3 = 2, the second one back to 0.
    config_.target = "1.5 + 1.5*x1";
    config_.learning_rate = {1.25, 0};
    config_.steps = 2;
    config_.checks = 2;
    config_.tail = 1;
    const TrialRecord every = from(1, 0, 1);
    config_.checks = 1;
    const TrialRecord last = from(1, 0, 1);
    EXPECT_EQ(every.fingerprint, last.fingerprint);
    EXPECT_EQ(every.kinks_crossed, 1);
    EXPECT_EQ(every.kink_displacement, 2.5);
    EXPECT_EQ(last.kinks_crossed, 0);
    EXPECT_EQ(last.kink_displacement, 0);
}

TEST_F(OneKink, AtRestAndThroughInfinity) {
    config_.trainable = "v";
    config_.learning_rate = {0.25, 0};
    const TrialRecord rests = from(1, 0.5, 1);
    EXPECT_EQ(rests.kinks_crossed, 0);
    EXPECT_EQ(rests.kink_displacement, 0);
    const TrialRecord flat = from(0, 0.5, 1);  // without a kink
    EXPECT_EQ(flat.kinks_crossed, 0);
    EXPECT_EQ(flat.kink_displacement, 0);
    // All points stay active while w goes from -0.125 through 0: the target is x, its mean with x 1.
    config_.trainable = "w";
    config_.target = "x1";
    config_.steps = config_.checks = 4;
    const TrialRecord through = from(-0.125, 4, 1);
    EXPECT_EQ(through.kinks_crossed, 0);
    EXPECT_EQ(through.kink_displacement, infinity);
    // From w = 0 a kink comes out of infinity.
    const TrialRecord out = from(0, 4, 1);
    EXPECT_EQ(out.kinks_crossed, 0);
    EXPECT_EQ(out.kink_displacement, infinity);
}

/// The active points are others where w changes its sign with a kink between them, though as many are active.
TEST_F(OneKink, ChangesSides) {
    config_.start = nullptr;
    config_.trainable = "w";
    config_.target = "-6*x1";
    config_.learning_rate = {1, 0};
    config_.steps = config_.checks = 1;
    // w = 1, b = 0.5: z = 1.5 at 1, where the target is -6: w - 2 * 0.5 * 7.5 = -6.5, which is active at -1 alone.
    const TrialRecord turned = from(1, 0.5, 1);
    EXPECT_EQ(turned.kinks_crossed, 1);
    EXPECT_EQ(turned.kink_displacement, infinity);
}

}  // namespace
}  // namespace limrisk::test
