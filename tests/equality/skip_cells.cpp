// Cells with a skip connection; see random_cells.hpp.
#include <algorithm>
#include <iterator>
#include <random>

#include "random_cells.hpp"

namespace limrisk::test {
namespace {

/// A start with u behind the numbers of every trial.
StartPointer with_skip_weights(const Start& start, std::mt19937_64& engine) {
    const std::size_t starts = static_cast<std::size_t>(std::max<std::int64_t>(1, start.trials));
    const std::size_t count = start.parameters.size() / starts;
    std::vector<double> parameters;
    for (std::size_t row = 0; row < starts; ++row) {
        const auto first = start.parameters.begin() + static_cast<std::ptrdiff_t>(row * count);
        parameters.insert(parameters.end(), first, first + static_cast<std::ptrdiff_t>(count));
        for (std::int64_t k = 0; k < start.dimension; ++k) parameters.push_back(static_cast<double>(engine() % 1000003) / 1000003 - 0.5);
    }
    return make_start(start.width, start.dimension, start.trials, std::move(parameters), true);
}

}  // namespace

std::vector<CellConfig> skip_cells(std::uint64_t seed, std::int64_t trials) {
    using Kind = GroupLaw::Kind;
    constexpr const char* trained[] = {"all", "all", "all", "u", "wbvc", "bu", "vcu", "wbvu"};
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all :
         {odd_cells(seed), kinks_cells(seed), data_cells(seed), validation_cells(seed), input_cells(seed), density_cells(seed),
          own_point_cells(seed), condition_cells(seed), early_end_cells(seed), start_cells(seed, trials), together_cells(seed)})
        for (CellConfig c : all) {
            if (engine() % 13 != 0) continue;
            c.skip = true;
            c.trainable = trained[engine() % std::size(trained)];
            if (!c.outer_bias && c.trainable == "wbvu") c.trainable = "all";
            c.outer_bias = c.outer_bias || c.trainable.find('c') != std::string::npos;
            if (engine() % 2) c.initialization.skip_weight = GroupLaw{Kind::Uniform, "1/sqrt(d)"};
            if (c.has_start()) c.start = with_skip_weights(*c.start, engine);
            c.index = static_cast<std::int64_t>(cells.size());
            cells.push_back(c);
        }
    return cells;
}

}  // namespace limrisk::test
