#include "reference/quantile.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "expression/expression.hpp"
#include "reference/mesh.hpp"

namespace limrisk::reference {
namespace {

constexpr double abscissas[] = {-0.96028985649753623168, -0.79666647741362673959, -0.52553240991632898582, -0.18343464249564980494,
                                0.18343464249564980494,  0.52553240991632898582,  0.79666647741362673959,  0.96028985649753623168};
constexpr double weights[] = {0.10122853629037625915, 0.22238103445337447054, 0.31370664587788728734, 0.36268378337836198297,
                              0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054, 0.10122853629037625915};

double rule(const TargetProgram& g, double s, double t) {
    const double half = 0.5 * (t - s), mid = 0.5 * (s + t);
    double sum = 0;
    for (int k = 0; k < 8; ++k) {
        const double x = std::fma(half, abscissas[k], mid);
        sum = sum + (half * weights[k]) * evaluate(g, &x);
    }
    return sum;
}

/// The last of values[0 .. size - 2] that is at most x.
std::size_t last_at_most(const std::vector<double>& values, double x) {
    std::size_t last = 0;
    for (std::size_t j = 0; j + 1 < values.size(); ++j)
        if (values[j] <= x) last = j;
    return last;
}

void cut(const GivenDensity& law, double low, double width, double least, double tolerance, std::vector<TablePiece>& pieces) {
    const double A = law.ends.front(), B = law.ends.back(), half = 0.5 * width, mid = low + half;
    TablePiece piece{low, width, {}};
    if (width == least) {
        piece.a[0] = quantile(law, mid);
        pieces.push_back(piece);
        return;
    }
    auto& a = piece.a;
    for (std::size_t k = 0; k < 8; ++k) a[k] = quantile(law, std::fma(half, abscissas[k], mid));
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t i = 7; i >= k; --i) a[i] = (a[i] - a[i - 1]) / (abscissas[i] - abscissas[i - k]);
    for (int i = 0; i <= 16; ++i) {
        const double t = -1 + i / 8.0;
        double p = a[7];
        for (std::size_t k = 7; k-- > 0;) p = std::fma(p, t - abscissas[k], a[k]);
        double x = std::fma(p, B - A, A);
        x = x < A ? A : x > B ? B : x;
        if (std::abs(distribution(law, x) - std::fma(half, t, mid)) <= tolerance) continue;
        cut(law, low, half, least, tolerance, pieces);
        cut(law, mid, half, least, tolerance, pieces);
        return;
    }
    pieces.push_back(piece);
}

}  // namespace

TargetProgram density_program(const InputLaw& input) {
    if (input.kind == InputLaw::Kind::Density) return Expression::compile(input.density, 1).code();
    std::string from_low = "x1", from_high = "(1 - x1)", text;
    if (input.low != 0 || input.high != 1) {
        from_low = fmt::format("((x1 - ({}))/({}))", input.low, input.high - input.low);
        from_high = fmt::format("((({}) - x1)/({}))", input.high, input.high - input.low);
    }
    const auto add = [&](const std::string& base, double exponent) {
        if (exponent == 0) return;
        text += (text.empty() ? "" : "*") + base;
        if (exponent != 1) text += fmt::format("^{}", exponent);
    };
    add(from_low, input.a - 1);
    add(from_high, input.b - 1);
    return Expression::compile(text.empty() ? "1" : text, 1).code();
}

GivenDensity given_density(const TargetProgram& program, double low, double high) {
    InputLaw uniform;
    uniform.low = low;
    uniform.high = high;
    GivenDensity law{program, mesh_of(uniform, program), {0}};
    for (std::size_t j = 0; j + 1 < law.ends.size(); ++j) law.sums.push_back(law.sums[j] + rule(program, law.ends[j], law.ends[j + 1]));
    return law;
}

double distribution(const GivenDensity& law, double x) {
    const std::size_t j = last_at_most(law.ends, x);
    return (law.sums[j] + rule(law.program, law.ends[j], x)) / law.total();
}

double quantile(const GivenDensity& law, double u) {
    const double v = u * law.total();
    const std::size_t j = last_at_most(law.sums, v);
    double s = law.ends[j], t = law.ends[j + 1];
    for (double m = 0.5 * s + 0.5 * t; s < m && m < t; m = 0.5 * s + 0.5 * t) {
        if (rule(law.program, law.ends[j], m) <= v - law.sums[j])
            s = m;
        else
            t = m;
    }
    return (s - law.ends.front()) / (law.ends.back() - law.ends.front());
}

std::vector<TablePiece> quantile_pieces(const InputLaw& input, bool single) {
    InputLaw law = input;
    if (law.kind == InputLaw::Kind::Beta) {
        law.low = 0;
        law.high = 1;
    }
    // The same for many trials.
    using Key = std::tuple<bool, InputLaw::Kind, double, double, double, double, std::string>;
    static std::map<Key, std::vector<TablePiece>> known;
    std::vector<TablePiece>& pieces = known[{single, law.kind, law.low, law.high, law.a, law.b, law.density}];
    if (pieces.empty())
        cut(given_density(density_program(law), law.low, law.high), 0, 1, single ? 0x1p-23 : 0x1p-32, single ? 0x1p-28 : 0x1p-40, pieces);
    return pieces;
}

}  // namespace limrisk::reference
