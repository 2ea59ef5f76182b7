// Two searches, one form of evidence.
#include "optimum/optimum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"

namespace limrisk::optimum {
namespace {

/// Trained ends of one basin agree only as far as slow directions let them.
constexpr double trained_tolerance = 1e-6;

void measure(const TrueRisk& risk, const Network& network, Optimum& optimum) {
    optimum.gradient_norm = risk.gradient(network).norm();
    optimum.least_squares_gap = risk.least_squares_gap(network);
    optimum.parameters = network.parameters;
}

Optimum from_line(const TrueRisk& risk, const LineOptimum& line, std::int64_t width) {
    Optimum optimum;
    optimum.width = width;
    optimum.risk = line.fit.risk;
    optimum.attained = line.attained;
    optimum.method = "kinks";
    optimum.shape = shape_text(line.fit);
    optimum.starts = line.starts;
    optimum.reached = line.reached;
    optimum.spread = line.spread;
    if (line.next > 0) optimum.next = line.next;
    optimum.lower_bound = std::min(line.lower_bound, line.fit.risk);
    if (!line.fit.kinks.empty()) optimum.curvature = line.curvature;
    if (line.attained) measure(risk, embed(network_of(line.fit, risk.line().low(), risk.line().high()), width), optimum);
    return optimum;
}

Optimum from_ends(const TrueRisk& risk, const std::vector<Polished>& ends, std::int64_t width) {
    Optimum optimum;
    optimum.width = width;
    optimum.risk = ends.front().risk;
    optimum.method = "training";
    optimum.starts = static_cast<int>(ends.size());
    const double exact = 1e-26 * risk.variance();
    for (const Polished& end : ends) {
        if (end.risk <= optimum.risk * (1 + trained_tolerance) || end.risk <= exact) {
            ++optimum.reached;
            optimum.spread = optimum.risk > 0 ? (end.risk - optimum.risk) / optimum.risk : 0;
        } else {
            optimum.next = end.risk;
            break;
        }
    }
    measure(risk, ends.front().network, optimum);
    return optimum;
}

Network best_constant(const TrueRisk& risk) {
    Network constant(0, risk.problem().cell.input.dimension);
    // One Newton step from 0: the risk is quadratic in c with second derivative 2.
    constant.outer_bias() = -0.5 * risk.gradient(constant)(0);
    return constant;
}

}  // namespace

bool has_kink_search(const Problem& problem) {
    return problem.cell.input.dimension == 1 && problem.cell.activation.kind == kernels::ActivationKind::Relu;
}

std::string shape_text(const SplineFit& fit) {
    std::string text;
    for (const bool left : fit.signature.left) text += left ? 'L' : 'R';
    for (const Jump& jump : fit.signature.jumps) text += jump.left ? 'j' : 'J';
    return fit.signature.linear ? text + "+" : text;
}

std::vector<Optimum> find_optima(const Problem& problem, std::int64_t largest, Backend& backend, const OptimumEffort& effort,
                                 const std::function<void(const Optimum&)>& done) {
    if (largest > largest_searched_width)
        throw Error(ExitCode::Usage, fmt::format("optima are searched up to width {}, not {}", largest_searched_width, largest));
    const TrueRisk risk(problem);
    std::vector<Optimum> optima;
    const auto add = [&](Optimum optimum) {
        optima.push_back(std::move(optimum));
        if (done) done(optima.back());
    };
    if (has_kink_search(problem)) {
        const ReluLine line(risk.line(), static_cast<int>(largest), effort.line);
        for (std::int64_t width = 0; width <= largest; ++width) add(from_line(risk, line.optima()[static_cast<std::size_t>(width)], width));
        return optima;
    }
    const Network constant = best_constant(risk);
    add(from_ends(risk, {{constant, risk(constant)}}, 0));
    for (std::int64_t width = 1; width <= largest; ++width) {
        const Network narrower(width - 1, problem.cell.input.dimension, optima.back().parameters);
        add(from_ends(risk, search_by_training(risk, width, &narrower, backend, effort.training), width));
    }
    return optima;
}

}  // namespace limrisk::optimum
