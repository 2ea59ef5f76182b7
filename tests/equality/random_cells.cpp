#include "random_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "campaign/catalog.hpp"
#include "campaign/data_treatment.hpp"
#include "campaign/document.hpp"
#include "campaign/problems.hpp"
#include "kernels/cell.hpp"
#include "reference/initialization.hpp"
#include "reference/neuron_state.hpp"
#include "tests/kind_values.hpp"

namespace limrisk::test {
namespace {

const std::int64_t widths[] = {0, 1, 3, 5, 31, 32, 33, 100, 1000};
const std::int64_t dimensions[] = {1, 2, 3, 5, 16, 64};
const std::int64_t batches[] = {1, 2, 3, 5, 7, 13, 31, 37, 67, 129, 131};

const char* target_of(std::int64_t dimension, int variant) {
    if (dimension == 1) {
        const char* targets[] = {"x1^2 + 2*x1", "abs(x1 - 0.3)", "sin(3*x1) + cos(x1)", "if(x1 < 0.25, exp(x1), -tanh(x1))",
                                 "max(x1, 0.5) ^ 1.5 - (x1 - 9)^-2"};
        return targets[variant % 5];
    }
    const char* targets[] = {"x1 * x2 - 1 / (2 + x1^2)", "sqrt(abs(x1)) + log(3 + x2^2)", "min(x1, x2) + (x1 >= x2) * 0.5"};
    return targets[variant % 3];
}

/// All laws in turn.
NoiseLaw noise_of(std::int64_t index) {
    using Kind = NoiseLaw::Kind;
    constexpr Kind kinds[] = {Kind::Normal, Kind::Uniform, Kind::TwoPoint, Kind::Exponential};
    return {kinds[index / 3 % 4], 0.25, -0.1, 0.4, 0.3};
}

/// All losses but the square in turn, with all examples.
kernels::Loss loss_of(std::int64_t index) {
    const auto kind = static_cast<kernels::LossKind>(1 + index / 4 % (kernels::loss_count - 1));
    return kernels::example_of(kind, static_cast<int>(index / 12 % kernels::example_count));
}

/// Every third cell trains some groups only, and every fourth has no outer bias; out of step with all else.
void hold_groups(CellConfig& cell) {
    constexpr const char* choices[] = {"b", "wb", "v", "c", "vc", "w", "wc", "bvc"};
    const std::uint64_t mixed = static_cast<std::uint64_t>(cell.index) * 0x9E3779B97F4A7C15ULL >> 32;
    if (mixed % 3 == 0) cell.trainable = choices[mixed / 3 % std::size(choices)];
    cell.outer_bias = mixed / 24 % 4 != 0;
}

/// Every third cell has an average of its iterates, of all kinds; out of step with all else.
void average_iterates(CellConfig& cell) {
    using Kind = AverageRule::Kind;
    const std::uint64_t mixed = static_cast<std::uint64_t>(cell.index + 1) * 0xD1342543DE82EF95ULL >> 33;
    if (mixed % 3 != 0) return;
    const AverageRule rules[] = {{Kind::Arithmetic, 0, 0, 0},      {Kind::Arithmetic, cell.steps / 2, 0, 0},
                                 {Kind::Exponential, 0, 0.9, 0},   {Kind::Exponential, 0, 0.999, 0},
                                 {Kind::Partial, 0, 0, 0.3},       {Kind::Arithmetic, cell.steps - 1, 0, 0},
                                 {Kind::Exponential, 0, 0.125, 0}, {Kind::Partial, 0, 0, 1}};
    cell.average = rules[mixed / 3 % std::size(rules)];
}

/// Laws of the groups of an initialization "groups": all kinds, numbers and expressions.
void choose_group_laws(CellConfig& cell) {
    using Kind = GroupLaw::Kind;
    cell.initialization.gain = cell.index % 2 == 0 ? 1 : 1.75;
    cell.initialization.spread = cell.index % 2 == 0 ? 0 : 0.3;
    if (cell.initialization.kind != InitializationRule::Kind::Groups) return;
    InitializationRule& rule = cell.initialization;
    const bool even = cell.index % 2 == 0;
    rule.inner_weight = even ? GroupLaw{Kind::Normal, "1.5*h^(-1/3)"} : GroupLaw{Kind::Uniform, "", "-1/sqrt(d)", "0.75"};
    rule.inner_bias = cell.index % 3 == 0 ? GroupLaw{} : even ? GroupLaw{Kind::Uniform, "0.5"} : GroupLaw{Kind::Normal, "0.3"};
    rule.outer_weight = cell.index % 5 < 2 ? GroupLaw{Kind::Constant, "-1/h"} : GroupLaw{Kind::Normal, "1/sqrt(h)"};
    rule.outer_bias = cell.index % 7 < 3 ? GroupLaw{Kind::Constant, "0.1"} : GroupLaw{};
}

/// All schedules in turn, half of them with a warm-up; the polynomial ones more often.
kernels::LearningRate schedule_of(double initial, double power, std::int64_t index) {
    using Kind = kernels::ScheduleKind;
    constexpr Kind kinds[] = {Kind::Polynomial,  Kind::Step,       Kind::Polynomial, Kind::Exponential,
                              Kind::InverseTime, Kind::Polynomial, Kind::Cosine,     Kind::Piecewise};
    kernels::LearningRate rate{initial, 0};
    rate.kind = kinds[index % 8];
    if (rate.kind == Kind::Polynomial) rate.power = power;
    rate.factor = rate.kind == Kind::InverseTime ? 0.125 : 0.9;
    rate.every = 1 + index % 11;
    if (rate.kind == Kind::Cosine) rate.every = 20;
    rate.last = index % 3 == 0 ? 0 : 0.1 * initial;
    rate.from_1 = 1 + index % 5, rate.from_2 = 9, rate.from_3 = index % 2 == 0 ? 0 : 40;
    rate.rate_1 = 0.5 * initial, rate.rate_2 = 0.75 * initial, rate.rate_3 = 0.1 * initial;
    rate.from_one = index / 8 % 2 == 1;
    if (index / 16 % 2 == 1) rate.warmup = 1 + index % 9, rate.warmup_start = index % 4 == 0 ? 0 : 0.25;
    return rate;
}

}  // namespace

std::vector<CellConfig> odd_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    const auto pick = [&](auto& list) { return list[engine() % std::size(list)]; };
    const std::vector<CatalogEntry>& initializations = initialization_catalog().entries;
    std::vector<CellConfig> cells;
    int turn = 0;
    std::minstd_rand thinning(static_cast<std::uint32_t>(seed));
    for (const kernels::OptimizerTraits& optimizer : kernels::optimizer_table)
        for (const kernels::Activation& activation : all_activations(2))
            for (const kernels::Precision precision : {kernels::Precision::Float32, kernels::Precision::Float64})
                for (const std::int64_t width : widths) {
                    // All pairs occur; a third of the cells of the younger kinds is enough.
                    // Not of clipping, whose neurons are saturated now and then.
                    const bool young = activation.kind > kernels::ActivationKind::Swish || optimizer.kind > kernels::OptimizerKind::Adamax;
                    if (young && activation.kind != kernels::ActivationKind::Clipping && thinning() % 3 != 0) {
                        ++turn;
                        continue;
                    }
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
                    choose_group_laws(c);
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
                    if (c.has_fresh_samples() && c.index % 4 == 1) c.noise = noise_of(c.index);
                    if (c.index % 4 == 3) c.loss = loss_of(c.index);
                    // Not in step with the widths.
                    c.optimizer = kernels::example_of(optimizer.kind, (turn + turn / 9) % kernels::example_count);
                    c.learning_rate = schedule_of(quick_learning_rate(optimizer.kind), engine() % 2 ? 0.0 : 0.3, c.index);
                    const double cost = static_cast<double>((width + 1) * (d + 1) * c.batch);
                    c.steps = cost > 1e6 ? 3 : cost > 1e5 ? 7 : cost > 1e4 ? 23 : 67;
                    c.checks = static_cast<std::int32_t>(1 + engine() % (c.steps < 5 ? 2 : 5));
                    c.tail = static_cast<std::int32_t>(1 + engine() % static_cast<std::uint64_t>(c.checks));
                    c.evaluation = d <= 3 ? EvaluationRule{4 + 4 * static_cast<std::int64_t>(engine() % 2), 8} : EvaluationRule{11, 19};
                    hold_groups(c);
                    average_iterates(c);
                    cells.push_back(c);
                    ++turn;
                }
    return cells;
}

