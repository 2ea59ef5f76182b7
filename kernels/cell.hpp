// One cell of a sweep as the kernels see it: plain numbers and views, no strings, no ownership.
// Meaning of every field: docs/numerics.md. Constants are double here; kernels round them to Real once.
#pragma once
#include <cstdint>

#include "kinds.hpp"
#include "law_kinds.hpp"
#include "program.hpp"

namespace limrisk::kernels {

/// Input nodes with weights and target values. In the training precision for training, double for evaluation.
template <class Real>
struct NodeTable {
    const Real* inputs;   ///< [count][dimension]
    const Real* targets;  ///< [count]
    const Real* weights;  ///< [count]
    std::int64_t count;
};

/// Tile of one replica: docs/numerics.md section 1.
struct TileShape {
    std::int32_t lanes;             ///< L: 1, 2, 4, 8, 16 or 32
    std::int32_t neurons_per_lane;  ///< Q
};

constexpr TileShape tile_shape(std::int64_t width, std::int64_t dimension) {
    std::int64_t per_lane = 24 / (dimension + 2);
    per_lane = per_lane < 1 ? 1 : (per_lane > 8 ? 8 : per_lane);
    std::int64_t lanes = 1;
    while (lanes < 32 && (width + lanes - 1) / lanes > per_lane) lanes *= 2;
    return {static_cast<std::int32_t>(lanes), static_cast<std::int32_t>((width + lanes - 1) / lanes)};
}

/// Samples that share their Philox calls: docs/numerics.md section 2.
constexpr std::int32_t samples_per_lane(std::int64_t dimension) { return dimension == 1 ? 4 : dimension == 2 ? 2 : 1; }

/// Words of Philox consumed per sample, rounded up to whole calls per lane group.
constexpr std::int64_t calls_per_group(std::int64_t dimension) { return dimension <= 2 ? 1 : (dimension + 3) / 4; }

/// Training nodes of a step: docs/numerics.md section 14.
enum class Picks : std::uint8_t {
    None,         ///< all of them, in their order
    Independent,  ///< drawn independently, by their weights
    Epochs,       ///< one after the other in a random order, a new one for every epoch
};

/// Which average of the iterates a trial keeps beside them: docs/numerics.md section 9.
enum class AverageKind : std::uint8_t { None, Arithmetic, Exponential };

struct Average {
    AverageKind kind = AverageKind::None;
    std::int64_t start = 0;  ///< arithmetic: the last step that is left out
    double delta = 0;        ///< exponential: what the average before a step counts in that after it
};

constexpr bool any(const Average& average) { return average.kind != AverageKind::None; }

struct Cell {
    std::uint64_t seed;
    std::int64_t width, dimension, batch, steps;
    std::int32_t checks, tail;
    double tolerance;                 ///< of the verdict
    double risk_scale;                ///< S: what risks and gradients are small against, for the verdict
    double zero_risk;                 ///< what a risk of 0 is at most, for the verdict
    double stop_risk, stop_gradient;  ///< a trial ends at a check with a smaller rule risk, or norm of its gradient; 0: none does
    Precision precision;
    TileShape tile;
    Algorithm algorithm;  ///< Kinks: dimension 1, training nodes, is_piecewise_linear(activation.kind)
    Activation activation;
    Loss loss;
    Initialization initialization;
    Optimizer optimizer;
    LearningRate learning_rate;
    Law input;                    ///< of every coordinate, independently; its kind, if they differ
    const Law* coordinates;       ///< [dimension] laws of the coordinates, all of one kind; null: all are `input`
    InputShape shape;             ///< of the input; sphere and ball: `input` is the standard normal law
    double radius;                ///< of the sphere or ball
    Law noise;                    ///< of every fresh sample's output, added to the target; kind Zero: none
    Program noise_factor;         ///< of the input, that the noise is multiplied by; of length 0: none
    bool bounded;                 ///< the input has a box: low and high of its coordinates
    bool fresh_samples;           ///< else every step uses the training nodes, all or some of them
    bool on_data;                 ///< neurons are judged by the training nodes alone, and not by the box that holds them
    bool exact_risk;              ///< final and best risks are integrals over the mesh, else sums over the final nodes
    std::int64_t inactive_start;  ///< neurons that are inactive at the start of every trial, the first ones; -1: as they are drawn
    std::int64_t own_points;      ///< data points that every trial draws for itself, its training nodes; 0: all have the same nodes
    std::int64_t resample;        ///< own points are training nodes, with so many drawn ones as weights; 0: they are fresh samples
    Picks picks;                  ///< which of the training nodes a step uses
    const std::uint32_t* pick_thresholds;  ///< [training nodes - 1] for Picks::Independent; null: all nodes have the same probability
    bool stop_converged;                   ///< a trial ends with the first window of checks whose verdict is "converged"
    bool stop_inactive;                    ///< a trial ends at a check at which all its neurons are inactive
    bool stop_kinks;                       ///< a trial ends at a check at which a kink has crossed a training point; with follows_kinks
    bool stop_proved;                      ///< a trial ends at a check at which its limiting risk is proved; on the CPU only
    bool several_blocks;                   ///< the sums over a training batch are totals of blocks: only in float32, beyond block_samples
    Groups held;                           ///< of the parameters: these are not trained, docs/numerics.md section 9
    bool skip;                             ///< the network has a skip connection
    bool follows_kinks;  ///< checks compare the kinks with those at the start; dimension 1, training nodes, on the CPU only
    Program target;
    Program density;                         ///< dimension 1, input kind Table: density of the input, without its constant
    QuantileTable<float> input_table_float;  ///< of the input, in the precision of its samples
    QuantileTable<double> input_table_double;
    NodeTable<float> training_nodes_float;    ///< midpoint grid of a float32 cell, if !fresh_samples
    NodeTable<double> training_nodes_double;  ///< midpoint grid, if !fresh_samples; that of a float32 cell is the float one, converted
    NodeTable<double> check_nodes;            ///< evaluation rule of the checks
    NodeTable<double> final_nodes;            ///< evaluation rule of final and best risk, unless exact_risk
    NodeTable<double> validation_nodes;       ///< data points that are held out of everything but the validation risk; of count 0: none
    const double* mesh;  ///< dimension 1: breakpoints of the accurate risk, ascending, both ends of the domain included
    std::int64_t mesh_count;
    double density_normalizer;  ///< dimension 1: docs/numerics.md section 10
    Average average;
};

/// Whether the risk on points that are held out is asked for.
constexpr bool has_validation(const Cell& cell) { return cell.validation_nodes.count > 0; }

/// The table of the input in a precision.
template <class Real>
constexpr const QuantileTable<Real>& input_table(const Cell& cell) {
    if constexpr (sizeof(Real) == 4)
        return cell.input_table_float;
    else
        return cell.input_table_double;
}

/// Lane instructions that one sample and neuron must cost with ReLU: forward d fma, max, fma; backward d fma, compare, d + 1 masked sums.
constexpr std::int64_t instructions_per_sample_neuron(std::int64_t dimension) { return 3 * dimension + 4; }

/// Number of parameters of a network: d h + 2 h + 1, and d more with a skip connection.
constexpr std::int64_t parameter_count(std::int64_t width, std::int64_t dimension, bool skip) {
    return width * (dimension + 2) + 1 + (skip ? dimension : 0);
}
constexpr std::int64_t parameter_count(const Cell& cell) { return parameter_count(cell.width, cell.dimension, cell.skip); }

}  // namespace limrisk::kernels
