// On a cell of width w with midpoint c a function g with values in V and slopes in S has an integral within w max |V - g(c)| and within
// w^2 (max S - min S) / 8 of w g(c): the mean slope does not count, since c is the middle.
#include "evaluation/features.hpp"

#include <algorithm>
#include <cmath>

#include "evaluation/gauss_legendre.hpp"
#include "evaluation/interval_arithmetic.hpp"
#include "evaluation/scalar.hpp"

namespace limrisk {
namespace {

constexpr std::size_t most_cells = 8192;  ///< no bisection beyond
constexpr double wanted = 1e-5;           ///< share of the integrals that may stay unproved
constexpr double smallest_share = 0x1p-30;

struct Bounds {
    Interval value, slope;
};

Bounds product(const Bounds& a, const Bounds& b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }

Bounds density_bounds(const InputLaw& input, double normalizer, const Interval& x) {
    if (input.has_table()) {
        const double along = 1;
        const Enclosure density = enclose_target(density_law(input)->program(), &x, &along);
        return {density.value * Interval::point(normalizer), density.slope * Interval::point(normalizer)};
    }
    if (input.kind == InputLaw::Kind::Uniform) return {Interval::point(normalizer), {0, 0}};
    const Interval u = (x - Interval::point(input.mean)) / Interval::point(input.deviation);
    const Interval density = exponential(Interval::point(-0.5) * integer_power(u, 2)) * Interval::point(normalizer);
    return {density, -(u / Interval::point(input.deviation)) * density};
}

double distance(const Interval& values, double value) { return std::max(values.high - value, value - values.low); }

}  // namespace

Features::Features(const InputLaw& input, const kernels::Program& program, const std::vector<double>& points, double mean, double largest)
    : input_(input), program_(program), density_(input), mean_(mean), smallest_(smallest_share * (points.back() - points.front())) {
    double furthest = 0;
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
        cells_.push_back(cell(points[i], points[i + 1]));
        const double middle = 0.5 * (points[i] + points[i + 1]), f = evaluate_target(program_, &middle);
        if (std::isfinite(f)) furthest = std::max(furthest, std::fabs(f - mean));
    }
    rounding_ = {0x1p-40 * largest, 0x1p-40 * largest * std::max(furthest, 0x1p-40 * largest)};
    bisect();
}

Features::Integrals Features::values(double x) const {
    const double density = density_(x);
    const double distance = evaluate_target(program_, &x) - mean_;
    return {distance * density, distance * distance * density};
}

Features::Cell Features::cell(double low, double high) const {
    const Interval x{low, high};
    const double along = 1, width = high - low;
    const Interval centre = Interval::point(0.5 * low + 0.5 * high);
    const Enclosure target = enclose_target(program_, &x, &along);
    // By the slope from the middle, too, which is the better bound on a narrow cell.
    const Interval about = enclose_target(program_, &centre).value + target.slope * Interval{-0.5 * width, 0.5 * width};
    const Interval value{std::max(target.value.low, about.low), std::min(target.value.high, about.high)};
    const Bounds density = density_bounds(input_, density_.normalizer(), x), from_mean{value - Interval::point(mean_), target.slope};
    const Bounds square{integer_power(from_mean.value, 2), Interval::point(2) * from_mean.value * from_mean.slope};
    const Bounds integrands[functionals] = {product(from_mean, density), product(square, density)};
    const Integrals middle = values(centre.low);
    Cell cell{low, high, {}, {}};
    for (std::size_t k = 0; k < functionals; ++k) {
        cell.bound[k] = HUGE_VAL;
        if (!std::isfinite(middle[k])) continue;
        cell.integral[k] = width * middle[k];
        const double flat = width * distance(integrands[k].value, middle[k]), tilted = width * width * integrands[k].slope.width() / 8;
        if (flat < cell.bound[k]) cell.bound[k] = flat;
        if (tilted < cell.bound[k]) cell.bound[k] = tilted;
    }
    return cell;
}

bool Features::divisible(const Cell& cell) const {
    const double width = cell.high - cell.low;
    return width > smallest_ && width > 0x1p-44 * std::max(std::fabs(cell.low), std::fabs(cell.high));
}

/// Bisects what is unbounded, else what has more than a quarter of the mean bound, until the bounds are as small as wanted.
void Features::bisect() {
    for (;;) {
        Integrals bounds{}, sizes{};
        std::array<bool, functionals> unbounded{};
        for (const Cell& cell : cells_)
            for (std::size_t k = 0; k < functionals; ++k) {
                sizes[k] += std::fabs(cell.integral[k]);
                if (std::isfinite(cell.bound[k]))
                    bounds[k] += cell.bound[k];
                else if (divisible(cell))
                    unbounded[k] = true;
            }
        unproved_ = 0;
        std::array<bool, functionals> loose{};
        for (std::size_t k = 0; k < functionals; ++k) {
            const double excess = bounds[k] - rounding_[k];
            if (excess > 0) unproved_ = std::max(unproved_, excess / sizes[k]);
            loose[k] = unbounded[k] || excess > wanted * sizes[k];
        }
        const auto marked = [&](const Cell& cell) {
            if (!divisible(cell)) return false;
            for (std::size_t k = 0; k < functionals; ++k) {
                const double most =
                    unbounded[k] ? std::numeric_limits<double>::max() : bounds[k] / (4 * static_cast<double>(cells_.size()));
                if (loose[k] && cell.bound[k] > most) return true;
            }
            return false;
        };
        std::vector<Cell> next;
        if (cells_.size() < most_cells)
            for (const Cell& whole : cells_) {
                if (!marked(whole)) {
                    next.push_back(whole);
                    continue;
                }
                const double middle = 0.5 * (whole.low + whole.high);
                next.push_back(cell(whole.low, middle));
                next.push_back(cell(middle, whole.high));
            }
        if (next.size() <= cells_.size()) {
            if (unbounded[0] || unbounded[1]) unproved_ = HUGE_VAL;
            return;
        }
        cells_ = std::move(next);
    }
}

bool Features::missed(double low, double high) const {
    Integrals rule{}, integral{}, bound{};
    const double half = 0.5 * (high - low), middle = 0.5 * (low + high);
    for (int g = 0; g < 8; ++g) {
        const Integrals at = values(std::fma(half, gauss_legendre::abscissas_8[g], middle));
        for (std::size_t k = 0; k < functionals; ++k) rule[k] += half * gauss_legendre::weights_8[g] * at[k];
    }
    const auto add = [&](const Cell& cell) {
        for (std::size_t k = 0; k < functionals; ++k) integral[k] += cell.integral[k], bound[k] += cell.bound[k];
    };
    const auto behind = [](const Cell& cell, double x) { return cell.high <= x; };
    for (auto at = std::lower_bound(cells_.begin(), cells_.end(), low, behind); at != cells_.end() && at->low < high; ++at) {
        const bool inside = low <= at->low && at->high <= high;
        add(inside ? *at : cell(std::max(low, at->low), std::min(high, at->high)));
    }
    for (std::size_t k = 0; k < functionals; ++k)
        if (std::fabs(rule[k] - integral[k]) > bound[k] + rounding_[k]) return true;
    return false;
}

}  // namespace limrisk
