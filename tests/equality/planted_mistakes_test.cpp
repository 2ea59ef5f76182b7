// The comparison with the reference must catch every planted mistake: of a lane's order, a mask, a rounding, a kink.
#include "planted_mistakes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "adaptive_cells.hpp"
#include "backend/cell_plan.hpp"
#include "backend/cpu/run_block.hpp"
#include "compare.hpp"
#include "random_cells.hpp"

namespace limrisk::cpu {
extern const KernelTable with_mistakes_kernels;
}

namespace limrisk::test {

int planted_mistake = -1;

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

/// Cells that every mistake shows in one of, in an order of no meaning.
std::vector<CellConfig> telling_cells() {
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
    const std::vector<CellConfig> crossing = crossing_cells(2026, 3);
    cells.insert(cells.end(), crossing.begin(), crossing.end());
    std::shuffle(cells.begin(), cells.end(), std::mt19937_64(1));
    std::erase_if(cells, [](const CellConfig& c) { return c.width > 100 || c.input.dimension > 5 || !is_compiled(c); });
    return cells;
}

constexpr std::int64_t trials = 3;

/// What the kernels make of a cell, and the reference.
class ComparedCell {
public:
    explicit ComparedCell(const CellConfig& config) : config_(config) {}

    /// The first difference between the two.
    std::string difference() {
        const CellPlan plan(config_);
        WorkStatus status;
        const auto block = cpu::run_block(cpu::with_mistakes_kernels, {&plan, 0, trials}, status, {true, true});
        if (!block) return "no result";
        std::string difference;
        for (std::int64_t i = 0; i < trials && difference.empty(); ++i)
            difference = first_difference(*block, static_cast<std::size_t>(i), truth(i));
        return difference.empty() ? "" : cell_name(config_) + ": " + difference;
    }

private:
    const reference::TrialResult& truth(std::int64_t trial) {
        while (std::ssize(truth_) <= trial) truth_.push_back(reference::run_trial(config_, reference_tables(config_), std::ssize(truth_)));
        return truth_[static_cast<std::size_t>(trial)];
    }

    CellConfig config_;
    std::vector<reference::TrialResult> truth_;
};

/// The first of these differences.
std::string first_difference_in(std::vector<ComparedCell>& cells) {
    for (ComparedCell& cell : cells)
        if (const std::string difference = cell.difference(); !difference.empty()) return difference;
    return "";
}

/// In one test, since the cells take longer to draw than most mistakes to be found.
TEST(PlantedMistakes, AreCaught) {
    const std::vector<CellConfig> configs = telling_cells();
    std::vector<ComparedCell> cells(configs.begin(), configs.end());
    for (const char* const name : planted_mistakes) {
        ++planted_mistake;
        const std::string difference = first_difference_in(cells);
        EXPECT_NE(difference, "") << name << " passed the comparison with the reference";
        std::printf("%s: caught in %s\n", name, difference.c_str());
    }
    planted_mistake = -1;
    cells.erase(cells.begin() + 40, cells.end());
    EXPECT_EQ(first_difference_in(cells), "") << "without a mistake";
}

}  // namespace
}  // namespace limrisk::test
