// Short hand of the evaluation tests: laws, compiled targets, and the risk-like integrals that a rule gives.
#pragma once
#include <cmath>
#include <functional>
#include <string>

#include "evaluation/rule.hpp"
#include "expression/expression.hpp"

namespace limrisk::testing {

inline InputLaw uniform_law(std::int64_t dimension, double low, double high) {
    InputLaw law;
    law.dimension = dimension;
    law.low = low, law.high = high;
    return law;
}

inline InputLaw normal_law(std::int64_t dimension, double mean, double deviation) {
    InputLaw law;
    law.kind = InputLaw::Kind::Normal;
    law.dimension = dimension;
    law.bounded = false;
    law.low = law.high = 0;
    law.mean = mean, law.deviation = deviation;
    return law;
}

inline InputLaw truncated_law(std::int64_t dimension, double mean, double deviation, double low, double high) {
    InputLaw law = normal_law(dimension, mean, deviation);
    law.bounded = true;
    law.low = low, law.high = high;
    return law;
}

/// On a sphere or in a ball.
inline InputLaw round_law(InputLaw::Kind kind, std::int64_t dimension, double radius) {
    InputLaw law;
    law.kind = kind;
    law.dimension = dimension;
    law.bounded = false;
    law.radius = radius;
    return law;
}

/// `law` with other ends of its box in each coordinate, which go up and down around those it has.
inline InputLaw with_own_ends(InputLaw law) {
    for (std::int64_t k = 0; k < law.dimension; ++k) {
        law.lows.push_back(law.low - 0.25 * static_cast<double>(k % 3));
        law.highs.push_back(law.high + 0.5 * static_cast<double>(k % 2));
    }
    law.low = law.high = std::nan("");
    return law;
}

/// Sum of weight * f(x) over the nodes, in long double.
inline double integrate(const NodeSet& set, const std::function<long double(const double*)>& f) {
    long double sum = 0;
    for (std::int64_t m = 0; m < set.count(); ++m)
        sum += static_cast<long double>(set.weights[static_cast<std::size_t>(m)]) * f(set.inputs.data() + m * set.dimension);
    return static_cast<double>(sum);
}

/// Mean of the square of the target `text` under the rule with `nodes`.
inline double second_moment(const InputLaw& law, std::int64_t nodes, const std::string& text) {
    NodeSet set = evaluation_rule(law, nodes);
    fill_targets(set, Expression::compile(text, law.dimension).program());
    long double sum = 0;
    for (std::size_t m = 0; m < set.weights.size(); ++m) sum += static_cast<long double>(set.weights[m]) * set.targets[m] * set.targets[m];
    return static_cast<double>(sum);
}

}  // namespace limrisk::testing
