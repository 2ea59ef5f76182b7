// A block that is given up again and again and goes on from its last checkpoint, each time on any instruction set: the same bits as in one
// run, and no step done twice that a checkpoint held.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "backend/cell_plan.hpp"
#include "compare.hpp"
#include "random_cells.hpp"

namespace limrisk::test {
namespace {

constexpr KeptParameters all_kinds{{true, true, true}};

BlockResult run_through(const CellPlan& plan, std::int64_t first, std::int64_t count) {
    WorkStatus status;
    auto result = make_cpu_backend(1)->run({&plan, first, count}, status, {.parameters = all_kinds});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
}

/// Bit for bit; NaN of trials that diverged is NaN.
bool same_parameters(const TrialParameters& a, const TrialParameters& b) {
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        if (!std::equal(a[kind].begin(), a[kind].end(), b[kind].begin(), b[kind].end(), [](double x, double y) {
                return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y) || (std::isnan(x) && std::isnan(y));
            }))
            return false;
    return true;
}

struct Pieces {
    int runs = 0, checkpoints = 0;
};

/// Gives the block up at checkpoint after checkpoint.
BlockResult run_in_pieces(const CellPlan& plan, std::int64_t first, std::int64_t count, std::mt19937_64& random, Pieces& pieces) {
    Checkpoint last;
    while (true) {
        const std::vector<Isa> isas = available_isas();
        const auto backend = make_cpu_backend(1, isas[random() % isas.size()]);
        WorkStatus status;
        std::int64_t left = 1 + static_cast<std::int64_t>(random() % 4);
        Checkpoint next;
        Checkpointing checkpoints;
        checkpoints.interval = std::chrono::milliseconds(0);
        if (pieces.runs > 0) checkpoints.from = &last;
        checkpoints.write = [&](Checkpoint checkpoint) {
            ++pieces.checkpoints;
            next = std::move(checkpoint);
            if (--left == 0) status.abandon = true;
        };
        checkpoints.refuse = [](const std::string& why) { FAIL() << why; };
        checkpoints.round_steps = 1 + static_cast<std::int64_t>(random() % 5);
        auto result = backend->run({&plan, first, count}, status, {.parameters = all_kinds, .checkpoints = &checkpoints});
        EXPECT_EQ(status.resumed_steps.load(), last.replica_steps);
        ++pieces.runs;
        if (result) {
            EXPECT_EQ(status.replica_steps.load(), count * plan.cell().steps) << "those of the checkpoint included";
            return std::move(*result);
        }
        if (testing::Test::HasFailure()) return {};
        last = std::move(next);
    }
}

class CheckpointsOf : public testing::TestWithParam<const char*> {
protected:
    static std::vector<CellConfig> cells() {
        const std::string kind = GetParam();
        if (kind == "odd") return odd_cells(2030);
        if (kind == "kinks") return kinks_cells(2030);
        if (kind == "data") return data_cells(2030);
        if (kind == "validation") return validation_cells(2030);
        if (kind == "own_points") return own_point_cells(2030);
        if (kind == "conditions") return condition_cells(2030);
        if (kind == "starts") return start_cells(2030, 64);
        if (kind == "crossing") return crossing_cells(2030, 64);
        return early_end_cells(2030);
    }
};

TEST_P(CheckpointsOf, ChangeNoBit) {
    std::mt19937_64 random(1);
    Pieces all;
    int diverged = 0;
    for (CellConfig config : cells()) {
        // The portable instruction set takes minutes for the integrals of many neurons on the line.
        if (config.width > (config.input.dimension == 1 ? 40 : 100) || config.input.dimension > 5 || random() % 3 != 0) continue;
        if (config.index % 5 == 0 && std::string(GetParam()) == "odd") config.learning_rate = {config.index % 2 ? 3.0 : 1e4, 0};
        const CellPlan plan(config);
        const std::int64_t first = 3, count = 1 + static_cast<std::int64_t>(random() % 40);
        Pieces pieces;
        const BlockResult whole = run_through(plan, first, count), cut = run_in_pieces(plan, first, count, random, pieces);
        ASSERT_FALSE(HasFailure()) << cell_name(config);
        ASSERT_EQ(first_difference(whole, cut), "") << cell_name(config);
        ASSERT_TRUE(same_parameters(whole.parameters, cut.parameters)) << cell_name(config);
        all.runs += pieces.runs;
        all.checkpoints += pieces.checkpoints;
        for (const TrialRecord& record : whole.records) diverged += record.verdict == Verdict::Diverged && record.nonfinite_step > 0;
    }
    std::printf("%d runs, %d checkpoints, %d trials diverged\n", all.runs, all.checkpoints, diverged);
    EXPECT_GE(all.runs, 100);
    if (std::string(GetParam()) == "odd") {
        EXPECT_GE(diverged, 100);
    }
}
INSTANTIATE_TEST_SUITE_P(Cells, CheckpointsOf,
                         testing::Values("odd", "kinks", "data", "validation", "own_points", "conditions", "starts", "early_ends",
                                         "crossing"),
                         [](const auto& instance) { return std::string(instance.param); });

/// Blocks of several chunks: what is finished is part of the checkpoint.
TEST(Checkpoints, OfLargeBlocks) {
    std::mt19937_64 random(2);
    CellConfig config = odd_cells(7).front();
    const CellPlan plan(config);
    Pieces pieces;
    const BlockResult whole = run_through(plan, 0, 700), cut = run_in_pieces(plan, 0, 700, random, pieces);
    ASSERT_EQ(first_difference(whole, cut), "");
    ASSERT_TRUE(same_parameters(whole.parameters, cut.parameters));
}

/// What a dry run says of them.
TEST(Checkpoints, AreAsLargeAsTheBackendSays) {
    const CellPlan plan(odd_cells(7).front());
    for (const Isa isa : available_isas())
        for (const std::int64_t count : {1, 20, 700})
            for (const KeptParameters& keep : {KeptParameters{}, all_kinds}) {
                std::int64_t largest = 0;
                Checkpointing checkpoints;
                checkpoints.interval = std::chrono::milliseconds(0);
                checkpoints.round_steps = 3;
                checkpoints.write = [&](const Checkpoint& checkpoint) {
                    largest = std::max(largest, static_cast<std::int64_t>(checkpoint.bytes.size()));
                };
                WorkStatus status;
                const auto backend = make_cpu_backend(1, isa);
                ASSERT_TRUE(backend->run({&plan, 0, count}, status, {.parameters = keep, .checkpoints = &checkpoints}));
                EXPECT_EQ(largest, backend->checkpoint_bytes(plan, count, keep)) << isa_name(isa) << ", " << count;
            }
}

/// One that is cut, of other trials, or of other parameters that are kept: the trials begin anew, and it is said.
TEST(Checkpoints, ThatDoNotFitAreRefused) {
    const CellConfig config = odd_cells(7).front();
    const CellPlan plan(config);
    const BlockResult whole = run_through(plan, 0, 20);
    Checkpoint kept;
    Checkpointing checkpoints;
    checkpoints.interval = std::chrono::milliseconds(0);
    checkpoints.write = [&](Checkpoint checkpoint) { kept = std::move(checkpoint); };
    checkpoints.round_steps = 3;
    WorkStatus first;
    const auto backend = make_cpu_backend(1);
    ASSERT_TRUE(backend->run({&plan, 0, 20}, first, {.parameters = all_kinds, .checkpoints = &checkpoints}));
    ASSERT_GT(kept.replica_steps, 0);
    checkpoints.write = [](const Checkpoint&) {};
    const auto expect = [&](const Checkpoint& checkpoint, bool fits, std::int64_t count = 20, const KeptParameters& keep = all_kinds) {
        int refused = 0;
        checkpoints.from = &checkpoint;
        checkpoints.refuse = [&](const std::string& why) {
            EXPECT_NE(why, "");
            ++refused;
        };
        WorkStatus status;
        const auto result = backend->run({&plan, 0, count}, status, {.parameters = keep, .checkpoints = &checkpoints});
        ASSERT_TRUE(result.has_value());
        EXPECT_EQ(refused, fits ? 0 : 1);
        EXPECT_EQ(status.resumed_steps.load(), fits ? checkpoint.replica_steps : 0);
        if (count == 20) {
            EXPECT_EQ(first_difference(whole, *result), "");
        }
    };
    expect(kept, true);
    expect(kept, false, 21);
    expect(kept, false, 20, KeptParameters{{true, false, true}});
    expect({"", kept.replica_steps}, false);
    expect({kept.bytes.substr(0, 7), kept.replica_steps}, false);
    expect({kept.bytes.substr(0, kept.bytes.size() - 1), kept.replica_steps}, false);
    expect({kept.bytes + "x", kept.replica_steps}, false);
    expect({kept.bytes, kept.replica_steps + 1}, false);
    for (std::size_t byte = 0; byte < 40; byte += 8) {
        Checkpoint other = kept;
        other.bytes[byte + 3] = '\x7f';
        expect(other, false);
    }
}

}  // namespace
}  // namespace limrisk::test
