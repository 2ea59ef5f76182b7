// The true risk for d = 1, exact up to rounding: Gauss-Legendre between the kinks. docs/numerics.md section 10.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <vector>

#include "campaign/cell.hpp"
#include "reference/network.hpp"
#include "reference/target.hpp"

namespace limrisk::reference {

/// Where to integrate, and the density.
struct RiskDomain {
    std::vector<double> mesh;  ///< ascending, both ends of the domain and the breaks of the target
    double density_normalizer = 1;
    bool normal = false;  ///< density exp(-u^2/2) * normalizer, u = (x - mean) / deviation; else the normalizer alone
    double mean = 0, deviation = 1;
    TargetProgram density = {};  ///< not empty: this times the normalizer
};

/// Ends of the pieces: the mesh and the kinks of the network, ascending, without repetitions.
std::vector<double> breakpoints(const Shape& shape, const Activation<double>& activation, const std::vector<double>& parameters,
                                const std::vector<double>& mesh);

/// Integral of (N - target)^2 times the density over the pieces between consecutive `ends`, each piece cut into `parts` equal ones.
double integrate(const Shape& shape, const Activation<double>& activation, const std::vector<double>& parameters,
                 const TargetProgram& target, const RiskDomain& domain, const std::vector<double>& ends, int parts);

/// E (N(X) - target(X))^2. Smooth activations: pieces are halved until two results agree to 1e-13, at most ten times.
double accurate_risk(const Shape& shape, const Activation<double>& activation, const std::vector<double>& parameters,
                     const TargetProgram& target, const RiskDomain& domain);

}  // namespace limrisk::reference
