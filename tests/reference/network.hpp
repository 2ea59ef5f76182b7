// The network, its batch risk and the generalized gradient, in the order of a tile. docs/numerics.md section 4.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <vector>

#include "reference/activation.hpp"
#include "reference/loss.hpp"
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
    Real line = parameters[shape.outer_bias()];
    for (std::int64_t k = 0; k < shape.skip_weights(); ++k) line = std::fma(parameters[shape.skip_weight(k)], x[k], line);
    return line + tile_sum(s);
}

template <class Real>
struct RiskAndGradient {
    Real risk;
    std::vector<Real> gradient;  ///< [shape.parameters()] canonical order
};

/// The gradient of one neuron from its sums over the batch, in the precision of the sums.
template <class Sum>
struct NeuronSums {
    std::vector<Sum> t;  ///< [dimension] T_k
    Sum t0 = 0, u = 0;

    template <class Real>
    void write_gradient(const Shape& shape, const Activation<Real>& activation, const std::vector<Real>& parameters, std::int64_t i,
                        std::vector<Real>& gradient) {
        const Sum v = parameters[shape.outer_weight(i)];
        if (activation.kind == ActivationKind::Relu) {
            u = Sum(parameters[shape.inner_bias(i)]) * t0;
            for (std::int64_t k = 0; k < shape.dimension; ++k)
                u = std::fma(Sum(parameters[shape.weight(i, k)]), t[static_cast<std::size_t>(k)], u);
        }
        gradient[shape.inner_bias(i)] = static_cast<Real>(v * t0);
        for (std::int64_t k = 0; k < shape.dimension; ++k)
            gradient[shape.weight(i, k)] = static_cast<Real>(v * t[static_cast<std::size_t>(k)]);
        gradient[shape.outer_weight(i)] = static_cast<Real>(u);
    }
};

/// Samples of a block in float, if there are blocks; in double the batch is one block.
inline constexpr std::size_t block_samples = 64;

/// Weighted risk of a batch and its generalized gradient (left approximation).
///   in_blocks  whether sums in float are totals of blocks
template <class Real>
RiskAndGradient<Real> risk_and_gradient(const Shape& shape, const Activation<Real>& activation, const std::vector<Real>& parameters,
                                        const Batch<Real>& batch, bool in_blocks = true, const Loss& loss = {}) {
    const std::vector<OrderedSample> order = processing_order(shape, batch.count());
    std::vector<std::size_t> starts = block_starts(order, sizeof(Real) == 4 && in_blocks ? block_samples : order.size());
    const std::size_t blocks = starts.size();
    starts.push_back(order.size());
    const auto lanes = static_cast<std::size_t>(shape.lanes);
    const std::vector<Real> zeros(lanes, Real(0));
    std::vector<Real> risk, cbar, e(batch.targets.size());
    std::vector<double> risk_total(lanes, 0), cbar_total(lanes, 0);
    const auto skip_weights = static_cast<std::size_t>(shape.skip_weights());
    std::vector<std::vector<Real>> ubar(skip_weights);
    std::vector<std::vector<double>> ubar_total(skip_weights, cbar_total);
    const auto input = [&](std::int64_t m) { return &batch.inputs[static_cast<std::size_t>(m * shape.dimension)]; };
    for (std::size_t block = 0; block < blocks; ++block) {
        risk = cbar = zeros;
        for (std::vector<Real>& sums : ubar) sums = zeros;
        for (std::size_t place = starts[block]; place < starts[block + 1]; ++place) {
            const auto m = static_cast<std::size_t>(order[place].sample);
            const auto j = static_cast<std::size_t>(order[place].lane);
            const Real r = output(shape, activation, parameters, input(order[place].sample)) - batch.targets[m];
            const SampleLoss<Real> share = sample_loss(loss, r, batch.weights[m]);
            e[m] = share.e;
            risk[j] = std::fma(share.q, share.t, risk[j]);
            cbar[j] = cbar[j] + e[m];
            for (std::size_t k = 0; k < skip_weights; ++k) ubar[k][j] = std::fma(e[m], input(order[place].sample)[k], ubar[k][j]);
        }
        for (std::size_t j = 0; j < lanes; ++j) {
            risk_total[j] += static_cast<double>(risk[j]);
            cbar_total[j] += static_cast<double>(cbar[j]);
            for (std::size_t k = 0; k < skip_weights; ++k) ubar_total[k][j] += static_cast<double>(ubar[k][j]);
        }
    }
    RiskAndGradient<Real> result{0, std::vector<Real>(shape.parameters(), Real(0))};
    result.risk = blocks > 1 ? static_cast<Real>(tile_sum(risk_total)) : tile_sum(risk);
    result.gradient[shape.outer_bias()] = blocks > 1 ? static_cast<Real>(tile_sum(cbar_total)) : tile_sum(cbar);

    for (std::size_t k = 0; k < skip_weights; ++k)
        result.gradient[shape.skip_weight(static_cast<std::int64_t>(k))] =
            blocks > 1 ? static_cast<Real>(tile_sum(ubar_total[k])) : tile_sum(ubar[k]);

    const auto dimension = static_cast<std::size_t>(shape.dimension);
    for (std::int64_t i = 0; i < shape.width; ++i) {
        NeuronSums<Real> sums;
        NeuronSums<double> totals;
        totals.t.assign(dimension, 0);
        for (std::size_t block = 0; block < blocks; ++block) {
            sums.t.assign(dimension, Real(0));
            sums.t0 = sums.u = 0;
            for (std::size_t place = starts[block]; place < starts[block + 1]; ++place) {
                const auto m = static_cast<std::size_t>(order[place].sample);
                const Real* x = input(order[place].sample);
                const Real z = chain(shape, parameters, i, x);
                Real g = e[m];
                if (activation.kind == ActivationKind::Relu) {
                    if (!(z > 0)) continue;
                } else {
                    g = e[m] * activation.derivative(z);
                    sums.u = std::fma(e[m], activation.value(z), sums.u);
                }
                sums.t0 = sums.t0 + g;
                for (std::size_t k = 0; k < dimension; ++k) sums.t[k] = std::fma(g, x[k], sums.t[k]);
            }
            totals.t0 += static_cast<double>(sums.t0);
            totals.u += static_cast<double>(sums.u);
            for (std::size_t k = 0; k < dimension; ++k) totals.t[k] += static_cast<double>(sums.t[k]);
        }
        if (blocks > 1)
            totals.write_gradient(shape, activation, parameters, i, result.gradient);
        else
            sums.write_gradient(shape, activation, parameters, i, result.gradient);
    }
    return result;
}

/// Sum of squares of an array in the order of the parameters: per lane its slots, in each the rows w, b, v; then the tree; then c and u.
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
    Real sum = std::fma(c, c, tile_sum(a));
    for (std::int64_t k = 0; k < shape.skip_weights(); ++k) sum = std::fma(values[shape.skip_weight(k)], values[shape.skip_weight(k)], sum);
    return sum;
}

}  // namespace limrisk::reference
