// The names and steps are those of docs/proofs.md. What a proof rests on is computed in intervals, or with a bound of its rounding; what it
// does not rest on (where a quadratic function has its minimum, which radius to try) is computed as it comes.
#include "optimum/limit_certificate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "evaluation/interval_arithmetic.hpp"
#include "limrisk/error.hpp"
#include "optimum/eigenvalue_bounds.hpp"
#include "optimum/exact_rank.hpp"

namespace limrisk::optimum {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();
constexpr int newton_steps = 3;
constexpr int most_radii = 200;
constexpr double subnormal_loss = 0x1p-500;    ///< more than all products of one Gram matrix lose
constexpr std::size_t most_entries = 1 << 22;  ///< of a matrix of features or derivatives

Interval point(double x) { return Interval::point(x); }
Interval square(const Interval& a) { return integer_power(a, 2); }
double middle(const Interval& a) { return 0.5 * a.low + 0.5 * a.high; }

/// The preactivation of neuron i at x [dimension].
Interval preactivation(const Network& network, std::int64_t i, const double* x) {
    Interval z = point(network.bias(i));
    for (std::int64_t k = 0; k < network.dimension; ++k) z = z + point(network.weight(i, k)) * point(x[k]);
    return z;
}

/// [count] norm of (1, x) squared.
std::vector<Interval> squared_lengths(const kernels::NodeTable<double>& points, std::int64_t dimension) {
    std::vector<Interval> lengths;
    for (std::int64_t m = 0; m < points.count; ++m) {
        Interval sum = point(1);
        for (std::int64_t k = 0; k < dimension; ++k) sum = sum + square(point(points.inputs[m * dimension + k]));
        lengths.push_back(sum);
    }
    return lengths;
}

class Certifier {
public:
    Certifier(const Network& network, const kernels::NodeTable<double>& points, double rate)
        : network_(network), points_(points), rate_(rate), lengths_(squared_lengths(points, network.dimension)) {}

    LimitCertificate run() {
        LimitCertificate result;
        for (const auto step : {&Certifier::find_pattern, &Certifier::find_curvature, &Certifier::find_minimum, &Certifier::find_radius}) {
            result.outcome = (this->*step)();
            if (result.outcome != LimitOutcome::Proved) return result;
        }
        result.risk = limit_;
        result.path = path_;
        result.radius = radius_;
        result.nearest = std::min(kink_distance_, least_outer_);
        return result;
    }

private:
    std::size_t place(std::size_t m, std::size_t a) const { return m * active_.size() + a; }
    std::size_t count() const { return static_cast<std::size_t>(points_.count); }
    std::size_t dimension() const { return static_cast<std::size_t>(network_.dimension); }
    /// Columns of the features: 1, and for each active neuron its state times (x, 1).
    std::size_t features() const { return 1 + active_.size() * (dimension() + 1); }

    // Section 1: which neurons are active where, and how far away that changes.
    LimitOutcome find_pattern() {
        if (!std::all_of(network_.parameters.begin(), network_.parameters.end(), [](double value) { return std::isfinite(value); }))
            return LimitOutcome::Diverged;
        std::vector<Interval> z(count());
        std::vector<std::vector<Interval>> of_active;
        for (std::int64_t i = 0; i < network_.width; ++i) {
            for (std::size_t m = 0; m < count(); ++m) z[m] = preactivation(network_, i, points_.inputs + m * dimension());
            if (std::all_of(z.begin(), z.end(), [](const Interval& value) { return value.high <= 0; }))
                continue;  // inactive: it never moves
            for (std::size_t m = 0; m < count(); ++m) {
                if (!(z[m].low > 0 || z[m].high < 0)) return LimitOutcome::KinkOnPoint;
                const Interval size = z[m].low > 0 ? z[m] : -z[m];
                kink_distance_ = std::min(kink_distance_, (point(size.low) / square_root(lengths_[m])).low);
            }
            active_.push_back(i);
            of_active.push_back(z);
            least_outer_ = std::min(least_outer_, std::fabs(network_.outer(i)));
        }
        if (least_outer_ == 0) return LimitOutcome::NoOuterWeight;
        on_.resize(count() * active_.size());
        z_.resize(on_.size());
        for (std::size_t m = 0; m < count(); ++m)
            for (std::size_t a = 0; a < active_.size(); ++a) {
                z_[place(m, a)] = of_active[a][m];
                on_[place(m, a)] = z_[place(m, a)].low > 0 ? 1 : 0;
            }
        return LimitOutcome::Proved;
    }

