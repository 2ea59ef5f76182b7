// The trainer finds the basin, a least-squares method its bottom.
#include "optimum/trained.hpp"

#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <unsupported/Eigen/NonLinearOptimization>

#include "limrisk/error.hpp"

namespace limrisk::optimum {
namespace {

/// Residuals sqrt(weight) (N(x) - f(x)) on fixed nodes, for Eigen's LevenbergMarquardt.
struct Residuals {
    const kernels::Activation* activation;
    const Network* shape;
    const NodeSet* nodes;

    int values() const { return static_cast<int>(nodes->count()); }
    Network network(const Eigen::VectorXd& theta) const {
        return {shape->width, shape->dimension, std::vector<double>(theta.data(), theta.data() + theta.size())};
    }
    int operator()(const Eigen::VectorXd& theta, Eigen::VectorXd& residuals) const {
        const Network at = network(theta);
        for (Eigen::Index m = 0; m < residuals.size(); ++m) {
            const auto i = static_cast<std::size_t>(m);
            const double* x = nodes->inputs.data() + m * nodes->dimension;
            residuals(m) = std::sqrt(nodes->weights[i]) * (realization(*activation, at, x, nullptr) - nodes->targets[i]);
        }
        return 0;
    }
    int df(const Eigen::VectorXd& theta, Eigen::MatrixXd& jacobian) const {
        const Network at = network(theta);
        Eigen::VectorXd derivatives(theta.size());
        for (Eigen::Index m = 0; m < jacobian.rows(); ++m) {
            realization(*activation, at, nodes->inputs.data() + m * nodes->dimension, derivatives.data());
            jacobian.row(m) = std::sqrt(nodes->weights[static_cast<std::size_t>(m)]) * derivatives;
        }
        return 0;
    }
};

struct Objective {
    const TrueRisk* risk;
    const Network* shape;
};

double evaluate(unsigned count, const double* theta, double* gradient, void* context) {
    const auto* objective = static_cast<const Objective*>(context);
    const Network at(objective->shape->width, objective->shape->dimension, std::vector<double>(theta, theta + count));
    if (gradient != nullptr) Eigen::Map<Eigen::VectorXd>(gradient, count) = objective->risk->gradient(at);
    return (*objective->risk)(at);
}

/// The best of `network` and where L-BFGS goes from it.
void descend(const TrueRisk& risk, Network& network) {
    const auto count = static_cast<unsigned>(network.parameters.size());
    Objective objective{&risk, &network};
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimizer(nlopt_create(NLOPT_LD_LBFGS, count), nlopt_destroy);
    nlopt_set_min_objective(optimizer.get(), evaluate, &objective);
    nlopt_set_ftol_rel(optimizer.get(), 1e-14);
    nlopt_set_maxeval(optimizer.get(), 300);
    Network moved = network;
    double least = 0;
    nlopt_optimize(optimizer.get(), moved.parameters.data(), &least);
    if (risk(moved) < risk(network)) network = std::move(moved);
}

CellConfig training_cell(const CellConfig& problem, std::int64_t width, const TrainingEffort& effort) {
    CellConfig cell = problem;
    cell.seed = 0x0971;
    cell.precision = kernels::Precision::Float64;
    cell.width = width;
    cell.initialization = {};
    cell.batch = 128;
    cell.nodes_per_axis = 0;
    cell.optimizer = {kernels::OptimizerKind::Adam, 0.9, 0.999, 1e-8, false, true};
    cell.learning_rate = {0.02, 0.25};
    cell.steps = effort.steps;
    cell.checks = 2;
    cell.tail = 1;
    return cell;
}

/// The narrower network and a neuron whose kink crosses the domain at random, without effect at first.
Network extended(const Network& narrower, const CellConfig& cell, std::mt19937_64& engine) {
    Network network = embed(narrower, narrower.width + 1);
    const std::int64_t added = narrower.width;
    const auto uniform = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
    const double middle = cell.input.kind == InputLaw::Kind::Uniform ? 0.5 * (cell.input.low + cell.input.high) : cell.input.mean;
    const double half = cell.input.kind == InputLaw::Kind::Uniform ? 0.5 * (cell.input.high - cell.input.low) : 2 * cell.input.deviation;
    double at = 0;
    for (std::int64_t k = 0; k < network.dimension; ++k) {
        network.weight(added, k) = (2 * uniform() - 1) / half;
        at += network.weight(added, k) * (middle + half * (2 * uniform() - 1));
    }
    network.bias(added) = -at;
    network.outer(added) = 1e-3 * (2 * uniform() - 1);
    return network;
}

}  // namespace

Polished polish(const TrueRisk& risk, const Network& start) {
    Network network = start;
    constexpr std::size_t most_parameters = 300;  // a dense factorisation of nodes x parameters beyond is not worth its time
    if (network.parameters.size() <= most_parameters) {
        const NodeSet nodes = risk.nodes(network);
        Residuals residuals{&risk.problem().cell.activation, &start, &nodes};
        Eigen::LevenbergMarquardt<Residuals> method(residuals);
        method.parameters.ftol = method.parameters.xtol = 1e-15;
        method.parameters.maxfev = 200;
        Eigen::VectorXd theta =
            Eigen::Map<const Eigen::VectorXd>(start.parameters.data(), static_cast<Eigen::Index>(start.parameters.size()));
        if (nodes.count() >= theta.size()) {
            method.minimize(theta);
            Network moved = residuals.network(theta);
            if (risk(moved) < risk(network)) network = std::move(moved);
        }
    }
    descend(risk, network);
    const double value = risk(network);
    return {std::move(network), value};
}

std::vector<Polished> search_by_training(const TrueRisk& risk, std::int64_t width, const Network* narrower, Backend& backend,
                                         const TrainingEffort& effort) {
    const CellConfig& problem = risk.problem().cell;
    const CellPlan plan(training_cell(problem, width, effort));
    WorkStatus status;
    const std::optional<BlockResult> block = backend.run({&plan, 0, effort.replicas}, status, {.checks = false, .states = true});
    if (!block || block->states.size() != static_cast<std::size_t>(effort.replicas)) throw Defect("the backend returned no networks");
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < block->records.size(); ++i)
        if (std::isfinite(block->records[i].final_risk)) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return block->records[a].final_risk < block->records[b].final_risk; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(effort.polished)));

    std::vector<Polished> ends;
    for (const std::size_t i : order) ends.push_back(polish(risk, {width, problem.input.dimension, block->states[i].parameters}));
    std::mt19937_64 engine(static_cast<std::uint64_t>(width));
    for (std::int64_t i = 0; narrower != nullptr && i < effort.extensions; ++i)
        ends.push_back(polish(risk, extended(*narrower, problem, engine)));
    for (std::int64_t i = 0; i < effort.drawn; ++i) {
        Network network(0, problem.input.dimension);
        for (std::int64_t h = 0; h < width; ++h) network = extended(network, problem, engine);
        ends.push_back(polish(risk, risk.with_best_outer(network)));
    }
    if (narrower != nullptr) {
        Network inherited = embed(*narrower, width);
        const double value = risk(inherited);
        ends.push_back({std::move(inherited), value});
    }
    std::stable_sort(ends.begin(), ends.end(), [](const Polished& a, const Polished& b) { return a.risk < b.risk; });
    return ends;
}

}  // namespace limrisk::optimum