DataPointer random_data(std::mt19937_64& engine, std::int64_t dimension, std::int64_t count, bool weighted) {
    Node points, weights;
    points.kind = weights.kind = Node::Kind::Array;
    const auto number = [&] {
        Node node;
        node.kind = Node::Kind::Real;
        node.real = std::round(64 * (static_cast<double>(engine() >> 11) * 0x1p-52 - 1)) / 48;  // some on a kink, some twice
        return node;
    };
    for (std::int64_t i = 0; i < count; ++i) {
        Node point;
        point.kind = Node::Kind::Array;
        for (std::int64_t k = 0; k <= dimension; ++k) point.items.push_back(number());
        points.items.push_back(std::move(point));
        weights.items.push_back(number());
        weights.items.back().real = std::abs(weights.items.back().real) + 0.01;
    }
    Node table;
    table.members.push_back({"points", std::move(points)});
    if (weighted) table.members.push_back({"weights", std::move(weights)});
    Problems problems;
    DataPointer data = read_data(table, "data", problems);
    problems.raise();
    return data;
}

std::vector<CellConfig> data_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    const std::int64_t counts[] = {1, 2, 3, 4, 6, 17, 64, 100, 257};
    const Sampling ways[] = {Sampling::FullBatch, Sampling::WithReplacement, Sampling::Epochs};
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all : {odd_cells(seed), kinks_cells(seed)})
        for (CellConfig c : all) {
            if (engine() % 3 != 0 || c.width > 100 || c.input.dimension > 16) continue;
            const bool kinks = c.algorithm == kernels::Algorithm::Kinks;
            set_data(c, random_data(engine, c.input.dimension, counts[engine() % std::size(counts)], engine() % 2 == 0));
            c.nodes_per_axis = 0;
            c.evaluation = {};
            if (engine() % 2 == 0) c.optimizer.weight_decay = 0;  // so that enough neurons freeze
            c.sampling = kinks ? Sampling::FullBatch : ways[engine() % 3];
            if (c.sampling == Sampling::FullBatch) c.batch = c.data->count;
            c.index = static_cast<std::int64_t>(cells.size());
            cells.push_back(c);
        }
    return cells;
}

