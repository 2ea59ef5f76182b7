// On a finite set of points a network without a kink on a point is linear in c and the (v w, v b) of its neurons, as long as no kink passes
// a point: it is a local minimum iff it is the least-squares fit of its pattern. A kink on a point adds a convex bend there, or is none.
#include "optimum/data_levels.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "evaluation/rule.hpp"
#include "limrisk/error.hpp"
#include "optimum/relu_line.hpp"

namespace limrisk::optimum {
namespace {

using Real = long double;
constexpr int most_unknowns = 1 + 3 * static_cast<int>(widest_on_data);  // c; of each neuron two, and a slope that nothing decides
using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1, 0, most_unknowns + 1, 1>;
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, 0, most_unknowns + 1, most_unknowns + 1>;

/// Conditions that are missed by less are taken to hold within rounding; those that hold by more are proved, up to rounding.
constexpr Real margin = 1e-9L;
/// Of the squares of cosines: columns nearer to the span of others depend on them.
constexpr Real dependent = 1e-12L;

/// The different inputs of positive weight, ascending, in coordinates in which they reach from -1 to 1 and the outputs have mean 0 and
/// variance 1; and what sums over ranges of them need.
class Points {
public:
    explicit Points(const NodeSet& nodes) {
        std::vector<std::size_t> order;
        for (std::size_t m = 0; m < nodes.weights.size(); ++m)
            if (nodes.weights[m] > 0) order.push_back(m);
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return nodes.inputs[a] < nodes.inputs[b]; });
        Real mass = 0, first = 0, second = 0;
        for (const std::size_t m : order) mass += nodes.weights[m], first += static_cast<Real>(nodes.weights[m]) * nodes.targets[m];
        output_mean = first / mass;
        for (const std::size_t m : order) second += nodes.weights[m] / mass * std::pow(nodes.targets[m] - output_mean, 2);
        output_scale = second > 0 ? std::sqrt(second) : 1;
        middle = (static_cast<Real>(nodes.inputs[order.front()]) + nodes.inputs[order.back()]) / 2;
        reach = (static_cast<Real>(nodes.inputs[order.back()]) - nodes.inputs[order.front()]) / 2;
        if (!(reach > 0)) reach = 1;
        for (const std::size_t m : order) {
            if (inputs.empty() || nodes.inputs[m] > inputs.back()) {
                inputs.push_back(nodes.inputs[m]);
                x.push_back((nodes.inputs[m] - middle) / reach);
                weight.push_back(0);
                sum_y.push_back(0);
            }
            const Real w = nodes.weights[m] / mass, y = (nodes.targets[m] - output_mean) / output_scale;
            weight.back() += w;
            sum_y.back() += w * y;
            square += w * y * y;
        }
        for (auto* sums : {&w_, &wx_, &wxx_, &wy_, &wxy_}) sums->push_back(0);
        for (std::size_t k = 0; k < x.size(); ++k) {
            w_.push_back(w_.back() + weight[k]);
            wx_.push_back(wx_.back() + weight[k] * x[k]);
            wxx_.push_back(wxx_.back() + weight[k] * x[k] * x[k]);
            wy_.push_back(wy_.back() + sum_y[k]);
            wxy_.push_back(wxy_.back() + sum_y[k] * x[k]);
        }
    }
    int count() const { return static_cast<int>(x.size()); }
    /// Sums over the points first .. end - 1.
    Real w(int first, int end) const { return difference(w_, first, end); }
    Real wx(int first, int end) const { return difference(wx_, first, end); }
    Real wxx(int first, int end) const { return difference(wxx_, first, end); }
    Real wy(int first, int end) const { return difference(wy_, first, end); }
    Real wxy(int first, int end) const { return difference(wxy_, first, end); }

