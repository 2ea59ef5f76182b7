// Orthogonal matrices by modified Gram-Schmidt, rows with one variate of another law, biases that place kinks at inputs; with the lanes
// that every processor has.
#include "evaluation/drawn_start.hpp"

#include <cmath>

#include "evaluation/rule.hpp"
#include "kernels/law.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using kernels::Law;
using kernels::LawKind;
using kernels::Purpose;

constexpr Law unit_normal{LawKind::Normal, 0, 0, 0, 1, 0, 0};

Law symmetric(double bound) { return {LawKind::Uniform, -bound, bound, 0, 0, 0, 0}; }

/// Variates at one position of a purpose, in any order.
class Variates {
public:
    Variates(std::uint64_t seed, std::int64_t trial, Purpose purpose, std::int64_t position)
        : seed_(seed), trial_(static_cast<std::uint64_t>(trial)), purpose_(purpose), position_(static_cast<std::uint32_t>(position)) {}

    std::uint32_t word(std::int64_t k) {
        if (k / 4 != call_) {
            call_ = k / 4;
            for (kernels::VecWord& w : words_) w = kernels::VecWord{};
            words_[0] += position_;
            words_[1] += kernels::purpose_word(purpose_, 0) + static_cast<std::uint32_t>(call_);
            words_[2] += static_cast<std::uint32_t>(trial_);
            words_[3] += static_cast<std::uint32_t>(trial_ >> 32);
            kernels::philox(words_, seed_);
        }
        return words_[k % 4][0];
    }
    double uniform(std::int64_t k) { return kernels::uniform_register<double>(kernels::VecWord{} + word(k), 0)[0]; }
    double of(const Law& law, std::int64_t k) {
        double value = uniform(k);
        kernels::apply_law(law, &value, 1);
        return value;
    }
    /// One of 0, ..., count - 1.
    std::int64_t choice(std::int64_t count, std::int64_t k) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(word(k)) * static_cast<std::uint64_t>(count) >> 32);
    }

private:
    std::uint64_t seed_, trial_;
    Purpose purpose_;
    std::uint32_t position_;
    std::int64_t call_ = -1;
    kernels::VecWord words_[4] = {};
};

/// The network while it is drawn.
struct Draft {
    const CellConfig& cell;
    std::int64_t trial, h = cell.width, d = cell.input.dimension;
    std::vector<double> parameters = std::vector<double>(static_cast<std::size_t>(cell.parameter_count()));

    double& at(std::int64_t place) { return parameters[static_cast<std::size_t>(place)]; }
    double& w(std::int64_t i, std::int64_t k) { return at(i * d + k); }
    double& b(std::int64_t i) { return at(h * d + i); }
    double& v(std::int64_t i) { return at(h * (d + 1) + i); }
    double& c() { return at(h * (d + 2)); }
    Variates of_neuron(std::int64_t i) const { return {cell.seed, trial, Purpose::Neuron, i}; }
    Variates of_output() const { return {cell.seed, trial, Purpose::OuterBias, 0}; }
};

/// Makes vectors of numbers orthonormal, one after the other.
///   entry(j, t)  entry t of vector j
template <class Entry>
void orthonormalise(std::int64_t vectors, std::int64_t length, const Entry& entry) {
    for (std::int64_t j = 0; j < vectors; ++j) {
        for (int pass = 0; pass < 2; ++pass)  // what rounding leaves of earlier vectors after one is gone after two
            for (std::int64_t p = 0; p < j; ++p) {
                double s = 0;
                for (std::int64_t t = 0; t < length; ++t) s = std::fma(entry(p, t), entry(j, t), s);
                for (std::int64_t t = 0; t < length; ++t) entry(j, t) = std::fma(-s, entry(p, t), entry(j, t));
            }
        double square = 0;
        for (std::int64_t t = 0; t < length; ++t) square = std::fma(entry(j, t), entry(j, t), square);
        const double norm = std::sqrt(square);
        for (std::int64_t t = 0; norm > 0 && t < length; ++t) entry(j, t) = entry(j, t) / norm;
    }
}

void draw_orthogonal(Draft& net) {
    const std::int64_t h = net.h, d = net.d;
    const bool biased = net.cell.initialization.drawn_bias;
    for (std::int64_t i = 0; i < h; ++i) {
        Variates variates = net.of_neuron(i);
        for (std::int64_t k = 0; k < d; ++k) net.w(i, k) = variates.of(unit_normal, k);
        if (biased) net.b(i) = variates.of(symmetric(1 / std::sqrt(static_cast<double>(d))), d);
        net.v(i) = variates.of(unit_normal, d + 1);
    }
    if (h >= d)
        orthonormalise(d, h, [&](std::int64_t k, std::int64_t i) -> double& { return net.w(i, k); });
    else
        orthonormalise(h, d, [&](std::int64_t i, std::int64_t k) -> double& { return net.w(i, k); });
    orthonormalise(1, h, [&](std::int64_t, std::int64_t i) -> double& { return net.v(i); });
    for (std::int64_t j = 0; j < h * d; ++j) net.at(j) = net.cell.initialization.gain * net.at(j);
    if (biased) net.c() = net.of_output().of(symmetric(1 / std::sqrt(static_cast<double>(h))), 0);
}

