// Three searches, one form of evidence.
#include "optimum/optimum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"
#include "optimum/confirmed_risk.hpp"
#include "optimum/data_levels.hpp"
#include "optimum/normalised.hpp"

namespace limrisk::optimum {
namespace {

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
    optimum.shape = shape_text(line.fit, risk.problem().skip);
    optimum.starts = line.starts;
    optimum.reached = line.reached;
    optimum.spread = line.spread;
    if (line.next > 0) optimum.next = line.next;
    optimum.lower_bound = std::min(line.lower_bound, line.fit.risk);
    if (!line.fit.kinks.empty()) optimum.curvature = line.curvature;
    optimum.fitted_risk = optimum.confirmed_risk = optimum.program_risk = optimum.risk;
    if (line.attained)
        measure(risk,
                embed(network_of(line.fit, risk.line().low(), risk.line().high(), risk.problem().skip), width, risk.problem().activation),
                optimum);
    return optimum;
}

/// `bound`: another that no network is below.
Optimum from_patterns(const TrueRisk& risk, const DataMinimum& found, std::int64_t width, double bound) {
    Optimum optimum;
    optimum.width = width;
    optimum.risk = optimum.fitted_risk = optimum.confirmed_risk = optimum.program_risk = found.network.risk;
    optimum.method = "patterns";
    optimum.ended = "all";
    optimum.shape = found.network.shape;
    optimum.starts = found.patterns;
    optimum.reached = found.reached;
    optimum.next = found.next;
    optimum.lower_bound = std::min(optimum.risk, std::max(bound, found.bound.value_or(0)));
    measure(risk, embed(found.network.network, width, risk.problem().activation), optimum);
    optimum.gradient_norm = found.network.gradient;
    return optimum;
}

/// A problem, and the same in coordinates without units, in which it is searched.
struct Searched {
    Searched(const Problem& problem, std::int64_t largest)
        : original(problem, largest),
          change(normalised(problem, original.fit().mean(),
                            original.fit().is_zero(original.fit().variance()) ? 0 : original.fit().variance())),
          risk(change.problem, largest) {}
    ConfirmedRisk original;
    Normalised change;
    ConfirmedRisk risk;
};

/// Ends that are looked at on other nodes than those of the fit.
constexpr std::size_t most_chosen = 8, most_chosen_late = 2;
/// Of ends within this part of the least risk it is asked how far the program's rule is off.
constexpr double near = 1e-2;

Optimum from_ends(const Searched& searched, const TrainedEnds& found, std::int64_t width) {
    const std::vector<Polished>& ends = found.ends;
    const ConfirmedRisk& risk = searched.risk;
    const double scale = searched.change.risk_scale();
    Optimum optimum;
    optimum.width = width;
    optimum.method = "training";
    optimum.exact = risk.exact();
    optimum.ended = found.ended;
    optimum.starts = static_cast<int>(ends.size());
    const double least = ends.front().risk;
    for (const Polished& end : ends) {
        if (!(end.risk <= least * (1 + trained_tolerance) || risk.fit().is_zero(end.risk))) {
            // Above the variance there is no critical point (docs/theory.md, Proposition 2.10): only an unfinished descent.
            if (end.risk < risk.fit().variance()) optimum.next = scale * end.risk;
            break;
        }
        ++optimum.reached;
        optimum.spread = least > 0 ? (end.risk - least) / least : 0;
    }
    const std::size_t chosen_ends = found.ended == "time" ? most_chosen_late : most_chosen;
    const Polished* best = nullptr;
    double value = HUGE_VAL, off = 0;
    for (std::size_t i = 0; i < ends.size() && (i < chosen_ends || risk.fit().is_zero(ends[i].risk)); ++i) {
        const double chosen = risk.choice(ends[i].network);
        if (chosen < value) best = &ends[i], value = chosen;
        if (ends[i].risk <= least * (1 + near)) off = std::max(off, std::fabs(risk.program(ends[i].network) - chosen));
    }
    if (best == nullptr) throw Defect("no end of the search has a finite risk");
    const double confirmed = risk.confirmed(best->network);
    optimum.fitted_risk = scale * best->risk;
    optimum.confirmed_risk = scale * confirmed;
    optimum.risk = risk.exact() ? optimum.fitted_risk : optimum.confirmed_risk;
    optimum.program_risk = scale * risk.program(best->network);
    // Twice: other trials near the optimum lie otherwise in the rule than the few that were looked at.
    optimum.allowance = scale * (2 * off + std::fabs(confirmed - value));
    measure(searched.original.fit(), searched.change.to_original(best->network), optimum);
    return optimum;
}

/// The narrower network with an idle neuron, where the wider ones that were found are no better by the confirming nodes.
Optimum inherited(const Optimum& narrower, const Optimum& found, const Problem& problem) {
    Optimum optimum = narrower;
    optimum.width = found.width;
    optimum.starts = found.starts, optimum.reached = 1, optimum.spread = 0, optimum.ended = found.ended;
    optimum.parameters =
        embed({narrower.width, problem.input.dimension, narrower.parameters, problem.skip}, found.width, problem.activation).parameters;
    return optimum;
}

Polished best_constant(const TrueRisk& risk) {
    Network constant(0, risk.problem().input.dimension);
    constant.outer_bias() = risk.mean();
    return {constant, risk(constant)};
}

/// Lower bounds of the risks of the widths 0 .. largest, where there are some: data points of one input, and an activation of affine
/// pieces.
std::vector<double> lower_bounds(const Problem& problem, std::int64_t largest) {
    const kernels::ActivationKind kind = problem.activation.kind;
    if (!problem.has_data() || problem.input.dimension > 1 || !kernels::is_piecewise_linear(kind)) return {};
    const std::int64_t kinks = kernels::traits_of(kind).kink_count;
    const std::vector<double> pieces =
        least_risks_of_pieces(data_nodes(*problem.data, problem.precision), static_cast<int>(kinks * largest));
    std::vector<double> bounds;
    for (std::int64_t width = 0; width <= largest; ++width) bounds.push_back(pieces[static_cast<std::size_t>(kinks * width)]);
    return bounds;
}

/// The teacher that is the target, where networks of `width` neurons can be it.
std::optional<Network> teacher_network(const Problem& problem, std::int64_t width) {
    const Teacher* teacher = problem.teacher.get();
    const auto same = [](const kernels::Activation& a, const kernels::Activation& b) {
        return a.kind == b.kind && a.first == b.first && a.second == b.second && a.power == b.power;
    };
    if (teacher == nullptr || teacher->width > width || !same(teacher->activation, problem.activation)) return std::nullopt;
    const std::int64_t d = problem.input.dimension;
    const TeacherParameters drawn = draw_teacher(*teacher, d);
    Network network(teacher->width, d);
    for (std::int64_t i = 0; i < teacher->width; ++i) {
        const double* neuron = &drawn.neurons[static_cast<std::size_t>(i * (d + 2))];
        for (std::int64_t k = 0; k < d; ++k) network.weight(i, k) = neuron[k];
        network.bias(i) = neuron[d];
        network.outer(i) = neuron[d + 1];
    }
    network.outer_bias() = drawn.outer_bias;
    return network;
}

/// Wider networks, whose patterns take many minutes, are trained.
constexpr double most_patterns_of_optima = 1e6;

/// The share of the time left that `width` gets: wider ones take longer.
double share_of_time(std::int64_t width, std::int64_t largest) {
    double all = 0;
    for (std::int64_t w = width; w <= largest; ++w) all += static_cast<double>(w + 1);
    return static_cast<double>(width + 1) / all;
}

}  // namespace