    std::vector<double> inputs;          ///< as they are
    std::vector<Real> x, weight, sum_y;  ///< [count]; sum_y: weight times mean output
    Real square = 0;                     ///< mean square of the outputs
    Real middle = 0, reach = 1, output_mean = 0, output_scale = 1;

private:
    static Real difference(const std::vector<Real>& sums, int first, int end) {
        return sums[static_cast<std::size_t>(end)] - sums[static_cast<std::size_t>(first)];
    }
    std::vector<Real> w_, wx_, wxx_, wy_, wxy_;
};

/// Where a neuron has its kink, and on which side it is active.
struct Place {
    enum Kind { All, Gap, Point } kind = All;  ///< beyond all points, between the points `at` and `at` + 1, on the point `at`
    bool left = false;                         ///< active to the left of the kink
    int at = 0;
    int first = 0, end = 0;  ///< the points on which it is active
};

std::vector<Place> places_of(int count) {
    std::vector<Place> places;
    if (count < 2) return places;
    places.push_back({Place::All, false, 0, 0, count});
    for (int k = 0; k + 1 < count; ++k)
        for (const bool left : {false, true}) places.push_back({Place::Gap, left, k, left ? 0 : k + 1, left ? k + 1 : count});
    for (int k = 0; k < count; ++k)
        for (const bool left : {false, true})
            if (left ? k > 0 : k + 1 < count) places.push_back({Place::Point, left, k, left ? 0 : k + 1, left ? k : count});
    return places;
}

/// constant + slope x on the points first .. end - 1, and 0 elsewhere.
struct Column {
    int first, end;
    Real constant, slope;
};

/// What a neuron adds on the points on which it is active: constant + slope x.
struct Affine {
    Real constant, slope;
};

/// A network in the coordinates of the points.
struct Fitted {
    Real outer_bias;
    std::vector<Affine> neurons;
};

/// One inequality g tau + h > 0.
struct Inequality {
    Vector g;
    Real h;
    Real size;  ///< of the numbers that it was made of: what is less than their rounding is 0
};

/// A point that fulfils all, in the middle of what is left where that has ends; by Fourier and Motzkin's elimination.
std::optional<Vector> interior_point(const std::vector<Inequality>& all, Eigen::Index variables) {
    if (variables == 0) {
        for (const Inequality& one : all)
            if (!(one.h > -margin * one.size)) return std::nullopt;
        return Vector(0);
    }
    const Eigen::Index last = variables - 1;
    std::vector<Inequality> low, high, rest;
    for (const Inequality& one : all) {
        const Real g = one.g(last);
        (!(std::fabs(g) > 1e-14L * one.size) ? rest : g > 0 ? low : high).push_back(one);
    }
    std::vector<Inequality> fewer;
    for (const Inequality& one : rest) fewer.push_back({one.g.head(last), one.h, one.size});
    for (const Inequality& a : low)
        for (const Inequality& b : high) {
            const Real p = 1 / a.g(last), q = -1 / b.g(last);
            fewer.push_back({p * a.g.head(last) + q * b.g.head(last), p * a.h + q * b.h, p * a.size + q * b.size});
        }
    const std::optional<Vector> found = interior_point(fewer, last);
    if (!found) return std::nullopt;
    Real least = -HUGE_VALL, most = HUGE_VALL;
    for (const Inequality& a : low) least = std::max(least, -(a.h + a.g.head(last).dot(*found)) / a.g(last));
    for (const Inequality& b : high) most = std::min(most, -(b.h + b.g.head(last).dot(*found)) / b.g(last));
    Vector whole(variables);
    whole.head(last) = *found;
    whole(last) = std::isfinite(least) && std::isfinite(most) ? (least + most) / 2
                  : std::isfinite(least)                      ? least + std::max<Real>(1, std::fabs(least))
                  : std::isfinite(most)                       ? most - std::max<Real>(1, std::fabs(most))
                                                              : 0;
    return whole;
}