std::vector<CellConfig> input_cells(std::uint64_t seed) {
    using Kind = InputLaw::Kind;
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (CellConfig c : odd_cells(seed)) {
        const std::int64_t d = c.input.dimension;
        if (engine() % 3 != 0 || c.width > 100 || d == 1 || d > 16) continue;
        c.input = {};
        c.input.dimension = d;
        switch (engine() % 5) {
            case 0:
                c.input.kind = Kind::Sphere, c.input.bounded = false, c.input.radius = c.index % 2 == 0 ? 0.75 : 0.2;
                break;
            case 1:
                c.input.kind = Kind::Ball, c.input.bounded = false, c.input.radius = c.index % 2 == 0 ? 1.7 : 0.3;
                break;
            case 2:
                c.input.kind = Kind::Normal, c.input.mean = 0.2, c.input.deviation = 0.4;
                [[fallthrough]];
            default:  // some of them without a negative input
                for (std::int64_t k = 0; k < d; ++k) {
                    c.input.lows.push_back(c.index % 2 == 0 ? 0.1 * static_cast<double>(k % 3) : -0.3 * static_cast<double>(k % 3));
                    c.input.highs.push_back(0.7 + 0.5 * static_cast<double>(k % 2));
                }
                c.input.low = c.input.high = std::numeric_limits<double>::quiet_NaN();
                break;
        }
        if (c.input.is_round()) {
            c.nodes_per_axis = 0;
            c.evaluation = {11, 19};
            if (engine() % 2 == 0) c.initialization.kind = InitializationRule::Kind::Uniform;  // more frozen neurons
        }
        if (engine() % 2 == 0) c.optimizer.weight_decay = 0;  // so that enough neurons freeze
        c.index = static_cast<std::int64_t>(cells.size());
        cells.push_back(c);
    }
    return cells;
}

