// Reduces every question to P(max over the box <= a level), and picks the method.
#include "statistics/inactive_probability.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
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

/// A law of one value, `low`.
bool is_constant(const Law& law) { return law.kind == LawKind::Zero || (law.kind == LawKind::Uniform && law.low == law.high); }

/// P(b <= level), or P(b < level).
InactiveProbability closed_form_of_bias(const Law& bias, double level, bool strict) {
    if (is_constant(bias)) return closed_form(strict ? bias.low < level : bias.low <= level);
    if (bias.kind == LawKind::Uniform)
        return closed_form(std::clamp((level - bias.low) / (bias.high - bias.low), 0.0, 1.0), 4 * machine_epsilon);
    if (bias.kind != LawKind::Normal || bias.mean != 0) throw Defect("maximum_at_most: a bias must be uniform, zero or normal with mean 0");
    return closed_form(0.5 * std::erfc(-level / bias.deviation / std::numbers::sqrt2), 16 * machine_epsilon);
}

/// From the probabilities of each half line on which A is constant.
///   at_most(weight, bias, level, strict)  that the maximum of z is at most `level`, or below it; nothing if it is not known
template <class AtMost>
std::optional<InactiveProbability> frozen_by_sides(const kernels::Initialization& laws, const kernels::Activation& activation,
                                                   StillNeuron what, const AtMost& at_most) {
    const Law &weight = laws.inner_weight, &bias = laws.inner_bias;
    // Frozen on the lower half line: the maximum of z is at most the first kink. On the upper one: that of -z is below minus the last kink.
    const kernels::ActivationTraits& traits = kernels::traits_of(activation.kind);
    const auto freezes = [&](int piece) {
        if (what == StillNeuron::Inactive) return traits.kink_count > 0 && kernels::is_zero_on(activation, piece);
        return traits.kink_count > 0 && traits.pieces[piece].form == kernels::PieceForm::Constant;
    };
    // Without weights z is the bias, whatever the input.
    const auto maximum = [&](const Law& w, const Law& b, double level, bool strict) -> std::optional<InactiveProbability> {
        if (is_constant(w) && w.low == 0) return closed_form_of_bias(b, level, strict);
        return at_most(w, b, level, strict);
    };
    InactiveProbability both = closed_form(0);
    if (freezes(0)) {
        const std::optional<InactiveProbability> below = maximum(weight, bias, traits.kinks[0].at.of(activation), false);
        if (!below) return std::nullopt;
        both = *below;
    }
    if (freezes(traits.kink_count)) {
        const std::optional<InactiveProbability> above =
            maximum(reflected(weight), reflected(bias), -traits.kinks[traits.kink_count - 1].at.of(activation), true);
        if (!above) return std::nullopt;
        if (!freezes(0)) return above;
        both = {std::min(1.0, both.value + above->value), both.error + above->error + machine_epsilon * (both.value + above->value),
                std::max(both.method, above->method)};
    }
    return both;
}

/// A sum of positive and negative parts.
struct Parts {
    double value = 0, magnitude = 0;
    void add(double part) {
        value += part;
        magnitude += std::abs(part);
    }
};

/// E (room - radius |w|)^+ for w of independent coordinates; nothing if it is not known.
std::optional<Parts> mean_room(const Law& weight, double radius, std::int64_t dimension, double room) {
    Parts parts;
    if (!(room > 0)) return parts;
    const double d = static_cast<double>(dimension), farthest = room / radius;
    if (weight.kind == LawKind::Normal) {
        // |w| / deviation has the law chi: E (chi; chi <= c) = sqrt(2) Gamma((d+1)/2) / Gamma(d/2) P((d+1)/2, c^2/2).
        const double half_square = 0.5 * (farthest / weight.deviation) * (farthest / weight.deviation);
        parts.add(room * boost::math::gamma_p(0.5 * d, half_square));
        parts.add(-radius * weight.deviation * std::numbers::sqrt2 / boost::math::tgamma_delta_ratio(0.5 * d, 0.5) *
                  boost::math::gamma_p(0.5 * (d + 1), half_square));
        return parts;
    }
    if (weight.kind != LawKind::Uniform || weight.low != -weight.high || farthest > weight.high) return std::nullopt;
    // The ball |w| <= farthest lies in the cube of the weights: a cone over it, over the volume of the cube.
    const double share =
        std::exp(0.5 * d * std::log(std::numbers::pi / 4) - std::lgamma(0.5 * d + 1)) * std::pow(farthest / weight.high, d);
    parts.add(room * share / (d + 1));
    return parts;
}

