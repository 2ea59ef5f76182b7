// Trials that start at given parameters: against the scalar reference bit for bit, alone and in any company.
#include <gtest/gtest.h>

#include "backend/cell_plan.hpp"
#include "compare.hpp"
#include "limrisk/error.hpp"
#include "random_cells.hpp"

namespace limrisk::test {
namespace {

constexpr std::int64_t trials = 41;

BlockResult run(Backend& backend, const CellConfig& config, std::int64_t first, std::int64_t count) {
    const CellPlan plan(config);
    WorkStatus status;
    auto result = backend.run({&plan, first, count}, status, {.checks = true, .states = true});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
}

/// Every instruction set gives the reference's bits.
void expect_reference(const CellConfig& config, std::int64_t first, std::int64_t count) {
    const reference::Tables tables = reference_tables(config);
    std::vector<BlockResult> blocks;
    for (const Isa isa : available_isas()) blocks.push_back(run(*make_cpu_backend(1, isa), config, first, count));
    for (std::int64_t i = 0; i < count; ++i) {
        const reference::TrialResult truth = reference::run_trial(config, tables, first + i);
        for (std::size_t b = 0; b < blocks.size(); ++b)
            ASSERT_EQ(first_difference(blocks[b], static_cast<std::size_t>(i), truth), "")
                << isa_name(available_isas()[b]) << ", trial " << first + i << ", " << cell_name(config);
    }
}

/// Test number k of several has the cells k, k + several, ..., so that they can run side by side.
class StartsOn : public testing::TestWithParam<std::size_t> {
protected:
    static constexpr std::size_t several = 4;
};

TEST_P(StartsOn, ScalarReference) {
    const std::vector<CellConfig> cells = start_cells(2027, trials);
    int each = 0, one = 0, wide_tiles = 0;
    for (std::size_t c = GetParam(); c < cells.size(); c += several) {
        const CellConfig& config = cells[c];
        ++(config.start->trials > 0 ? each : one);
        wide_tiles += kernels::tile_shape(config.width, config.input.dimension).lanes > 1;
        const std::int64_t first = config.start->trials > 0 ? 4 : (std::int64_t{1} << 33) - 2;
        const std::int64_t count = config.width * config.input.dimension > 500 ? 3 : trials - 4;
        ASSERT_NO_FATAL_FAILURE(expect_reference(config, first, count));
    }
    EXPECT_GT(each, 5);
    EXPECT_GT(one, 5);
    EXPECT_GT(wide_tiles, 5);
}
INSTANTIATE_TEST_SUITE_P(Cells, StartsOn, testing::Range<std::size_t>(0, 4));

/// The same for starts that are drawn together.
class StartsDrawnTogetherOn : public StartsOn {};

TEST_P(StartsDrawnTogetherOn, ScalarReference) {
    const std::vector<CellConfig> cells = together_cells(2028);
    int of_kind[3] = {};
    for (std::size_t c = GetParam(); c < cells.size(); c += several) {
        const CellConfig& config = cells[c];
        ++of_kind[static_cast<int>(config.initialization.kind) - static_cast<int>(InitializationRule::Kind::Orthogonal)];
        const std::int64_t first = (std::int64_t{1} << 33) - 2, count = config.width * config.input.dimension > 500 ? 3 : 19;
        ASSERT_NO_FATAL_FAILURE(expect_reference(config, first, count));
    }
    for (const int count : of_kind) EXPECT_GT(count, 5);
}
INSTANTIATE_TEST_SUITE_P(Cells, StartsDrawnTogetherOn, testing::Range<std::size_t>(0, 4));

TEST(Starts, AreThoseThatWereGiven) {
    for (const CellConfig& config : start_cells(5, trials)) {
        if (config.index % 11 != 0) continue;
        const FinalState state = run(*make_cpu_backend(1), config, 7, 1).states.front();
        const std::size_t count = state.initial_parameters.size(), row = config.start->trials > 0 ? 7 : 0;
        for (std::size_t j = 0; j < count; ++j) {
            const double given = config.start->parameters[row * count + j];
            const double right = config.precision == kernels::Precision::Float32 ? static_cast<double>(static_cast<float>(given)) : given;
            ASSERT_EQ(state.initial_parameters[j], right) << cell_name(config);
        }
    }
}

TEST(Starts, TrialsWithoutOneAreADefect) {
    for (const CellConfig& config : start_cells(5, trials)) {
        if (config.start->trials == 0) continue;
        const CellPlan plan(config);
        WorkStatus status;
        EXPECT_THROW(make_cpu_backend(1)->run({&plan, trials - 1, 2}, status), Defect);
        return;
    }
    FAIL();
}

}  // namespace
}  // namespace limrisk::test
