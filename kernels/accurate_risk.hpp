// The true risk of one network in dimension 1 up to rounding: split at kinks and breaks, 8-point Gauss-Legendre on each piece, double.
// One replica uses the whole warp: item 8 p + g (piece, node) belongs to lane (8 p + g) mod 32. docs/numerics.md section 10.
#pragma once
#include "activation.hpp"
#include "replica.hpp"
#include "samples.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// One network in canonical order, double.
struct NetworkView {
    std::int64_t width;
    const double *weights, *biases, *outer_weights;  ///< [width] each; dimension 1
    double outer_bias;
};

/// The same with a skip connection u x, if `skip`.
struct SkipNetworkView : NetworkView {
    bool skip;
    double skip_weight;
};

/// Sorts ascending, in place (heap sort: no recursion, no allocation).
inline void sort_ascending(double* values, std::int64_t count) {
    const auto sift = [&](std::int64_t root, std::int64_t end) {
        while (2 * root + 1 < end) {
            std::int64_t child = 2 * root + 1;
            if (child + 1 < end && values[child] < values[child + 1]) ++child;
            if (!(values[root] < values[child])) return;
            const double moved = values[root];
            values[root] = values[child];
            values[child] = moved;
            root = child;
        }
    };
    for (std::int64_t root = count / 2 - 1; root >= 0; --root) sift(root, count);
    for (std::int64_t end = count - 1; end > 0; --end) {
        const double largest = values[0];
        values[0] = values[end];
        values[end] = largest;
        sift(0, end);
    }
}

/// Room for breakpoints: mesh and the kinks of all neurons.
constexpr std::int64_t breakpoint_capacity(const Cell& cell) { return cell.mesh_count + most_kinks() * cell.width; }

/// Appends the breakpoints of kink I of every neuron and of the kinks to the right of it; returns how many points there are then.
template <ActivationKind Kind, int I = 0>
inline std::int64_t append_kinks(const Cell& cell, const NetworkView& network, double* points, std::int64_t count) {
    constexpr ActivationTraits traits = traits_of(Kind);
    if constexpr (I < traits.kink_count) {
        const double low = cell.mesh[0], high = cell.mesh[cell.mesh_count - 1], level = traits.kinks[I].at.of(cell.activation);
        for (std::int64_t i = 0; i < network.width; ++i) {
            if (network.weights[i] == 0) continue;
            const double kink = (level - network.biases[i]) / network.weights[i];
            if (low < kink && kink < high) points[count++] = kink;
        }
        count = append_kinks<Kind, I + 1>(cell, network, points, count);
    }
    return count;
}

/// Breakpoints of the integral, ascending, without repetitions; returns how many.
template <ActivationKind Kind>
inline std::int64_t breakpoints(const Cell& cell, const NetworkView& network, double* points) {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < cell.mesh_count; ++i) points[count++] = cell.mesh[i];
    count = append_kinks<Kind>(cell, network, points, count);
    sort_ascending(points, count);
    std::int64_t kept = 1;
    for (std::int64_t i = 1; i < count; ++i)
        if (points[kept - 1] < points[i]) points[kept++] = points[i];
    return kept;
}

/// Of a law whose density follows from the numbers of its `Law`: there is no other.
struct NoDensity {
    static constexpr bool exists = false;
};
/// Of a law with a table: its density at one point per lane, without its constant.
template <class Function>
struct GivenDensity : Function {
    static constexpr bool exists = true;
};
template <class Function>
GivenDensity(Function) -> GivenDensity<Function>;

