// Laws as the kernels see them, and what they make of the target; where the mass of an input law lies, and the constant of its density.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "evaluation/density_law.hpp"
#include "evaluation/rule.hpp"
#include "evaluation/scalar.hpp"
#include "expression/expression.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using kernels::Law;
using kernels::LawKind;

constexpr double sqrt_two_pi = 2.5066282746310005024;
constexpr double domain_deviations = 8.5;  // leaves out 1.9e-17 of the mass

Law zero_law() { return {LawKind::Zero, 0, 0, 0, 0, 0, 0}; }
Law uniform_law(double low, double high) { return {LawKind::Uniform, low, high, 0, 0, 0, 0}; }
/// A normal law truncated at 2 of its deviations, so that the deviation of what is left is this one.
Law truncated_law(double deviation) {
    const double whole = deviation / 0.87962566103423978;
    return {LawKind::TruncatedNormal, -2 * whole, 2 * whole, 0, whole, 0.02275013194817921, 0.97724986805182079};
}
Law normal_law(double mean, double deviation) { return {LawKind::Normal, 0, 0, mean, deviation, 0, 0}; }

/// An integral of a coordinate needs the coordinate's own law.
void require_alike(const InputLaw& input) {
    if (input.is_round() || input.has_own_ends()) throw Defect("an input law is used like that of one coordinate, which it is not");
}

}  // namespace

Law input_law(const InputLaw& input) {
    if (input.is_round() || input.has_own_ends()) return input_law(input.coordinate(0));
    if (input.kind == InputLaw::Kind::Uniform) return uniform_law(input.low, input.high);
    if (input.has_table()) return {LawKind::Table, input.low, input.high, 0, 0, 0, 0};
    Law law = normal_law(input.mean, input.deviation);
    if (!input.bounded) return law;
    law.kind = LawKind::TruncatedNormal;
    law.low = input.low;
    law.high = input.high;
    law.p_low = normal_probability((input.low - input.mean) / input.deviation);
    law.p_high = normal_probability((input.high - input.mean) / input.deviation);
    return law;
}

std::vector<Law> coordinate_laws(const InputLaw& input) {
    std::vector<Law> laws;
    for (std::int64_t k = 0; input.has_own_ends() && k < input.dimension; ++k) laws.push_back(input_law(input.coordinate(k)));
    return laws;
}

kernels::InputShape input_shape(const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Sphere) return kernels::InputShape::Sphere;
    return input.kind == InputLaw::Kind::Ball ? kernels::InputShape::Ball : kernels::InputShape::Coordinates;
}

Law noise_law(const NoiseLaw& noise) {
    const double low = noise.low - noise.mean(), high = noise.high - noise.mean();
    switch (noise.kind) {
        case NoiseLaw::Kind::None:
            return zero_law();
        case NoiseLaw::Kind::Normal:
            return normal_law(0, noise.deviation);
        case NoiseLaw::Kind::Uniform:
            return uniform_law(low, high);
        case NoiseLaw::Kind::TwoPoint:
            return {LawKind::TwoPoint, low, high, 0, 0, 0, noise.probability};
        case NoiseLaw::Kind::Exponential:
            return {LawKind::Exponential, 0, 0, -noise.deviation, noise.deviation, 0, 0};
    }
    throw Defect("a law of noise without an entry in noise_law");
}

