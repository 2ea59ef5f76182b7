// The mesh of the expression under the uniform law, its panels' integrals one after the other, bisection; dyadic pieces of the quantile
// function, halved until the distribution function at the polynomial is right.
#include "evaluation/density_law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include "evaluation/breaks.hpp"
#include "evaluation/gauss_legendre.hpp"
#include "evaluation/scalar.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using gauss_legendre::abscissas_8;
using gauss_legendre::weights_8;

constexpr int scanned = 4096;
constexpr std::size_t most_pieces = 4096;

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
    throw ConfigError({fmt::format("problem.input: the density \"{}\" {}", text, why)});
}

InputLaw uniform_on(double low, double high) {
    InputLaw law;
    law.low = low;
    law.high = high;
    return law;
}

/// "base^exponent" as a factor, nothing for the exponent 0.
std::string power(const std::string& base, double exponent) {
    if (exponent == 0) return "";
    return exponent == 1 ? base : fmt::format("{}^{}", base, exponent);
}

/// Of a beta law on its interval.
std::string beta_text(const InputLaw& law) {
    const bool unit = law.low == 0 && law.high == 1;
    const double range = law.high - law.low;
    const std::string from_low = power(unit ? "x1" : fmt::format("((x1 - ({}))/({}))", law.low, range), law.a - 1),
                      to_high = power(unit ? "(1 - x1)" : fmt::format("((({}) - x1)/({}))", law.high, range), law.b - 1);
    if (from_low.empty() || to_high.empty()) return from_low.empty() && to_high.empty() ? "1" : from_low + to_high;
    return from_low + "*" + to_high;
}

/// The law whose quantile function is tabulated: of a beta law that on [0, 1].
InputLaw tabulated(const InputLaw& input) {
    InputLaw law = input.coordinate(0);
    if (law.kind != InputLaw::Kind::Beta) return law;
    law.low = 0;
    law.high = 1;
    return law;
}

/// One value per key, computed once and kept for good: those of a sweep over laws are all in use at once.
template <class Key, class Value, class Make>
std::shared_ptr<const Value> known(const Key& key, const Make& make) {
    static std::mutex mutex;
    static std::map<Key, std::shared_ptr<const Value>> values;
    {
        const std::lock_guard lock(mutex);
        if (const auto found = values.find(key); found != values.end()) return found->second;
    }
    std::shared_ptr<const Value> value = make();
    const std::lock_guard lock(mutex);
    return values.emplace(key, std::move(value)).first->second;
}

struct QuantilePiece {
    double low, width;
    std::array<double, 8> coefficients;  ///< of Newton's form at the abscissas of the 8-point rule
};

double at(const QuantilePiece& piece, double t) {
    double value = piece.coefficients[7];
    for (std::size_t k = 7; k-- > 0;) value = std::fma(value, t - abscissas_8[k], piece.coefficients[k]);
    return value;
}

/// Appends [low, low + width], or the pieces of its halves.
void append_pieces(const DensityLaw& law, double low, double width, double least, double tolerance, std::vector<QuantilePiece>& pieces) {
    const double half = 0.5 * width, middle = low + half;
    if (width <= least) {
        pieces.push_back({low, width, {law.quantile(middle)}});
        return;
    }
    QuantilePiece piece{low, width, {}};
    std::array<double, 8>& a = piece.coefficients;
    for (std::size_t k = 0; k < 8; ++k) a[k] = law.quantile(std::fma(half, abscissas_8[k], middle));
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t i = 7; i >= k; --i) a[i] = (a[i] - a[i - 1]) / (abscissas_8[i] - abscissas_8[i - k]);
    bool right = true;
    for (int i = 0; right && i <= 16; ++i) {
        const double t = -1 + static_cast<double>(i) / 8, x = std::fma(at(piece, t), law.high() - law.low(), law.low());
        right = std::fabs(law.probability(std::clamp(x, law.low(), law.high())) - std::fma(half, t, middle)) <= tolerance;
    }
    if (right) {
        pieces.push_back(piece);
        return;
    }
    if (pieces.size() >= most_pieces) return;
    append_pieces(law, low, half, least, tolerance, pieces);
    append_pieces(law, middle, half, least, tolerance, pieces);
}

}  // namespace

std::string density_text(const InputLaw& input) {
    if (!input.has_table()) throw Defect("a law without an expression of its density is asked for it");
    return input.kind == InputLaw::Kind::Beta ? beta_text(input) : input.density;
}

DensityLaw::DensityLaw(const std::string& text, double low, double high) : expression_(Expression::compile(text, 1)) {
    const Mesh mesh = target_mesh(uniform_on(low, high), expression_.program());
    ends_ = mesh.points;
    require_density(text);
    if (!(mesh.error <= 1e-10))
        refuse(text,
               fmt::format("varies too fast or is too singular: its integral has a relative error of {:.1e}, at most 1e-10 is allowed; "
                           "choose a smoother density or a smaller interval",
                           mesh.error));
    if (!(mesh.unproved <= 0.25))
        refuse(text,
               "may have peaks or jumps that no rule sees; choose a smaller interval, a wider peak, or write it with x in fewer places");
    cumulative_.push_back(0);
    for (std::size_t p = 0; p + 1 < ends_.size(); ++p) cumulative_.push_back(cumulative_.back() + integral(ends_[p], ends_[p + 1]));
    if (!std::isnormal(mass()))
        refuse(text, fmt::format("is {} on [{}, {}]; it must be positive somewhere",
                                 mass() == 0 ? "zero everywhere" : "too small or too large", low, high));
}

