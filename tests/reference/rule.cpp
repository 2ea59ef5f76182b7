#include "reference/rule.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "reference/elementary.hpp"
#include "reference/quantile.hpp"

namespace limrisk::reference {
namespace {

double phi(double z) {
    const double q = z * z;
    return 0.39894228040143267794 * (exp(-0.5 * q) * std::fma(-0.5, std::fma(z, z, -q), 1.0));
}

double clamped(const InputLaw& input, double x) {
    if (input.bounded && x < input.low) return input.low;
    if (input.bounded && x > input.high) return input.high;
    return x;
}

/// The law of a coordinate: of all of them, or its own ends.
InputLaw coordinate(const InputLaw& input, std::size_t k) {
    InputLaw law = input;
    if (!input.lows.empty()) law.low = input.lows[k];
    if (!input.highs.empty()) law.high = input.highs[k];
    law.lows.clear();
    law.highs.clear();
    return law;
}

/// Nodes and weights of each coordinate.
using Axes = std::vector<std::vector<double>>;

Nodes combinations(const Axes& nodes, const Axes& weights) {
    Nodes all;
    std::vector<std::size_t> digits(nodes.size(), 0);
    for (;;) {
        double weight = 1;
        std::size_t k;
        for (k = digits.size(); k-- > 0;) weight = weight * weights[k][digits[k]];
        for (k = 0; k < digits.size(); ++k) all.inputs.push_back(nodes[k][digits[k]]);
        all.weights.push_back(weight);
        k = digits.size();
        while (k > 0 && ++digits[k - 1] == nodes[k - 1].size()) digits[--k] = 0;
        if (k == 0) return all;
    }
}

void add_panels(const InputLaw& input, std::int64_t n, Axes& all_nodes, Axes& all_masses) {
    const double abscissas[] = {-0.86113631159405257522, -0.33998104358485626480, 0.33998104358485626480, 0.86113631159405257522};
    const double weights[] = {0.34785484513745385737, 0.65214515486254614263, 0.65214515486254614263, 0.34785484513745385737};
    const Ends domain = domain_of(input);
    const auto panels = n / 4;
    const double count = static_cast<double>(panels), half = 0.5 / count;
    std::vector<double> nodes, masses;
    const bool given = is_given_by_density(input);
    const TargetProgram density = given ? density_program(input) : TargetProgram{};
    double sum = 0;
    for (double p = 0; p < count; ++p)
        for (int g = 0; g < 4; ++g) {
            const double middle = (p + 0.5) / count;
            const double x = std::fma(std::fma(half, abscissas[g], middle), domain.high - domain.low, domain.low);
            double mass = half * weights[g];
            if (input.kind == InputLaw::Kind::Normal) {
                const double u = (x - input.mean) / input.deviation;
                mass = mass * exp(-0.5 * (u * u));
            }
            if (given) mass = mass * evaluate(density, &x);
            nodes.push_back(clamped(input, x));
            masses.push_back(mass);
            sum = sum + mass;
        }
    if (input.kind == InputLaw::Kind::Normal || given)
        for (double& mass : masses) mass = mass / sum;
    all_nodes.push_back(nodes);
    all_masses.push_back(masses);
}

Nodes panels(const InputLaw& input, std::int64_t n) {
    Axes nodes, masses;
    for (std::size_t k = 0; k < static_cast<std::size_t>(input.dimension); ++k) add_panels(coordinate(input, k), n, nodes, masses);
    return combinations(nodes, masses);
}

/// Joe and Kuo, new-joe-kuo-6: degree and coefficients of the primitive polynomial, first direction numbers.
struct Polynomial {
    std::uint32_t degree, coefficients;
    std::array<std::uint32_t, 5> first;
};
constexpr Polynomial polynomials[] = {{1, 0, {1}},          {2, 1, {1, 3}},        {3, 1, {1, 3, 1}},       {3, 2, {1, 1, 1}},
                                      {4, 1, {1, 1, 3, 3}}, {4, 4, {1, 3, 5, 13}}, {5, 2, {1, 1, 5, 5, 17}}};

std::array<std::uint32_t, 32> directions(std::size_t k) {
    std::array<std::uint32_t, 32> v{};
    for (std::uint32_t i = 0; i < 32; ++i) {
        if (k == 0) {
            v[i] = std::uint32_t{1} << (31 - i);
            continue;
        }
        const Polynomial& p = polynomials[k - 1];
        if (i < p.degree) {
            v[i] = p.first[i] << (31 - i);
            continue;
        }
        v[i] = v[i - p.degree] ^ (v[i - p.degree] >> p.degree);
        for (std::uint32_t j = 1; j < p.degree; ++j)
            if (p.coefficients >> (p.degree - 1 - j) & 1) v[i] ^= v[i - j];
    }
    return v;
}

/// Inverse distribution function of independent coordinates.
double quantile(const InputLaw& input, double u) {
    if (input.kind == InputLaw::Kind::Uniform) return clamped(input, std::fma(u, input.high - input.low, input.low));
    if (is_given_by_density(input))
        return clamped(input, std::fma(tabulated_quantile(quantile_pieces(input, false), u), input.high - input.low, input.low));
    double p_low = 0, range = 1;
    if (input.bounded) {
        p_low = normal_probability((input.low - input.mean) / input.deviation);
        range = normal_probability((input.high - input.mean) / input.deviation) - p_low;
    }
    return clamped(input, std::fma(input.deviation, normal_quantile(std::fma(u, range, p_low)), input.mean));
}

Nodes sobol(const InputLaw& input, std::int64_t n) {
    const bool ball = input.kind == InputLaw::Kind::Ball, round = ball || input.kind == InputLaw::Kind::Sphere;
    double m = 1;
    while (m < static_cast<double>(n)) m = 2 * m;
    Nodes nodes;
    const auto d = static_cast<std::size_t>(input.dimension);
    std::vector<std::uint32_t> s(ball ? d + 1 : d, 0);
    for (std::int64_t i = 0; i < n; ++i) {
        double last = 0;
        for (std::size_t k = 0; k < s.size(); ++k) {
            const double u = std::fma(static_cast<double>(s[k]), 0x1p-32, 0.5 / m);
            last = u;
            if (k < d) nodes.inputs.push_back(round ? normal_quantile(u) : quantile(coordinate(input, k), u));
            s[k] ^= directions(k)[static_cast<std::size_t>(std::countr_one(static_cast<std::uint64_t>(i)))];
        }
        if (round) {
            double* const x = &nodes.inputs[nodes.inputs.size() - d];
            double square = 0;
            for (std::size_t k = 0; k < d; ++k) square = std::fma(x[k], x[k], square);
            const double radius = ball ? input.radius * exp(1 / static_cast<double>(d) * log(last)) : input.radius;
            const double factor = radius / std::sqrt(square);
            for (std::size_t k = 0; k < d; ++k) x[k] = x[k] * factor;
        }
        nodes.weights.push_back(1 / static_cast<double>(n));
    }
    return nodes;
}

}  // namespace

double normal_probability(double z) {
    if (z > 0) return 1 - normal_probability(-z);
    if (z < -40) return 0;
    const double a = -z;
    if (z > -1) {
        const double q = a * a;
        double term = a, sum = a;
        for (int k = 1; k <= 20; ++k) {
            term = term * q / (2 * k + 1);
            sum = sum + term;
        }
        return 0.5 - phi(a) * sum;
    }
    double fraction = a;
    for (int k = 600; k >= 1; --k) fraction = a + k / fraction;
    return phi(a) / fraction;
}

Ends domain_of(const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Uniform || is_given_by_density(input)) return {input.low, input.high};
    Ends ends{input.mean - 8.5 * input.deviation, input.mean + 8.5 * input.deviation};
    if (input.bounded && input.low > ends.low) ends.low = input.low;
    if (input.bounded && input.high < ends.high) ends.high = input.high;
    return ends;
}