std::vector<CellConfig> density_cells(std::uint64_t seed) {
    using Kind = InputLaw::Kind;
    static const char* const densities[] = {"1 + x1^2", "if(x1 < 0.25, 1, 3)", "abs(x1)", "2 + sin(5*x1)"};
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (CellConfig c : odd_cells(seed)) {
        const std::int64_t d = c.input.dimension;
        if (engine() % 4 != 0 || c.width > 100 || d > 16) continue;
        c.input = {};
        c.input.dimension = d;
        c.input.low = c.index % 3 == 0 ? 0 : -1;
        c.input.kind = d == 1 && c.index % 2 == 0 ? Kind::Density : Kind::Beta;
        c.input.density = c.input.kind == Kind::Density ? densities[engine() % std::size(densities)] : "";
        if (c.input.kind == Kind::Beta) {
            constexpr double shapes[][2] = {{2, 5}, {1, 3}, {2.5, 1}, {1.5, 2.25}};
            const auto& shape = shapes[engine() % std::size(shapes)];
            c.input.a = shape[0], c.input.b = shape[1];
            for (std::int64_t k = 0; d > 1 && c.index % 2 == 0 && k < d; ++k) {
                c.input.lows.push_back(-0.25 * static_cast<double>(k % 3));
                c.input.highs.push_back(0.7 + 0.5 * static_cast<double>(k % 2));
                c.input.low = c.input.high = std::numeric_limits<double>::quiet_NaN();
            }
        }
        if (c.initialization.kind == InitializationRule::Kind::DataDependent) c.initialization.kind = InitializationRule::Kind::Orthogonal;
        if (c.has_fresh_samples() && c.index % 5 < 2) c.noise = {NoiseLaw::Kind::Normal, 1, 0, 0, 0, "0.1 + abs(x1)"};
        if (d <= 3) c.evaluation = d == 1 ? EvaluationRule{64, 64} : EvaluationRule{12, 12};
        c.index = static_cast<std::int64_t>(cells.size());
        cells.push_back(c);
    }
    return cells;
}

namespace {

/// Its points are drawn from given ones, in the place of the law: some are not drawn, some often, with the same and with other weights.
void choose_given_points(CellConfig& cell) {
    std::mt19937_64 engine(static_cast<std::uint64_t>(cell.index));
    const std::string draws[] = {"1", "4", "7", "h + 1", "50"};
    RawPoints points{cell.input.dimension, {}, {}, {}};
    const auto number = [&] { return static_cast<double>(static_cast<std::int64_t>(engine() % 256) - 128) / 48; };
    for (std::int64_t i = 0; i < cell.data->count; ++i) {
        for (std::int64_t k = 0; k < points.dimension; ++k) points.inputs.push_back(number());
        points.outputs.push_back(number());
        if (cell.index % 4 == 0) points.weights.push_back(static_cast<double>(1 + engine() % 5) / 3);
    }
    const std::shared_ptr<DataSet> data = finished_data(points);
    data->resample = draws[engine() % std::size(draws)];
    data->per_trial = true;
    set_data(cell, data);
}

}  // namespace

std::vector<CellConfig> own_point_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    const std::int64_t counts[] = {1, 2, 3, 5, 6, 17, 64, 130};
    const Sampling ways[] = {Sampling::FullBatch, Sampling::FullBatch, Sampling::WithReplacement, Sampling::Epochs};
    std::vector<CellConfig> cells;
    std::vector<CellConfig> all = odd_cells(seed);
    for (const CellConfig& c : input_cells(seed)) all.push_back(c);
    for (const CellConfig& c : density_cells(seed)) all.push_back(c);
    for (CellConfig c : all) {
        if (!c.has_fresh_samples() || engine() % 4 != 0 || c.width > 100 || c.input.dimension > 16) continue;
        if (!c.noise.factor.empty()) c.noise = {};
        if (c.initialization.kind == InitializationRule::Kind::DataDependent) c.initialization.kind = InitializationRule::Kind::Orthogonal;
        c.loss = {};
        DataSet rule;
        rule.to_draw = rule.per_trial = true;
        rule.count = counts[engine() % std::size(counts)];
        set_data(c, std::make_shared<const DataSet>(rule));
        c.evaluation = {};
        if (engine() % 2 == 0) c.optimizer.weight_decay = 0;
        c.sampling = ways[engine() % std::size(ways)];
        if (c.sampling == Sampling::FullBatch) c.batch = rule.count;
        c.index = static_cast<std::int64_t>(cells.size());
        if (c.sampling == Sampling::FullBatch && c.index % 2 == 0) choose_given_points(c);
        cells.push_back(c);
    }
    return cells;
}

