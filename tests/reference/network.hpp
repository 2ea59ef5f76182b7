// The network, its batch risk and the generalized gradient, in the order of a tile. docs/numerics.md section 4.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <vector>

#include "reference/activation.hpp"
#include "reference/tile.hpp"

namespace limrisk::reference {

/// Samples with targets and weights.
template <class Real>
struct Batch {
    std::vector<Real> inputs;   ///< [count][dimension]
    std::vector<Real> targets;  ///< [count]
    std::vector<Real> weights;  ///< [count]
    std::int64_t count() const { return static_cast<std::int64_t>(targets.size()); }
};

/// z_i = <w_i, x> + b_i as an fma chain that starts at b_i.
///   parameters  [shape.parameters()] canonical order;   x  [dimension]
template <class Real>
Real chain(const Shape& shape, const std::vector<Real>& parameters, std::int64_t i, const Real* x) {
    Real z = parameters[shape.inner_bias(i)];
    for (std::int64_t k = 0; k < shape.dimension; ++k) z = std::fma(parameters[shape.weight(i, k)], x[k], z);
    return z;
}

/// N(x).
template <class Real>
Real output(const Shape& shape, const Activation<Real>& activation, const std::vector<Real>& parameters, const Real* x) {
    std::vector<Real> s(static_cast<std::size_t>(shape.lanes), Real(0));
    for (std::int64_t lane = 0; lane < shape.lanes; ++lane) {
        Real& sum = s[static_cast<std::size_t>(lane)];
        for (std::int64_t slot = 0; slot < shape.slots; ++slot) {
            const std::int64_t i = slot * shape.lanes + lane;
            if (i < shape.width)
                sum = std::fma(parameters[shape.outer_weight(i)], activation.value(chain(shape, parameters, i, x)), sum);
            else
                sum = sum + Real(0);
        }
    }
    return parameters[shape.outer_bias()] + tile_sum(s);
}

template <class Real>
struct RiskAndGradient {
    Real risk;
    std::vector<Real> gradient;  ///< [shape.parameters()] canonical order
};

/// Weighted risk of a batch and its generalized gradient (left approximation).
template <class Real>
RiskAndGradient<Real> risk_and_gradient(const Shape& shape, const Activation<Real>& activation, const std::vector<Real>& parameters,
                                        const Batch<Real>& batch) {
    const std::vector<OrderedSample> order = processing_order(shape, batch.count());
    const std::vector<Real> zeros(static_cast<std::size_t>(shape.lanes), Real(0));
    std::vector<Real> risk = zeros, cbar = zeros;
    std::vector<Real> e(batch.targets.size());
    const auto input = [&](std::int64_t m) { return &batch.inputs[static_cast<std::size_t>(m * shape.dimension)]; };
    for (const auto& [sample, lane] : order) {
        const auto m = static_cast<std::size_t>(sample);
        const auto j = static_cast<std::size_t>(lane);
        const Real r = output(shape, activation, parameters, input(sample)) - batch.targets[m];
        const Real q = batch.weights[m] * r;
        e[m] = q + q;
        risk[j] = std::fma(q, r, risk[j]);
        cbar[j] = cbar[j] + e[m];
    }

    RiskAndGradient<Real> result{tile_sum(risk), std::vector<Real>(shape.parameters(), Real(0))};
    result.gradient[shape.outer_bias()] = tile_sum(cbar);
    const auto dimension = static_cast<std::size_t>(shape.dimension);
    std::vector<Real> t(dimension);
    for (std::int64_t i = 0; i < shape.width; ++i) {
        Real t0 = 0, u = 0;
        std::fill(t.begin(), t.end(), Real(0));
        for (const auto& [sample, lane] : order) {
            const auto m = static_cast<std::size_t>(sample);
            const Real* x = input(sample);
            const Real z = chain(shape, parameters, i, x);
            Real g = e[m];
            if (activation.kind == ActivationKind::Relu) {
                if (!(z > 0)) continue;
            } else {
                g = e[m] * activation.derivative(z);
                u = std::fma(e[m], activation.value(z), u);
            }
            t0 = t0 + g;
            for (std::size_t k = 0; k < dimension; ++k) t[k] = std::fma(g, x[k], t[k]);
        }
        const Real v = parameters[shape.outer_weight(i)];
        if (activation.kind == ActivationKind::Relu) {
            u = parameters[shape.inner_bias(i)] * t0;
            for (std::int64_t k = 0; k < shape.dimension; ++k)
                u = std::fma(parameters[shape.weight(i, k)], t[static_cast<std::size_t>(k)], u);
        }
        result.gradient[shape.inner_bias(i)] = v * t0;
        for (std::int64_t k = 0; k < shape.dimension; ++k) result.gradient[shape.weight(i, k)] = v * t[static_cast<std::size_t>(k)];
        result.gradient[shape.outer_weight(i)] = u;
    }
    return result;
}

/// Sum of squares of an array in the order of the parameters: per lane its slots, in each the rows w, b, v; then the tree; then c.
template <class Real>
Real sum_of_squares(const Shape& shape, const std::vector<Real>& values) {
    std::vector<Real> a(static_cast<std::size_t>(shape.lanes), Real(0));
    for (std::int64_t i = 0; i < shape.width; ++i) {
        Real& sum = a[static_cast<std::size_t>(i % shape.lanes)];
        const auto add = [&sum](Real g) { sum = std::fma(g, g, sum); };
        for (std::int64_t k = 0; k < shape.dimension; ++k) add(values[shape.weight(i, k)]);
        add(values[shape.inner_bias(i)]);
        add(values[shape.outer_weight(i)]);
    }
    const Real c = values[shape.outer_bias()];
    return std::fma(c, c, tile_sum(a));
}

}  // namespace limrisk::reference
