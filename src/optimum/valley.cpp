// See valley.hpp.
#include "optimum/valley.hpp"

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"

namespace limrisk::optimum {
namespace {

double distance(const Network& first, const Network& second) {
    double sum = 0;
    for (std::size_t i = 0; i < first.parameters.size(); ++i) sum += std::pow(first.parameters[i] - second.parameters[i], 2);
    return std::sqrt(sum);
}

bool is_finite(const Network& network) {
    return std::all_of(network.parameters.begin(), network.parameters.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

const char* valley_outcome_name(ValleyOutcome outcome) {
    switch (outcome) {
        case ValleyOutcome::Bottom:
            return "bottom";
        case ValleyOutcome::Unconfirmed:
            return "unconfirmed";
        case ValleyOutcome::Saddle:
            return "saddle";
        case ValleyOutcome::Unfinished:
            return "unfinished";
        case ValleyOutcome::Diverged:
            return "diverged";
    }
    throw Defect("unknown outcome of a descent");
}

ValleySearch::ValleySearch(const Problem& problem) : risk_(problem, has_exact_integral(problem) ? Integral::Exact : Integral::Program) {}

bool ValleySearch::same(double first, double second) const {
    return std::fabs(first - second) <= same_bottom * std::min(first, second) + risk_.largest_zero();
}

Valley ValleySearch::find(const Network& start, const SearchClock& clock) const {
    if (!is_finite(start) || !std::isfinite(risk_(start))) return {};
    const Polished slow = descend_slowly(risk_, start, clock);
    Valley valley{ValleyOutcome::Unfinished, slow.risk, risk_.gradient(slow.network).norm(), distance(start, slow.network)};
    if (!std::isfinite(valley.gradient_norm) || !std::isfinite(valley.distance)) return {};
    const double scale = risk_.variance() > 0 ? risk_.variance() : 1;
    if (!(valley.gradient_norm <= flat_gradient * scale) && !risk_.is_zero(slow.risk)) return valley;
    const Polished other = polish(risk_, descend_by_lbfgs(risk_, start, clock).network, clock);
    const double least = std::max(risk_.gradient(start).norm(), flat_gradient * scale);
    valley.outcome = !same(slow.risk, other.risk)      ? ValleyOutcome::Unconfirmed
                     : slow.steepest > steeper * least ? ValleyOutcome::Saddle
                                                       : ValleyOutcome::Bottom;
    return valley;
}

}  // namespace limrisk::optimum
