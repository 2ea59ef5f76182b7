#include "placed_cell.hpp"

#include <iterator>
#include <random>

#include "tests/kind_values.hpp"

namespace limrisk::test {

using kernels::ActivationKind;
using kernels::LossKind;
using kernels::OptimizerKind;
using kernels::Precision;

namespace {

/// The cell with the first optimizer from number `index` on with which it can be placed.
void add_placed(std::vector<PlacedCell>& cells, CellConfig config, int architecture, Storage storage) {
    constexpr OptimizerKind optimizers[] = {OptimizerKind::Sgd, OptimizerKind::Adam, OptimizerKind::Nesterov};
    const auto index = static_cast<std::size_t>(config.index);
    for (std::size_t turn = 0; turn < std::size(optimizers); ++turn) {
        const OptimizerKind optimizer = optimizers[(index + turn) % std::size(optimizers)];
        config.optimizer = kernels::example_of(optimizer);
        config.learning_rate = {4 * quick_learning_rate(optimizer), 0.3};
        std::optional<PlacedCell> cell = place(config, architecture, storage, Storage::Global);
        if (!cell) cell = place(config, architecture, storage, Storage::Shared);
        if (!cell) continue;
        cells.push_back(*cell);
        return;
    }
}

}  // namespace

std::vector<PlacedCell> placed_data_cells(int architecture) {
    constexpr Sampling samplings[] = {Sampling::FullBatch, Sampling::WithReplacement, Sampling::Epochs};
    constexpr ActivationKind activations[] = {ActivationKind::Relu, ActivationKind::Clipping, ActivationKind::Relu, ActivationKind::Tanh};
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
                add_placed(cells, config, architecture, storage);
            }
    return cells;
}

std::vector<PlacedCell> placed_own_point_cells(int architecture) {
    constexpr ActivationKind activations[] = {ActivationKind::Relu, ActivationKind::Clipping, ActivationKind::Relu, ActivationKind::Tanh};
    constexpr std::int64_t counts[] = {6, 67, 17, 1, 40};
    std::mt19937_64 engine(44);
    std::vector<PlacedCell> cells;
    for (const int way : {0, 1, 2})  // all drawn points, some of them, chosen ones
        for (const Precision precision : {Precision::Float32, Precision::Float64})
            for (const Storage storage : {Storage::Registers, Storage::Shared, Storage::Global}) {
                const auto index = static_cast<std::int64_t>(cells.size());
                CellConfig config;
                config.index = index;
                config.seed = static_cast<std::uint64_t>(index) + 1;
                config.precision = precision;
                const std::int64_t d = config.input.dimension = 1 + (2 * index + index / 3) % (storage == Storage::Registers ? 4 : 5);
                config.target = d == 1 ? "x1^2 + 2*x1" : "sin(x1) * x2 - 1 / (2 + x1^2)";
                config.sampling = way != 1 ? Sampling::FullBatch : Sampling::WithReplacement;
                config.activation = kernels::example_of(activations[index % 4]);
                config.initialization.kind = InitializationRule::Kind::StandardNormal;
                DataSet data;
                if (way == 2) {
                    data = *random_data(engine, d, counts[index % 5], index % 2 == 0);
                    data.resample = "7";
                } else {
                    data.to_draw = true;
                    data.count = counts[index % 5];
                    if (index % 2 == 0) config.noise = {NoiseLaw::Kind::Normal, 0.25};
                }
                data.per_trial = true;
                set_data(config, std::make_shared<const DataSet>(data));
                config.batch = way == 1 ? (index % 2 == 0 ? 67 : 5) : data.count;
                config.evaluation = {};
                config.steps = 5;
                config.checks = 4;
                config.tail = 2;
                if (index % 4 == 1) config.average = {AverageRule::Kind::Arithmetic, 1, 0, 0};
                if (index % 5 == 2) config.stop.risk_below = 0.6;
                add_placed(cells, config, architecture, storage);
            }
    return cells;
}

std::vector<PlacedCell> placed_skip_cells(int architecture) {
    constexpr ActivationKind activations[] = {ActivationKind::Relu, ActivationKind::Relu, ActivationKind::LeakyRelu, ActivationKind::Relu,
                                              ActivationKind::Tanh};
    constexpr const char* trained[] = {"all", "all", "bu", "vcu", "all", "wbvc", "wbvu"};
    constexpr LossKind losses[] = {LossKind::Squared, LossKind::Huber, LossKind::Squared, LossKind::Absolute};
    std::mt19937_64 engine(43);
    std::vector<PlacedCell> cells;
    for (const int sampling : {0, 1, 2})  // fresh samples, nodes, data points
        for (const Precision precision : {Precision::Float32, Precision::Float64})
            for (const Storage storage : {Storage::Registers, Storage::Shared, Storage::Global}) {
                const auto index = static_cast<std::int64_t>(cells.size());
                CellConfig config;
                config.index = index;
                config.seed = static_cast<std::uint64_t>(index) + 1;
                config.precision = precision;
                config.skip = true;
                config.trainable = trained[index % 7];
                const std::int64_t most = sampling == 1 ? 3 : storage == Storage::Registers ? 4 : 5;
                const std::int64_t d = config.input.dimension = 1 + (2 * index + index / 3) % most;
                config.target = d == 1 ? "x1^2 + 2*x1" : "sin(x1) * x2 - 1 / (2 + x1^2)";
                config.batch = index % 4 == 3 ? 5 : 67;  // 67 of float32: two blocks of sums
                config.evaluation = {8, d == 1 ? 0 : 8};
                if (sampling == 1) {
                    config.nodes_per_axis = d == 1 ? 67 : d == 2 ? 9 : 5;
                    config.batch = d == 1 ? 67 : d == 2 ? 81 : 125;
                }
                if (sampling == 2) {
                    set_data(config, random_data(engine, d, 67, index % 2 == 0));
                    config.sampling = index % 3 == 0 ? Sampling::Epochs : Sampling::FullBatch;
                    config.evaluation = {};
                    if (index % 3 != 0) config.batch = 67;
                }
                config.loss = kernels::example_of(losses[index % 4]);
                if (sampling != 2 && d == 1 && config.loss.kind != LossKind::Squared) config.evaluation = {8, 8};
                config.activation = kernels::example_of(activations[index % 5]);
                config.initialization.kind = InitializationRule::Kind::StandardNormal;
                config.steps = 5;
                config.checks = 4;
                config.tail = 2;
                if (index % 4 == 1) config.average = {AverageRule::Kind::Arithmetic, 1, 0, 0};
                if (index % 5 == 2) config.stop.risk_below = 4;
                add_placed(cells, config, architecture, storage);
            }
    return cells;
}

}  // namespace limrisk::test
