// Laws as the kernels see them, and what they make of the target; where the mass of an input law lies, and the constant of its density.
#include <fmt/format.h>

#include "evaluation/rule.hpp"
#include "evaluation/scalar.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using kernels::LawKind;

constexpr double sqrt_two_pi = 2.5066282746310005024;
constexpr double domain_deviations = 8.5;  // leaves out 1.9e-17 of the mass

}  // namespace

kernels::Law input_law(const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Uniform) return {LawKind::Uniform, input.low, input.high, 0, 0, 0, 0};
    kernels::Law law{LawKind::Normal, 0, 0, input.mean, input.deviation, 0, 0};
    if (!input.bounded) return law;
    law.kind = LawKind::TruncatedNormal;
    law.low = input.low;
    law.high = input.high;
    law.p_low = normal_probability((input.low - input.mean) / input.deviation);
    law.p_high = normal_probability((input.high - input.mean) / input.deviation);
    return law;
}

kernels::Law noise_law(const NoiseLaw& noise) {
    const double low = noise.low - noise.mean(), high = noise.high - noise.mean();
    switch (noise.kind) {
        case NoiseLaw::Kind::None:
            return {LawKind::Zero, 0, 0, 0, 0, 0, 0};
        case NoiseLaw::Kind::Normal:
            return {LawKind::Normal, 0, 0, 0, noise.deviation, 0, 0};
        case NoiseLaw::Kind::Uniform:
            return {LawKind::Uniform, low, high, 0, 0, 0, 0};
        case NoiseLaw::Kind::TwoPoint:
            return {LawKind::TwoPoint, low, high, 0, 0, 0, noise.probability};
        case NoiseLaw::Kind::Exponential:
            return {LawKind::Exponential, 0, 0, -noise.deviation, noise.deviation, 0, 0};
    }
    throw Defect("a law of noise without an entry in noise_law");
}

std::string Problem::regression() const {
    const double mean = noise.mean();
    return mean == 0 ? target : fmt::format("({}) + ({})", target, mean);
}

Domain integration_domain(const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Uniform) return {input.low, input.high};
    Domain domain{input.mean - domain_deviations * input.deviation, input.mean + domain_deviations * input.deviation};
    if (input.bounded) {
        if (domain.low < input.low) domain.low = input.low;
        if (domain.high > input.high) domain.high = input.high;
    }
    if (!(domain.low < domain.high))
        throw ConfigError(
            {"problem.input: the box [low, high] lies more than 8.5 deviations from the mean of the normal law, where it has no "
             "mass to sample; move the box or the mean"});
    return domain;
}

double density_normalizer(const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Uniform) return 1 / (input.high - input.low);
    const Domain domain = integration_domain(input);
    const double mass = normal_mass((domain.low - input.mean) / input.deviation, (domain.high - input.mean) / input.deviation);
    return 1 / (input.deviation * sqrt_two_pi * mass);
}

}  // namespace limrisk
