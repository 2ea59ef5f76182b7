// Three independent sets of points, or one exact integral.
#include "optimum/confirmed_risk.hpp"

#include <algorithm>

namespace limrisk::optimum {

ConfirmedRisk::ConfirmedRisk(const Problem& problem, std::int64_t largest) {
    const InputLaw& input = problem.input;
    if (has_exact_integral(problem)) {
        fit_ = std::make_unique<TrueRisk>(problem, Integral::Exact);
    } else {
        constexpr std::int64_t least = 8192, most = 131072, per_parameter = 4;
        const std::int64_t parameters = largest * (input.dimension + 2) + 1;
        std::int64_t nodes = least;
        while (nodes < std::min(per_parameter * parameters, most / 4)) nodes *= 2;
        fit_ = std::make_unique<TrueRisk>(problem, shifted_sobol_rule(input, nodes, 1));
        choice_ = std::make_unique<TrueRisk>(problem, shifted_sobol_rule(input, 4 * nodes, 2));
        confirmation_ = std::make_unique<TrueRisk>(problem, shifted_sobol_rule(input, 4 * nodes, 3));
    }
    if (problem.has_final_rule()) program_ = std::make_unique<TrueRisk>(problem);
}

}  // namespace limrisk::optimum
