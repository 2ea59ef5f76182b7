// The nodal values y of the best spline solve the normal equations M y = q of the hat functions, whose mass matrix M is tridiagonal and,
// scaled by its diagonal, well conditioned however close kinks are; two corrections by the residual bring the gradient to rounding.
// Without a linear neuron one equation n.y = 0 is added (docs/optimum.md): the slope at the low end is minus the sum of the left bends.
#include "optimum/spline_risk.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace limrisk::optimum {
namespace {

/// Symmetric tridiagonal positive definite matrix, factored as L D L^T.
struct Tridiagonal {
    std::vector<double> diagonal, beside;  ///< [n], [n - 1]

    void factor() {
        for (std::size_t i = 0; i + 1 < diagonal.size(); ++i) {
            const double ratio = beside[i] / diagonal[i];
            diagonal[i + 1] -= ratio * beside[i];
            beside[i] = ratio;
        }
    }
    std::vector<double> solve(std::vector<double> b) const {
        for (std::size_t i = 0; i + 1 < b.size(); ++i) b[i + 1] -= beside[i] * b[i];
        for (std::size_t i = 0; i < b.size(); ++i) b[i] /= diagonal[i];
        for (std::size_t i = b.size() - 1; i-- > 0;) b[i] -= beside[i] * b[i + 1];
        return b;
    }
};

double dot(const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

/// Kinks and jumps in ascending order; a jump is there twice, so that it has two nodal values with an empty piece between them.
struct Knots {
    std::vector<double> at;          ///< [knots]
    std::vector<bool> left;          ///< [knots]
    std::vector<std::size_t> kinks;  ///< [kinks] which of the knots they are

    Knots(const SplineFit& fit, const std::vector<bool>& left_kinks) {
        std::size_t jump = 0;
        const auto add_jumps = [&](double until) {
            for (; jump < fit.signature.jumps.size() && fit.signature.jumps[jump].at <= until; ++jump)
                for (int i = 0; i < 2; ++i) at.push_back(fit.signature.jumps[jump].at), left.push_back(fit.signature.jumps[jump].left);
        };
        for (std::size_t i = 0; i < fit.kinks.size(); ++i) {
            add_jumps(fit.kinks[i]);
            kinks.push_back(at.size());
            at.push_back(fit.kinks[i]);
            left.push_back(left_kinks[i]);
        }
        add_jumps(HUGE_VAL);
    }
};

/// Nodes of all pieces; piece e covers [ends[e], ends[e + 1]] with nodes first[e] .. first[e + 1] - 1.
struct Pieces {
    std::vector<double> ends;
    std::vector<LineNode> nodes;
    std::vector<std::size_t> first;

    Pieces(const LineIntegral& integral, const Knots& knots) {
        ends.push_back(integral.low());
        ends.insert(ends.end(), knots.at.begin(), knots.at.end());
        ends.push_back(integral.high());
        nodes.reserve(8 * (integral.mesh().size() + knots.at.size()));
        for (std::size_t e = 0; e + 1 < ends.size(); ++e) {
            first.push_back(nodes.size());
            integral.append_nodes(ends[e], ends[e + 1], nodes);
        }
        first.push_back(nodes.size());
    }
    std::size_t count() const { return ends.size() - 1; }
    double length(std::size_t e) const { return ends[e + 1] - ends[e]; }
    /// Value of the right hat function of piece e at x; the left one's is the rest to 1.
    double right_hat(std::size_t e, double x) const { return (x - ends[e]) / length(e); }
};

Tridiagonal mass_matrix(const Pieces& pieces) {
    Tridiagonal mass{std::vector<double>(pieces.count() + 1), std::vector<double>(pieces.count())};
    for (std::size_t e = 0; e < pieces.count(); ++e)
        for (std::size_t m = pieces.first[e]; m < pieces.first[e + 1]; ++m) {
            const double u = pieces.right_hat(e, pieces.nodes[m].x), v = 1 - u, weight = pieces.nodes[m].weight;
            mass.diagonal[e] += weight * v * v;
            mass.diagonal[e + 1] += weight * u * u;
            mass.beside[e] += weight * u * v;
        }
    mass.factor();
    return mass;
}

/// n with n.y = s_0 + sum over left kinks of (s_i - s_{i-1}), s the slopes of the nodal values y.
std::vector<double> orientation_condition(const Pieces& pieces, const std::vector<bool>& left) {
    std::vector<double> of_slopes(pieces.count()), of_values(pieces.count() + 1);
    of_slopes[0] = 1;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i]) of_slopes[i + 1] += 1, of_slopes[i] -= 1;
    for (std::size_t e = 0; e < pieces.count(); ++e) {
        if (of_slopes[e] == 0) continue;  // so it is in a jump
        of_values[e + 1] += of_slopes[e] / pieces.length(e);
        of_values[e] -= of_slopes[e] / pieces.length(e);
    }
    return of_values;
}

