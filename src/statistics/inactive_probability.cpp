// Reduces every question to P(max over the box <= a level), and picks the method.
#include "statistics/inactive_probability.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <utility>

#include "limrisk/error.hpp"
#include "statistics/normal_sum.hpp"
#include "statistics/uniform_sum.hpp"

namespace limrisk {
namespace {

using kernels::Law;
using kernels::LawKind;

constexpr double machine_epsilon = std::numeric_limits<double>::epsilon();

/// The law of -X.
Law reflected(Law law) {
    std::swap(law.low, law.high);
    law.low = -law.low;
    law.high = -law.high;
    law.mean = -law.mean;
    return law;
}

InactiveProbability closed_form(double value, double relative_error = 0) {
    return {value, value * relative_error, ProbabilityMethod::ClosedForm};
}

}  // namespace

std::string name_of(ProbabilityMethod method) {
    switch (method) {
        case ProbabilityMethod::ClosedForm:
            return "closed form";
        case ProbabilityMethod::ExactSum:
            return "exact sum";
        case ProbabilityMethod::Contour:
            return "contour integral";
    }
    throw Defect("name_of: a method of probability without a name");
}

InactiveProbability maximum_at_most(const Law& weight, const Law& bias, double low, double high, std::int64_t dimension, double level,
                                    bool strict) {
    if (!(low < high) || !std::isfinite(low) || !std::isfinite(high) || dimension < 1)
        throw Defect("maximum_at_most: the box is empty or infinite");
    const auto is_centred = [](const Law& law) { return law.kind != LawKind::Normal || law.mean == 0; };
    if (!is_centred(weight) || !is_centred(bias)) throw Defect("maximum_at_most: a normal law must have mean 0");
    if (weight.kind == LawKind::Uniform) return uniform_sum_probability(weight, bias, low, high, dimension, level, strict);
    if (weight.kind != LawKind::Normal) throw Defect("maximum_at_most: weights must be uniform or normal");
    if (bias.kind == LawKind::Zero && level < 0 && low <= 0 && high >= 0) return closed_form(0);  // the maximum is not negative
    if (bias.kind == LawKind::Zero && level == 0) {
        if (low < 0 && high > 0) return closed_form(0);  // z(0) = 0 inside the box
        // The maximum is 0 if no weight points into the box, which a box that touches 0 allows; else it is as often positive as negative.
        if (low == 0 || high == 0) return closed_form(strict ? 0 : std::ldexp(1, static_cast<int>(-dimension)));
        if (dimension == 1) return closed_form(0.5);
    }
    if (bias.kind == LawKind::Normal && dimension == 1 && level == 0) {
        // (w, b) is isotropic after scaling; the half-planes b + w x <= 0 for both ends meet in a sector.
        const double ratio = weight.deviation / bias.deviation;
        const double sector = std::atan2(ratio * (high - low), -1 - ratio * ratio * low * high);
        return closed_form(sector / (2 * std::numbers::pi), 16 * machine_epsilon);
    }
    return normal_sum_probability(weight, bias, low, high, dimension, level);
}

InactiveProbability frozen_probability(const kernels::Initialization& laws, const kernels::Activation& activation, const Law& input,
                                       bool bounded, std::int64_t dimension) {
    const Law &weight = laws.inner_weight, &bias = laws.inner_bias;
    // Without a box z is unbounded both ways unless all weights are 0.
    if (!bounded) return closed_form(0);
    // Frozen on the lower half line: the maximum of z is at most the first kink. On the upper one: that of -z is below minus the last kink.
    const kernels::ActivationTraits& traits = kernels::traits_of(activation.kind);
    const auto freezes = [&](int piece) { return traits.kink_count > 0 && traits.pieces[piece].form == kernels::PieceForm::Constant; };
    std::optional<InactiveProbability> below, above;
    if (freezes(0)) below = maximum_at_most(weight, bias, input.low, input.high, dimension, traits.kinks[0].at.of(activation));
    if (freezes(traits.kink_count))
        above = maximum_at_most(reflected(weight), reflected(bias), input.low, input.high, dimension,
                                -traits.kinks[traits.kink_count - 1].at.of(activation), true);
    if (!below || !above) return below ? *below : above ? *above : closed_form(0);
    return {std::min(1.0, below->value + above->value), below->error + above->error + machine_epsilon * (below->value + above->value),
            std::max(below->method, above->method)};
}

}  // namespace limrisk
