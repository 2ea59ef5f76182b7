#include "reference/drawn_together.hpp"

#include <cmath>

#include "reference/samples.hpp"

namespace limrisk::reference {
namespace {

using Vector = std::vector<double>;
using Kind = InitializationRule::Kind;

/// Numbered variates of a position.
struct Words {
    std::uint64_t seed, trial;
    Purpose purpose;
    std::uint64_t position;

    std::uint32_t operator[](std::int64_t k) const {
        return random_words(seed, purpose, position, static_cast<std::uint32_t>(k / 4), trial)[static_cast<std::size_t>(k % 4)];
    }
    double uniform(std::int64_t k) const { return unit_variate((*this)[k], 0.0); }
    double normal(std::int64_t k, double deviation) const {
        return variate<double>({LawKind::Normal, 0, 0, 0, deviation, 0, 0}, (*this)[k]);
    }
    double within(std::int64_t k, double bound) const { return variate<double>({LawKind::Uniform, -bound, bound, 0, 0, 0, 0}, (*this)[k]); }
    std::size_t choice(std::size_t n, std::int64_t k) const { return static_cast<std::size_t>((std::uint64_t{(*this)[k]} * n) >> 32); }
};

double product(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t t = 0; t < a.size(); ++t) sum = std::fma(a[t], b[t], sum);
    return sum;
}

/// Gram-Schmidt, every vector twice against each of the earlier ones.
std::vector<Vector> orthonormal(std::vector<Vector> vectors) {
    std::vector<Vector> done;
    for (Vector& a : vectors) {
        for (int round = 1; round <= 2; ++round)
            for (const Vector& q : done) {
                const double share = product(q, a);
                for (std::size_t t = 0; t < a.size(); ++t) a[t] = std::fma(-share, q[t], a[t]);
            }
        const double length = std::sqrt(product(a, a));
        if (length > 0)
            for (double& number : a) number /= length;
        done.push_back(a);
    }
    return done;
}

}  // namespace

std::vector<double> drawn_together(const CellConfig& cell, const Shape& shape, const std::vector<Law>& coordinates, std::uint64_t trial) {
    const InitializationRule& rule = cell.initialization;
    const std::int64_t h = shape.width, d = shape.dimension;
    const double inner = static_cast<double>(d), outer = static_cast<double>(h);
    Vector result(shape.parameters());
    if (h == 0) return result;
    const auto neuron = [&](std::int64_t i) { return Words{cell.seed, trial, Purpose::Neuron, static_cast<std::uint64_t>(i)}; };
    const Words output{cell.seed, trial, Purpose::OuterBias, 0};
    const auto rounded = [&](double x) {
        return cell.precision == kernels::Precision::Float32 ? static_cast<double>(static_cast<float>(x)) : x;
    };
    double& c = result[shape.outer_bias()];

    if (rule.kind == Kind::Orthogonal) {
        std::vector<Vector> rows(static_cast<std::size_t>(h), Vector(static_cast<std::size_t>(d)));
        std::vector<Vector> columns(static_cast<std::size_t>(d), Vector(static_cast<std::size_t>(h)));
        Vector v;
        for (std::int64_t i = 0; i < h; ++i) {
            for (std::int64_t k = 0; k < d; ++k)
                rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)] =
                    columns[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] = neuron(i).normal(k, 1);
            v.push_back(neuron(i).normal(d + 1, 1));
        }
        const std::vector<Vector> q = orthonormal(h >= d ? columns : rows);
        v = orthonormal({v})[0];
        for (std::int64_t i = 0; i < h; ++i) {
            const auto row = static_cast<std::size_t>(i);
            for (std::size_t k = 0; k < static_cast<std::size_t>(d); ++k)
                result[shape.weight(i, static_cast<std::int64_t>(k))] = rule.gain * (h >= d ? q[k][row] : q[row][k]);
            if (rule.drawn_bias) result[shape.inner_bias(i)] = neuron(i).within(d, 1 / std::sqrt(inner));
            result[shape.outer_weight(i)] = v[row];
        }
        if (rule.drawn_bias) c = output.within(0, 1 / std::sqrt(outer));
    } else if (rule.kind == Kind::RandomizedAsymmetric) {
        for (std::int64_t i = 0; i < h; ++i) {
            const Words words = neuron(i);
            const std::size_t place = words.choice(static_cast<std::size_t>(d + 1), d + 2);
            for (std::int64_t k = 0; k <= d; ++k)
                result[k < d ? shape.weight(i, k) : shape.inner_bias(i)] =
                    static_cast<std::size_t>(k) == place ? std::sqrt(words.uniform(d + 3)) : words.normal(k, 0.6007 / std::sqrt(inner));
            result[shape.outer_weight(i)] = words.normal(d + 1, 0.6007 / std::sqrt(outer));
        }
        c = output.normal(0, 0.6007 / std::sqrt(outer));
        const std::size_t place = output.choice(static_cast<std::size_t>(h + 1), 1);
        result[place == static_cast<std::size_t>(h) ? shape.outer_bias() : shape.outer_weight(static_cast<std::int64_t>(place))] =
            std::sqrt(output.uniform(2));
    } else {
        for (std::int64_t i = 0; i < h; ++i) {
            const Words words = neuron(i);
            Vector x;
            for (std::int64_t k = 0; k < d; ++k) {
                const std::size_t at = static_cast<std::size_t>(k);
                x.push_back(cell.has_data() ? rounded(cell.data->inputs[words.choice(static_cast<std::size_t>(cell.data->count), d + 2) *
                                                                            static_cast<std::size_t>(d) +
                                                                        at])
                                            : variate<double>(coordinates[at], words[d + 2 + k]));
            }
            if (cell.input.kind == InputLaw::Kind::Sphere || cell.input.kind == InputLaw::Kind::Ball)
                move_to_radius(x, cell.input, words[2 * d + 2]);
            Vector w;
            for (std::int64_t k = 0; k < d; ++k) {
                w.push_back(rounded(words.normal(k, std::sqrt(2 / inner))));
                result[shape.weight(i, k)] = w.back();
            }
            result[shape.inner_bias(i)] = std::abs(rule.spread * words.normal(d, 1)) - product(w, x);
            result[shape.outer_weight(i)] = words.normal(d + 1, std::sqrt(2 / outer));
        }
    }
    if (!cell.outer_bias) c = 0;
    for (double& number : result) number += 0.0;
    return result;
}

}  // namespace limrisk::reference
