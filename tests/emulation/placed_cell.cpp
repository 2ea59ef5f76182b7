#include "placed_cell.hpp"

#include <iterator>
#include <random>

#include "tests/kind_values.hpp"

namespace limrisk::test {

using kernels::ActivationKind;
using kernels::OptimizerKind;
using kernels::Precision;

std::vector<PlacedCell> placed_data_cells(int architecture) {
    constexpr Sampling samplings[] = {Sampling::FullBatch, Sampling::WithReplacement, Sampling::Epochs};
    constexpr ActivationKind activations[] = {ActivationKind::Relu, ActivationKind::Clipping, ActivationKind::Relu, ActivationKind::Tanh};
    constexpr OptimizerKind optimizers[] = {OptimizerKind::Sgd, OptimizerKind::Adam, OptimizerKind::Nesterov};
    constexpr std::int64_t counts[] = {6, 67, 17, 1, 130};
    std::mt19937_64 engine(41);
    std::vector<PlacedCell> cells;
    for (const Sampling sampling : samplings)
        for (const Precision precision : {Precision::Float32, Precision::Float64})
            for (const Storage storage : {Storage::Registers, Storage::Shared, Storage::Global}) {
                const auto index = static_cast<std::int64_t>(cells.size());
                CellConfig config;
                config.index = index;
                config.seed = static_cast<std::uint64_t>(index) + 1;
                config.precision = precision;
                config.input.dimension = 1 + (index + index / 3) % (storage == Storage::Registers ? 4 : 5);
                DataSet data = *random_data(engine, config.input.dimension, counts[index % 5], index % 2 == 0);
                if (index % 3 != 1) data.validation = random_data(engine, config.input.dimension, 40, index % 4 < 2);
                set_data(config, std::make_shared<const DataSet>(data));
                config.sampling = sampling;
                // More and fewer than there are points; 67 of float32: two blocks of sums.
                config.batch = sampling == Sampling::FullBatch ? data.count : index % 2 == 0 ? 67 : 5;
                config.activation = kernels::example_of(activations[index % 4]);
                config.initialization.kind = InitializationRule::Kind::StandardNormal;
                config.steps = 5;
                config.checks = 4;
                config.tail = 2;
                if (index % 4 == 1) config.average = {AverageRule::Kind::Arithmetic, 1, 0, 0};
                if (index % 5 == 2) config.stop.risk_below = 0.6;
                if (index % 4 == 2) config.inactive_start = 0;
                for (std::size_t turn = 0; turn < std::size(optimizers); ++turn) {
                    const OptimizerKind optimizer = optimizers[(static_cast<std::size_t>(index) + turn) % std::size(optimizers)];
                    config.optimizer = kernels::example_of(optimizer);
                    config.learning_rate = {4 * quick_learning_rate(optimizer), 0.3};
                    std::optional<PlacedCell> cell = place(config, architecture, storage, Storage::Global);
                    if (!cell) cell = place(config, architecture, storage, Storage::Shared);
                    if (!cell) continue;
                    cells.push_back(*cell);
                    break;
                }
            }
    return cells;
}

}  // namespace limrisk::test