kernels::Initialization initialization_laws(const InitializationRule& rule, std::int64_t width, std::int64_t dimension) {
    using Kind = InitializationRule::Kind;
    const double d = static_cast<double>(dimension), h = static_cast<double>(std::max<std::int64_t>(width, 1));
    const auto symmetric = [](double bound) { return uniform_law(-bound, bound); };
    kernels::Initialization laws{zero_law(), symmetric(1 / std::sqrt(d)), zero_law(), symmetric(1 / std::sqrt(h)), zero_law()};
    switch (rule.kind) {
        case Kind::Pytorch:
            laws.inner_weight = laws.inner_bias;
            laws.outer_weight = laws.outer_bias;
            laws.skip_weight = laws.inner_bias;
            break;
        case Kind::KaimingUniform:
            laws.inner_weight = symmetric(std::sqrt(6 / d));
            laws.outer_weight = symmetric(std::sqrt(6 / h));
            laws.skip_weight = laws.inner_weight;
            break;
        case Kind::KaimingNormal:
            laws.inner_weight = normal_law(0, std::sqrt(2 / d));
            laws.outer_weight = normal_law(0, std::sqrt(2 / h));
            laws.skip_weight = laws.inner_weight;
            break;
        case Kind::XavierUniform:
            laws.inner_weight = symmetric(std::sqrt(6 / (d + h)));
            laws.outer_weight = symmetric(std::sqrt(6 / (h + 1)));
            laws.skip_weight = symmetric(std::sqrt(6 / (d + 1)));
            break;
        case Kind::XavierNormal:
            laws.inner_weight = normal_law(0, std::sqrt(2 / (d + h)));
            laws.outer_weight = normal_law(0, std::sqrt(2 / (h + 1)));
            laws.skip_weight = normal_law(0, std::sqrt(2 / (d + 1)));
            break;
        case Kind::StandardNormal:
            laws = {normal_law(0, 1), normal_law(0, 1), normal_law(0, 1), normal_law(0, 1), normal_law(0, 1)};
            break;
        case Kind::Uniform: {
            const Law law = uniform_law(rule.low, rule.high);
            laws = {law, law, law, law, law};
            break;
        }
        case Kind::LecunNormal:
            laws.inner_weight = truncated_law(std::sqrt(1 / d));
            laws.outer_weight = truncated_law(std::sqrt(1 / h));
            laws.skip_weight = laws.inner_weight;
            break;
        case Kind::LecunUniform:
            laws.inner_weight = symmetric(std::sqrt(3 / d));
            laws.outer_weight = symmetric(std::sqrt(3 / h));
            laws.skip_weight = laws.inner_weight;
            break;
        case Kind::Groups:
            laws = {rule.inner_weight.law(width, dimension), rule.inner_bias.law(width, dimension), rule.outer_weight.law(width, dimension),
                    rule.outer_bias.law(width, dimension), rule.skip_weight.law(width, dimension)};
            break;
        case Kind::Orthogonal:
        case Kind::RandomizedAsymmetric:
        case Kind::DataDependent:
            throw Defect("parameters that are drawn together have no laws of their own");
    }
    if (!rule.drawn_bias && rule.kind != Kind::Groups) laws.inner_bias = laws.outer_bias = zero_law();
    if (width == 0) laws.outer_bias = zero_law();
    return laws;
}

Law GroupLaw::law(std::int64_t width, std::int64_t dimension) const {
    const double variables[] = {static_cast<double>(std::max<std::int64_t>(width, 1)), static_cast<double>(dimension)};
    const auto value = [&](const std::string& text) {
        return evaluate_target(Expression::compile(text, group_variables()).program(), variables);
    };
    if (kind == Kind::Zero) return zero_law();
    if (kind == Kind::Normal) return normal_law(0, value(scale));
    // A constant is the uniform law of an interval that is a point.
    if (kind == Kind::Constant) return uniform_law(value(scale), value(scale));
    if (scale.empty()) return uniform_law(value(low), value(high));
    return uniform_law(-value(scale), value(scale));
}

std::optional<std::int64_t> DataSet::draws(std::int64_t width) const {
    const double variables[] = {static_cast<double>(std::max<std::int64_t>(width, 1)), static_cast<double>(dimension)};
    const double value = evaluate_target(Expression::compile(resample, group_variables()).program(), variables);
    if (!(value >= 1 && value <= static_cast<double>(most_resampled)) || value != std::floor(value)) return std::nullopt;
    return static_cast<std::int64_t>(value);
}

bool GroupLaw::depends_on_width() const {
    for (const std::string* text : {&scale, &low, &high})
        for (const kernels::Instruction& instruction :
             text->empty() ? std::vector<kernels::Instruction>{} : Expression::compile(*text, group_variables()).code())
            if (instruction.op == kernels::Op::Variable && instruction.index == 0) return true;
    return false;
}

namespace {

std::string with_mean(const std::string& target, double mean) { return mean == 0 ? target : fmt::format("({}) + ({})", target, mean); }

}  // namespace

std::string Problem::regression() const { return with_mean(target, noise.mean()); }
std::string Problem::regression_label() const { return with_mean(target_label(), noise.mean()); }

Domain integration_domain(const InputLaw& input) {
    require_alike(input);
    if (input.kind == InputLaw::Kind::Uniform || input.has_table()) return {input.low, input.high};
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
    require_alike(input);
    if (input.kind == InputLaw::Kind::Uniform) return 1 / (input.high - input.low);
    if (input.has_table()) return 1 / density_law(input)->mass();
    const Domain domain = integration_domain(input);
    const double mass = normal_mass((domain.low - input.mean) / input.deviation, (domain.high - input.mean) / input.deviation);
    return 1 / (input.deviation * sqrt_two_pi * mass);
}

}  // namespace limrisk