/// Risk, its gradient by the nodal values (half of it), and the integrals of the residual over the pieces.
struct Residual {
    double risk = 0;
    std::vector<double> moments, sums;
};

Residual residual(const Pieces& pieces, const std::vector<double>& values) {
    Residual result{0, std::vector<double>(pieces.count() + 1), std::vector<double>(pieces.count())};
    for (std::size_t e = 0; e < pieces.count(); ++e)
        for (std::size_t m = pieces.first[e]; m < pieces.first[e + 1]; ++m) {
            const LineNode& node = pieces.nodes[m];
            const double u = pieces.right_hat(e, node.x);
            const double r = std::fma(u, values[e + 1] - values[e], values[e]) - node.target, weighted = node.weight * r;
            result.risk += weighted * r;
            result.moments[e] += weighted * (1 - u);
            result.moments[e + 1] += weighted * u;
            result.sums[e] += weighted;
        }
    return result;
}

/// Sorts kinks with their orientations, and moves them apart and off the ends.
void arrange(const LineIntegral& integral, double gap, Signature& signature, std::vector<double>& kinks) {
    std::vector<std::size_t> order(kinks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return kinks[a] < kinks[b]; });
    const Signature unsorted = signature;
    const std::vector<double> before = kinks;
    for (std::size_t i = 0; i < order.size(); ++i) {
        signature.left[i] = !signature.linear && unsorted.left[order[i]];
        kinks[i] = std::max(before[order[i]], (i == 0 ? integral.low() : kinks[i - 1]) + gap);
    }
    for (std::size_t i = kinks.size(); i-- > 0;)
        kinks[i] = std::min(kinks[i], (i + 1 == kinks.size() ? integral.high() : kinks[i + 1]) - gap);
}

}  // namespace

SplineFit SplineRisk::fit(const Signature& signature, const std::vector<double>& kinks) const {
    SplineFit fit;
    fit.signature = signature;
    fit.kinks = kinks;
    arrange(integral_, least_gap(), fit.signature, fit.kinks);
    const Knots knots(fit, fit.signature.left);
    const Pieces pieces(integral_, knots);
    const Tridiagonal mass = mass_matrix(pieces);
    std::vector<double> condition, response;
    if (!signature.linear) {
        condition = orientation_condition(pieces, knots.left);
        response = mass.solve(condition);
    }
    std::vector<double> values(pieces.count() + 1);
    Residual now = residual(pieces, values);
    constexpr int corrections = 3;
    for (int i = 0; i < corrections; ++i) {
        const std::vector<double> step = mass.solve(now.moments);
        for (std::size_t j = 0; j < step.size(); ++j) values[j] -= step[j];
        if (!signature.linear) {
            const double excess = dot(condition, values) / dot(condition, response);
            for (std::size_t j = 0; j < step.size(); ++j) values[j] -= excess * response[j];
        }
        now = residual(pieces, values);
    }
    fit.risk = now.risk;
    std::vector<double> before{0};  // integrals of the residual from the low end
    for (const double sum : now.sums) before.push_back(before.back() + sum);
    const auto slope = [&](std::size_t e) { return (values[e + 1] - values[e]) / pieces.length(e); };
    for (const std::size_t j : knots.kinks) {
        fit.values.push_back(values[j + 1]);
        fit.bends.push_back(slope(j + 1) - slope(j));
        fit.gradient.push_back(2 * fit.bends.back() * before[j + 1]);
    }
    fit.first_value = values[0];
    fit.first_slope = slope(0);
    return fit;
}