/// Neurons at given places: the fit, and what it takes to be a local minimum.
class Pattern {
public:
    Pattern(const Points& points, const std::vector<Place>& places) : points_(points), places_(places) {
        columns_.push_back({0, points.count(), 1, 0});
        for (const Place& place : places) {
            const Real mass = points.w(place.first, place.end), mean = points.wx(place.first, place.end) / mass;
            if (place.kind == Place::Point)
                columns_.push_back({place.first, place.end, -x_of(place.at), 1});
            else if (place.end - place.first == 1)  // only the value on this point counts
                columns_.push_back({place.first, place.end, 1, 0});
            else {
                columns_.push_back({place.first, place.end, -mean, 1});
                if (place.kind == Place::Gap) columns_.push_back({place.first, place.end, 1, 0});
            }
        }
        fit();
    }

    /// The fit with kinks where they are to be, for each choice of signs of v for which there is one; none if it is no local minimum.
    std::vector<Fitted> local_minima() const {
        std::vector<Fitted> minima;
        const Real scale = std::sqrt(std::max<Real>(risk_, 0));
        const bool zero = risk_ <= 1e-20L * points_.square;
        const auto count = places_.size();
        std::vector<unsigned> signs(count, 3);  // bit 0: v > 0 is possible, bit 1: v < 0
        for (std::size_t i = 0; i < count && !zero; ++i) {
            if (places_[i].kind != Place::Point) continue;
            const Real here = points_.weight[static_cast<std::size_t>(places_[i].at)],
                       bend = here * value(places_[i].at) - points_.sum_y[static_cast<std::size_t>(places_[i].at)],
                       others = sum_of_residuals(places_[i]), mass = points_.w(places_[i].first, places_[i].end);
            const Real slack = margin * scale * std::sqrt(here), slack_of_sums = margin * scale * std::sqrt(mass + here);
            for (unsigned sign = 0; sign < 2; ++sign) {
                const Real s = sign == 0 ? 1 : -1;
                if (!(s * bend >= -slack && s * others <= slack_of_sums && s * (others + bend) >= -slack_of_sums))
                    signs[i] &= ~(1U << sign);
            }
            if (signs[i] == 0) return minima;
        }
        for (unsigned choice = 0; choice < 1U << count; ++choice) {
            bool possible = true;
            for (std::size_t i = 0; i < count; ++i) possible = possible && (signs[i] >> (choice >> i & 1U) & 1U) != 0;
            if (!possible) continue;
            if (auto found = with_signs(choice)) minima.push_back(std::move(*found));
        }
        return minima;
    }

    /// Of the fit.
    Real risk() const { return risk_; }
    /// The Hessian of the risk in the coefficients.
    Eigen::MatrixXd hessian() const { return 2 * gram_.cast<double>(); }

private:
    Real x_of(int k) const { return points_.x[static_cast<std::size_t>(k)]; }

    void fit() {
        const auto size = static_cast<Eigen::Index>(columns_.size());
        Matrix& gram = gram_;
        gram.resize(size, size);
        Vector right(size), scale(size);
        for (Eigen::Index a = 0; a < size; ++a) {
            const Column& p = columns_[static_cast<std::size_t>(a)];
            right(a) = p.constant * points_.wy(p.first, p.end) + p.slope * points_.wxy(p.first, p.end);
            for (Eigen::Index b = 0; b <= a; ++b) {
                const Column& q = columns_[static_cast<std::size_t>(b)];
                const int first = std::max(p.first, q.first), end = std::min(p.end, q.end);
                gram(a, b) = gram(b, a) = first >= end ? 0
                                                       : p.constant * q.constant * points_.w(first, end) +
                                                             (p.constant * q.slope + q.constant * p.slope) * points_.wx(first, end) +
                                                             p.slope * q.slope * points_.wxx(first, end);
            }
        }
        for (Eigen::Index a = 0; a < size; ++a) scale(a) = gram(a, a) > 0 ? 1 / std::sqrt(gram(a, a)) : 1;
        const Matrix scaled = scale.asDiagonal() * gram * scale.asDiagonal();
        Eigen::FullPivLU<Matrix> lu(scaled);
        lu.setThreshold(dependent);
        solution_ = scale.cwiseProduct(Vector(lu.solve(Vector(scale.cwiseProduct(right)))));
        free_ = lu.dimensionOfKernel() > 0 ? Matrix(scale.asDiagonal() * Matrix(lu.kernel())) : Matrix(size, 0);
        risk_ = points_.square - solution_.dot(right);
    }