void DensityLaw::require_density(const std::string& text) const {
    std::vector<double> places = ends_;
    const double low = ends_.front(), high = ends_.back();
    for (int i = 1; i < scanned; ++i) places.push_back(std::fma(static_cast<double>(i) / scanned, high - low, low));
    for (std::size_t p = 0; p + 1 < ends_.size(); ++p)
        for (const double abscissa : abscissas_8)
            places.push_back(std::fma(0.5 * (ends_[p + 1] - ends_[p]), abscissa, 0.5 * (ends_[p] + ends_[p + 1])));
    // Where the sign changes: the square root has its breaks there.
    std::vector<double> changes{low};
    std::vector<kernels::Instruction> root = expression_.code();
    root.push_back({kernels::Op::Sqrt, 0, 0});
    for (const double change : target_breaks({low, high}, {root.data(), static_cast<std::int32_t>(root.size())})) changes.push_back(change);
    changes.push_back(high);
    for (std::size_t i = 0; i + 1 < changes.size(); ++i) places.push_back(0.5 * changes[i] + 0.5 * changes[i + 1]);
    std::sort(places.begin(), places.end());
    for (const double x : places) {
        const double g = value(x);
        if (std::isfinite(g) && g >= 0) continue;
        refuse(text, fmt::format("is {:g} at x = {:g}; a density must be finite and at least 0 on the whole of [{}, {}], ends included", g,
                                 x, low, high));
    }
}

double DensityLaw::value(double x) const { return evaluate_target(expression_.program(), &x); }

double DensityLaw::integral(double from, double to) const {
    const double half = 0.5 * (to - from), middle = 0.5 * (from + to);
    double sum = 0;
    for (int g = 0; g < 8; ++g) sum += half * weights_8[g] * value(std::fma(half, abscissas_8[g], middle));
    return sum;
}

double DensityLaw::probability(double x) const {
    const auto above = std::upper_bound(ends_.begin(), ends_.end() - 1, x);
    const auto panel = static_cast<std::size_t>(above == ends_.begin() ? 0 : above - ends_.begin() - 1);
    return (cumulative_[panel] + integral(ends_[panel], x)) / mass();
}

double DensityLaw::quantile(double u) const {
    const double wanted = u * mass();
    const auto above = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, wanted);
    const auto panel = static_cast<std::size_t>(above - cumulative_.begin() - 1);
    const double start = ends_[panel], rest = wanted - cumulative_[panel];
    double low = start, high = ends_[panel + 1];
    for (;;) {
        const double middle = 0.5 * low + 0.5 * high;
        if (!(low < middle && middle < high)) break;
        (integral(start, middle) <= rest ? low : high) = middle;
    }
    return (low - this->low()) / (this->high() - this->low());
}

std::shared_ptr<const DensityLaw> density_law(const InputLaw& input) {
    const std::string text = density_text(input);
    return known<std::tuple<std::string, double, double>, DensityLaw>(
        {text, input.low, input.high}, [&] { return std::make_shared<const DensityLaw>(text, input.low, input.high); });
}

Density::Density(const InputLaw& input) : input_(input), normalizer_(density_normalizer(input)) {
    if (input.has_table()) law_ = density_law(input);
}

double Density::without_constant(double x) const {
    if (input_.kind == InputLaw::Kind::Uniform) return 1;
    if (law_) return law_->value(x);
    const double u = (x - input_.mean) / input_.deviation;
    return exponential(-0.5 * (u * u));
}

double Density::operator()(double x) const {
    return input_.kind == InputLaw::Kind::Uniform ? normalizer_ : without_constant(x) * normalizer_;
}

template <class Real>
std::shared_ptr<const QuantileNumbers<Real>> quantile_table(const InputLaw& input) {
    constexpr bool single = sizeof(Real) == 4;
    const InputLaw law = tabulated(input);
    const std::string text = density_text(law);
    return known<std::tuple<std::string, double, double>, QuantileNumbers<Real>>({text, law.low, law.high}, [&] {
        std::vector<QuantilePiece> pieces;
        append_pieces(*density_law(law), 0, 1, single ? 0x1p-23 : 0x1p-32, single ? 0x1p-28 : 0x1p-40, pieces);
        if (pieces.size() >= most_pieces) refuse(text, "has a quantile function that needs too many pieces; choose a smoother density");
        auto table = std::make_shared<QuantileNumbers<Real>>();
        table->count = static_cast<std::int32_t>(pieces.size());
        while (std::size_t{1} << table->steps < pieces.size()) ++table->steps;
        table->numbers.assign(std::size_t{1} << table->steps, 2);
        for (std::size_t j = 0; j < pieces.size(); ++j) {
            table->numbers[j] = static_cast<Real>(pieces[j].low);
            table->numbers.push_back(static_cast<Real>(2 / pieces[j].width));
            for (const double coefficient : pieces[j].coefficients) table->numbers.push_back(static_cast<Real>(coefficient));
        }
        return table;
    });
}
template std::shared_ptr<const QuantileNumbers<float>> quantile_table(const InputLaw& input);
template std::shared_ptr<const QuantileNumbers<double>> quantile_table(const InputLaw& input);

}  // namespace limrisk
