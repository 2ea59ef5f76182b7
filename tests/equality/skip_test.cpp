// Networks with a skip connection: against the scalar reference bit for bit, and against networks without one.
#include <gtest/gtest.h>

#include <bit>

#include "backend/cell_plan.hpp"
#include "compare.hpp"
#include "random_cells.hpp"

namespace limrisk::test {
namespace {

constexpr std::int64_t trials = 19;

BlockResult run(Backend& backend, const CellConfig& config, std::int64_t first, std::int64_t count) {
    const CellPlan plan(config);
    WorkStatus status;
    auto result = backend.run({&plan, first, count}, status, {.checks = true, .states = true});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
}

/// Test number k of several has the cells k, k + several, ..., so that they can run side by side.
class SkipOn : public testing::TestWithParam<std::size_t> {
protected:
    static constexpr std::size_t several = 4;
};

TEST_P(SkipOn, ScalarReference) {
    const std::vector<CellConfig> cells = skip_cells(2030, trials);
    int kinks = 0, data = 0, starts = 0, held = 0, wide_tiles = 0, blocks = 0, dimensions = 0;
    for (std::size_t c = GetParam(); c < cells.size(); c += several) {
        const CellConfig& config = cells[c];
        kinks += config.algorithm == kernels::Algorithm::Kinks;
        data += config.has_data();
        starts += config.has_start();
        held += !config.trains_all();
        wide_tiles += kernels::tile_shape(config.width, config.input.dimension).lanes > 1;
        blocks += config.has_block_sums();
        dimensions += config.input.dimension > 4;
        const std::int64_t first = config.has_start() ? 2 : (std::int64_t{1} << 33) - 2;
        const std::int64_t count = config.width * config.input.dimension > 500 ? 3 : trials - 2;
        const reference::Tables tables = reference_tables(config);
        std::vector<BlockResult> results;
        for (const Isa isa : available_isas()) results.push_back(run(*make_cpu_backend(1, isa), config, first, count));
        for (std::int64_t i = 0; i < count; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, first + i);
            for (std::size_t b = 0; b < results.size(); ++b)
                ASSERT_EQ(first_difference(results[b], static_cast<std::size_t>(i), truth), "")
                    << isa_name(available_isas()[b]) << ", trial " << first + i << ", " << cell_name(config);
        }
    }
    EXPECT_GT(kinks, 2);
    EXPECT_GT(data, 5);
    EXPECT_GT(starts, 2);
    EXPECT_GT(held, 20);
    EXPECT_GT(wide_tiles, 20);
    EXPECT_GT(blocks, 2);
    EXPECT_GT(dimensions, 5);
}
INSTANTIATE_TEST_SUITE_P(Cells, SkipOn, testing::Range<std::size_t>(0, 4));

/// All other parameters are drawn as without it, and where u = 0 stays so is everything else.
TEST(Skip, OfZeroIsNone) {
    int drawn = 0, compared = 0;
    for (CellConfig config : skip_cells(7, trials)) {
        if (config.index % 3 != 0 || config.has_start() || config.width * config.input.dimension > 500) continue;
        config.outer_bias = true;
        config.trainable = "all";
        const BlockResult drawing = run(*make_cpu_backend(1), config, 0, 3);
        config.initialization = {InitializationRule::Kind::Groups,
                                 true,
                                 0,
                                 0,
                                 {GroupLaw::Kind::Uniform, "1"},
                                 {GroupLaw::Kind::Normal, "0.5"},
                                 {GroupLaw::Kind::Normal, "1"},
                                 {GroupLaw::Kind::Constant, "0.1"}};
        config.trainable = "wbvc";
        const BlockResult held = run(*make_cpu_backend(1), config, 0, 3);
        CellConfig without = config;
        without.skip = false;
        without.trainable = "all";
        const BlockResult plain = run(*make_cpu_backend(1), without, 0, 3);
        const auto parameters = static_cast<std::size_t>(without.parameter_count());
        for (std::size_t trial = 0; trial < 3; ++trial) {
            const auto head = [&](const std::vector<double>& all) {
                return std::vector<double>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(parameters));
            };
            ASSERT_EQ(drawing.states[trial].initial_parameters.size(), parameters + static_cast<std::size_t>(config.input.dimension));
            EXPECT_EQ(head(held.states[trial].initial_parameters), plain.states[trial].initial_parameters) << cell_name(config);
            if (plain.records[trial].verdict == Verdict::Diverged) continue;
            EXPECT_EQ(head(held.states[trial].parameters), plain.states[trial].parameters) << cell_name(config);
            EXPECT_EQ(held.records[trial].final_risk, plain.records[trial].final_risk) << cell_name(config);
            EXPECT_EQ(held.records[trial].gradient_norm, plain.records[trial].gradient_norm) << cell_name(config);
            for (std::size_t k = parameters; k < held.states[trial].parameters.size(); ++k) EXPECT_EQ(held.states[trial].parameters[k], 0);
            ++compared;
        }
        drawn += drawing.states[0].initial_parameters.back() != 0;
    }
    EXPECT_GT(drawn, 10);
    EXPECT_GT(compared, 30);
}

/// A network without neurons is a line: gradient descent on its points goes to the least squares of the best line.
TEST(Skip, WithoutNeuronsIsLinearRegression) {
    CellConfig cell;
    cell.width = 0;
    cell.skip = true;
    cell.precision = kernels::Precision::Float64;
    cell.target = "x1^2";
    cell.nodes_per_axis = 64;
    cell.optimizer.kind = kernels::OptimizerKind::Sgd;
    cell.learning_rate = {0.5, 0};
    cell.steps = 4000;
    cell.checks = 4;
    cell.tail = 1;
    cell.evaluation.check_nodes = 64;
    const BlockResult result = run(*make_cpu_backend(1), cell, 3, 1);
    ASSERT_EQ(result.states[0].parameters.size(), 2U);
    double mean_x = 0, mean_y = 0, covariance = 0, variance = 0;  // of the midpoint nodes
    for (int pass = 0; pass < 2; ++pass)
        for (int j = 0; j < 64; ++j) {
            const double x = (j + 0.5) / 64, y = x * x;
            if (pass == 0) {
                mean_x += x / 64;
                mean_y += y / 64;
            } else {
                covariance += (x - mean_x) * (y - mean_y) / 64;
                variance += (x - mean_x) * (x - mean_x) / 64;
            }
        }
    const double u = covariance / variance, c = mean_y - u * mean_x;
    // The error of the slowest direction is 4000 factors of at most 1 - 2 * 0.5 * 0.06 = 0.94; what is left is the rounding of the sums.
    EXPECT_TRUE(std::abs(result.states[0].parameters[0] - c) <= 1e-13) << result.states[0].parameters[0] << " " << c;
    EXPECT_TRUE(std::abs(result.states[0].parameters[1] - u) <= 1e-13) << result.states[0].parameters[1] << " " << u;
    // x^2 on [0, 1] less its best line has the risk 1/180; that of this line is more by less than the square of its distance.
    EXPECT_TRUE(std::abs(result.records[0].final_risk - 1.0 / 180) <= 1e-6) << result.records[0].final_risk;
}

}  // namespace
}  // namespace limrisk::test