    /// N at a point.
    Real value(int k) const {
        Real sum = 0;
        for (std::size_t a = 0; a < columns_.size(); ++a)
            if (columns_[a].first <= k && k < columns_[a].end)
                sum += solution_(static_cast<Eigen::Index>(a)) * (columns_[a].constant + columns_[a].slope * x_of(k));
        return sum;
    }

    /// Of weight (N - y) over the points on which the neuron is active.
    Real sum_of_residuals(const Place& place) const {
        Real sum = -points_.wy(place.first, place.end);
        for (std::size_t a = 0; a < columns_.size(); ++a) {
            const int first = std::max(columns_[a].first, place.first), end = std::min(columns_[a].end, place.end);
            if (first < end)
                sum += solution_(static_cast<Eigen::Index>(a)) *
                       (columns_[a].constant * points_.w(first, end) + columns_[a].slope * points_.wx(first, end));
        }
        return sum;
    }

    /// `choice`: bit i is set where neuron i has v < 0.
    std::optional<Fitted> with_signs(unsigned choice) const {
        // Unknown are the steps along the free directions and, of each neuron that is active on one point, its slope.
        const Eigen::Index free = free_.cols();
        Eigen::Index unknowns = free;
        for (const Place& place : places_) unknowns += place.kind == Place::Gap && place.end - place.first == 1 ? 1 : 0;
        if (unknowns > most_unknowns) throw Defect("levels on data points: more unknowns than there can be");
        std::vector<Inequality> all;
        struct Terms {
            Vector constant, slope;  // [unknowns + 1]: of each unknown, and the known part
        };
        std::vector<Terms> terms;
        Eigen::Index column = 1, slope = free;
        for (const Place& place : places_) {
            Terms one{Vector::Zero(unknowns + 1), Vector::Zero(unknowns + 1)};
            const auto add = [&](Eigen::Index of) {
                const Column& c = columns_[static_cast<std::size_t>(of)];
                for (Eigen::Index t = 0; t < free; ++t) {
                    one.constant(t) += c.constant * free_(of, t);
                    one.slope(t) += c.slope * free_(of, t);
                }
                one.constant(unknowns) += c.constant * solution_(of);
                one.slope(unknowns) += c.slope * solution_(of);
            };
            if (place.kind == Place::Gap && place.end - place.first == 1) {
                add(column++);  // the value there
                one.slope(slope) = 1;
                one.constant(slope) = -x_of(place.first);
                ++slope;
            } else {
                add(column++);
                if (place.kind == Place::Gap) add(column++);
            }
            terms.push_back(std::move(one));
        }
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const Place& place = places_[i];
            const Real s = (choice >> i & 1U) == 0 ? 1 : -1;
            const auto demand = [&](const Vector& of, Real factor) {
                const Vector row = factor * of;
                all.push_back({row.head(unknowns), row(unknowns), std::max<Real>(1, row.cwiseAbs().maxCoeff())});
            };
            if (place.kind == Place::All) {
                demand(terms[i].slope, s);  // a linear neuron: its slope is not 0, and the kink is as far away as one likes
            } else if (place.kind == Place::Point) {
                demand(terms[i].slope, place.left ? -s : s);
            } else {
                const int active = place.left ? place.at : place.at + 1, idle = place.left ? place.at + 1 : place.at;
                demand(terms[i].constant + x_of(active) * terms[i].slope, s);
                demand(terms[i].constant + x_of(idle) * terms[i].slope, -s);
            }
        }
        const std::optional<Vector> found = interior_point(all, unknowns);
        if (!found) return std::nullopt;
        Fitted fitted{solution_(0) + free_.row(0).dot(found->head(free)), {}};
        for (const Terms& one : terms)
            fitted.neurons.push_back({one.constant.head(unknowns).dot(*found) + one.constant(unknowns),
                                      one.slope.head(unknowns).dot(*found) + one.slope(unknowns)});
        return fitted;
    }

    const Points& points_;
    const std::vector<Place>& places_;
    std::vector<Column> columns_;
    Matrix gram_;
    Vector solution_;
    Matrix free_;  ///< by columns directions that change no output
    Real risk_ = 0;
};

