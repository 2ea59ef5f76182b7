// The fit of a pattern by its normal equations, and by elimination whether it can have its kinks where they are to be.
#include "optimum/data_pattern.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "limrisk/error.hpp"

namespace limrisk::optimum::patterns {
namespace {

/// One inequality g tau + h > 0.
struct Inequality {
    Vector g;
    Real h;
    Real size;  ///< of the numbers that it was made of: what is less than their rounding is 0
};

/// A point that fulfils all up to `slack`, in the middle of what is left where that has ends; by Fourier and Motzkin's elimination.
std::optional<Vector> interior_point(const std::vector<Inequality>& all, Eigen::Index variables, Real slack) {
    if (variables == 0) {
        for (const Inequality& one : all)
            if (!(one.h > -slack * one.size)) return std::nullopt;
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
    const std::optional<Vector> found = interior_point(fewer, last, slack);
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

}  // namespace

Points::Points(const NodeSet& nodes) {
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

Pattern::Pattern(const Points& points, const std::vector<Place>& places) : points_(points), places_(places) {
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

std::vector<Fitted> Pattern::local_minima() const {
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
            if (!(s * bend >= -slack && s * others <= slack_of_sums && s * (others + bend) >= -slack_of_sums)) signs[i] &= ~(1U << sign);
        }
        if (signs[i] == 0) return minima;
    }
    for (unsigned choice = 0; choice < 1U << count; ++choice) {
        bool possible = true;
        for (std::size_t i = 0; i < count; ++i) possible = possible && (signs[i] >> (choice >> i & 1U) & 1U) != 0;
        if (!possible) continue;
        if (auto found = with_signs(choice, margin)) minima.push_back(std::move(*found));
    }
    return minima;
}

void Pattern::fit() {
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
    for (Eigen::Index a = lu.rank(); a < size; ++a) clear_ = clear_ && !(std::fabs(lu.matrixLU()(a, a)) > surely_dependent * lu.maxPivot());
}

bool Pattern::may_be_a_network() const {
    for (unsigned choice = 0; choice < 1U << places_.size(); ++choice)
        if (with_signs(choice, excluded)) return true;
    return false;
}

Real Pattern::value(int k) const {
    Real sum = 0;
    for (std::size_t a = 0; a < columns_.size(); ++a)
        if (columns_[a].first <= k && k < columns_[a].end)
            sum += solution_(static_cast<Eigen::Index>(a)) * (columns_[a].constant + columns_[a].slope * x_of(k));
    return sum;
}

Real Pattern::sum_of_residuals(const Place& place) const {
    Real sum = -points_.wy(place.first, place.end);
    for (std::size_t a = 0; a < columns_.size(); ++a) {
        const int first = std::max(columns_[a].first, place.first), end = std::min(columns_[a].end, place.end);
        if (first < end)
            sum += solution_(static_cast<Eigen::Index>(a)) *
                   (columns_[a].constant * points_.w(first, end) + columns_[a].slope * points_.wx(first, end));
    }
    return sum;
}

std::optional<Fitted> Pattern::with_signs(unsigned choice, Real slack) const {
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
    const std::optional<Vector> found = interior_point(all, unknowns, slack);
    if (!found) return std::nullopt;
    Fitted fitted{solution_(0) + free_.row(0).dot(found->head(free)), {}};
    for (const Terms& one : terms)
        fitted.neurons.push_back(
            {one.constant.head(unknowns).dot(*found) + one.constant(unknowns), one.slope.head(unknowns).dot(*found) + one.slope(unknowns)});
    return fitted;
}

}  // namespace limrisk::optimum::patterns
