// The counts behind cost_model.hpp. DESIGN.md's 3d + 4 instructions per sample-neuron hold for relu; the rest are estimates.
#include "driver/cost_model.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/activation.hpp"

namespace limrisk {
namespace {

using kernels::ActivationKind;
using kernels::OptimizerKind;

/// Lane instructions of A(z) and A'(z) together, beyond those of relu.
double activation_cost(const kernels::Activation& activation) {
    switch (activation.kind) {
        case ActivationKind::Relu:
            return 0;
        case ActivationKind::LeakyRelu:
            return 3;
        case ActivationKind::Clipping:
            return 5;
        case ActivationKind::PowerRelu:
            return 3 + 2.0 * activation.power;
        case ActivationKind::Softplus:
            return 170;
        case ActivationKind::Logistic:
        case ActivationKind::Tanh:
            return 80;
    }
    return 0;
}

/// Lane instructions per parameter and step; square roots and divisions count by their throughput.
double optimizer_cost(OptimizerKind kind) {
    switch (kind) {
        case OptimizerKind::Sgd:
            return 2;
        case OptimizerKind::Momentum:
            return 6;
        case OptimizerKind::Nesterov:
            return 8;
        case OptimizerKind::Adagrad:
        case OptimizerKind::Rmsprop:
            return 15;
        case OptimizerKind::Adadelta:
            return 20;
        case OptimizerKind::Adam:
            return 18;
    }
    return 2;
}

/// Lanes of a float64 pack cost twice those of a float32 pack.
double precision_factor(kernels::Precision precision) { return precision == kernels::Precision::Float64 ? 2 : 1; }

double slots(const CellConfig& cell) {
    const kernels::TileShape tile = kernels::tile_shape(cell.width, cell.input.dimension);
    return static_cast<double>(tile.lanes) * tile.neurons_per_lane;
}

double pass_cost(const CellConfig& cell, double samples, double dimension) {
    return samples * slots(cell) * (3 * dimension + 4 + activation_cost(cell.activation));
}

/// Nodes of an evaluation rule: per axis for d <= 3, in all beyond.
double node_count(const CellConfig& cell, std::int64_t nodes) {
    const std::int64_t dimension = cell.input.dimension;
    return dimension <= 3 ? std::pow(static_cast<double>(nodes), static_cast<double>(dimension)) : static_cast<double>(nodes);
}

/// Nodes at which the final and the best network are evaluated, together. d = 1: 8 per piece between kinks; smooth activations halve the
/// pieces a few times.
double accurate_node_count(const CellConfig& cell) {
    if (cell.input.dimension >= 2) return 2 * node_count(cell, cell.evaluation.final_nodes);
    return 2 * 8 * (kernels::has_kinks(cell.activation.kind) ? static_cast<double>(cell.width) + 4 : 64.0);
}

}  // namespace

double step_cost(const CellConfig& cell) {
    const double dimension = static_cast<double>(cell.input.dimension);
    const double batch = static_cast<double>(cell.batch);
    const double lanes = kernels::tile_shape(cell.width, cell.input.dimension).lanes;
    // A sample: its random numbers and target once per tile, and its share of the tile's sum in every lane.
    const double sample = (cell.nodes_per_axis == 0 ? 30 * dimension : 4 * dimension) + 40 + 2 * lanes;
    const double update = slots(cell) * (dimension + 2) * optimizer_cost(cell.optimizer.kind);
    return precision_factor(cell.precision) * (pass_cost(cell, batch, dimension) + batch * sample + update + 40 * lanes);
}

double trial_cost(const CellConfig& cell) {
    const double dimension = static_cast<double>(cell.input.dimension);
    const double training_nodes = cell.nodes_per_axis > 0 ? static_cast<double>(cell.batch) : 0;  // for the gradient at the end
    const double nodes = (cell.checks + 1.0) * node_count(cell, cell.evaluation.check_nodes) + accurate_node_count(cell) + training_nodes;
    // Evaluation is in double, twice the cost of a float32 lane, and each node has its own overhead.
    const double evaluation = 2 * (pass_cost(cell, nodes, dimension) + nodes * 12 * (dimension + 4));
    return static_cast<double>(cell.steps) * step_cost(cell) + evaluation;
}

double replica_steps(const CellConfig& cell) { return static_cast<double>(cell.steps); }

double sample_neurons(const CellConfig& cell) {
    return static_cast<double>(cell.steps) * static_cast<double>(cell.batch) * static_cast<double>(cell.width);
}

}  // namespace limrisk