/// In the order of the kinks, the linear neuron last.
std::string shape_of(const std::vector<Place>& places, const Network& network) {
    std::vector<std::pair<double, char>> kinks;
    bool linear = false;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto neuron = static_cast<std::int64_t>(i);
        const char side = places[i].left ? 'L' : 'R', on_point = places[i].left ? 'l' : 'r';
        if (places[i].kind == Place::All)
            linear = true;
        else
            kinks.emplace_back(-network.bias(neuron) / network.weight(neuron, 0), places[i].kind == Place::Point ? on_point : side);
    }
    std::sort(kinks.begin(), kinks.end());
    std::string text;
    for (const auto& [kink, letter] : kinks) text += letter;
    return linear ? text + "+" : text;
}

/// A network in the units of the points, and whether it is what the pattern wants, judged by the numbers of the network alone.
class Judged {
public:
    Judged(const TrueRisk& risk, const Points& points, const std::vector<Place>& places, const Fitted& fitted)
        : risk_(risk), points_(points), places_(places) {
        const auto width = static_cast<std::int64_t>(places.size());
        level_.network = Network(width, 1);
        Network& network = level_.network;
        Real outer_bias = points.output_mean + points.output_scale * fitted.outer_bias;
        for (std::int64_t i = 0; i < width; ++i) {
            const Place& place = places[static_cast<std::size_t>(i)];
            const Affine& neuron = fitted.neurons[static_cast<std::size_t>(i)];
            const Real slope = neuron.slope * points.output_scale / points.reach;
            if (!(std::fabs(neuron.slope) > margin)) idle_ = true;
            Real kink = points.middle - points.reach * neuron.constant / neuron.slope;
            if (place.kind == Place::Point) kink = points.inputs[static_cast<std::size_t>(place.at)];
            if (place.kind == Place::All) {
                kink = points.middle - 3 * points.reach;
                outer_bias += slope * (kink - points.middle) + points.output_scale * neuron.constant;
            }
            network.weight(i, 0) = place.left ? -1 : 1;
            network.bias(i) = static_cast<double>(place.left ? kink : -kink);
            network.outer(i) = static_cast<double>(place.left ? -slope : slope);
        }
        network.outer_bias() = static_cast<double>(outer_bias);
        level_.risk = risk(network);
        level_.shape = shape_of(places, network);
    }

    /// nullopt if a condition of a local minimum does not hold, or a narrower network does the same.
    std::optional<DataLevel> level(const Pattern& pattern) {
        if (idle_ || !std::isfinite(level_.risk)) return std::nullopt;
        const Eigen::VectorXd eigenvalues =
            Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(pattern.hessian(), Eigen::EigenvaluesOnly).eigenvalues();
        level_.largest_eigenvalue = eigenvalues(eigenvalues.size() - 1);
        const double least = eigenvalues(0);
        level_.smallest_eigenvalue = least > static_cast<double>(dependent) * level_.largest_eigenvalue ? least : 0;
        level_.strict = true;
        if (risk_.is_zero(level_.risk)) {  // there is nothing below
            level_.risk = 0;
            return level_;
        }
        // Where kinks fit within rounding only, the numbers of a network may be too large for its outputs.
        const Real scale = points_.output_scale * points_.output_scale;
        if (!(level_.risk <= scale * pattern.risk() * (1 + 1e-6L) + 1e-18L * scale)) return std::nullopt;
        look_at_residuals();
        look_at_kinks();
        look_at_sums();
        return possible_ ? std::optional(level_) : std::nullopt;
    }

private:
    /// `holds`: by how much, in units in which `unit` is what rounding may make of it.
    void demand(Real holds, Real unit) {
        possible_ = possible_ && holds >= -unit;
        level_.strict = level_.strict && holds > unit;
    }