double density_normalizer_of(const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Uniform) return 1 / (input.high - input.low);
    if (is_given_by_density(input)) return 1 / given_density(density_program(input), input.low, input.high).total();
    const Ends domain = domain_of(input);
    const double a = (domain.low - input.mean) / input.deviation, b = (domain.high - input.mean) / input.deviation;
    const double mass = a > 0 ? normal_probability(-a) - normal_probability(-b) : normal_probability(b) - normal_probability(a);
    return 1 / (input.deviation * 2.5066282746310005024 * mass);
}

double density_at(const InputLaw& input, double normalizer, double x) {
    if (input.kind == InputLaw::Kind::Uniform) return normalizer;
    if (is_given_by_density(input)) return evaluate(density_program(input), &x) * normalizer;
    const double u = (x - input.mean) / input.deviation;
    return exp(-0.5 * (u * u)) * normalizer;
}

Nodes grid_nodes(const InputLaw& input, std::int64_t per_axis) {
    const double n = static_cast<double>(per_axis);
    Axes axes;
    for (std::size_t k = 0; k < static_cast<std::size_t>(input.dimension); ++k) {
        const InputLaw law = coordinate(input, k);
        std::vector<double> axis;
        for (double i = 0; i < n; ++i) axis.push_back(clamped(law, std::fma((i + 0.5) / n, law.high - law.low, law.low)));
        axes.push_back(axis);
    }
    Nodes nodes = combinations(axes, Axes(axes.size(), std::vector<double>(axes[0].size(), 1)));
    for (double& weight : nodes.weights) weight = 1 / static_cast<double>(nodes.weights.size());
    return nodes;
}

Nodes rule_nodes(const InputLaw& input, std::int64_t count) {
    const bool round = input.kind == InputLaw::Kind::Sphere || input.kind == InputLaw::Kind::Ball;
    return input.dimension <= 3 && !round ? panels(input, count) : sobol(input, count);
}

}  // namespace limrisk::reference
