// Cells with data points that are held out; see random_cells.hpp.
#include <iterator>
#include <memory>
#include <random>

#include "campaign/data_treatment.hpp"
#include "random_cells.hpp"

namespace limrisk::test {

std::vector<CellConfig> validation_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    const std::int64_t counts[] = {1, 2, 5, 33, 100, 300};
    // Beyond the cube of the training points as well.
    const auto number = [&] { return static_cast<double>(static_cast<std::int64_t>(engine() % 256) - 128) / 48; };
    const AverageRule averages[] = {{AverageRule::Kind::Arithmetic, 3, 0, 0}, {AverageRule::Kind::Exponential, 0, 0.75, 0}};
    std::vector<CellConfig> cells;
    for (CellConfig c : data_cells(seed)) {
        if (engine() % 2 == 0) continue;
        const std::int64_t count = counts[engine() % std::size(counts)];
        const bool weighted = engine() % 2 == 0;
        RawPoints points{c.input.dimension, {}, {}, {}};
        for (std::int64_t i = 0; i < count; ++i) {
            for (std::int64_t k = 0; k < c.input.dimension; ++k) points.inputs.push_back(number());
            points.outputs.push_back(number());
            if (weighted) points.weights.push_back(static_cast<double>(1 + engine() % 4) / 3);
        }
        DataSet data = *c.data;
        data.validation = finished_data(points);
        c.data = std::make_shared<const DataSet>(data);
        c.index = static_cast<std::int64_t>(cells.size());
        if (c.index % 2 == 0) c.average = averages[c.index / 2 % static_cast<std::int64_t>(std::size(averages))];
        cells.push_back(c);
    }
    return cells;
}

}  // namespace limrisk::test