    /// weight (N - y) of each different input, and how exact that is.
    void look_at_residuals() {
        const Network& network = level_.network;
        Real largest = 0;
        for (int k = 0; k < points_.count(); ++k) {
            const double x = points_.inputs[static_cast<std::size_t>(k)];
            const Real output = realization(risk_.problem().activation, network, &x, nullptr);
            Real size = std::fabs(static_cast<Real>(network.outer_bias()));
            for (std::int64_t i = 0; i < network.width; ++i)
                size += std::fabs(static_cast<Real>(network.outer(i))) * (std::fabs(x) + std::fabs(network.bias(i)));
            largest = std::max(largest, size);
            residual_.push_back(points_.weight[static_cast<std::size_t>(k)] * (output - points_.output_mean) / points_.output_scale -
                                points_.sum_y[static_cast<std::size_t>(k)]);
        }
        unit_ = margin * std::sqrt(static_cast<Real>(level_.risk)) / points_.output_scale + 1e-14L * largest / points_.output_scale;
    }

    /// Every neuron is active where it is to be, and on no other point.
    void look_at_kinks() {
        const Network& network = level_.network;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const Place& place = places_[i];
            const auto neuron = static_cast<std::int64_t>(i);
            const auto towards = [&](int k) {  // how far inside the half line on which it is active
                const double x = points_.inputs[static_cast<std::size_t>(k)];
                return (static_cast<Real>(network.weight(neuron, 0)) * x + network.bias(neuron)) / points_.reach;
            };
            const double exact = 1e-12 * (1 + std::fabs(static_cast<double>(points_.middle / points_.reach)));
            const auto hold = [&](Real holds) {
                possible_ = possible_ && holds >= -margin;
                level_.strict = level_.strict && holds > exact;
            };
            if (place.kind != Place::Gap) continue;  // by construction
            hold(towards(place.left ? place.at : place.at + 1));
            hold(-towards(place.left ? place.at + 1 : place.at));
        }
    }

    /// The generalized gradient contains 0.
    void look_at_sums() {
        const auto sums = [&](int first, int end) {
            Real plain = 0, times_x = 0, mass = 0;
            for (int k = first; k < end; ++k) {
                const auto m = static_cast<std::size_t>(k);
                plain += residual_[m], times_x += residual_[m] * points_.x[m], mass += points_.weight[m];
            }
            return std::array<Real, 3>{plain, times_x, std::sqrt(mass)};
        };
        Real square = 0;
        const auto vanish = [&](Real sum, Real root) {
            possible_ = possible_ && std::fabs(sum) <= unit_ * root;
            square += 4 * sum * sum;
        };
        const auto whole = sums(0, points_.count());
        vanish(whole[0], 1);
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const Place& place = places_[i];
            const auto [plain, times_x, root] = sums(place.first, place.end);
            if (place.kind != Place::Point) {
                vanish(plain, root);
                vanish(times_x, root);
                continue;
            }
            const auto at = static_cast<std::size_t>(place.at);
            vanish(times_x - points_.x[at] * plain, 2 * root);
            const Real sign = level_.network.outer(static_cast<std::int64_t>(i)) > 0 ? 1 : -1, bend = residual_[at];
            demand(sign * bend, unit_ * std::sqrt(points_.weight[at]));
            demand(-sign * plain, unit_ * root);
            demand(sign * (plain + bend), unit_ * std::sqrt(root * root + points_.weight[at]));
        }
        level_.gradient = static_cast<double>(std::sqrt(square));
    }

    const TrueRisk& risk_;
    const Points& points_;
    const std::vector<Place>& places_;
    DataLevel level_;
    std::vector<Real> residual_;
    Real unit_ = 0;
    bool idle_ = false, possible_ = true;
};