/// P(b + radius |w| <= level); nothing if it is not known.
std::optional<InactiveProbability> at_most_in_ball(const Law& weight, const Law& bias, double radius, std::int64_t dimension,
                                                   double level) {
    if (is_constant(bias) && bias.kind == LawKind::Uniform)
        return at_most_in_ball(weight, {LawKind::Zero, 0, 0, 0, 0, 0, 0}, radius, dimension, level - bias.low);
    constexpr double accuracy = 4096 * machine_epsilon;  // of the special functions, for d up to 256
    const double d = static_cast<double>(dimension);
    if (bias.kind == LawKind::Zero) {
        if (level <= 0) return closed_form(0);
        if (weight.kind != LawKind::Normal) return std::nullopt;
        const double farthest = level / (radius * weight.deviation);
        return closed_form(boost::math::gamma_p(0.5 * d, 0.5 * farthest * farthest), accuracy);
    }
    if (bias.kind == LawKind::Normal) {
        // -b / |w| is Student's t with d degrees of freedom, scaled.
        if (level != 0 || weight.kind != LawKind::Normal || bias.mean != 0) return std::nullopt;
        const double ratio = radius * weight.deviation / bias.deviation;
        return closed_form(0.5 * boost::math::ibeta(0.5 * d, 0.5, 1 / (1 + ratio * ratio)), accuracy);
    }
    if (bias.kind != LawKind::Uniform) return std::nullopt;
    const double length = bias.high - bias.low;
    const std::optional<Parts> low = mean_room(weight, radius, dimension, level - bias.low),
                               high = mean_room(weight, radius, dimension, level - bias.high);
    if (!low || !high) return std::nullopt;
    return InactiveProbability{std::clamp((low->value - high->value) / length, 0.0, 1.0),
                               accuracy * (low->magnitude + high->magnitude) / length, ProbabilityMethod::ClosedForm};
}

/// The size x of a coordinate of a random unit vector: x^2 has the law Beta(1/2, (width - 1) / 2).
struct UnitCoordinate {
    std::int64_t width;
    double half() const { return 0.5 * static_cast<double>(width - 1); }
    /// P(x <= t), P(x < t) for width 1.
    double at_most(double t, bool strict) const {
        if (t <= 0) return 0;
        if (width == 1) return strict ? t > 1 : t >= 1;
        return t >= 1 ? 1 : boost::math::ibeta(0.5, half(), t * t);
    }
    double mean() const {
        return width == 1 ? 1 : 1 / (half() * boost::math::beta(0.5, half()));  // B(1, half) = 1 / half
    }
    /// E (x; x <= t).
    double mean_up_to(double t) const {
        if (t <= 0) return 0;
        if (t >= 1) return mean();
        return width == 1 ? 0 : -mean() * std::expm1(half() * std::log1p(-t * t));
    }
};

/// E (room - slope x)^+, as parts.
Parts mean_room(const UnitCoordinate& x, double slope, double room) {
    Parts parts;
    const double t = slope == 0 ? 0 : room / slope;
    if (slope == 0) {
        parts.add(std::max(room, 0.0));
    } else if (slope > 0) {
        parts.add(room > 0 ? room * x.at_most(t, false) : 0);
        parts.add(-slope * x.mean_up_to(t));
    } else {  // x beyond t, which is negative where room is not
        parts.add(room * (1 - x.at_most(t, false)));
        parts.add(-slope * (x.mean() - x.mean_up_to(t)));
    }
    return parts;
}

/// E F(t) for t of the law Beta(2, 1), F smooth but at `corner`.
template <class Value>
InactiveProbability mean_over_beta(double corner, const Value& value) {
    const double ends[] = {0, std::clamp(corner, 0.0, 1.0), 1};
    InactiveProbability mean{0, 0, ProbabilityMethod::Mean};
    double coarse = 0, largest_error = 0;
    const auto integral = [&](const auto& rule) {
        double sum = 0;
        for (int piece = 0; piece < 2; ++piece)
            if (ends[piece] < ends[piece + 1])
                sum += rule.integrate(
                    [&](double t) {
                        const InactiveProbability at = value(t);
                        largest_error = std::max(largest_error, at.error);
                        return 2 * t * at.value;
                    },
                    ends[piece], ends[piece + 1]);
        return sum;
    };
    coarse = integral(boost::math::quadrature::gauss<double, 20>());
    mean.value = std::clamp(integral(boost::math::quadrature::gauss<double, 30>()), 0.0, 1.0);
    mean.error = std::abs(mean.value - coarse) + largest_error + 64 * machine_epsilon * mean.value;
    return mean;
}

/// The box without one of its coordinates.
std::vector<BoxSides> without_coordinate(std::vector<BoxSides> box, std::size_t side) {
    if (--box[side].count == 0) box.erase(box.begin() + static_cast<std::ptrdiff_t>(side));
    return box;
}

