// The counts behind cost_model.hpp. DESIGN.md's 3d + 4 instructions per sample-neuron hold for relu; the rest are estimates.
#include "driver/cost_model.hpp"

#include <algorithm>
#include <cmath>

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
            return 130;
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
            return 30;
        case OptimizerKind::Adadelta:
            return 45;
        case OptimizerKind::Adam:
            return 35;
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

double check_node_count(const CellConfig& cell) {
    const double nodes = static_cast<double>(cell.evaluation.check_nodes);
    const std::int64_t dimension = cell.input.dimension;
    return dimension <= 3 ? std::pow(nodes, static_cast<double>(dimension)) : nodes;
}

}  // namespace

double step_cost(const CellConfig& cell) {
    const double dimension = static_cast<double>(cell.input.dimension);
    const double batch = static_cast<double>(cell.batch);
    const double lanes = kernels::tile_shape(cell.width, cell.input.dimension).lanes;
    // A sample: its random numbers and target once per tile, and its share of the tile's sum in every lane.
    const double sample = (cell.nodes_per_axis == 0 ? 30 * dimension : 4 * dimension) + 20 + 2 * lanes;
    const double update = slots(cell) * (dimension + 2) * optimizer_cost(cell.optimizer.kind);
    return precision_factor(cell.precision) * (pass_cost(cell, batch, dimension) + batch * sample + update + 40 * lanes);
}

double trial_cost(const CellConfig& cell) {
    const double dimension = static_cast<double>(cell.input.dimension);
    const double checks = 2 * (cell.checks + 1.0) * pass_cost(cell, check_node_count(cell), dimension);
    const double accurate = 2 * 2 * 8 * (slots(cell) + 16) * slots(cell);
    return static_cast<double>(cell.steps) * step_cost(cell) + checks + (cell.input.dimension == 1 ? accurate : 0.0);
}

double replica_steps(const CellConfig& cell) { return static_cast<double>(cell.steps); }

double sample_neurons(const CellConfig& cell) {
    return static_cast<double>(cell.steps) * static_cast<double>(cell.batch) * static_cast<double>(cell.width);
}

}  // namespace limrisk
