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
    Costs(const LineIntegral& integral, const std::vector<double>& grid) : cells_(grid.size() - 1), cost_((cells_ + 1) * (cells_ + 1)) {
        std::vector<Moments> cell(cells_);
        std::vector<LineNode> nodes;
        for (std::size_t i = 0; i < cells_; ++i) {
            nodes.clear();
            integral.append_nodes(grid[i], grid[i + 1], nodes);
            for (const LineNode& node : nodes) cell[i].merge({node.weight, node.x, node.target, 0, 0, 0});
        }
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

}  // namespace

std::vector<Partition> best_partitions(const LineIntegral& integral, int largest, int cells) {
    const std::vector<double> grid = integral.grid(cells);
    const Costs cost(integral, grid);
    const std::size_t n = cost.cells();
    // |f - g| of the exact target is at least that of the computed one less their distance.
    const auto bound = [&](double risk) {
        const double distance = std::max(0.0, std::sqrt(risk) - integral.noise());
        return distance * distance;
    };
    std::vector<Partition> partitions(static_cast<std::size_t>(largest) + 1);
    partitions[0].lower_bound = bound(cost(0, n));
    // exact[j]: pieces that end at grid point j. open[c]: pieces whose last kink lies somewhere in cell c, which does not count.
    std::vector<double> exact(n + 1), open(n);
    for (std::size_t j = 0; j <= n; ++j) exact[j] = cost(0, j);
    for (std::size_t c = 0; c < n; ++c) open[c] = cost(0, c);
    std::vector<std::vector<std::size_t>> origin;
    for (std::size_t k = 1; k < partitions.size(); ++k) {
        std::vector<double> next(n + 1, HUGE_VAL);
        origin.emplace_back(n + 1, 0);
        for (std::size_t j = 1; j <= n; ++j)
            for (std::size_t i = 0; i < j; ++i)
                if (const double sum = exact[i] + cost(i, j); sum < next[j]) next[j] = sum, origin.back()[j] = i;
        exact = std::move(next);
        std::size_t end = n;
        for (std::size_t p = k; p-- > 0;) {
            end = origin[p][end];
            partitions[k].kinks.insert(partitions[k].kinks.begin(), grid[end]);
        }
        double least = HUGE_VAL;
        for (std::size_t c = 0; c < n; ++c) least = std::min(least, open[c] + cost(c + 1, n));
        partitions[k].lower_bound = bound(least);
        std::vector<double> further(n, HUGE_VAL);
        for (std::size_t d = 0; d < n; ++d)
            for (std::size_t c = 0; c <= d; ++c) further[d] = std::min(further[d], open[c] + cost(c + 1, d));
        open = std::move(further);
    }
    return partitions;
}

}  // namespace limrisk::optimum
