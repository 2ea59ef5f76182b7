// The table of docs/numerics.md section 8.
#include "reference/initialization.hpp"

#include <cmath>

#include "expression/expression.hpp"
#include "reference/target.hpp"

namespace limrisk::reference {
namespace {

Law zero() { return {LawKind::Zero, 0, 0, 0, 0, 0, 0}; }
Law uniform(double low, double high) { return {LawKind::Uniform, low, high, 0, 0, 0, 0}; }
Law symmetric(double bound) { return uniform(-bound, bound); }
Law normal(double variance) { return {LawKind::Normal, 0, 0, 0, std::sqrt(variance), 0, 0}; }

Law truncated(double deviation) {
    const double s = deviation / 0.87962566103423978;
    return {LawKind::TruncatedNormal, -2 * s, 2 * s, 0, s, 0.02275013194817921, 0.97724986805182079};
}

Law of_group(const GroupLaw& group, const Shape& shape) {
    const double h = static_cast<double>(shape.width > 0 ? shape.width : 1), d = static_cast<double>(shape.dimension);
    const auto number = [&](const std::string& text) {
        const double x[] = {h, d};
        return evaluate(Expression::compile(text, {"h", "d"}).code(), x);
    };
    switch (group.kind) {
        case GroupLaw::Kind::Zero:
            return zero();
        case GroupLaw::Kind::Constant:
            return uniform(number(group.scale), number(group.scale));
        case GroupLaw::Kind::Normal:
            return {LawKind::Normal, 0, 0, 0, number(group.scale), 0, 0};
        case GroupLaw::Kind::Uniform:
            break;
    }
    return group.scale.empty() ? uniform(number(group.low), number(group.high)) : symmetric(number(group.scale));
}

}  // namespace

InitialLaws initial_laws(const InitializationRule& rule, const Shape& shape) {
    using Kind = InitializationRule::Kind;
    const double d = static_cast<double>(shape.dimension), h = static_cast<double>(shape.width);
    InitialLaws laws{zero(), symmetric(1 / std::sqrt(d)), zero(), zero(), zero()};
    if (shape.width > 0) laws.outer_bias = symmetric(1 / std::sqrt(h));
    switch (rule.kind) {
        case Kind::Pytorch:
            laws.inner_weight = symmetric(1 / std::sqrt(d));
            laws.outer_weight = symmetric(1 / std::sqrt(h));
            laws.skip_weight = symmetric(1 / std::sqrt(d));
            break;
        case Kind::KaimingUniform:
            laws.inner_weight = symmetric(std::sqrt(6 / d));
            laws.outer_weight = symmetric(std::sqrt(6 / h));
            laws.skip_weight = symmetric(std::sqrt(6 / d));
            break;
        case Kind::KaimingNormal:
            laws.inner_weight = normal(2 / d);
            laws.outer_weight = normal(2 / h);
            laws.skip_weight = normal(2 / d);
            break;
        case Kind::XavierUniform:
            laws.inner_weight = symmetric(std::sqrt(6 / (d + h)));
            laws.outer_weight = symmetric(std::sqrt(6 / (h + 1)));
            laws.skip_weight = symmetric(std::sqrt(6 / (d + 1)));
            break;
        case Kind::XavierNormal:
            laws.inner_weight = normal(2 / (d + h));
            laws.outer_weight = normal(2 / (h + 1));
            laws.skip_weight = normal(2 / (d + 1));
            break;
        case Kind::StandardNormal:
            laws = {normal(1), normal(1), normal(1), normal(1), normal(1)};
            break;
        case Kind::Uniform:
            laws.inner_weight = laws.inner_bias = laws.outer_weight = laws.outer_bias = laws.skip_weight = uniform(rule.low, rule.high);
            break;
        case Kind::LecunNormal:
            laws.inner_weight = truncated(std::sqrt(1 / d));
            laws.outer_weight = truncated(std::sqrt(1 / h));
            laws.skip_weight = truncated(std::sqrt(1 / d));
            break;
        case Kind::LecunUniform:
            laws.inner_weight = symmetric(std::sqrt(3 / d));
            laws.outer_weight = symmetric(std::sqrt(3 / h));
            laws.skip_weight = symmetric(std::sqrt(3 / d));
            break;
        case Kind::Groups:
            laws = {of_group(rule.inner_weight, shape), of_group(rule.inner_bias, shape), of_group(rule.outer_weight, shape),
                    of_group(rule.outer_bias, shape), of_group(rule.skip_weight, shape)};
            break;
        case Kind::Orthogonal:  // drawn_together.hpp
        case Kind::RandomizedAsymmetric:
        case Kind::DataDependent:
            break;
    }
    if (!rule.drawn_bias && rule.kind != Kind::Groups) laws.inner_bias = laws.outer_bias = zero();
    if (shape.width == 0) laws.outer_bias = zero();
    return laws;
}

}  // namespace limrisk::reference
