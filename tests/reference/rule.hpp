// Where a law's mass lies, and the nodes and weights of grids and rules. docs/numerics.md section 12.
// Part of the scalar reference: shares no code with kernels/ or src/evaluation/.
#pragma once
#include <cstdint>
#include <vector>

#include "campaign/cell.hpp"

namespace limrisk::reference {

/// Distribution function of the standard normal law.
double normal_probability(double z);

struct Ends {
    double low, high;
};
Ends domain_of(const InputLaw& input);
double density_normalizer_of(const InputLaw& input);
/// At x of the domain, d = 1.
double density_at(const InputLaw& input, double normalizer, double x);

/// Last coordinate fastest.
struct Nodes {
    std::vector<double> inputs;   ///< [count][dimension]
    std::vector<double> weights;  ///< [count]
};
Nodes grid_nodes(const InputLaw& input, std::int64_t per_axis);
/// d <= 3: `count` nodes per axis; else, and on a sphere or ball, points in all. d <= 8 only, in a ball 7: direction numbers of the
/// reference.
Nodes rule_nodes(const InputLaw& input, std::int64_t count);

}  // namespace limrisk::reference