namespace {

/// Of some neurons as they are drawn.
template <class Real>
double inactive_share(const CellConfig& cell) {
    const reference::Shape shape(cell.width, cell.input.dimension);
    const reference::InitialLaws laws = reference::initial_laws(cell.initialization, shape);
    const reference::Activation<Real> activation(cell.activation);
    std::vector<Real> points;
    if (cell.has_data())
        for (const double x : cell.data->inputs) points.push_back(static_cast<Real>(x));
    std::int64_t inactive = 0;
    const std::int64_t trials = 1 + 256 / cell.width;
    for (std::int64_t t = 0; t < trials; ++t) {
        const std::vector<Real> drawn = reference::initial_parameters<Real>(laws, shape, cell.seed, static_cast<std::uint64_t>(t));
        for (std::int64_t i = 0; i < cell.width; ++i)
            inactive += reference::inactive(activation, cell.has_data() ? reference::range_on_nodes(shape, drawn, i, points)
                                                                        : reference::range_on_box(shape, drawn, i, cell.input));
    }
    return static_cast<double>(inactive) / static_cast<double>(trials * cell.width);
}

}  // namespace

std::vector<CellConfig> condition_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all : {odd_cells(seed), kinks_cells(seed), data_cells(seed), input_cells(seed)})
        for (CellConfig c : all) {
            if (engine() % 4 != 0 || c.width == 0 || c.width > 100 || c.input.dimension > 16) continue;
            if (!kernels::has_inactive_neurons(c.activation)) continue;
            if (c.initialization.draws_together()) c.initialization = {InitializationRule::Kind::KaimingNormal, true, 0, 0};
            const double share = c.precision == kernels::Precision::Float32 ? inactive_share<float>(c) : inactive_share<double>(c);
            const std::uint64_t any = engine() % static_cast<std::uint64_t>(c.width + 1);
            c.inactive_start = share < 0.02 ? 0 : share > 0.98 ? c.width : static_cast<std::int64_t>(any);
            c.index = static_cast<std::int64_t>(cells.size());
            cells.push_back(c);
        }
    return cells;
}

std::vector<CellConfig> saturating_cells() {
    std::vector<CellConfig> cells;
    for (const kernels::ActivationKind kind : {kernels::ActivationKind::Logistic, kernels::ActivationKind::Tanh})
        for (const kernels::Precision precision : {kernels::Precision::Float32, kernels::Precision::Float64}) {
            CellConfig c;
            c.index = static_cast<std::int64_t>(cells.size());
            c.precision = precision;
            c.width = 31;
            c.activation = {kind, 0, 0, 0};
            c.initialization = {InitializationRule::Kind::Uniform, true, -200, 150};
            c.batch = 5;
            c.steps = 7;
            c.checks = c.tail = 2;
            c.evaluation = {8, 8};
            cells.push_back(c);
        }
    return cells;
}

