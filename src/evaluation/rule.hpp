// Node sets: the midpoint grid, and the quadrature rules of the true risk.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "campaign/cell.hpp"
#include "kernels/law_kinds.hpp"
#include "kernels/program.hpp"

namespace limrisk {

/// The law of the input's coordinates, with the end probabilities of a truncated normal; if they differ, of the first. On a sphere or in a
/// ball it is that of the normal variates that the input is made of.
kernels::Law input_law(const InputLaw& input);

/// [dimension] the same of each coordinate; empty if they are alike.
std::vector<kernels::Law> coordinate_laws(const InputLaw& input);

kernels::InputShape input_shape(const InputLaw& input);

/// Moves normal variates [input.dimension] to the sphere of the law, or with the uniform variate `u` into its ball, in double.
void move_to_radius(const InputLaw& input, double u, double* coordinates);

/// That of the noise less its mean, which is part of the target.
kernels::Law noise_law(const NoiseLaw& noise);

/// Those of the parameters: docs/numerics.md section 8.
kernels::Initialization initialization_laws(const InitializationRule& rule, std::int64_t width, std::int64_t dimension);

/// Nodes with weights and target values, in double.
struct NodeSet {
    std::int64_t dimension = 0;
    std::vector<double> inputs;   ///< [count][dimension]
    std::vector<double> targets;  ///< [count]
    std::vector<double> weights;  ///< [count], sum 1 up to rounding
    std::int64_t count() const { return static_cast<std::int64_t>(weights.size()); }
};

/// The points of one input in ascending order of it, equal ones in their order: their numbers.
std::vector<std::size_t> order_by_input(const NodeSet& points);

/// Midpoint grid of the box with `per_axis` nodes an axis, last coordinate fastest, weight 1/count each. Targets not filled.
/// Throws ConfigError without a box or beyond 2^31 nodes.
NodeSet midpoint_grid(const InputLaw& input, std::int64_t per_axis);

/// Rule of the true risk. d <= 3: tensor product of composite 4-point Gauss-Legendre, `nodes` per axis (a multiple of 4), weighted with
/// the density of the law (normal laws on mean +- 8.5 deviations cut to the box, weights normalised to sum 1, as for laws given by their
/// density). d > 3: the first `nodes` points of Sobol's sequence (Boost), centred in their cells, mapped by the inverse distribution
/// function, equal weights; so too on a sphere or ball in any dimension, where the coordinates are then moved to their distance from 0.
/// Targets not filled. Throws ConfigError for a number of nodes that is not possible. Errors: docs/theory.md.
NodeSet evaluation_rule(const InputLaw& input, std::int64_t nodes);

/// `count` points of Sobol's sequence moved by a vector that depends on `shift` only (modulo 1, Cranley and Patterson), mapped to the law,
/// equal weights. In any dimension; no coordinate repeats its values as those of a tensor product do. Targets not filled.
NodeSet shifted_sobol_rule(const InputLaw& input, std::int64_t count, std::uint64_t shift);

/// Data points as nodes, inputs and outputs rounded to `precision`, weights in double.
NodeSet data_nodes(const DataSet& data, kernels::Precision precision);

/// What a check of the cell sums over: the rule of the true risk, targets not filled, or the data points.
NodeSet nodes_of_checks(const CellConfig& cell);

/// Fills targets by running `program` in double. Returns the index of the first node with a non-finite target, or -1.
std::int64_t fill_targets(NodeSet& nodes, const kernels::Program& program);

/// d = 1: the mesh of the accurate risk: ends of the domain, breaks of the target (breaks.hpp), 8 equal panels, and bisections of the panel
/// with the largest error until 8-point Gauss-Legendre integrates 1, x, x^2, f, x f and f^2 against the law to 1e-14 of the integrals of
/// their absolute values, or 1024 panels are reached. Panels shrink geometrically towards a singularity. Panels on which features.hpp
/// proves the rule wrong are split at breaks inside, else bisected, until there are none. docs/numerics.md section 12.
struct Mesh {
    std::vector<double> points;  ///< ascending
    std::vector<double> breaks;  ///< those of the points that are breaks of the target, ascending
    double error = 0;            ///< largest estimated relative error of those integrals; +inf if the target is not finite on the nodes
    double variance = 0;         ///< of f against the law, by the mesh
    double unproved = 0;         ///< Features::unproved: the share of the target that may have been missed
};
Mesh target_mesh(const InputLaw& input, const kernels::Program& program);

/// Throws ConfigError if the mesh of the target `text` is not good enough for an accurate risk.
void require_resolved(const Mesh& mesh, const std::string& text);
/// The same of the square of the deviation of the noise, as far as its mean is asked for.
void require_integrable_deviation(const Mesh& mesh, const std::string& text);

/// Domain of d = 1 integrals, or of every coordinate if they are independent and alike (else Defect is thrown): the box, or mean +- 8.5
/// deviations cut to the box. Throws ConfigError if nothing is left.
struct Domain {
    double low, high;
};
Domain integration_domain(const InputLaw& input);

/// Constant factor of the density (density_law.hpp) in d = 1, or of every coordinate as above.
double density_normalizer(const InputLaw& input);

}  // namespace limrisk