    /// Features of point m, those of a neuron times abs v: [features].
    std::vector<Interval> scaled_features(std::size_t m) const {
        std::vector<Interval> row(features(), point(0));
        row[0] = point(1);
        for (std::size_t a = 0; a < active_.size(); ++a) {
            if (on_[place(m, a)] == 0) continue;
            const Interval outer = point(std::fabs(network_.outer(active_[a])));
            Interval* of_neuron = row.data() + 1 + a * (dimension() + 1);
            for (std::size_t k = 0; k < dimension(); ++k) of_neuron[k] = outer * point(points_.inputs[m * dimension() + k]);
            of_neuron[dimension()] = outer;
        }
        return row;
    }

    /// The unscaled features, exact; with the targets as a last column.
    ExactMatrix exact_features(bool with_targets) const {
        ExactMatrix matrix{points_.count, {std::vector<double>(count(), 1)}};
        for (std::size_t a = 0; a < active_.size(); ++a)
            for (std::size_t k = 0; k <= dimension(); ++k) {
                std::vector<double>& column = matrix.columns.emplace_back(count());
                for (std::size_t m = 0; m < count(); ++m)
                    if (on_[place(m, a)] != 0) column[m] = k < dimension() ? points_.inputs[m * dimension() + k] : 1;
            }
        if (with_targets) matrix.columns.emplace_back(points_.targets, points_.targets + points_.count);
        return matrix;
    }

    // Section 3: the least eigenvalue of the scaled features that is not 0, the largest one of the Jacobian.
    LimitOutcome find_curvature() {
        if (count() * (1 + active_.size() * (dimension() + 2)) > most_entries) return LimitOutcome::TooLarge;
        const auto rows = static_cast<Eigen::Index>(count());
        Eigen::MatrixXd scaled(rows, static_cast<Eigen::Index>(features()));
        Eigen::MatrixXd jacobian(rows, static_cast<Eigen::Index>(1 + active_.size() * (dimension() + 2)));
        Interval scaled_error = point(0), jacobian_error = point(0), lengths = point(0);  // squares of Frobenius norms
        const auto put = [](double& entry, Interval& error, const Interval& value) {
            entry = middle(value);
            const double off = std::max((value - point(entry)).high, (point(entry) - value).high);
            error = error + square(point(off));
        };
        for (std::size_t m = 0; m < count(); ++m) {
            rows_.push_back(scaled_features(m));
            const Interval weight = point(points_.weights[m]), root = square_root(weight);
            lengths = lengths + weight * lengths_[m];
            const auto row = static_cast<Eigen::Index>(m);
            for (std::size_t j = 0; j < features(); ++j) put(scaled(row, static_cast<Eigen::Index>(j)), scaled_error, root * rows_[m][j]);
            // The derivative by (w, b) is sign(v) times the scaled features, and the sign changes no singular value: only v's is another.
            jacobian.row(row).head(scaled.cols()) = scaled.row(row);
            for (std::size_t a = 0; a < active_.size(); ++a)
                put(jacobian(row, scaled.cols() + static_cast<Eigen::Index>(a)), jacobian_error,
                    on_[place(m, a)] != 0 ? root * z_[place(m, a)] : point(0));
        }
        jacobian_error = jacobian_error + scaled_error;
        if (!active_.empty()) span_ = square_root(lengths);

        // Both Gram matrices have the same largest eigenvalue: that of the smaller one is taken.
        if (jacobian.cols() > jacobian.rows()) jacobian.transposeInPlace();
        slope_ = square_root(gram_eigenvalue(jacobian, jacobian_error, 0));

        const std::optional<std::int64_t> rank = exact_rank(exact_features(false));
        if (!rank) return LimitOutcome::RankOpen;
        rank_ = *rank;
        least_eigenvalue_ = point(gram_eigenvalue(scaled, scaled_error, rank_ - 1).low);
        if (!(least_eigenvalue_.low > 0)) return LimitOutcome::RankOpen;
        return LimitOutcome::Proved;
    }

    /// Bounds of eigenvalue number `from_top` (0: the largest) of M^T M for an M from which `matrix` differs by at most the root of `error`
    /// in Frobenius norm. Keeps the eigenvectors.
    Interval gram_eigenvalue(const Eigen::MatrixXd& matrix, const Interval& error, std::int64_t from_top) {
        const EigenvalueBounds bounds = eigenvalue_bounds(matrix.transpose() * matrix);
        const Interval lost = point(sum_error(matrix.rows())) * square(point(norm_above(matrix))) + point(subnormal_loss),
                       off = square_root(error);
        const Eigen::Index k = bounds.values.size() - 1 - static_cast<Eigen::Index>(from_top);
        const Interval least = square_root(point(bounds.low(k)) - lost) - off, largest = square_root(point(bounds.high(k)) + lost) + off;
        eigenvalues_ = bounds.values;
        vectors_ = bounds.vectors;
        return {square(point(std::max(0.0, least.low))).low, square(point(largest.high)).high};
    }

