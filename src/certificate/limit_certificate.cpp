// The names and steps are those of docs/proofs.md. What a proof rests on is computed in intervals, or with a bound of its rounding; what it
// does not rest on (where a quadratic function has its minimum, which radius to try) is computed as it comes.
#include "certificate/limit_certificate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "certificate/eigenvalue_bounds.hpp"
#include "certificate/exact_rank.hpp"
#include "evaluation/interval_arithmetic.hpp"
#include "limrisk/error.hpp"

namespace limrisk::certificate {
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
    Certifier(const Network& network, const kernels::NodeTable<double>& points, const DescentRule& descent,
              const PiecewiseLinear& activation)
        : network_(network),
          points_(points),
          descent_(descent),
          activation_(activation),
          lengths_(squared_lengths(points, network.dimension)) {}

    LimitCertificate run() {
        LimitCertificate result;
        for (const auto step : {&Certifier::find_pattern, &Certifier::estimate_path, &Certifier::find_curvature, &Certifier::find_minimum,
                                &Certifier::find_radius}) {
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
    /// A neuron that is not left out, and which of the features are its.
    struct Neuron {
        std::int64_t number = 0;
        bool moves = false;       ///< else A is constant at every point, and w and b stay
        bool has_offset = false;  ///< A is a constant that is not 0 at some point
        std::size_t column = 0;   ///< its first feature: those of (w, b) if it moves, then that of v if it has an offset
        double stretch = 1;       ///< what the coordinate of v is multiplied by: a power of two
        std::vector<int> piece;   ///< [count] of A
        std::vector<Interval> z;  ///< [count]
    };
    std::size_t count() const { return static_cast<std::size_t>(points_.count); }
    std::size_t dimension() const { return static_cast<std::size_t>(network_.dimension); }
    std::size_t features() const { return features_; }
    /// Of a neuron at point m.
    double slope_at(const Neuron& neuron, std::size_t m) const { return activation_.slope[neuron.piece[m]]; }
    double offset_at(const Neuron& neuron, std::size_t m) const { return activation_.offset[neuron.piece[m]]; }
    std::size_t column_of_outer(const Neuron& neuron) const { return neuron.column + (neuron.moves ? dimension() + 1 : 0); }

    /// The piece of A that holds an interval; -1: not told.
    int piece_of(const Interval& z) const {
        for (int p = 0; p <= activation_.kinks; ++p)
            if ((p == 0 || z.low > activation_.kink[p - 1]) && (p == activation_.kinks || z.high <= activation_.kink[p])) return p;
        return -1;
    }

    // Section 1: which neurons are active where, and how far away that changes.
    LimitOutcome find_pattern() {
        if (!std::all_of(network_.parameters.begin(), network_.parameters.end(), [](double value) { return std::isfinite(value); }))
            return LimitOutcome::Diverged;
        for (std::int64_t i = 0; i < network_.width; ++i) {
            Neuron neuron;
            neuron.number = i;
            bool told = true;
            for (std::size_t m = 0; m < count(); ++m) {
                neuron.z.push_back(preactivation(network_, i, points_.inputs + m * dimension()));
                neuron.piece.push_back(piece_of(neuron.z[m]));
                told = told && neuron.piece[m] >= 0;
                neuron.moves = neuron.moves || neuron.piece[m] < 0 || slope_at(neuron, m) != 0;
                neuron.has_offset = neuron.has_offset || (neuron.piece[m] >= 0 && offset_at(neuron, m) != 0);
            }
            if (!neuron.moves && !rolls_out_in(neuron)) return LimitOutcome::KinkTooNear;
            if (!neuron.moves && !neuron.has_offset) continue;  // inactive
            if (!told) return LimitOutcome::KinkOnPoint;
            if (has_moments()) {
                for (std::int64_t k = 0; neuron.moves && k <= network_.dimension; ++k)
                    moments_squared_ = moments_squared_ + square(point(inner_moment(i, k)));
                moments_squared_ = moments_squared_ + square(point(descent_.moments[network_.width * (network_.dimension + 1) + i]));
            }
            if (neuron.moves) {
                for (std::size_t m = 0; m < count(); ++m)
                    for (int k = 0; k < activation_.kinks; ++k) {
                        const Interval above = neuron.z[m] - point(activation_.kink[k]);
                        if (!(above.low > 0 || above.high < 0)) return LimitOutcome::KinkOnPoint;
                        const Interval size = above.low > 0 ? above : -above;
                        kink_distance_ = std::min(kink_distance_, (point(size.low) / square_root(lengths_[m])).low);
                    }
                least_outer_ = std::min(least_outer_, std::fabs(network_.outer(i)));
            }
            neuron.column = features_;
            features_ += (neuron.moves ? dimension() + 1 : 0) + (neuron.has_offset ? 1 : 0);
            if (neuron.moves && neuron.has_offset) neuron.stretch = stretch_of(i);
            active_.push_back(std::move(neuron));
        }
        if (has_moments()) moments_squared_ = moments_squared_ + square(point(descent_.moments[network_.width * (network_.dimension + 2)]));
        return least_outer_ == 0 ? LimitOutcome::NoOuterWeight : LimitOutcome::Proved;
    }

    bool has_moments() const { return descent_.kind != DescentRule::Kind::Plain && descent_.moments; }
    /// m of w_ik, and of b_i for k = d.
    double inner_moment(std::int64_t i, std::int64_t k) const {
        return descent_.moments[k < network_.dimension ? i * network_.dimension + k : network_.width * network_.dimension + i];
    }
    /// Section 9: whether a neuron whose w and b have no gradient has the same pieces where its momentum alone leads it.
    bool rolls_out_in(const Neuron& neuron) const {
        if (!has_moments()) return true;
        const Interval alpha = point(descent_.momentum), powers = descent_.kind == DescentRule::Kind::Behind ? square(alpha) : alpha,
                       way = -(point(descent_.rate) * powers / (point(1) - alpha));  // by powers + alpha powers + ...
        for (std::size_t m = 0; m < count(); ++m) {
            Interval along = point(inner_moment(neuron.number, network_.dimension));
            for (std::int64_t k = 0; k < network_.dimension; ++k)
                along =
                    along + point(inner_moment(neuron.number, k)) * point(points_.inputs[m * dimension() + static_cast<std::size_t>(k)]);
            if (piece_of(neuron.z[m] + way * along) != neuron.piece[m]) return false;
        }
        return true;
    }

    /// |(w, b)| / |v|.
    Interval inner_by_outer(std::int64_t i) const {
        Interval squares = square(point(network_.bias(i)));
        for (std::int64_t k = 0; k < network_.dimension; ++k) squares = squares + square(point(network_.weight(i, k)));
        return square_root(squares) / point(std::fabs(network_.outer(i)));
    }
    /// The least power of two that is at least 1 and about inner_by_outer().
    double stretch_of(std::int64_t i) const {
        const double ratio = inner_by_outer(i).high;
        return ratio > 1 && std::isfinite(ratio) ? std::ldexp(1, std::min(std::ilogb(ratio) + 1, 500)) : 1;
    }

    /// Scaled features of point m: [features].
    std::vector<Interval> scaled_features(std::size_t m) const {
        std::vector<Interval> row(features(), point(0));
        row[0] = point(1);
        for (const Neuron& neuron : active_) {
            if (neuron.has_offset) row[column_of_outer(neuron)] = point(offset_at(neuron, m)) / point(neuron.stretch);
            if (!neuron.moves || slope_at(neuron, m) == 0) continue;
            const Interval outer = point(slope_at(neuron, m)) * point(std::fabs(network_.outer(neuron.number)));
            for (std::size_t k = 0; k < dimension(); ++k) row[neuron.column + k] = outer * point(points_.inputs[m * dimension() + k]);
            row[neuron.column + dimension()] = outer;
        }
        return row;
    }

    /// The unscaled features, exact; with the targets as a last column.
    ExactMatrix exact_features(bool with_targets) const {
        ExactMatrix matrix{points_.count, {std::vector<double>(count(), 1)}, {{}}};
        for (const Neuron& neuron : active_) {
            for (std::size_t k = 0; neuron.moves && k <= dimension(); ++k) {
                std::vector<double>&column = matrix.columns.emplace_back(count()), &factors = matrix.factors.emplace_back(count());
                for (std::size_t m = 0; m < count(); ++m) {
                    column[m] = k < dimension() ? points_.inputs[m * dimension() + k] : 1;
                    factors[m] = slope_at(neuron, m);
                }
            }
            if (!neuron.has_offset) continue;
            matrix.factors.emplace_back();
            std::vector<double>& column = matrix.columns.emplace_back(count());
            for (std::size_t m = 0; m < count(); ++m) column[m] = offset_at(neuron, m);
        }
        if (with_targets) matrix.columns.emplace_back(points_.targets, points_.targets + points_.count);
        return matrix;
    }

    LimitOutcome too_near() const { return kink_distance_ <= least_outer_ ? LimitOutcome::KinkTooNear : LimitOutcome::OuterWeightSmall; }

    // Section 4, its end: without intervals, so that what is far from a proof costs little.
    LimitOutcome estimate_path() {
        if (count() * (1 + active_.size() * (dimension() + 2)) > most_entries) return LimitOutcome::TooLarge;
        const std::size_t n = features();
        Matrix scaled(points_.count, static_cast<std::int64_t>(n));
        std::vector<double> residual;  // times the root of the weight
        for (std::size_t m = 0; m < count(); ++m) {
            const double root = std::sqrt(points_.weights[m]);
            const auto put = [&](std::size_t column, double value) {
                scaled(static_cast<std::int64_t>(m), static_cast<std::int64_t>(column)) = root * value;
            };
            double output = network_.outer_bias();
            put(0, 1);
            for (const Neuron& neuron : active_) {
                const double slope = slope_at(neuron, m), offset = offset_at(neuron, m), outer = network_.outer(neuron.number);
                output += outer * (slope * middle(neuron.z[m]) + offset);
                if (neuron.has_offset) put(column_of_outer(neuron), offset / neuron.stretch);
                for (std::size_t k = 0; neuron.moves && k <= dimension(); ++k)
                    put(neuron.column + k, slope * std::fabs(outer) * (k < dimension() ? points_.inputs[m * dimension() + k] : 1));
            }
            residual.push_back(root * (output - points_.targets[m]));
        }
        std::vector<double> half_slope;
        for (std::size_t j = 0; j < n; ++j)
            half_slope.push_back(dot(scaled.column(static_cast<std::int64_t>(j)), residual.data(), points_.count));
        const EigenvalueBounds found = eigenvalue_bounds(gram(scaled));
        const double size = norm_above(scaled), positive = 8 * sum_error(points_.count) * size * size;
        double excess = 0, path = 0;
        for (std::size_t left = n; left > 0 && found.values[left - 1] > positive; --left) {
            const std::size_t k = left - 1;
            const double part = dot(found.vectors.column(static_cast<std::int64_t>(k)), half_slope.data(), static_cast<std::int64_t>(n));
            excess += part * part / found.values[k];
            path = std::sqrt(excess / found.values[k]);
        }
        return path > 2 * std::min(kink_distance_, least_outer_) ? too_near() : LimitOutcome::Proved;
    }

    // Section 3: the least eigenvalue of the scaled features that is not 0, the largest one of the Jacobian.
    LimitOutcome find_curvature() {
        const std::int64_t rows = points_.count, columns = static_cast<std::int64_t>(features());
        Matrix scaled(rows, columns), jacobian(rows, columns + static_cast<std::int64_t>(active_.size()));
        Interval scaled_error = point(0), jacobian_error = point(0), lengths = point(0);  // squares of Frobenius norms
        const auto put = [](double& entry, Interval& error, const Interval& value) {
            entry = middle(value);
            const double off = std::max((value - point(entry)).high, (point(entry) - value).high);
            error = error + square(point(off));
        };
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto m = static_cast<std::size_t>(row);
            rows_.push_back(scaled_features(m));
            const Interval weight = point(points_.weights[m]), root = square_root(weight);
            lengths = lengths + weight * lengths_[m];
            // The derivative by (w, b) is sign(v) times the scaled features, and the sign changes no singular value: only v's is another.
            for (std::int64_t j = 0; j < columns; ++j) {
                put(scaled(row, j), scaled_error, root * rows_[m][static_cast<std::size_t>(j)]);
                jacobian(row, j) = scaled(row, j);
            }
            for (std::size_t a = 0; a < active_.size(); ++a) {
                const Neuron& neuron = active_[a];
                if (neuron.has_offset) jacobian(row, static_cast<std::int64_t>(column_of_outer(neuron))) = 0;
                put(jacobian(row, columns + static_cast<std::int64_t>(a)), jacobian_error,
                    root * (point(slope_at(neuron, m)) * neuron.z[m] + point(offset_at(neuron, m))));
            }
        }
        jacobian_error = jacobian_error + scaled_error;
        if (std::ranges::any_of(active_, &Neuron::moves)) span_ = square_root(lengths) * point(steepest());

        // Both Gram matrices have the same largest eigenvalue: that of the smaller one is taken.
        if (jacobian.columns() > jacobian.rows()) jacobian = transposed(jacobian);
        slope_ = square_root(gram_eigenvalue(jacobian, jacobian_error, 0));

        const std::optional<std::int64_t> rank = exact_rank(exact_features(false));
        if (!rank) return LimitOutcome::RankOpen;
        rank_ = *rank;
        least_eigenvalue_ = point(gram_eigenvalue(scaled, scaled_error, rank_ - 1).low);
        if (!(least_eigenvalue_.low > 0)) return LimitOutcome::RankOpen;
        return LimitOutcome::Proved;
    }

    /// The largest abs of a slope of A.
    double steepest() const {
        double most = 0;
        for (int p = 0; p <= activation_.kinks; ++p) most = std::max(most, std::fabs(activation_.slope[p]));
        return most;
    }

    /// Bounds of eigenvalue number `from_top` (0: the largest) of M^T M for an M from which `matrix` differs by at most the root of `error`
    /// in Frobenius norm. Keeps what the solver found.
    Interval gram_eigenvalue(const Matrix& matrix, const Interval& error, std::int64_t from_top) {
        found_ = eigenvalue_bounds(gram(matrix));
        const Interval lost = point(sum_error(matrix.rows())) * square(point(norm_above(matrix))) + point(subnormal_loss),
                       off = square_root(error);
        const std::int64_t k = static_cast<std::int64_t>(found_.values.size()) - 1 - from_top;
        const Interval least = square_root(point(found_.low(k)) - lost) - off, largest = square_root(point(found_.high(k)) + lost) + off;
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
        const std::size_t n = features();
        std::vector<double> g, step(n);
        for (const Interval& value : slope) g.push_back(middle(value));
        for (std::size_t k = n - static_cast<std::size_t>(rank_); k < n; ++k) {
            const double* const vector = found_.vectors.column(static_cast<std::int64_t>(k));
            const double part = dot(vector, g.data(), static_cast<std::int64_t>(n)) / (2 * found_.values[k]);
            for (std::size_t j = 0; j < n; ++j) step[j] += part * vector[j];
        }
        std::vector<Interval> to;
        for (std::size_t j = 0; j < n; ++j) to.push_back(point(middle(u[j]) - step[j]));
        return to;
    }

    // Section 4: bounds of the least value of the quadratic function, and of what the network is above it.
    LimitOutcome find_minimum() {
        std::vector<Interval> here{point(network_.outer_bias())};
        for (const Neuron& neuron : active_) {
            const double outer = network_.outer(neuron.number), sign = outer > 0 ? 1 : -1;
            for (std::int64_t k = 0; neuron.moves && k < network_.dimension; ++k)
                here.push_back(point(sign * network_.weight(neuron.number, k)));
            if (neuron.moves) here.push_back(point(sign * network_.bias(neuron.number)));
            if (neuron.has_offset) here.push_back(point(neuron.stretch) * point(outer));
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

    /// kappa: of the coordinates by the parameters, as far as they are of a neuron or c, the least singular value on the ball is more.
    Interval least_slope_of_coordinates(const Interval& rho) const {
        Interval least = least_outer_ < unbounded ? point(1) - rho / point(least_outer_) : point(1);
        for (const Neuron& neuron : active_) {
            if (!neuron.moves || !neuron.has_offset) continue;
            const Interval outer = point(std::fabs(network_.outer(neuron.number))), shrunk = point(1) - rho / outer;
            const Interval beside = (inner_by_outer(neuron.number) + rho / outer) / point(neuron.stretch);
            const Interval of_neuron = shrunk / (point(1) + beside);
            least = {std::min(least.low, of_neuron.low), std::min(least.high, of_neuron.high)};
        }
        return least;
    }

    /// How far the parameters come at most; nothing: the rate is too large. Sections 4 and 9.
    ///   bend   bound of the Hessian on the ball
    ///   slope  its kappa times the root of lambda
    std::optional<Interval> reach(const Interval& bend, const Interval& slope) const {
        if (descent_.kind == DescentRule::Kind::Plain) {
            const Interval left_of_rate = point(1) - point(descent_.rate) * bend / point(2);
            if (!(left_of_rate.low > 0)) return std::nullopt;
            return root_excess_ / (slope * left_of_rate);
        }
        const bool heavy_ball = descent_.kind == DescentRule::Kind::HeavyBall;
        const Interval eta = point(descent_.rate) * point(descent_.new_share), squares = square(point(descent_.momentum));
        const Interval bent = eta * bend, half = square_root(eta / point(2)), one = point(1);
        const Interval a = heavy_ball ? one - squares - bent : one - squares * (one + bent), b = heavy_ball ? one : one - bent;
        if (!(a.low > 0 && b.low > 0)) return std::nullopt;
        const Interval beside = heavy_ball ? half : eta * square_root(bend);
        const Interval g = one / (point(2) * slope) + beside, h = heavy_ball ? half : b * (half + beside);  // G, and eta b H
        const Interval speed_squared = square(point(descent_.rate)) * moments_squared_, speed = square_root(speed_squared);
        Interval energy = square(root_excess_) + squares * (heavy_ball ? one : one + bent) / (point(2) * eta) * speed_squared;
        Interval before = point(0);
        if (descent_.kind == DescentRule::Kind::Behind) {
            before = point(descent_.momentum) * speed;
            energy = energy + point(2) * slope_ * before * root_excess_ + bend / point(2) * square(before);
        }
        const Interval per_root = point(2) * (h + square_root(square(h) + a * b * square(g))) / (a * b);
        return before + square_root(energy) * per_root;
    }

    // Section 4: a radius that the path cannot leave.
    LimitOutcome find_radius() {
        const double most = std::min(kink_distance_, least_outer_);
        double radius = 0;
        for (int trial = 0; trial < most_radii; ++trial) {
            const Interval rho = point(radius), slope = slope_ + rho * span_;
            const Interval bend =
                point(2) * square(slope) + point(2) * span_ * (root_excess_ + rho * slope);  // of the risk on the ball, at most
            const std::optional<Interval> path = reach(bend, square_root(least_eigenvalue_) * least_slope_of_coordinates(rho));
            if (!path) return LimitOutcome::RateTooLarge;
            if (!(path->high < unbounded) || !(path->high < most)) return too_near();
            if (path->high < radius && radius < most) {
                path_ = path->high;
                radius_ = radius;
                return LimitOutcome::Proved;
            }
            // Any radius that passes is a proof; these come to the least one from below.
            radius =
                std::min(path->high + std::max(0.01 * (path->high - radius), 1e-3 * path->high) + 0x1p-1000, 0.5 * path->high + 0.5 * most);
        }
        return too_near();
    }

    const Network& network_;
    const kernels::NodeTable<double>& points_;
    const DescentRule& descent_;
    const PiecewiseLinear& activation_;
    const std::vector<Interval> lengths_;  ///< [count]

    std::vector<Neuron> active_;
    std::size_t features_ = 1;  ///< columns: 1, and those of the neurons
    double kink_distance_ = unbounded, least_outer_ = unbounded;
    Interval moments_squared_ = point(0);  ///< of the parameters, without those that have no gradient

    std::vector<std::vector<Interval>> rows_;  ///< [count][features]
    Interval span_ = point(0), slope_;         ///< X and a bound of the norm of the Jacobian
    std::int64_t rank_ = 0;
    Interval least_eigenvalue_;
    EigenvalueBounds found_;  ///< of the scaled features

    RiskBounds limit_;
    Interval root_excess_;
    double path_ = 0, radius_ = 0;
};

/// A number of the cell as its kernels have it.
double rounded(const kernels::Cell& cell, double x) {
    return cell.precision == kernels::Precision::Float32 ? static_cast<double>(static_cast<float>(x)) : x;
}

/// A rate that no step after `step` exceeds; the one of all of them where it is constant. Of schedules with an infinite sum of rates.
double largest_rate_after(const kernels::Cell& cell, std::int64_t step) {
    using Kind = kernels::ScheduleKind;
    const kernels::LearningRate& rate = cell.learning_rate;
    const double initial = rounded(cell, rate.initial);
    if (step < rate.warmup || (rate.kind == Kind::Polynomial && rate.power == 0)) return initial;
    const std::int64_t n = step + 1 - rate.warmup, t = rate.from_one ? n : n - 1;  // of the next step
    const Interval units = point(static_cast<double>(t)) / point(static_cast<double>(rate.every));
    Interval largest = point(rate.initial);
    if (rate.kind == Kind::Polynomial) largest = largest * exponential(-(point(rate.power) * logarithm(point(static_cast<double>(n)))));
    if (rate.kind == Kind::InverseTime) largest = largest / (point(1) + point(rate.factor) * units);
    const double rounding = cell.precision == kernels::Precision::Float32 ? 0x1p-23 : 0x1p-40;
    return (largest * point(1 + rounding)).high;
}

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

LimitCertificate certify_limit(const Network& network, const kernels::NodeTable<double>& points, const DescentRule& descent,
                               const PiecewiseLinear& activation) {
    const auto is_sound = [](double value) { return value >= 0 && std::isfinite(value); };
    const auto is_positive = [&](double value) { return is_sound(value) && value > 0; };
    if (!is_positive(descent.rate) || !is_positive(descent.new_share) || !is_sound(descent.momentum) || descent.momentum >= 1 ||
        !std::all_of(points.weights, points.weights + points.count, is_sound))
        throw Defect(
            "a limit is certified for a positive finite rate, a momentum below 1, and finite weights of points that are not negative");
    const WeightedPoints weighted(points, network.dimension);
    if (weighted.weights.empty()) throw Defect("a limit is certified on points of which one has a weight");
    const kernels::NodeTable<double> table = weighted.table();
    return Certifier(network, table, descent, activation).run();
}

LimitCertificate certify_limit(const Network& network, const kernels::NodeTable<double>& points, double rate,
                               const PiecewiseLinear& activation) {
    return certify_limit(network, points, {DescentRule::Kind::Plain, rate}, activation);
}

PiecewiseLinear piecewise_linear(const kernels::Cell& cell) {
    const kernels::ActivationTraits& row = kernels::traits_of(cell.activation.kind);
    if (!kernels::is_piecewise_linear(cell.activation.kind))
        throw Defect("limits were asked for of an activation that is not piecewise linear");
    PiecewiseLinear result{row.kink_count};
    for (int k = 0; k < row.kink_count; ++k) result.kink[k] = rounded(cell, row.kinks[k].at.of(cell.activation));
    for (int p = 0; p <= row.kink_count; ++p) {
        const bool constant = row.pieces[p].form == kernels::PieceForm::Constant;
        (constant ? result.offset : result.slope)[p] = rounded(cell, row.pieces[p].term.of(cell.activation));
        (constant ? result.slope : result.offset)[p] = 0;
    }
    return result;
}

DescentRule descent_of(const kernels::Cell& cell, const double* first_state, std::int64_t step) {
    const kernels::Optimizer& optimizer = cell.optimizer;
    const double rate = largest_rate_after(cell, step);
    if (optimizer.kind == kernels::OptimizerKind::Sgd) return {DescentRule::Kind::Plain, rate};
    DescentRule::Kind kind = DescentRule::Kind::HeavyBall;
    if (optimizer.kind == kernels::OptimizerKind::Nesterov) kind = optimizer.sum ? DescentRule::Kind::Behind : DescentRule::Kind::Ahead;
    return {kind, rate, rounded(cell, optimizer.alpha), rounded(cell, optimizer.sum ? 1 : 1 - optimizer.alpha), first_state};
}

LimitCertificate certify_limit(const kernels::Cell& cell, const double* parameters, const double* first_state, std::int64_t step) {
    const Network network(cell.width, cell.dimension,
                          {parameters, parameters + kernels::parameter_count(cell.width, cell.dimension, false)});
    return certify_limit(network, cell.training_nodes_double, descent_of(cell, first_state, step), piecewise_linear(cell));
}

RiskBounds risk_on_points(const Network& network, const kernels::NodeTable<double>& points, const PiecewiseLinear& activation) {
    Interval risk = point(0);
    for (std::int64_t m = 0; m < points.count; ++m) {
        Interval output = point(network.outer_bias());
        for (std::int64_t i = 0; i < network.width; ++i) {
            const Interval z = preactivation(network, i, points.inputs + m * network.dimension);
            Interval value{unbounded, -unbounded};
            for (int p = 0; p <= activation.kinks; ++p) {
                const double from = p == 0 ? -unbounded : activation.kink[p - 1],
                             to = p == activation.kinks ? unbounded : activation.kink[p];
                const Interval part{std::max(z.low, from), std::min(z.high, to)};
                if (part.low > part.high) continue;
                const Interval here = point(activation.slope[p]) * part + point(activation.offset[p]);
                value = {std::min(value.low, here.low), std::max(value.high, here.high)};
            }
            output = output + point(network.outer(i)) * value;
        }
        risk = risk + point(points.weights[m]) * square(output - point(points.targets[m]));
    }
    return {std::max(0.0, risk.low), risk.high};
}

}  // namespace limrisk::certificate
