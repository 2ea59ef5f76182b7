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

}  // namespace

std::vector<Partition> best_partitions(const LineIntegral& integral, int largest, int cells) {
    const std::vector<double> grid = integral.grid(cells);
    std::vector<Moments> moments(grid.size() - 1);
    std::vector<LineNode> nodes;
    for (std::size_t i = 0; i < moments.size(); ++i) {
        nodes.clear();
        integral.append_nodes(grid[i], grid[i + 1], nodes);
        for (const LineNode& node : nodes) moments[i].merge({node.weight, node.x, node.target, 0, 0, 0});
    }
    std::vector<Partition> partitions;
    for (const FreePieces& pieces : best_free_pieces(Costs(moments), largest)) {
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