bool has_kink_search(const Problem& problem) {
    return problem.has_exact_risk() && problem.activation.kind == kernels::ActivationKind::Relu;
}

bool trains_for_optima(const Problem& problem, std::int64_t largest) {
    return !has_kink_search(problem) && widest_by_patterns(problem, largest, most_patterns_of_optima).value_or(-1) < largest;
}

std::string shape_text(const SplineFit& fit, bool skip) {
    std::string text;
    for (const bool left : fit.signature.left) text += left ? 'L' : 'R';
    for (const Jump& jump : fit.signature.jumps) text += jump.left ? 'j' : 'J';
    return fit.signature.linear && !skip ? text + "+" : text;
}

std::vector<Optimum> find_optima(const Problem& problem, std::int64_t largest, Backend& backend, const OptimumEffort& effort,
                                 const SearchControl& control, std::vector<Optimum> known) {
    if (largest > largest_searched_width)
        throw Error(ExitCode::Usage, fmt::format("optima are searched up to width {}, not {}", largest_searched_width, largest));
    std::vector<Optimum> optima = std::move(known);
    optima.resize(std::min(optima.size(), static_cast<std::size_t>(largest) + 1));
    const auto add = [&](Optimum optimum) {
        optima.push_back(std::move(optimum));
        if (control.done) control.done(optima.back());
    };
    const auto show = [&](double share) {
        if (control.progress) control.progress({static_cast<std::int64_t>(optima.size()), largest, share});
    };
    if (static_cast<std::int64_t>(optima.size()) > largest) return optima;
    show(0);
    if (has_kink_search(problem)) {
        const TrueRisk risk(problem);
        LineEffort line = effort.line;
        line.known = static_cast<int>(optima.size());
        line.poll = [&] { SearchClock(control).poll(), show(0); };
        line.done = [&](int width, const LineOptimum& found) {
            if (width < line.known) return;
            Optimum optimum = from_line(risk, found, width);
            if (!optima.empty() && optima.back().risk < optimum.risk * (1 - level_tolerance)) {
                const std::optional<double> bound = optimum.lower_bound;
                optimum = inherited(optima.back(), optimum, problem);
                optimum.lower_bound = bound;
            }
            add(std::move(optimum));
        };
        const ReluLine search(risk.line(), static_cast<int>(largest), line, problem.skip);
        return optima;
    }
    if (problem.skip) throw Error(ExitCode::Usage, "optima of networks with a skip connection are searched by kinks only");
    const std::vector<double> bounds = lower_bounds(problem, largest);
    if (const auto widest = widest_by_patterns(problem, largest, most_patterns_of_optima);
        widest && static_cast<std::int64_t>(optima.size()) <= *widest) {
        const TrueRisk risk(problem);
        const DataMinima minima = data_minima(risk, *widest, control);
        for (auto width = static_cast<std::int64_t>(optima.size()); width <= *widest; ++width) {
            const auto k = static_cast<std::size_t>(width);
            add(from_patterns(risk, minima.optima[k], width, width == 0 ? 0 : bounds[k]));
        }
        if (*widest == largest) return optima;
    }
    const Searched searched(problem, largest);
    const TrueRisk& risk = searched.risk.fit();
    const SearchClock whole(control, control.seconds);
    const auto add_bounded = [&](Optimum optimum) {
        optimum.lower_bound = std::nullopt;
        // A network of width 0 is constant, which one affine piece need not be.
        if (!bounds.empty())
            optimum.lower_bound =
                optimum.width == 0 ? optimum.risk : std::min(optimum.risk, bounds[static_cast<std::size_t>(optimum.width)]);
        add(std::move(optimum));
    };
    if (optima.empty()) add_bounded(from_ends(searched, {{best_constant(risk)}, "starts"}, 0));
    for (auto width = static_cast<std::int64_t>(optima.size()); width <= largest; ++width) {
        const Network narrower = searched.change.to_normalised({width - 1, problem.input.dimension, optima.back().parameters});
        const SearchClock clock(control, share_of_time(width, largest) * std::max(0.0, whole.seconds() - whole.elapsed()));
        std::optional<Network> teacher = teacher_network(problem, width);
        if (teacher) teacher = searched.change.to_normalised(*teacher);
        const TrainedEnds ends =
            search_by_training(searched.risk, width, &narrower, teacher ? &*teacher : nullptr, backend, effort.training, clock, show);
        Optimum optimum = from_ends(searched, ends, width);
        if (!(optimum.risk < optima.back().risk)) optimum = inherited(optima.back(), optimum, problem);
        add_bounded(std::move(optimum));
    }
    return optima;
}

}  // namespace limrisk::optimum