/// P(max z <= level) where one entry is `sign` times a Beta variate.
InactiveProbability asymmetric_at_most(const Law& weight, const Law& bias, const std::vector<BoxSides>& box, double level, bool strict,
                                       double sign) {
    constexpr Law zero{LawKind::Zero, 0, 0, 0, 0, 0, 0};
    double entries = 1;
    InactiveProbability sum =
        mean_over_beta(sign * level, [&](double t) { return *maximum_at_most(weight, zero, box, level - sign * t, strict); });
    for (std::size_t side = 0; side < box.size(); ++side) {
        const std::vector<BoxSides> rest = without_coordinate(box, side);
        const double farthest = sign > 0 ? box[side].high : -box[side].low, count = static_cast<double>(box[side].count);
        const InactiveProbability part = mean_over_beta(farthest == 0 ? 0 : level / farthest, [&](double t) {
            return rest.empty() ? closed_form_of_bias(bias, level - t * farthest, strict)
                                : *maximum_at_most(weight, bias, rest, level - t * farthest, strict);
        });
        entries += count;
        sum.value += count * part.value;
        sum.error += count * part.error;
    }
    return {std::clamp(sum.value / entries, 0.0, 1.0), sum.error / entries, ProbabilityMethod::Mean};
}

}  // namespace

std::optional<InactiveProbability> asymmetric_frozen_probability(double deviation, const kernels::Activation& activation,
                                                                 const std::vector<BoxSides>& box, StillNeuron what) {
    std::int64_t dimension = 0;
    for (const BoxSides& side : box) dimension += side.count;
    if (dimension > 16) return std::nullopt;
    const Law normal{LawKind::Normal, 0, 0, 0, deviation, 0, 0};
    // The upper half line is that of the reflected laws, with its end left out.
    return frozen_by_sides({normal, normal, {}, {}}, activation, what, [&](const Law& w, const Law& b, double level, bool upper) {
        return std::optional(asymmetric_at_most(w, b, box, level, upper, upper ? -1 : 1));
    });
}

std::string name_of(ProbabilityMethod method) {
    switch (method) {
        case ProbabilityMethod::ClosedForm:
            return "closed form";
        case ProbabilityMethod::ExactSum:
            return "exact sum";
        case ProbabilityMethod::Contour:
            return "contour integral";
        case ProbabilityMethod::Mean:
            return "mean of contour integrals";
        case ProbabilityMethod::Drawn:
            return "drawn neurons";
    }
    throw Defect("name_of: a method of probability without a name");
}

bool has_frozen_probability(const kernels::Initialization& laws) {
    const Law &weight = laws.inner_weight, &bias = laws.inner_bias;
    if (weight.kind == LawKind::TruncatedNormal || bias.kind == LawKind::TruncatedNormal) return false;
    if (is_constant(weight) && is_constant(bias)) return weight.kind == bias.kind && bias.kind == LawKind::Zero;
    return is_constant(weight) || weight.kind == LawKind::Normal || bias.kind != LawKind::Normal;
}

std::optional<InactiveProbability> maximum_at_most(const Law& weight, const Law& bias, const std::vector<BoxSides>& box, double level,
                                                   bool strict) {
    std::int64_t dimension = 0;
    bool around_zero = true, beside_zero = true;  // of every side: low <= 0 <= high; low < 0 < high nowhere
    for (const BoxSides& side : box) {
        if (!(side.low < side.high) || !std::isfinite(side.low) || !std::isfinite(side.high) || side.count < 1)
            throw Defect("maximum_at_most: the box is empty or infinite");
        dimension += side.count;
        around_zero = around_zero && side.low <= 0 && side.high >= 0;
        beside_zero = beside_zero && !(side.low < 0 && side.high > 0);
    }
    if (dimension < 1) throw Defect("maximum_at_most: the box has no sides");
    if (is_constant(weight)) {
        double most = 0;
        for (const BoxSides& side : box) most += static_cast<double>(side.count) * std::max(weight.low * side.low, weight.low * side.high);
        return closed_form_of_bias(bias, level - most, strict);
    }
    if (is_constant(bias) && bias.kind == LawKind::Uniform)
        return maximum_at_most(weight, {LawKind::Zero, 0, 0, 0, 0, 0, 0}, box, level - bias.low, strict);
    const auto is_centred = [](const Law& law) { return law.kind != LawKind::Normal || law.mean == 0; };
    if (!is_centred(weight) || !is_centred(bias)) throw Defect("maximum_at_most: a normal law must have mean 0");
    if (weight.kind == LawKind::Uniform) return uniform_sum_probability(weight, bias, box, level, strict);
    if (weight.kind != LawKind::Normal) throw Defect("maximum_at_most: weights must be uniform or normal");
    if (bias.kind == LawKind::Zero && level < 0 && around_zero) return closed_form(0);  // the maximum is not negative
    if (bias.kind == LawKind::Zero && level == 0) {
        // z(0) = 0, and with a side around 0 the maximum is positive. With sides that touch 0 it is 0 if no weight points into the box.
        if (around_zero && !beside_zero) return closed_form(0);
        if (around_zero) return closed_form(strict ? 0 : std::ldexp(1, static_cast<int>(-dimension)));
        if (dimension == 1) return closed_form(0.5);  // as often positive as negative
    }
    if (bias.kind == LawKind::Normal && dimension == 1 && level == 0) {
        // (w, b) is isotropic after scaling; the half-planes b + w x <= 0 for both ends meet in a sector.
        const double low = box.front().low, high = box.front().high;
        const double ratio = weight.deviation / bias.deviation;
        const double sector = std::atan2(ratio * (high - low), -1 - ratio * ratio * low * high);
        return closed_form(sector / (2 * std::numbers::pi), 16 * machine_epsilon);
    }
    return normal_sum_probability(weight, bias, box, level);
}