    /// N - y of the scaled coordinates u at every point.
    std::vector<Interval> residuals(const std::vector<Interval>& u) const {
        std::vector<Interval> values;
        for (std::size_t m = 0; m < count(); ++m) values.push_back(product(m, u) - point(points_.targets[m]));
        return values;
    }
    Interval product(std::size_t m, const std::vector<Interval>& u) const {
        Interval sum = point(0);
        for (std::size_t j = 0; j < features(); ++j) sum = sum + rows_[m][j] * u[j];
        return sum;
    }
    std::vector<Interval> gradient(const std::vector<Interval>& residual) const {
        std::vector<Interval> sums(features(), point(0));
        for (std::size_t m = 0; m < count(); ++m) {
            const Interval factor = point(2) * point(points_.weights[m]) * residual[m];
            for (std::size_t j = 0; j < features(); ++j) sums[j] = sums[j] + factor * rows_[m][j];
        }
        return sums;
    }
    Interval weighted_squares(const std::vector<Interval>& values) const {
        Interval sum = point(0);
        for (std::size_t m = 0; m < count(); ++m) sum = sum + point(points_.weights[m]) * square(values[m]);
        return sum;
    }
    /// Less than a Newton step to the minimum of the quadratic function, approximately.
    std::vector<Interval> moved(const std::vector<Interval>& u, const std::vector<Interval>& slope) const {
        Eigen::VectorXd g(static_cast<Eigen::Index>(features()));
        for (std::size_t j = 0; j < features(); ++j) g(static_cast<Eigen::Index>(j)) = middle(slope[j]);
        Eigen::VectorXd parts = vectors_.transpose() * g;
        for (Eigen::Index k = 0; k < parts.size(); ++k)
            parts(k) = k < parts.size() - static_cast<Eigen::Index>(rank_) ? 0 : parts(k) / (2 * eigenvalues_(k));
        const Eigen::VectorXd step = vectors_ * parts;
        std::vector<Interval> to;
        for (std::size_t j = 0; j < features(); ++j) to.push_back(point(middle(u[j]) - step(static_cast<Eigen::Index>(j))));
        return to;
    }

    // Section 4: bounds of the least value of the quadratic function, and of what the network is above it.
    LimitOutcome find_minimum() {
        std::vector<Interval> here{point(network_.outer_bias())};
        for (const std::int64_t i : active_) {
            const double sign = network_.outer(i) > 0 ? 1 : -1;
            for (std::int64_t k = 0; k < network_.dimension; ++k) here.push_back(point(sign * network_.weight(i, k)));
            here.push_back(point(sign * network_.bias(i)));
        }
        std::vector<Interval> there = here;
        for (int step = 0; step < newton_steps; ++step) there = moved(there, gradient(residuals(there)));

        const std::vector<Interval> left = residuals(there), slope = gradient(left);
        Interval slope_squares = point(0), along = point(0);
        std::vector<Interval> way, change;
        for (std::size_t j = 0; j < features(); ++j) {
            slope_squares = slope_squares + square(slope[j]);
            way.push_back(here[j] - there[j]);
            along = along + slope[j] * way[j];
        }
        for (std::size_t m = 0; m < count(); ++m) change.push_back(product(m, way));
        const Interval risk = weighted_squares(left), under = slope_squares / (point(4) * least_eigenvalue_);
        const double excess = (weighted_squares(change) + point(std::max(-along.low, along.high)) + under).high;
        limit_ = {std::max(0.0, (risk - under).low), risk.high};
        if (!(std::isfinite(excess) && std::isfinite(limit_.high))) return LimitOutcome::RankOpen;
        root_excess_ = point(square_root(point(excess)).high);
        if (limit_.low == 0 && exact_rank(exact_features(true)) == rank_) limit_ = {0, 0};
        return LimitOutcome::Proved;
    }

