// cost(i, j) = least risk of one affine function on the cells i .. j - 1, from centred moments that are merged without cancellation.
#include "optimum/partition.hpp"

#include <algorithm>
#include <cmath>

namespace limrisk::optimum {
namespace {

/// Mass, means and centred second moments of (x, f) on a range.
struct Moments {
    double mass = 0, x = 0, f = 0, xx = 0, xf = 0, ff = 0;

    void merge(const Moments& other) {
        if (other.mass == 0) return;
        const double sum = mass + other.mass, dx = other.x - x, df = other.f - f, factor = mass * other.mass / sum;
        xx += other.xx + factor * dx * dx;
        xf += other.xf + factor * dx * df;
        ff += other.ff + factor * df * df;
        x += dx * other.mass / sum;
        f += df * other.mass / sum;
        mass = sum;
    }
    /// Rounded down: the bound must not be too large.
    double least_risk() const {
        const double explained = xx > 0 ? xf * xf / xx : 0;
        return std::max(0.0, ff - explained - 1e-13 * ff);
    }
};

class Costs {
public:
    explicit Costs(const std::vector<Moments>& cell) : cells_(cell.size()), cost_((cells_ + 1) * (cells_ + 1)) {
        for (std::size_t i = 0; i < cells_; ++i) {
            Moments sum;
            for (std::size_t j = i; j < cells_; ++j) {
                sum.merge(cell[j]);
                cost_[i * (cells_ + 1) + j + 1] = sum.least_risk();
            }
        }
    }
    std::size_t cells() const { return cells_; }
    double operator()(std::size_t i, std::size_t j) const { return i >= j ? 0 : cost_[i * (cells_ + 1) + j]; }

private:
    std::size_t cells_;
    std::vector<double> cost_;
};

/// Least risks of so many pieces on the cells 0 .. n - 1.
struct FreePieces {
    std::vector<std::size_t> ends;  ///< first cells of the second and of further pieces
    double risk = 0;                ///< if every piece is made of whole cells
    double least = 0;               ///< of pieces that end anywhere: the cells in which they may end do not count
};

/// [0..largest] by the number of pieces less one.
std::vector<FreePieces> best_free_pieces(const Costs& cost, int largest) {
    const std::size_t n = cost.cells();
    std::vector<FreePieces> pieces(static_cast<std::size_t>(largest) + 1);
    pieces[0].risk = pieces[0].least = cost(0, n);
    // exact[j]: pieces that end before cell j. open[c]: pieces whose last end lies somewhere in cell c, which does not count.
    std::vector<double> exact(n + 1), open(n);
    for (std::size_t j = 0; j <= n; ++j) exact[j] = cost(0, j);
    for (std::size_t c = 0; c < n; ++c) open[c] = cost(0, c);
    std::vector<std::vector<std::size_t>> origin;
    for (std::size_t k = 1; k < pieces.size(); ++k) {
        std::vector<double> next(n + 1, HUGE_VAL);
        origin.emplace_back(n + 1, 0);
        for (std::size_t j = 1; j <= n; ++j)
            for (std::size_t i = 0; i < j; ++i)
                if (const double sum = exact[i] + cost(i, j); sum < next[j]) next[j] = sum, origin.back()[j] = i;
        exact = std::move(next);
        pieces[k].risk = exact[n];
        std::size_t end = n;
        for (std::size_t p = k; p-- > 0;) {
            end = origin[p][end];
            pieces[k].ends.insert(pieces[k].ends.begin(), end);
        }
        pieces[k].least = HUGE_VAL;
        for (std::size_t c = 0; c < n; ++c) pieces[k].least = std::min(pieces[k].least, open[c] + cost(c + 1, n));
        std::vector<double> further(n, HUGE_VAL);
        for (std::size_t d = 0; d < n; ++d)
            for (std::size_t c = 0; c <= d; ++c) further[d] = std::min(further[d], open[c] + cost(c + 1, d));
        open = std::move(further);
    }
    return pieces;
}

std::vector<Moments> moments_of(const LineIntegral& integral, const std::vector<double>& grid) {
    std::vector<Moments> moments(grid.size() - 1);
    std::vector<LineNode> nodes;
    for (std::size_t i = 0; i < moments.size(); ++i) {
        nodes.clear();
        integral.append_nodes(grid[i], grid[i + 1], nodes);
        for (const LineNode& node : nodes) moments[i].merge({node.weight, node.x, node.target, 0, 0, 0});
    }
    return moments;
}

/// FreePieces::least of 1, ..., most pieces on a fine grid, of which none has a larger risk than `above`: pieces that are too long are
/// never looked at. Infinite if there are no such pieces; empty if there are too many to look at.
std::vector<double> least_of_short_pieces(const std::vector<Moments>& cell, std::size_t most, double above) {
    const std::size_t n = cell.size(), most_costs = 8 * n * (n / most);  // of pieces up to 8 times as long as usual
    // open[c][k]: k + 1 pieces that are before cell c, of which the last one ends in it, as above. Those from cell c on come after those
    // up to it.
    std::vector<double> open(n * most, HUGE_VAL), least(most, HUGE_VAL);
    std::size_t costs = 0;
    // before[k] and one more piece, which begins at the cell `first`.
    const auto go_on = [&](std::size_t first, const double* before, std::size_t count, std::size_t to) {
        Moments sum;
        for (std::size_t d = first; d <= n; ++d) {
            if (d > first) sum.merge(cell[d - 1]);
            const double risk = sum.least_risk();
            if (risk > above || ++costs > most_costs) break;
            double* const after = d < n ? open.data() + d * most : least.data();
            for (std::size_t k = 0; k < count; ++k) after[k + to] = std::min(after[k + to], before[k] + risk);
        }
    };
    const double none = 0;
    go_on(0, &none, 1, 0);
    for (std::size_t c = 0; c < n && costs <= most_costs; ++c) {
        double* const here = open.data() + c * most;
        for (std::size_t k = 1; k < most; ++k) here[k] = std::min(here[k], here[k - 1]);  // a piece inside of the cell
        go_on(c + 1, here, most - 1, 1);
    }
    return costs > most_costs ? std::vector<double>{} : least;
}

/// Sharper bounds of the risks of many pieces, of which the cells in which pieces may end are a large part.
///   rounding  of a risk, at most
void refine(std::vector<FreePieces>& pieces, const LineIntegral& integral, double rounding) {
    constexpr std::size_t coarse = 8, cells_of_piece = 320;
    for (std::size_t from = coarse; from + 1 < pieces.size() && pieces[from + 1].risk > rounding; from *= 2) {
        const std::size_t last = std::min(2 * from, pieces.size() - 1);
        const std::vector<double> grid = integral.grid(static_cast<int>(cells_of_piece * (last + 1)));
        // Neither the best pieces that are asked for, nor one of them, have a larger risk.
        const double above = pieces[from + 1].risk * (1 + 1e-9) + rounding;
        const std::vector<double> least = least_of_short_pieces(moments_of(integral, grid), last + 1, above);
        if (least.empty()) return;
        for (std::size_t k = from + 1; k < least.size(); ++k)
            if (std::isfinite(least[k])) pieces[k].least = std::max(pieces[k].least, least[k]);
    }
}

}  // namespace

std::vector<Partition> best_partitions(const LineIntegral& integral, int largest, int cells) {
    const std::vector<double> grid = integral.grid(cells);
    const std::vector<Moments> moments = moments_of(integral, grid);
    Moments whole;
    for (const Moments& cell : moments) whole.merge(cell);
    std::vector<FreePieces> all = best_free_pieces(Costs(moments), largest);
    refine(all, integral, 1e-12 * whole.ff);
    std::vector<Partition> partitions;
    for (const FreePieces& pieces : all) {
        // |f - g| of the exact target is at least that of the computed one less their distance.
        const double distance = std::max(0.0, std::sqrt(pieces.least) - integral.noise());
        partitions.push_back({{}, distance * distance});
        for (const std::size_t end : pieces.ends) partitions.back().kinks.push_back(grid[end]);
    }
    return partitions;
}

std::vector<double> least_risks_of_pieces(const NodeSet& points, int largest, std::size_t cells) {
    const std::vector<std::size_t> order = order_by_input(points);
    std::vector<Moments> inputs;  // of the points that share an input
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == 0 || points.inputs[order[i]] != points.inputs[order[i - 1]]) inputs.emplace_back();
        inputs.back().merge({points.weights[order[i]], points.inputs[order[i]], points.targets[order[i]], 0, 0, 0});
    }
    const bool whole = inputs.size() <= cells;  // pieces end between cells
    std::vector<Moments> moments(whole ? inputs.size() : cells);
    for (std::size_t i = 0; i < inputs.size(); ++i) moments[i * moments.size() / inputs.size()].merge(inputs[i]);
    std::vector<double> risks;
    for (const FreePieces& pieces : best_free_pieces(Costs(moments), largest)) {
        const double risk = whole ? pieces.risk : pieces.least;
        risks.push_back(risks.empty() ? risk : std::min(risk, risks.back()));  // more pieces than cells are no worse
    }
    return risks;
}

}  // namespace limrisk::optimum
