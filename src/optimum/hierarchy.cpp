// Proposition 3.3 made concrete: what is added is inactive on a neighbourhood, so there the risk is that of the efficient part.
#include "optimum/hierarchy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"
#include "optimum/affine_level.hpp"
#include "optimum/confirmed_risk.hpp"
#include "optimum/data_levels.hpp"

namespace limrisk::optimum {
namespace {

/// Eigenvalues below this part of the largest are rounding.
constexpr double rounding = 1e-10;

/// Relative; a trained optimum that is the best affine function is not nearer to it.
constexpr double affine_tolerance = 1e-6;

double largest_norm(const Problem& problem) {
    if (problem.has_data()) {
        double largest = 0;
        for (const double x : data_nodes(*problem.data, problem.precision).inputs) largest = std::max(largest, std::fabs(x));
        return largest * std::sqrt(static_cast<double>(problem.input.dimension));
    }
    if (problem.input.is_round()) return problem.input.radius;
    double square = 0;
    for (std::int64_t k = 0; k < problem.input.dimension; ++k) {
        const Domain domain = integration_domain(problem.input.coordinate(k));
        const double largest = std::max(std::fabs(domain.low), std::fabs(domain.high));
        square += largest * largest;
    }
    return std::sqrt(square);
}

/// How far (w, b) of the neurons that were added may move while they stay inactive; 0 if there are none.
double inactive_radius(const Problem& problem, const Network& narrow, const Network& wide) {
    const double reach = largest_norm(problem);
    return wide.width > narrow.width ? 1 / std::sqrt(1 + reach * reach) : 0;
}

bool same_values(const TrueRisk& risk, const Network& narrow, const Network& wide) {
    const NodeSet nodes = risk.nodes(narrow);
    const kernels::Activation& activation = risk.problem().activation;
    for (std::int64_t m = 0; m < nodes.count(); ++m) {
        const double* x = nodes.inputs.data() + m * nodes.dimension;
        if (!(realization(activation, narrow, x, nullptr) == realization(activation, wide, x, nullptr))) return false;
    }
    return true;
}

/// The efficient part in the coordinates of its Hessian: gradient and Hessian of the risk, the risk, that of the best constant, and how far
/// rounding errors of the target move the risk.
struct Stationarity {
    Eigen::VectorXd gradient;
    Eigen::MatrixXd hessian;
    double risk, variance, rounding;
};

/// `strict`: the Hessian has no redundancy and must be positive, which certifies the level; else only not negative beyond rounding, which
/// is evidence.
LevelCertificate certify(const TrueRisk& risk, const Network& narrow, const Network& wide, const Stationarity& efficient, bool strict) {
    LevelCertificate certificate;
    certificate.same_realization = same_values(risk, narrow, wide);
    certificate.radius = inactive_radius(risk.problem(), narrow, wide);
    certificate.gradient_norm = risk.gradient(wide).norm();
    const Eigen::VectorXd eigenvalues =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(efficient.hessian, Eigen::EigenvaluesOnly).eigenvalues();
    certificate.smallest_eigenvalue = eigenvalues(0);
    certificate.largest_eigenvalue = eigenvalues(eigenvalues.size() - 1);
    const double least = rounding * certificate.largest_eigenvalue;
    const bool convex = strict ? certificate.smallest_eigenvalue > least : certificate.smallest_eigenvalue >= -least;
    // Stationary: no step along the gradient could lower the risk by more than a millionth of it, the Hessian being what it is.
    const double gain = efficient.gradient.squaredNorm() / (2 * std::max(certificate.smallest_eigenvalue, least));
    const bool stationary = gain <= 1e-6 * std::max(efficient.risk, 1e-20 * efficient.variance) + efficient.rounding;
    certificate.evidence = certificate.same_realization && (wide.width == narrow.width || certificate.radius > 0) && convex && stationary;
    certificate.certified = strict && certificate.evidence;
    return certificate;
}

/// Whether A is 0 up to its first kink.
bool vanishes_on_an_interval(const kernels::Activation& activation) {
    const kernels::ActivationPiece& lowest = kernels::traits_of(activation.kind).pieces[0];
    return lowest.form == kernels::PieceForm::Constant && lowest.term.of(activation) == 0;
}

std::vector<Level> line_levels(const TrueRisk& risk, std::int64_t width, const LineEffort& effort) {
    const bool skip = risk.problem().skip;
    const ReluLine line(risk.line(), static_cast<int>(width), effort, skip);
    std::vector<Level> levels;
    for (const LineLevel& found : line.levels(static_cast<int>(width))) {
        const SplineFit& fit = found.fit;
        const Network narrow = network_of(fit, risk.line().low(), risk.line().high(), skip),
                      wide = embed(narrow, width, risk.problem().activation);
        Level level{fit.risk, shape_text(fit, skip), narrow.width, {}, wide.parameters, {}};
        const Eigen::VectorXd gradient =
            Eigen::Map<const Eigen::VectorXd>(found.gradient.data(), static_cast<Eigen::Index>(found.gradient.size()));
        level.certificate = certify(risk, narrow, wide, {gradient, found.hessian, found.normalized_risk, 1, found.rounding}, true);
        for (std::int64_t h = 0; h <= width && !level.optimum_of; ++h) {
            const double optimum = line.optima()[static_cast<std::size_t>(h)].fit.risk;
            if (line.same_risk(optimum, fit.risk)) level.optimum_of = h;
        }
        levels.push_back(std::move(level));
    }
    return levels;
}

/// On data points with one input: the levels are proved by their patterns.
std::vector<Level> pattern_levels(const TrueRisk& risk, std::int64_t width, const SearchControl& control) {
    std::vector<Level> levels;
    const DataMinima minima = data_minima(risk, width, control);
    for (const DataLevel& found : minima.levels) {
        const Network wide = embed(found.network, width, risk.problem().activation);
        Level level{found.risk, found.shape, found.network.width, {}, wide.parameters, {}};
        LevelCertificate& certificate = level.certificate;
        certificate.same_realization = same_values(risk, found.network, wide);
        certificate.radius = inactive_radius(risk.problem(), found.network, wide);
        certificate.gradient_norm = found.gradient;
        certificate.smallest_eigenvalue = found.smallest_eigenvalue;
        certificate.largest_eigenvalue = found.largest_eigenvalue;
        certificate.evidence = certificate.same_realization && (wide.width == found.network.width || certificate.radius > 0);
        certificate.certified = certificate.evidence && found.strict;
        levels.push_back(std::move(level));
    }
    for (std::int64_t h = 0; h <= width; ++h) {
        const double least = minima.optima[static_cast<std::size_t>(h)].network.risk;
        for (Level& level : levels)
            if (std::fabs(level.risk - least) <= level_tolerance * least) {
                if (!level.optimum_of) level.optimum_of = h;
                break;
            }
    }
    return levels;
}

/// No network has less than 0: there nothing can be gained, whatever the gradient's rounding.
double slack(const TrueRisk& risk, double value) { return risk.is_zero(value) ? HUGE_VAL : 0; }

std::vector<Level> trained_levels(const Problem& problem, std::int64_t width, Backend& backend, const OptimumEffort& effort,
                                  const SearchControl& control, std::vector<Optimum> known) {
    const std::vector<Optimum> optima = find_optima(problem, width, backend, effort, control, std::move(known));
    const ConfirmedRisk confirmed(problem, width);
    const TrueRisk& risk = confirmed.fit();
    std::vector<Level> levels;
    for (const Optimum& optimum : optima) {
        if (!levels.empty() && !(optimum.risk < levels.back().risk * (1 - level_tolerance))) continue;  // K reached
        if (!levels.empty() && risk.is_zero(levels.back().risk)) continue;
        const Network narrow(optimum.width, problem.input.dimension, optimum.parameters),
            wide = embed(narrow, width, risk.problem().activation);
        Level level{optimum.risk, optimum.shape, optimum.width, optimum.width, wide.parameters, {}};
        level.certificate = certify(
            risk, narrow, wide, {risk.gradient(wide), risk.hessian(narrow), risk(wide), risk.variance(), slack(risk, optimum.risk)}, false);
        levels.push_back(std::move(level));
    }
    std::reverse(levels.begin(), levels.end());
    return levels;
}

/// Adds the best affine function to levels that are optima of widths, unless one of them is it.
void add_affine(std::vector<Level>& levels, const TrueRisk& risk, std::int64_t width) {
    if (width < 1 || risk.is_zero(risk.variance())) return;
    const std::optional<Network> narrow = affine_network(risk);
    if (!narrow) return;
    const double value = risk(*narrow);
    const auto same = [&](const Level& level) {
        return std::fabs(level.risk - value) <= affine_tolerance * value || (risk.is_zero(level.risk) && risk.is_zero(value));
    };
    if (std::any_of(levels.begin(), levels.end(), same)) return;
    const Network wide = embed(*narrow, width, risk.problem().activation);
    Level level{value, "+", 1, {}, wide.parameters, {}};
    level.certificate =
        certify(risk, *narrow, wide, {risk.gradient(wide), risk.hessian(*narrow), value, risk.variance(), slack(risk, value)}, false);
    const auto behind = std::find_if(levels.begin(), levels.end(), [&](const Level& other) { return other.risk > value; });
    levels.insert(behind, std::move(level));
}

}  // namespace

std::vector<Level> find_levels(const Problem& problem, std::int64_t width, Backend& backend, const OptimumEffort& effort,
                               const SearchControl& control, std::vector<Optimum> known) {
    if (!vanishes_on_an_interval(problem.activation))
        throw Error(ExitCode::Usage,
                    fmt::format("the activation {} is 0 on no interval, so a network cannot be embedded into a wider one by inactive "
                                "neurons; relu, power_relu, clipping(0, high), hard_sigmoid and hard_swish can",
                                problem.activation_label));
    if (width > largest_searched_width)
        throw Error(ExitCode::Usage, fmt::format("levels are searched up to width {}, not {}", largest_searched_width, width));
    if (has_pattern_search(problem)) return pattern_levels(TrueRisk(problem), width, control);
    if (problem.has_data())
        throw Error(ExitCode::Usage, fmt::format("{}: on data points levels are known for one input and relu; `limrisk optimum` finds the "
                                                 "best known risks",
                                                 problem.label));
    if (has_kink_search(problem)) return line_levels(TrueRisk(problem), width, effort.line);
    std::vector<Level> levels = trained_levels(problem, width, backend, effort, control, std::move(known));
    add_affine(levels, ConfirmedRisk(problem, width).fit(), width);
    return levels;
}

std::optional<std::size_t> classify(const std::vector<Level>& levels, double risk, double absolute, double tolerance) {
    std::optional<std::size_t> nearest;
    double least = HUGE_VAL;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const double allowed = tolerance * levels[i].risk + absolute, distance = std::fabs(risk - levels[i].risk);
        if (!(distance <= allowed)) continue;
        const double share = distance > 0 ? distance / allowed : 0;
        if (share < least) nearest = i, least = share;
    }
    return nearest;
}

}  // namespace limrisk::optimum
