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

}  // namespace limrisk::optimum
