// The gradient by sorted kinks, neuron by neuron and with counts in place of searches. docs/numerics.md section 13.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <vector>

#include "reference/network.hpp"

namespace limrisk::reference {

/// A on one piece: slope * z, or `level` where the slope is 0. Rounded to Real, converted exactly.
struct LinePiece {
    double slope, level;
};

/// The pieces of a piecewise linear activation from left to right, by its value and left derivative at points of them.
template <class Real>
std::vector<LinePiece> line_pieces(const Activation<Real>& activation) {
    std::vector<Real> points = activation.kinks();  // a piece contains the kink at its right end
    points.push_back(std::nextafter(points.back(), infinity<Real>));
    std::vector<LinePiece> pieces;
    for (const Real z : points) {
        const Real slope = activation.derivative(z);
        pieces.push_back({static_cast<double>(slope), slope != 0 ? 0.0 : static_cast<double>(activation.value(z))});
    }
    return pieces;
}

/// The nodes of a neuron's pieces: piece p has those from borders[p] to borders[p + 1] if `right`, else from borders[p + 1] to borders[p].
struct NeuronBorders {
    bool right;
    std::vector<std::int64_t> borders;  ///< B_{-1}, B_0, …, B_K
    std::int64_t first(std::size_t piece) const { return borders[right ? piece : piece + 1]; }
    std::int64_t end(std::size_t piece) const { return borders[right ? piece + 1 : piece]; }
};

template <class Real>
NeuronBorders neuron_borders(const Activation<Real>& activation, Real w, Real b, const std::vector<Real>& inputs) {
    const auto count = static_cast<std::int64_t>(inputs.size());
    NeuronBorders result{w > 0, {}};
    result.borders.push_back(result.right ? 0 : count);
    for (const Real kink : activation.kinks()) {
        std::int64_t above = 0;
        for (const Real x : inputs) above += std::fma(w, x, b) > kink;
        result.borders.push_back(result.right ? count - above : above);
    }
    result.borders.push_back(result.right ? count : 0);
    return result;
}

/// Gradient of the risk on ascending nodes, in canonical order.
template <class Real>
std::vector<Real> gradient_by_kinks(const Shape& shape, const Activation<Real>& activation, const std::vector<Real>& parameters,
                                    const Batch<Real>& nodes) {
    const auto count = nodes.targets.size();
    const std::vector<LinePiece> pieces = line_pieces(activation);
    const auto in_double = [&](std::size_t k) { return static_cast<double>(parameters[k]); };
    std::vector<NeuronBorders> neurons;
    std::vector<double> slope_changes(count + 1, 0.0), intercept_changes(count + 1, 0.0);
    for (std::int64_t i = 0; i < shape.width; ++i) {
        neurons.push_back(neuron_borders(activation, parameters[shape.weight(i, 0)], parameters[shape.inner_bias(i)], nodes.inputs));
        const NeuronBorders& neuron = neurons.back();
        const double v = in_double(shape.outer_weight(i));
        const double a = v * in_double(shape.weight(i, 0)), g = v * in_double(shape.inner_bias(i));
        std::vector<double> s, t;
        for (std::size_t p = 0; p < pieces.size(); ++p) {
            const bool empty = neuron.first(p) == neuron.end(p), linear = pieces[p].slope != 0;
            s.push_back(empty || !linear ? 0.0 : pieces[p].slope * a);
            t.push_back(empty ? 0.0 : linear ? pieces[p].slope * g : pieces[p].level * v);
        }
        const std::size_t leftmost = neuron.right ? 0 : pieces.size() - 1;
        slope_changes[0] = slope_changes[0] + s[leftmost];
        intercept_changes[0] = intercept_changes[0] + t[leftmost];
        for (std::size_t k = 0; k + 1 < pieces.size(); ++k) {
            const std::size_t left = neuron.right ? k : k + 1, right = neuron.right ? k + 1 : k;
            const auto border = static_cast<std::size_t>(neuron.borders[k + 1]);
            slope_changes[border] = slope_changes[border] + (s[right] - s[left]);
            intercept_changes[border] = intercept_changes[border] + (t[right] - t[left]);
        }
    }

    std::vector<double> errors{0.0}, error_inputs{0.0};  // [count + 1] sums over the nodes before each
    double slope = shape.skip ? in_double(shape.skip_weight(0)) : 0, intercept = in_double(shape.outer_bias());
    for (std::size_t j = 0; j < count; ++j) {
        const auto x = static_cast<double>(nodes.inputs[j]);
        slope = slope + slope_changes[j];
        intercept = intercept + intercept_changes[j];
        const double residual = std::fma(slope, x, intercept) - static_cast<double>(nodes.targets[j]);
        const double q = static_cast<double>(nodes.weights[j]) * residual;
        const double e = q + q;
        errors.push_back(errors[j] + e);
        error_inputs.push_back(std::fma(e, x, error_inputs[j]));
    }

    std::vector<Real> gradient(shape.parameters(), Real(0));
    gradient[shape.outer_bias()] = static_cast<Real>(errors[count]);
    if (shape.skip) gradient[shape.skip_weight(0)] = static_cast<Real>(error_inputs[count]);
    for (std::int64_t i = 0; i < shape.width; ++i) {
        const NeuronBorders& neuron = neurons[static_cast<std::size_t>(i)];
        double t0 = 0, t1 = 0, u = 0;
        for (std::size_t p = 0; p < pieces.size(); ++p) {
            const auto over_piece = [&](const std::vector<double>& sums) {
                return sums[static_cast<std::size_t>(neuron.end(p))] - sums[static_cast<std::size_t>(neuron.first(p))];
            };
            if (pieces[p].slope != 0) {
                t0 = t0 + pieces[p].slope * over_piece(errors);
                t1 = t1 + pieces[p].slope * over_piece(error_inputs);
            } else if (activation.kind != ActivationKind::Relu) {
                u = std::fma(pieces[p].level, over_piece(errors), u);
            }
        }
        const double w = in_double(shape.weight(i, 0)), b = in_double(shape.inner_bias(i)), v = in_double(shape.outer_weight(i));
        gradient[shape.weight(i, 0)] = static_cast<Real>(v * t1);
        gradient[shape.inner_bias(i)] = static_cast<Real>(v * t0);
        gradient[shape.outer_weight(i)] = static_cast<Real>(std::fma(w, t1, std::fma(b, t0, u)));
    }
    return gradient;
}

}  // namespace limrisk::reference
