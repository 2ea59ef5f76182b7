#include "random_cells.hpp"

#include <fmt/format.h>

#include <cmath>
#include <random>
#include <stdexcept>

#include "campaign/catalog.hpp"

namespace limrisk::test {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;

const std::int64_t widths[] = {0, 1, 3, 5, 31, 32, 33, 100, 1000};
const std::int64_t dimensions[] = {1, 2, 3, 5, 16, 64};
const std::int64_t batches[] = {1, 2, 3, 5, 7, 13, 31, 37, 67, 129, 131};

std::vector<kernels::Activation> activations_of(ActivationKind kind) {
    switch (kind) {
        case ActivationKind::PowerRelu:
            return {{kind, 0, 0, 2}, {kind, 0, 0, 3}};
        case ActivationKind::LeakyRelu:
            return {{kind, 0.05, 0, 0}};
        case ActivationKind::Clipping:
            return {{kind, 0, 1, 0}, {kind, -0.5, 0.25, 0}};
        case ActivationKind::Relu:
        case ActivationKind::Softplus:
        case ActivationKind::Logistic:
        case ActivationKind::Tanh:
            return {{kind, 0, 0, 0}};
    }
    throw std::logic_error("an activation that the equality tests do not know");
}

/// Those of the catalog, in its order.
std::vector<kernels::Activation> all_activations() {
    std::vector<kernels::Activation> all;
    for (const CatalogEntry& entry : activation_catalog().entries) {
        CellConfig cell;
        entry.choose(cell);
        for (const kernels::Activation& activation : activations_of(cell.activation.kind)) all.push_back(activation);
    }
    return all;
}

const char* target_of(std::int64_t dimension, int variant) {
    if (dimension == 1) {
        const char* targets[] = {"x1^2 + 2*x1", "abs(x1 - 0.3)", "sin(3*x1) + cos(x1)", "if(x1 < 0.25, exp(x1), -tanh(x1))",
                                 "max(x1, 0.5) ^ 1.5 - (x1 - 9)^-2"};
        return targets[variant % 5];
    }
    const char* targets[] = {"x1 * x2 - 1 / (2 + x1^2)", "sqrt(abs(x1)) + log(3 + x2^2)", "min(x1, x2) + (x1 >= x2) * 0.5"};
    return targets[variant % 3];
}

kernels::Optimizer optimizer_of(OptimizerKind kind, int variant) {
    switch (kind) {
        case OptimizerKind::Adagrad:
            return {kind, 0, 0, 1e-6, variant % 2 == 1, false};
        case OptimizerKind::Rmsprop:
            return {kind, 0, 0.9, 1e-8, false, variant % 2 == 0};
        case OptimizerKind::Adadelta:
            return {kind, 0, 0.9, 1e-5, false, false};
        case OptimizerKind::Adam:
            return {kind, 0.9, 0.999, 1e-8, false, true};
        case OptimizerKind::Sgd:
            return {kind, 0, 0, 0, false, false};
        case OptimizerKind::Momentum:
        case OptimizerKind::Nesterov:
            return {kind, 0.85, 0, 0, false, false};
    }
    throw std::logic_error("an optimizer that the equality tests do not know");
}

}  // namespace

std::vector<CellConfig> odd_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    const auto pick = [&](auto& list) { return list[engine() % std::size(list)]; };
    const std::vector<CatalogEntry>& initializations = initialization_catalog().entries;
    std::vector<CellConfig> cells;
    int turn = 0;
    for (const CatalogEntry& optimizer : optimizer_catalog().entries)
        for (const kernels::Activation& activation : all_activations())
            for (const kernels::Precision precision : {kernels::Precision::Float32, kernels::Precision::Float64})
                for (const std::int64_t width : widths) {
                    CellConfig c;
                    c.index = turn;
                    c.seed = engine();
                    c.precision = precision;
                    c.width = width;
                    c.activation = activation;
                    // Walks through all pairs of width and dimension.
                    c.input.dimension = dimensions[static_cast<std::size_t>(turn + turn / 54) % std::size(dimensions)];
                    const std::int64_t d = c.input.dimension;
                    switch (engine() % 5) {
                        case 0:
                            c.input.low = -1;
                            break;
                        case 1:
                            c.input.low = -0.3, c.input.high = 1.7;
                            break;
                        case 2:
                            c.input.kind = InputLaw::Kind::Normal, c.input.bounded = false, c.input.mean = 0.1, c.input.deviation = 0.6;
                            break;
                        case 3:
                            c.input.kind = InputLaw::Kind::Normal, c.input.low = -0.5, c.input.mean = 0.2, c.input.deviation = 0.4;
                            break;
                        default:
                            break;
                    }
                    c.target = target_of(d, static_cast<int>(engine() % 60));
                    initializations[engine() % initializations.size()].choose(c);
                    c.initialization.drawn_bias = engine() % 4 != 0;
                    c.initialization.low = -0.7;
                    c.initialization.high = 0.4;
                    c.batch = pick(batches);
                    if (c.input.bounded && d <= 3 && engine() % 3 == 0) {
                        c.nodes_per_axis = d == 1 ? 37 : d == 2 ? 7 : 3;
                        c.batch = static_cast<std::int64_t>(std::pow(c.nodes_per_axis, d));
                        if (engine() % 2) {  // a node at 0 and no bias: preactivations exactly on the kink
                            c.input.kind = InputLaw::Kind::Uniform;
                            c.input.low = -1;
                            c.input.high = 1;
                            c.initialization.drawn_bias = false;
                        }
                    }
                    optimizer.choose(c);
                    c.optimizer = optimizer_of(c.optimizer.kind, turn);
                    c.learning_rate = {c.optimizer.kind == OptimizerKind::Adadelta ? 1.0 : 0.02, engine() % 2 ? 0.0 : 0.3};
                    const double cost = static_cast<double>((width + 1) * (d + 1) * c.batch);
                    c.steps = cost > 1e6 ? 3 : cost > 1e5 ? 7 : cost > 1e4 ? 23 : 67;
                    c.checks = static_cast<std::int32_t>(1 + engine() % (c.steps < 5 ? 2 : 5));
                    c.tail = static_cast<std::int32_t>(1 + engine() % static_cast<std::uint64_t>(c.checks));
                    c.evaluation = d <= 3 ? EvaluationRule{4 + 4 * static_cast<std::int64_t>(engine() % 2), 8} : EvaluationRule{11, 19};
                    cells.push_back(c);
                    ++turn;
                }
    return cells;
}

std::string cell_name(const CellConfig& c) {
    return fmt::format(
        "cell {}: {} width {} dimension {} batch {}{} activation {}({:g}, {:g}, {}) optimizer {} initialization {} law {}{} target {} "
        "steps {}",
        c.index, c.precision == kernels::Precision::Float32 ? "float32" : "float64", c.width, c.input.dimension, c.batch,
        c.nodes_per_axis ? " nodes" : "", static_cast<int>(c.activation.kind), c.activation.first, c.activation.second, c.activation.power,
        static_cast<int>(c.optimizer.kind), static_cast<int>(c.initialization.kind), static_cast<int>(c.input.kind),
        c.input.bounded ? " in a box" : "", c.target, c.steps);
}

}  // namespace limrisk::test