Eigen::MatrixXd SplineRisk::hessian(const SplineFit& fit) const {
    const Knots knots(fit, fit.signature.left);
    const Pieces pieces(integral_, knots);
    const auto k = static_cast<Eigen::Index>(fit.kinks.size()), jumps = static_cast<Eigen::Index>(fit.signature.jumps.size());
    const Eigen::Index slope = fit.signature.linear ? 1 : 0, jump = 1 + slope, bend = jump + 2 * jumps, kink = bend + k, size = kink + k;
    const auto count = static_cast<Eigen::Index>(pieces.nodes.size());
    const double origin = 0.5 * (integral_.low() + integral_.high());
    Eigen::MatrixXd derivatives(count, size);  // of the function, times the root of the weight
    for (Eigen::Index m = 0; m < count; ++m) {
        const LineNode& node = pieces.nodes[static_cast<std::size_t>(m)];
        const double root = std::sqrt(node.weight);
        const auto distance = [&](double t, bool left) { return left ? t - node.x : node.x - t; };
        derivatives(m, 0) = root;
        if (slope) derivatives(m, 1) = root * (node.x - origin);
        for (Eigen::Index i = 0; i < jumps; ++i) {
            const Jump& at = fit.signature.jumps[static_cast<std::size_t>(i)];
            const double beyond = distance(at.at, at.left);
            derivatives(m, jump + 2 * i) = beyond > 0 ? root * beyond : 0;
            derivatives(m, jump + 2 * i + 1) = beyond > 0 ? root : 0;
        }
        for (Eigen::Index i = 0; i < k; ++i) {
            const auto j = static_cast<std::size_t>(i);
            const bool left = fit.signature.left[j];
            const double beyond = distance(fit.kinks[j], left);
            derivatives(m, bend + i) = beyond > 0 ? root * beyond : 0;
            derivatives(m, kink + i) = beyond > 0 ? (left ? root : -root) * fit.bends[j] : 0;
        }
    }
    Eigen::MatrixXd hessian = 2 * derivatives.transpose() * derivatives;
    for (Eigen::Index i = 0; i < k; ++i) {
        const auto j = static_cast<std::size_t>(i);
        const double t = fit.kinks[j];
        const double mixed = fit.gradient[j] / fit.bends[j];  // twice the integral of the residual up to t
        hessian(kink + i, bend + i) += mixed;
        hessian(bend + i, kink + i) += mixed;
        hessian(kink + i, kink + i) += 2 * fit.bends[j] * (fit.values[j] - integral_.target(t)) * integral_.density(t);
    }
    return hessian;
}

Eigen::MatrixXd SplineRisk::reduced_hessian(const SplineFit& fit) const {
    const Eigen::MatrixXd full = hessian(fit);
    const auto k = static_cast<Eigen::Index>(fit.kinks.size());
    const Eigen::Index rest = full.rows() - k;
    const Eigen::MatrixXd mixed = full.topRightCorner(rest, k);
    return full.bottomRightCorner(k, k) - mixed.transpose() * full.topLeftCorner(rest, rest).ldlt().solve(mixed);
}

double SplineRisk::cost_of_orientations(const SplineFit& fit, const std::vector<bool>& left) const {
    const Knots knots(fit, left);
    const Pieces pieces(integral_, knots);
    const std::vector<double> condition = orientation_condition(pieces, knots.left);
    double excess = fit.first_slope;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i]) excess += fit.bends[i];
    return excess * excess / dot(condition, mass_matrix(pieces).solve(condition));
}

}  // namespace limrisk::optimum
