// Cells in dimension 1 whose kinks are compared with those at the start; see random_cells.hpp.
#include <algorithm>
#include <random>

#include "random_cells.hpp"

namespace limrisk::test {

std::vector<CellConfig> crossing_cells(std::uint64_t seed, std::int64_t trials) {
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all :
         {odd_cells(seed), kinks_cells(seed), data_cells(seed), own_point_cells(seed), early_end_cells(seed), start_cells(seed, trials)})
        for (CellConfig c : all) {
            if (c.input.dimension > 1 || c.has_fresh_samples() || kernels::traits_of(c.activation.kind).kink_count != 1) continue;
            if (engine() % 3 == 0 && !c.has_own_points()) continue;
            c.kinks = true;
            c.checks = static_cast<std::int32_t>(std::min<std::int64_t>(c.steps, c.checks + static_cast<std::int64_t>(engine() % 6)));
            // In some of them few kinks cross, in others all do; some diverge.
            if (engine() % 4 == 0) c.learning_rate = {1e-4, 0};
            if (engine() % 16 == 0) c.learning_rate = {1e3, 0};
            // Weights near 0, whose signs change.
            if (engine() % 4 == 0 && !c.has_start()) c.initialization = {InitializationRule::Kind::Uniform, true, -0.02, 0.02};
            c.stop.kinks_crossed = engine() % 3 == 0;
            c.index = static_cast<std::int64_t>(cells.size());
            cells.push_back(c);
        }
    return cells;
}

}  // namespace limrisk::test
