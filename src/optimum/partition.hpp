// Best fits by affine pieces that need not meet, from dynamic programming: starts for the kinks, and a lower bound of every risk.
#pragma once
#include <vector>

#include "optimum/line_integral.hpp"

namespace limrisk::optimum {

struct Partition {
    std::vector<double> kinks;  ///< of the best partition into kinks + 1 pieces whose ends lie on the grid
    /// No function with that many pieces, continuous or not, hence no network of that width nor a limit of some, has a smaller risk.
    double lower_bound = 0;
};

/// [0..largest] by the number of kinks. The grid has at most `cells` cells; a bound leaves out the cells in which the pieces may end, so a
/// finer grid makes it larger.
std::vector<Partition> best_partitions(const LineIntegral& integral, int largest, int cells = 512);

/// Of data points with one input: the least risks of 1 .. largest + 1 affine pieces that need not meet, hence lower bounds of the risks of
/// networks of the widths 0 .. largest. Exact up to `cells` different inputs; beyond, smaller, as inputs in one cell count as one and
/// those cells in which a piece ends do not count.
std::vector<double> least_risks_of_pieces(const NodeSet& points, int largest, std::size_t cells = 512);

}  // namespace limrisk::optimum
