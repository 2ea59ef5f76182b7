// The comparison with the reference must catch every planted mistake: of a lane's order, a mask, a rounding, a kink.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "adaptive_cells.hpp"
#include "backend/cell_plan.hpp"
#include "backend/cpu/run_block.hpp"
#include "compare.hpp"
#include "planted_tables.hpp"
#include "random_cells.hpp"

namespace limrisk::test {
namespace {

/// Whether planted/few_kinds.edits leaves the kinds of this cell.
bool is_compiled(const CellConfig& config) {
    using kernels::ActivationKind, kernels::OptimizerKind;
    constexpr ActivationKind activations[] = {ActivationKind::Relu, ActivationKind::Clipping, ActivationKind::Logistic};
    constexpr OptimizerKind optimizers[] = {OptimizerKind::Sgd, OptimizerKind::Nesterov, OptimizerKind::Adam};
    const auto among = [](const auto& list, auto kind) { return std::find(std::begin(list), std::end(list), kind) != std::end(list); };
    return among(activations, config.activation.kind) && among(optimizers, config.optimizer.kind) &&
           config.precision == kernels::Precision::Float32;
}

class PlantedMistake : public testing::TestWithParam<Planted> {};

TEST_P(PlantedMistake, IsCaught) {
    std::string caught;
    std::vector<CellConfig> cells;
    for (const std::uint64_t seed : {2026, 2027, 2028, 2029})
        for (const CellConfig& config : odd_cells(seed)) cells.push_back(config);
    const std::vector<CellConfig> saturating = saturating_cells();
    cells.insert(cells.end(), saturating.begin(), saturating.end());
    const std::vector<CellConfig> kinks = kinks_cells(2026);
    cells.insert(cells.end(), kinks.begin(), kinks.end());
    const std::vector<CellConfig> data = data_cells(2026);
    cells.insert(cells.end(), data.begin(), data.end());
    const std::vector<CellConfig> validation = validation_cells(2026);
    cells.insert(cells.end(), validation.begin(), validation.end());
    const std::vector<CellConfig> inputs = input_cells(2026);
    cells.insert(cells.end(), inputs.begin(), inputs.end());
    const std::vector<CellConfig> conditions = condition_cells(2026);
    cells.insert(cells.end(), conditions.begin(), conditions.end());
    const std::vector<CellConfig> early = early_end_cells(2026);
    cells.insert(cells.end(), early.begin(), early.end());
    const std::vector<CellConfig> adaptive = adaptive_cells(2026);
    cells.insert(cells.end(), adaptive.begin(), adaptive.end());
    const std::vector<CellConfig> skip = skip_cells(2026, 3);
    cells.insert(cells.end(), skip.begin(), skip.end());
    std::shuffle(cells.begin(), cells.end(), std::mt19937_64(1));
    for (const CellConfig& config : cells) {
        if (config.width > 100 || config.input.dimension > 5 || !is_compiled(config)) continue;
        const CellPlan plan(config);
        WorkStatus status;
        const auto block = cpu::run_block(*GetParam().kernels, {&plan, 0, 3}, status, {true, true});
        ASSERT_TRUE(block.has_value());
        const reference::Tables tables = reference_tables(config);
        for (std::int64_t i = 0; i < 3 && caught.empty(); ++i)
            caught = first_difference(*block, static_cast<std::size_t>(i), reference::run_trial(config, tables, i));
        if (caught.empty()) continue;
        std::printf("%s: caught in %s: %s\n", GetParam().name, cell_name(config).c_str(), caught.c_str());
        break;
    }
    EXPECT_NE(caught, "") << GetParam().name << " passed the comparison with the reference";
}

INSTANTIATE_TEST_SUITE_P(Kernels, PlantedMistake, testing::ValuesIn(planted_tables),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace limrisk::test
