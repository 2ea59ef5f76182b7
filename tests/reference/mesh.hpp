// The breaks of a target of one variable, and the mesh of the accurate risk of a target without features narrower than its panels.
// docs/numerics.md section 12. Part of the scalar reference: shares no code with kernels/ or src/evaluation/.
#pragma once
#include <vector>

#include "reference/rule.hpp"
#include "reference/target.hpp"

namespace limrisk::reference {

/// Strictly inside (low, high), ascending.
std::vector<double> breaks_of(const TargetProgram& program, double low, double high);

/// Ascending, both ends of the domain included.
std::vector<double> mesh_of(const InputLaw& input, const TargetProgram& program);

}  // namespace limrisk::reference
