// The counts behind cost_model.hpp. 3d + 4 instructions per sample-neuron hold for relu; the rest are estimates, those of activations and
// optimizers stand with their rows in kernels/.
#include "driver/cost_model.hpp"

#include <algorithm>
#include <cmath>

#include "campaign/block_size.hpp"
#include "kernels/cell.hpp"

namespace limrisk {
namespace {

/// Lanes of a float64 pack cost twice those of a float32 pack.
double precision_factor(kernels::Precision precision) { return precision == kernels::Precision::Float64 ? 2 : 1; }

double slots(const CellConfig& cell) {
    const kernels::TileShape tile = kernels::tile_shape(cell.width, cell.input.dimension);
    return static_cast<double>(tile.lanes) * tile.neurons_per_lane;
}

double pass_cost(const CellConfig& cell, double samples, double dimension) {
    return samples * slots(cell) * (3 * dimension + 4 + kernels::traits_of(cell.activation.kind).cost.of(cell.activation));
}

/// Nodes of an evaluation rule.
double node_count(const CellConfig& cell, std::int64_t nodes) {
    if (cell.has_data()) return static_cast<double>(cell.data->count);
    const auto count = static_cast<double>(nodes);
    return cell.input.has_tensor_rules() ? std::pow(count, static_cast<double>(cell.input.dimension)) : count;
}

/// Nodes at which the final and the best network are evaluated, together. Exact risks: 8 per piece between kinks; smooth activations halve
/// the pieces a few times.
double accurate_node_count(const CellConfig& cell) {
    const auto held_out = static_cast<double>(cell.has_data() ? cell.data->validation_count() : 0);
    if (!cell.has_exact_risk()) return 2 * (node_count(cell, cell.evaluation.final_nodes) + held_out);
    return 2 * 8 * (kernels::is_piecewise_polynomial(cell.activation.kind) ? static_cast<double>(cell.width) + 4 : 64.0);
}

/// A step by sorted kinks: searches and sums of every neuron, running sums over the nodes, all in double, and the optimizer.
double kinks_step_cost(const CellConfig& cell) {
    const double pieces = kernels::traits_of(cell.activation.kind).kink_count;
    const double update = precision_factor(cell.precision) * slots(cell) * 3 * kernels::traits_of(cell.optimizer.kind).cost;
    return kinks_per_neuron * 0.5 * (1 + pieces) * slots(cell) + kinks_per_node * static_cast<double>(cell.batch) + update;
}

}  // namespace

double step_cost(const CellConfig& cell) {
    if (cell.algorithm == kernels::Algorithm::Kinks) return kinks_step_cost(cell);
    const double dimension = static_cast<double>(cell.input.dimension);
    const double batch = static_cast<double>(cell.batch);
    const double lanes = kernels::tile_shape(cell.width, cell.input.dimension).lanes;
    // A sample: its random numbers and target once per tile, and its share of the tile's sum in every lane.
    const double sample = (cell.has_fresh_samples() ? 30 * dimension
                           : cell.draws_data()      ? 30 + 8 * dimension
                                                    : 4 * dimension) +
                          40 + 2 * lanes;
    const double update = slots(cell) * (dimension + 2) * kernels::traits_of(cell.optimizer.kind).cost;
    return precision_factor(cell.precision) * (pass_cost(cell, batch, dimension) + batch * sample + update + 40 * lanes);
}

double trial_cost(const CellConfig& cell) {
    const double dimension = static_cast<double>(cell.input.dimension);
    const double training_nodes = cell.has_data()         ? static_cast<double>(cell.data->count)
                                  : cell.has_full_batch() ? static_cast<double>(cell.batch)
                                                          : 0;  // for the gradient at the end, and kinks
    const double nodes = (cell.checks + 1.0) * node_count(cell, cell.evaluation.check_nodes) + accurate_node_count(cell) + training_nodes;
    // Evaluation is in double, twice the cost of a float32 lane, and each node has its own overhead.
    const double evaluation = 2 * (pass_cost(cell, nodes, dimension) + nodes * 12 * (dimension + 4));
    // A multiplication, a comparison and a sum per training point and neuron.
    const double kinks = cell.kinks ? precision_factor(cell.precision) * (cell.checks + 1.0) * training_nodes * slots(cell) * 3 : 0;
    return static_cast<double>(cell.steps) * step_cost(cell) + search_cost(cell) + evaluation + kinks;
}

double search_cost(const CellConfig& cell) {
    const kernels::LearningRate& rate = cell.learning_rate;
    return rate.searches() ? static_cast<double>(rate.rates * rate.search_steps) * step_cost(cell) : 0;
}

std::int64_t most_searches(const CellConfig& cell) {
    return cell.learning_rate.searches() ? 1 + (cell.checks - 1) / cell.learning_rate.every : 0;
}

std::vector<CellConfig> most_expensive_first(std::vector<CellConfig> cells) {
    std::stable_sort(cells.begin(), cells.end(), [](const CellConfig& a, const CellConfig& b) { return trial_cost(a) > trial_cost(b); });
    return cells;
}

double replica_steps(const CellConfig& cell) { return static_cast<double>(cell.steps); }

double sample_neurons(const CellConfig& cell) {
    return static_cast<double>(cell.steps) * static_cast<double>(cell.batch) * static_cast<double>(cell.width);
}

}  // namespace limrisk
