// The table of docs/numerics.md section 8.
#include "reference/initialization.hpp"

#include <cmath>

namespace limrisk::reference {
namespace {

Law zero() { return {LawKind::Zero, 0, 0, 0, 0, 0, 0}; }
Law uniform(double low, double high) { return {LawKind::Uniform, low, high, 0, 0, 0, 0}; }
Law symmetric(double bound) { return uniform(-bound, bound); }
Law normal(double variance) { return {LawKind::Normal, 0, 0, 0, std::sqrt(variance), 0, 0}; }

}  // namespace

InitialLaws initial_laws(const InitializationRule& rule, const Shape& shape) {
    using Kind = InitializationRule::Kind;
    const double d = static_cast<double>(shape.dimension), h = static_cast<double>(shape.width);
    InitialLaws laws{zero(), symmetric(1 / std::sqrt(d)), zero(), zero()};
    if (shape.width > 0) laws.outer_bias = symmetric(1 / std::sqrt(h));
    switch (rule.kind) {
        case Kind::Pytorch:
            laws.inner_weight = symmetric(1 / std::sqrt(d));
            laws.outer_weight = symmetric(1 / std::sqrt(h));
            break;
        case Kind::KaimingUniform:
            laws.inner_weight = symmetric(std::sqrt(6 / d));
            laws.outer_weight = symmetric(std::sqrt(6 / h));
            break;
        case Kind::KaimingNormal:
            laws.inner_weight = normal(2 / d);
            laws.outer_weight = normal(2 / h);
            break;
        case Kind::XavierUniform:
            laws.inner_weight = symmetric(std::sqrt(6 / (d + h)));
            laws.outer_weight = symmetric(std::sqrt(6 / (h + 1)));
            break;
        case Kind::XavierNormal:
            laws.inner_weight = normal(2 / (d + h));
            laws.outer_weight = normal(2 / (h + 1));
            break;
        case Kind::StandardNormal:
            laws = {normal(1), normal(1), normal(1), normal(1)};
            break;
        case Kind::Uniform:
            laws.inner_weight = laws.inner_bias = laws.outer_weight = laws.outer_bias = uniform(rule.low, rule.high);
            break;
    }
    if (!rule.drawn_bias) laws.inner_bias = laws.outer_bias = zero();
    if (shape.width == 0) laws.outer_bias = zero();
    return laws;
}

}  // namespace limrisk::reference