    // Section 2: a radius that the path cannot leave.
    LimitOutcome find_radius() {
        const double most = std::min(kink_distance_, least_outer_);
        double radius = 0;
        for (int trial = 0; trial < most_radii; ++trial) {
            const Interval rho = point(radius), slope = slope_ + rho * span_;
            const Interval bend =
                point(2) * square(slope) + point(2) * span_ * (root_excess_ + rho * slope);  // of the risk on the ball, at most
            const Interval left_of_rate = point(1) - point(rate_) * bend / point(2);
            if (!(left_of_rate.low > 0)) return LimitOutcome::RateTooLarge;
            const Interval shrunk = active_.empty() ? point(1) : point(1) - rho / point(least_outer_);
            const Interval path = root_excess_ / (square_root(least_eigenvalue_) * shrunk * left_of_rate);
            if (!(path.high < unbounded) || !(path.high < most))
                return kink_distance_ <= least_outer_ ? LimitOutcome::KinkTooNear : LimitOutcome::OuterWeightSmall;
            if (path.high < radius && radius < most) {
                path_ = path.high;
                radius_ = radius;
                return LimitOutcome::Proved;
            }
            // Any radius that passes is a proof; these come to the least one from below.
            radius =
                std::min(path.high + std::max(0.01 * (path.high - radius), 1e-3 * path.high) + 0x1p-1000, 0.5 * path.high + 0.5 * most);
        }
        return kink_distance_ <= least_outer_ ? LimitOutcome::KinkTooNear : LimitOutcome::OuterWeightSmall;
    }

    const Network& network_;
    const kernels::NodeTable<double>& points_;
    const double rate_;
    const std::vector<Interval> lengths_;  ///< [count]

    std::vector<std::int64_t> active_;  ///< neurons that are active at some point
    std::vector<std::uint8_t> on_;      ///< [count][active]
    std::vector<Interval> z_;           ///< [count][active]
    double kink_distance_ = unbounded, least_outer_ = unbounded;

    std::vector<std::vector<Interval>> rows_;  ///< [count][features]
    Interval span_ = point(0), slope_;         ///< X and a bound of the norm of the Jacobian
    std::int64_t rank_ = 0;
    Interval least_eigenvalue_;
    Eigen::VectorXd eigenvalues_;  ///< of the scaled features, approximate
    Eigen::MatrixXd vectors_;

    RiskBounds limit_;
    Interval root_excess_;
    double path_ = 0, radius_ = 0;
};

/// The points without those of weight 0.
struct WeightedPoints {
    std::vector<double> inputs, targets, weights;

    WeightedPoints(const kernels::NodeTable<double>& points, std::int64_t dimension) {
        for (std::int64_t m = 0; m < points.count; ++m) {
            if (points.weights[m] == 0) continue;
            inputs.insert(inputs.end(), points.inputs + m * dimension, points.inputs + (m + 1) * dimension);
            targets.push_back(points.targets[m]);
            weights.push_back(points.weights[m]);
        }
    }
    kernels::NodeTable<double> table() const {
        return {inputs.data(), targets.data(), weights.data(), static_cast<std::int64_t>(weights.size())};
    }
};

}  // namespace

const char* limit_outcome_name(LimitOutcome outcome) {
    constexpr std::array<const char*, limit_outcome_count> names{"proved",         "diverged",        "too_large",
                                                                 "kink_on_point",  "no_outer_weight", "rank_open",
                                                                 "rate_too_large", "kink_too_near",   "outer_weight_small"};
    return names.at(static_cast<std::size_t>(outcome));
}

LimitCertificate certify_limit(const Network& network, const kernels::NodeTable<double>& points, double rate) {
    const auto is_sound = [](double value) { return value >= 0 && std::isfinite(value); };
    if (!is_sound(rate) || rate == 0 || !std::all_of(points.weights, points.weights + points.count, is_sound))
        throw Defect("a limit is certified for a positive finite rate, and finite weights of points that are not negative");
    const WeightedPoints weighted(points, network.dimension);
    if (weighted.weights.empty()) throw Defect("a limit is certified on points of which one has a weight");
    const kernels::NodeTable<double> table = weighted.table();
    return Certifier(network, table, rate).run();
}

RiskBounds risk_on_points(const Network& network, const kernels::NodeTable<double>& points) {
    Interval risk = point(0);
    for (std::int64_t m = 0; m < points.count; ++m) {
        Interval output = point(network.outer_bias());
        for (std::int64_t i = 0; i < network.width; ++i) {
            const Interval z = preactivation(network, i, points.inputs + m * network.dimension);
            output = output + point(network.outer(i)) * Interval{std::max(z.low, 0.0), std::max(z.high, 0.0)};
        }
        risk = risk + point(points.weights[m]) * square(output - point(points.targets[m]));
    }
    return {std::max(0.0, risk.low), risk.high};
}

}  // namespace limrisk::optimum