InactiveProbability orthogonal_frozen_probability(double gain, std::int64_t width, const Law& bias, const kernels::Activation& activation,
                                                  double low, double high, StillNeuron what) {
    if (width < 1 || !(gain > 0) || !(low < high)) throw Defect("orthogonal_frozen_probability: no neuron, or no interval");
    if (bias.kind != LawKind::Zero && !(bias.kind == LawKind::Uniform && bias.low == -bias.high))
        throw Defect("orthogonal_frozen_probability: a bias must be uniform and symmetric, or zero");
    const UnitCoordinate x{width};
    constexpr double accuracy = 4096 * machine_epsilon;  // of the special functions
    // w is as often positive, with its maximum at the high end, as negative. It and b are symmetric: -z has the maximum of z.
    const double slopes[] = {gain * high, -gain * low};
    kernels::Initialization laws{};
    laws.inner_weight = {LawKind::Uniform, -gain, gain, 0, 0, 0, 0};
    laws.inner_bias = bias;
    return frozen_by_sides(laws, activation, what,
                           [&](const Law&, const Law&, double level, bool strict) {
                               Parts sum;
                               for (const double slope : slopes) {
                                   if (bias.kind == LawKind::Zero) {  // slope x <= level
                                       const double t = slope == 0 ? 0 : level / slope;
                                       const bool fits = strict ? level > 0 : level >= 0;
                                       sum.add(slope == 0 ? fits : slope > 0 ? x.at_most(t, strict) : 1 - x.at_most(t, !strict));
                                       continue;
                                   }
                                   const Parts from = mean_room(x, slope, level - bias.low), to = mean_room(x, slope, level - bias.high);
                                   sum.add((from.value - to.value) / (bias.high - bias.low));
                                   sum.magnitude += (from.magnitude + to.magnitude) / (bias.high - bias.low);
                               }
                               return std::optional(InactiveProbability{std::clamp(0.5 * sum.value, 0.0, 1.0),
                                                                        0.5 * accuracy * sum.magnitude, ProbabilityMethod::ClosedForm});
                           })
        .value();
}

InactiveProbability maximum_at_most(const Law& weight, const Law& bias, double low, double high, std::int64_t dimension, double level,
                                    bool strict) {
    return maximum_at_most(weight, bias, {{low, high, dimension}}, level, strict).value();
}

InactiveProbability frozen_probability(const kernels::Initialization& laws, const kernels::Activation& activation, const Law& input,
                                       bool bounded, std::int64_t dimension, StillNeuron what) {
    // Without a box z is unbounded both ways unless all weights are 0.
    if (!bounded)
        return frozen_by_sides(laws, activation, what, [](const Law&, const Law&, double, bool) { return closed_form(0); }).value();
    return frozen_probability_on_box(laws, activation, {{input.low, input.high, dimension}}, what).value();
}

std::optional<InactiveProbability> frozen_probability_on_box(const kernels::Initialization& laws, const kernels::Activation& activation,
                                                             const std::vector<BoxSides>& box, StillNeuron what) {
    return frozen_by_sides(laws, activation, what, [&](const Law& w, const Law& b, double level, bool strict) {
        return maximum_at_most(w, b, box, level, strict);
    });
}

std::optional<InactiveProbability> frozen_probability_in_ball(const kernels::Initialization& laws, const kernels::Activation& activation,
                                                              double radius, std::int64_t dimension, StillNeuron what) {
    if (!(radius > 0) || !std::isfinite(radius) || dimension < 2) throw Defect("frozen_probability_in_ball: no ball");
    return frozen_by_sides(laws, activation, what,
                           [&](const Law& w, const Law& b, double level, bool) { return at_most_in_ball(w, b, radius, dimension, level); });
}

}  // namespace limrisk