/// All choices of places for 0 .. width neurons. Those that a narrower network does as well are left out: two linear neurons, two kinks on
/// one point to the same side, three in one gap (two of them, with v of both signs, already make any affine function there).
class Patterns {
public:
    Patterns(const TrueRisk& risk, std::int64_t width, const SearchControl& control)
        : risk_(risk), points_(risk.nodes(Network(0, 1))), places_(places_of(points_.count())), width_(width), control_(control) {
        total_ = 1;
        double of_width = 1;
        for (std::int64_t k = 1; k <= width; ++k) {
            of_width *= (static_cast<double>(places_.size()) + static_cast<double>(k) - 1) / static_cast<double>(k);
            total_ += of_width;
        }
        if (total_ > most_patterns)
            throw Error(ExitCode::Usage,
                        fmt::format("{}: {} different inputs and width {} make {:.2g} patterns of kinks between and on the points; at most "
                                    "{:.2g} are searched. A smaller --width has fewer",
                                    risk.problem().label, points_.count(), width, total_, most_patterns));
    }

    std::vector<DataLevel> levels() {
        add(0);
        std::sort(found_.begin(), found_.end(), [](const DataLevel& a, const DataLevel& b) {
            return std::tuple(a.risk, a.network.width) < std::tuple(b.risk, b.network.width);
        });
        std::vector<DataLevel> levels;
        for (DataLevel& level : found_) {
            if (!levels.empty() && level.risk - levels.back().risk <= level_tolerance * level.risk) {
                // The narrower, unless only the other is proved.
                DataLevel& known = levels.back();
                const auto rank = [](const DataLevel& one) { return std::tuple(!one.strict, one.network.width); };
                if (rank(level) < rank(known)) known = std::move(level);
                continue;
            }
            levels.push_back(std::move(level));
        }
        return levels;
    }

private:
    void add(std::size_t from) {
        constexpr std::int64_t often = 1 << 12;
        if (++looked_at_ % often == 0) {
            SearchClock(control_).poll();
            if (control_.progress) control_.progress({width_, width_, static_cast<double>(looked_at_) / total_});
        }
        const Pattern pattern(points_, chosen_);
        for (const Fitted& fitted : pattern.local_minima())
            if (std::optional<DataLevel> level = Judged(risk_, points_, chosen_, fitted).level(pattern)) {
                found_.push_back(std::move(*level));
                if (found_.back().strict) break;
            }
        if (static_cast<std::int64_t>(chosen_.size()) == width_) return;
        for (std::size_t k = from; k < places_.size(); ++k) {
            const auto times = std::count_if(chosen_.begin(), chosen_.end(), [&](const Place& one) {
                return one.kind == places_[k].kind && one.left == places_[k].left && one.at == places_[k].at;
            });
            if (times == (places_[k].kind == Place::Gap ? 2 : 1)) continue;
            chosen_.push_back(places_[k]);
            add(k);
            chosen_.pop_back();
        }
    }

    const TrueRisk& risk_;
    const Points points_;
    const std::vector<Place> places_;
    const std::int64_t width_;
    const SearchControl& control_;
    double total_ = 0;
    std::int64_t looked_at_ = 0;
    std::vector<Place> chosen_;
    std::vector<DataLevel> found_;
};

}  // namespace

bool has_pattern_search(const Problem& problem) {
    return problem.has_shared_data() && problem.input.dimension == 1 && problem.activation.kind == kernels::ActivationKind::Relu &&
           problem.has_squared_loss();
}

std::vector<DataLevel> data_levels(const TrueRisk& risk, std::int64_t width, const SearchControl& control) {
    if (width > widest_on_data)
        throw Error(ExitCode::Usage, fmt::format("levels on data points are searched up to width {}, not {}", widest_on_data, width));
    return Patterns(risk, width, control).levels();
}

}  // namespace limrisk::optimum