/// The rule on given breakpoints, each piece cut into 2^halvings equal ones. All lanes take part and get the result.
///   target         (const Pack<double>& x) -> Pack<double>: the target at one point per lane
///   given_density  the same of the density of the input, without its constant, for a law with a table; or NoDensity
template <ActivationKind Kind, class Network, class Target, class Density>
LIMRISK_INLINE double integrate_risk(const Cell& cell, const Network& network, const double* points, std::int64_t count, int halvings,
                                     const Target& target, const Density& given_density) {
    using V = Vec<double>;
    const std::int64_t cuts = std::int64_t{1} << halvings, items = 8 * cuts * (count - 1);
    const double step = 1 / static_cast<double>(cuts);
    constexpr bool whole = is_piecewise_polynomial(Kind);
    // The item of a lane is the Gauss node item mod 8 of the piece item / 8; items beyond the last one do not count.
    const auto half_and_middle = [&](std::int64_t item, auto body) {
        const std::int64_t last = items / 8 - 1, piece = item / 8 < last ? item / 8 : last;
        const double s = points[piece >> halvings], t = points[(piece >> halvings) + 1];
        const auto end = [&](std::int64_t j) { return fma(static_cast<double>(j) * step, t - s, s); };
        const double left = whole ? s : end(piece & (cuts - 1)), right = whole ? t : end((piece & (cuts - 1)) + 1);
        return body(0.5 * (right - left), 0.5 * (left + right));
    };
    const V mean = splat<V>(cell.input.mean), outer_bias = splat<V>(network.outer_bias), normalizer = splat<V>(cell.density_normalizer);
    const Pack<double> lane_number = lane_in_tile<double>(warp_lanes);
    Pack<double> sum{};
    const ActivationOn<Kind, V> activation(cell.activation);
    for (std::int64_t base = 0; base < items; base += warp_lanes) {
        const auto x = make_pack<double>([&](int i) {
            return half_and_middle(base + i, [&](double half, double middle) { return fma(half, gauss_abscissas[i & 7], middle); });
        });
        const auto weight = make_pack<double>(
            [&](int i) { return half_and_middle(base + i, [&](double half, double) { return half * gauss_weights[i & 7]; }); });
        const Pack<double> y = target(x);
        Pack<double> given{};
        if constexpr (Density::exists) given = given_density(x);
        Pack<double> output{};
        for (std::int64_t n = 0; n < network.width; ++n) {
            const V w = splat<V>(network.weights[n]), b = splat<V>(network.biases[n]), v = splat<V>(network.outer_weights[n]);
            for_parts<double>([&](int p) { output.part[p] = fma(v, activation.value(fma(w, x.part[p], b)), output.part[p]); });
        }
        const V left = splat<V>(static_cast<double>(items - base));
        for_parts<double>([&](int p) {
            V density = normalizer;
            if (Density::exists && cell.input.kind == LawKind::Table) {
                density = given.part[p] * normalizer;
            } else if (cell.input.kind != LawKind::Uniform) {
                const V u = (x.part[p] - mean) / splat<V>(cell.input.deviation);
                density = exp(splat<V>(-0.5) * (u * u)) * normalizer;
            }
            V line = outer_bias;
            if constexpr (requires { network.skip; })
                if (network.skip) line = fma(splat<V>(network.skip_weight), x.part[p], line);
            const V r = (line + output.part[p]) - y.part[p];
            const V item = fma((weight.part[p] * density) * r, r, sum.part[p]);
            sum.part[p] = select(less(lane_number.part[p], left), item, sum.part[p]);
        });
    }
    return first_lane(tile_sum(sum, warp_lanes));
}

/// True risk of one network whose breakpoints are known; +infinity if it is not finite.
///   Network  NetworkView or SkipNetworkView
template <ActivationKind Kind, class Network, class Target, class Density>
LIMRISK_INLINE double accurate_risk(const Cell& cell, const Network& network, const double* points, std::int64_t count,
                                    const Target& target, const Density& density) {
    constexpr int most_halvings = is_piecewise_polynomial(Kind) ? 0 : 10;
    constexpr double tolerance = 1e-13;
    double risk = 0;
    LIMRISK_ROLLED
    for (int j = 0; j <= most_halvings; ++j) {
        const double finer = integrate_risk<Kind>(cell, network, points, count, j, target, density);
        const bool settled = j > 0 && abs(finer - risk) <= tolerance * finer;
        risk = finer;
        if (settled) break;
    }
    return finite_or_infinity(risk);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
