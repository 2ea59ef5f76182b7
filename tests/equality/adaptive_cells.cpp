// Cells of random_cells.hpp with another schedule; see adaptive_cells.hpp.
#include "adaptive_cells.hpp"

#include <random>

#include "random_cells.hpp"

namespace limrisk::test {

std::vector<CellConfig> adaptive_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (std::vector<CellConfig> kind : {odd_cells(seed), data_cells(seed), kinks_cells(seed), early_end_cells(seed)})
        for (CellConfig& cell : kind) {
            if (engine() % 8 != 0 || cell.width > 70 || cell.input.dimension > 3 || cell.batch > 200) continue;
            kernels::LearningRate rate{cell.learning_rate.initial, 0};
            rate.kind = kernels::ScheduleKind::Adaptive;
            rate.factor = engine() % 2 ? 0.3 : 0.75;
            rate.every = 1 + static_cast<std::int64_t>(engine() % 3);
            rate.threshold = engine() % 3 == 0 ? 0 : 0.25;
            if (engine() % 3 == 0) rate.last = 0.1 * rate.initial;
            if (engine() % 2) rate.warmup = 5, rate.warmup_start = 0.25;
            if (cells.size() % 2 == 1) {
                rate.kind = kernels::ScheduleKind::Search;
                rate.rates = 3 + 2 * static_cast<std::int64_t>(engine() % 3);
                rate.search_steps = 1 + static_cast<std::int64_t>(engine() % 6);
            }
            cell.learning_rate = rate;
            cell.steps = 40;
            cell.checks = static_cast<std::int32_t>(8 + engine() % 20);
            cell.tail = static_cast<std::int32_t>(2 + engine() % 3);
            cells.push_back(std::move(cell));
        }
    return cells;
}

}  // namespace limrisk::test