std::vector<CellConfig> kinks_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    const std::int64_t node_counts[] = {1, 2, 3, 7, 31, 64, 129, 300};
    const std::vector<CatalogEntry>& initializations = initialization_catalog().entries;
    std::vector<CellConfig> cells;
    for (const kernels::OptimizerTraits& optimizer : kernels::optimizer_table)
        for (const kernels::Activation& activation : all_activations(3))
            for (const kernels::Precision precision : {kernels::Precision::Float32, kernels::Precision::Float64})
                for (const std::int64_t width : widths) {
                    if (!kernels::is_piecewise_linear(activation.kind)) continue;
                    CellConfig c;
                    c.algorithm = kernels::Algorithm::Kinks;
                    c.index = static_cast<std::int64_t>(cells.size());
                    c.seed = engine();
                    c.precision = precision;
                    c.width = width;
                    c.activation = activation;
                    initializations[engine() % initializations.size()].choose(c);
                    choose_group_laws(c);
                    c.initialization.drawn_bias = engine() % 3 != 0;
                    c.initialization.low = -0.7;
                    c.initialization.high = 0.9;
                    switch (engine() % 4) {
                        case 0:  // without biases and with an odd number of nodes: preactivations on the kink at 0
                            c.input.low = -1;
                            break;
                        case 1:
                            c.input.low = 10, c.input.high = engine() % 2 ? 11 : 10.00002;
                            break;
                        case 2:
                            c.input.kind = InputLaw::Kind::Normal, c.input.low = -0.5, c.input.mean = 0.2, c.input.deviation = 0.4;
                            break;
                        default:
                            break;
                    }
                    c.target = target_of(1, static_cast<int>(engine() % 60));
                    c.nodes_per_axis = node_counts[engine() % std::size(node_counts)];
                    c.batch = c.nodes_per_axis;
                    c.optimizer = kernels::example_of(optimizer.kind, static_cast<int>(engine() % kernels::example_count));
                    c.learning_rate = schedule_of(quick_learning_rate(optimizer.kind), engine() % 2 ? 0.0 : 0.3, c.index);
                    const std::int64_t cost = (width + 1) * c.batch;
                    c.steps = cost > 100000 ? 11 : cost > 10000 ? 37 : 101;
                    c.checks = static_cast<std::int32_t>(1 + engine() % 5);
                    c.tail = static_cast<std::int32_t>(1 + engine() % static_cast<std::uint64_t>(c.checks));
                    c.evaluation = {4 + 4 * static_cast<std::int64_t>(engine() % 2), 8};
                    hold_groups(c);
                    average_iterates(c);
                    cells.push_back(c);
                }
    return cells;
}

std::vector<CellConfig> early_end_cells(std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all : {odd_cells(seed), kinks_cells(seed)})
        for (CellConfig c : all) {
            if (engine() % 5 != 0 || c.steps < 7) continue;
            c.checks = static_cast<std::int32_t>(std::min<std::int64_t>(c.steps, 4 + static_cast<std::int64_t>(engine() % 9)));
            c.tail = static_cast<std::int32_t>(1 + engine() % 3);
            // Risks and gradients of these cells are mostly between 0.001 and 10.
            const std::uint64_t rules = 1 + engine() % 7;
            const auto threshold = [&] { return std::pow(10, -2.5 + 3 * static_cast<double>(engine() % 1000) / 1000); };
            if (rules & 1) c.stop.risk_below = threshold();
            if (rules & 2) c.stop.gradient_below = threshold();
            if (rules & 4) {
                c.tail = std::clamp<std::int32_t>(c.tail, 2, c.checks / 2);
                c.stop.converged = true;
                c.tolerance = engine() % 2 ? 1 : 0.1;
            }
            if (engine() % 8 == 0) c.learning_rate = {1e3, 0};  // some diverge first
            c.stop.all_inactive = c.width > 0 && cells.size() / 4 % 3 == 0;
            if (c.stop.all_inactive && c.width <= 5) {  // often from the start, or soon
                c.stop.risk_below = c.stop.gradient_below = 0;
                c.initialization = {InitializationRule::Kind::Uniform, true, -1, 0.1};
            }
            c.index = static_cast<std::int64_t>(cells.size());
            cells.push_back(c);
        }
    return cells;
}