/// The law Beta(2, 1), whose distribution function is t^2.
double beta_variate(double u) { return std::sqrt(u); }

void draw_asymmetric(Draft& net) {
    const std::int64_t h = net.h, d = net.d;
    const Law inner{LawKind::Normal, 0, 0, 0, asymmetric_deviation(d), 0, 0},
        outer{LawKind::Normal, 0, 0, 0, asymmetric_deviation(h), 0, 0};
    for (std::int64_t i = 0; i < h; ++i) {
        Variates variates = net.of_neuron(i);
        const auto entry = [&](std::int64_t k) -> double& { return k < d ? net.w(i, k) : net.b(i); };
        for (std::int64_t k = 0; k <= d; ++k) entry(k) = variates.of(inner, k);
        net.v(i) = variates.of(outer, d + 1);
        entry(variates.choice(d + 1, d + 2)) = beta_variate(variates.uniform(d + 3));
    }
    Variates variates = net.of_output();
    net.c() = variates.of(outer, 0);
    const std::int64_t chosen = variates.choice(h + 1, 1);
    (chosen < h ? net.v(chosen) : net.c()) = beta_variate(variates.uniform(2));
}

/// A draw of the input: its coordinates are variates first, first + 1, ...
std::vector<double> drawn_input(const InputLaw& input, Variates& variates, std::int64_t first) {
    if (input.has_table()) throw Defect("an input of a law with a table is drawn for a start");
    const std::int64_t d = input.dimension;
    const std::vector<Law> laws = coordinate_laws(input);
    const Law law = input_law(input);
    std::vector<double> x;
    for (std::int64_t k = 0; k < d; ++k) x.push_back(variates.of(laws.empty() ? law : laws[static_cast<std::size_t>(k)], first + k));
    if (input.is_round()) move_to_radius(input, variates.uniform(first + d), x.data());
    return x;
}

void draw_by_data(Draft& net) {
    const CellConfig& cell = net.cell;
    if (cell.has_own_points()) throw Defect("biases by data points that the host does not know");
    const std::int64_t h = net.h, d = net.d;
    const bool single = cell.precision == kernels::Precision::Float32;
    const auto rounded = [&](double value) { return single ? static_cast<double>(static_cast<float>(value)) : value; };
    const Law inner{LawKind::Normal, 0, 0, 0, std::sqrt(2 / static_cast<double>(d)), 0, 0},
        outer{LawKind::Normal, 0, 0, 0, std::sqrt(2 / static_cast<double>(h)), 0, 0};
    for (std::int64_t i = 0; i < h; ++i) {
        Variates variates = net.of_neuron(i);
        for (std::int64_t k = 0; k < d; ++k) net.w(i, k) = rounded(variates.of(inner, k));
        net.v(i) = variates.of(outer, d + 1);
        const double shift = std::abs(cell.initialization.spread * variates.of(unit_normal, d));
        std::vector<double> x;
        if (cell.has_data()) {
            const std::int64_t point = variates.choice(cell.data->count, d + 2);
            for (std::int64_t k = 0; k < d; ++k) x.push_back(rounded(cell.data->inputs[static_cast<std::size_t>(point * d + k)]));
        } else {
            x = drawn_input(cell.input, variates, d + 2);
        }
        double sum = 0;
        for (std::int64_t k = 0; k < d; ++k) sum = std::fma(net.w(i, k), x[static_cast<std::size_t>(k)], sum);
        net.b(i) = shift - sum;
    }
}

}  // namespace

double asymmetric_deviation(std::int64_t fan_in) { return 0.6007 / std::sqrt(static_cast<double>(fan_in)); }

std::vector<double> drawn_start(const CellConfig& cell, std::int64_t trial) {
    Draft net{cell, trial};
    if (cell.width == 0) return net.parameters;
    switch (cell.initialization.kind) {
        case InitializationRule::Kind::Orthogonal:
            draw_orthogonal(net);
            break;
        case InitializationRule::Kind::RandomizedAsymmetric:
            draw_asymmetric(net);
            break;
        case InitializationRule::Kind::DataDependent:
            draw_by_data(net);
            break;
        default:
            throw Defect("parameters that have laws of their own are drawn by the kernels");
    }
    if (!cell.outer_bias) net.c() = 0;
    for (double& parameter : net.parameters) parameter = parameter + 0.0;  // no -0
    return net.parameters;
}

}  // namespace limrisk