std::vector<CellConfig> start_cells(std::uint64_t seed, std::int64_t trials) {
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all : {odd_cells(seed), kinks_cells(seed), data_cells(seed), early_end_cells(seed)})
        for (CellConfig c : all) {
            if (engine() % 21 != 0 || c.width == 0 || c.has_own_points()) continue;
            const std::int64_t of = engine() % 2 && c.width * c.input.dimension < 4096 ? trials : 0;
            std::vector<double> parameters(static_cast<std::size_t>(std::max<std::int64_t>(1, of) * c.parameter_count()));
            // Not all of them are numbers of float32; 0 of both signs are among them.
            for (double& number : parameters)
                number = engine() % 16 == 0 ? (engine() % 2 ? 0.0 : -0.0) : 2 * static_cast<double>(engine() % 1000003) / 1000003 - 1;
            const std::size_t count = parameters.size() / static_cast<std::size_t>(std::max<std::int64_t>(1, of));
            for (std::size_t last = count - 1; !c.outer_bias && last < parameters.size(); last += count) parameters[last] = 0;
            c.start = make_start(c.width, c.input.dimension, of, std::move(parameters));
            c.initialization = {InitializationRule::Kind::Uniform, true, -9, 9};  // of no effect
            c.index = static_cast<std::int64_t>(cells.size());
            cells.push_back(c);
        }
    return cells;
}

std::vector<CellConfig> together_cells(std::uint64_t seed) {
    using Kind = InitializationRule::Kind;
    constexpr Kind kinds[] = {Kind::Orthogonal, Kind::RandomizedAsymmetric, Kind::DataDependent};
    std::mt19937_64 engine(seed);
    std::vector<CellConfig> cells;
    for (const std::vector<CellConfig>& all :
         {odd_cells(seed), kinks_cells(seed), data_cells(seed), input_cells(seed), own_point_cells(seed), early_end_cells(seed)})
        for (CellConfig c : all) {
            if (engine() % 31 != 0 || c.width > 300) continue;
            c.initialization.kind = kinds[engine() % (c.has_own_points() ? 2 : 3)];
            c.initialization.drawn_bias = engine() % 3 != 0;
            c.initialization.gain = engine() % 2 ? 1 : 1.75;
            c.initialization.spread = engine() % 2 ? 0 : 0.3;
            c.index = static_cast<std::int64_t>(cells.size());
            cells.push_back(c);
        }
    return cells;
}

std::string cell_name(const CellConfig& c) {
    return fmt::format(
        "cell {}: {}{} loss {}({:g}) width {} dimension {} batch {}{} activation {}({:g}, {:g}, {}) optimizer {} initialization {} law "
        "{}{}{} target {}{} "
        "steps {} checks {} tail {} stop {:g} {:g} {}{} trainable {}{}{}{}{}",
        c.index, c.algorithm == kernels::Algorithm::Kinks ? "kinks " : "",
        c.precision == kernels::Precision::Float32 ? "float32" : "float64", static_cast<int>(c.loss.kind), c.loss.parameter, c.width,
        c.input.dimension, c.batch,
        c.nodes_per_axis ? " nodes"
        : c.has_data()   ? fmt::format(" of {} ({})", c.data->label(), static_cast<int>(c.sampling))
                         : "",
        static_cast<int>(c.activation.kind), c.activation.first, c.activation.second, c.activation.power,
        static_cast<int>(c.optimizer.kind), static_cast<int>(c.initialization.kind), static_cast<int>(c.input.kind),
        c.noise.kind != NoiseLaw::Kind::None ? fmt::format(" noise {}", static_cast<int>(c.noise.kind)) : "",
        c.input.bounded ? " in a box" : "", c.target, c.has_start() ? ", " + c.start->label() : "", c.steps, c.checks, c.tail,
        c.stop.risk_below, c.stop.gradient_below, c.stop.converged,
        std::string(c.stop.all_inactive ? " inactive" : "") + (c.stop.kinks_crossed ? " crossed" : "") + (c.stop.proved ? " proved" : "") +
            (c.kinks ? ", follows kinks" : ""),
        c.trainable, c.outer_bias ? "" : " no outer bias", c.skip ? " skip" : "",
        c.has_condition() ? fmt::format(" {} inactive at the start", c.inactive_start) : "",
        c.has_average() ? fmt::format(" average {} ({}, {:g}, {:g})", static_cast<int>(c.average.kind), c.average.start, c.average.delta,
                                      c.average.last)
                        : "");
}

}  // namespace limrisk::test
