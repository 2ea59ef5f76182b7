// The alternating sum, in as many digits as its cancellation needs.
#include "statistics/uniform_sum.hpp"

#include <algorithm>
#include <array>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <limits>
#include <vector>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

namespace mp = boost::multiprecision;
using kernels::Law;
using kernels::LawKind;

struct Question {
    const Law& weight;
    const Law& bias;
    const std::vector<BoxSides>& box;
    unsigned dimension;  ///< of the box
    double level;
    bool strict;
};

/// A number of `digits` decimal digits.
template <unsigned digits>
using Digits = mp::number<mp::cpp_bin_float<digits>, mp::et_off>;

/// A jump of the density of one summand.
template <class Real>
struct Jump {
    Real position, height;
    std::vector<Real> power_over_factorial;  ///< height^j / j!, j = 0..d
};

template <class Real>
class Sum {
public:
    explicit Sum(const Question& question) : q_(question) {
        const Real zero = 0, from = q_.weight.low, to = q_.weight.high;
        const Real negative_mass = (std::min(to, zero) - std::min(from, zero)) / (to - from);
        for (const BoxSides& side : q_.box) {
            sides_.push_back({{}, 0, static_cast<unsigned>(side.count)});
            add_part(side.high, std::max(from, zero), std::max(to, zero), to - from, 1 - negative_mass);
            add_part(side.low, std::min(from, zero), std::min(to, zero), to - from, negative_mass);
        }
        factorial_.assign(q_.dimension + 2, Real(1));
        for (std::size_t n = 1; n < factorial_.size(); ++n) factorial_[n] = factorial_[n - 1] * n;
        for (Side& side : sides_)
            for (Jump<Real>& jump : side.jumps) {
                jump.power_over_factorial.assign(side.count + 1, Real(1));
                for (std::size_t j = 1; j <= side.count; ++j)
                    jump.power_over_factorial[j] = jump.power_over_factorial[j - 1] * jump.height / j;
            }
    }

    /// Adds all terms.
    void evaluate() { add_sides(0, Real(1), Real(0), Real(0), 0); }

    /// Their number.
    double terms() const {
        double all = 1;
        for (const Side& side : sides_) {
            // Ways to divide at most `count` summands among the jumps, or all of them if there is no atom.
            const std::size_t parts = side.jumps.size() + (side.atom == 0 ? 0 : 1);
            for (std::size_t j = 1; j < parts; ++j) all *= static_cast<double>(side.count + j) / static_cast<double>(j);
        }
        return all;
    }

    const Real& value() const { return value_; }
    Real error() const {
        const unsigned roundings = 8 * q_.dimension + 64;  // of a term: powers, factorials, coefficients
        return magnitude_ * roundings * std::numeric_limits<Real>::epsilon();
    }

private:
    /// Summands with the same law: the jumps of its density, and its atom at 0.
    struct Side {
        std::vector<Jump<Real>> jumps;
        Real atom;
        unsigned count;
    };

    /// Of the last side: the summand is end * w for w uniform on [from, to], a part of the weight's interval that has length `whole`.
    void add_part(double end, const Real& from, const Real& to, const Real& whole, const Real& mass) {
        if (mass == 0) return;
        if (end == 0) {
            sides_.back().atom += mass;
            return;
        }
        const Real height = 1 / (mp::abs(Real(end)) * whole), at_from = from * end, at_to = to * end;
        add_jump(std::min(at_from, at_to), height);
        add_jump(std::max(at_from, at_to), -height);
    }

    void add_jump(const Real& position, const Real& height) {
        for (Jump<Real>& jump : sides_.back().jumps) {
            if (jump.position == position) {
                jump.height += height;
                return;
            }
        }
        sides_.back().jumps.push_back({position, height, {}});
    }

    /// From side `s` on, of whose n summands n - j are the atom and j have a density, n choose j times; k have one so far.
    void add_sides(std::size_t s, const Real& coefficient, const Real& position, const Real& reach, unsigned k) {
        if (s == sides_.size()) return add_bias(coefficient, position, reach, k);
        const Side& side = sides_[s];
        const unsigned first = side.atom == 0 ? side.count : 0, last = side.jumps.empty() ? 0 : side.count;
        for (unsigned j = first; j <= last; ++j) {
            const Real choices = factorial_[side.count] / factorial_[side.count - j] * mp::pow(side.atom, side.count - j);
            if (choices != 0) add_terms(s, 0, j, coefficient * choices, position, reach, k + j);
        }
    }

    /// Chooses how many of the `left` summands of side `s` take each jump from index `which` on; coefficient = product of height^j / j! so
    /// far, position = sum of j * position, reach = sum of j * |position|.
    void add_terms(std::size_t s, std::size_t which, unsigned left, const Real& coefficient, const Real& position, const Real& reach,
                   unsigned k) {
        const std::vector<Jump<Real>>& jumps = sides_[s].jumps;
        if (which == jumps.size()) return add_sides(s + 1, coefficient, position, reach, k);
        const Jump<Real>& jump = jumps[which];
        const bool final = which + 1 == jumps.size();
        for (unsigned j = final ? left : 0; j <= left; ++j)
            add_terms(s, which + 1, left - j, coefficient * jump.power_over_factorial[j], position + j * jump.position,
                      reach + j * mp::abs(jump.position), k);
    }

    void add_bias(const Real& coefficient, const Real& position, const Real& reach, unsigned k) {
        const Real room = q_.level - position, far = reach + std::abs(q_.level);
        if (q_.bias.kind == LawKind::Zero) {
            if (k == 0 && (q_.strict ? room <= 0 : room < 0)) return;
            add_power(coefficient, room, far, k);
            return;
        }
        const Real length = Real(q_.bias.high) - q_.bias.low;
        add_power(coefficient / length, room - q_.bias.low, far + std::abs(q_.bias.low), k + 1);
        add_power(-coefficient / length, room - q_.bias.high, far + std::abs(q_.bias.high), k + 1);
    }

    /// Adds coefficient * (base)_+^n / n!; the error of `base` itself is at most a few units of `reach`.
    void add_power(const Real& coefficient, const Real& base, const Real& reach, unsigned n) {
        if (n == 0) {
            value_ += coefficient;
            magnitude_ += mp::abs(coefficient);
            return;
        }
        if (base <= 0) return;
        const Real less = coefficient * mp::pow(base, n - 1) / factorial_[n];
        value_ += less * base;
        magnitude_ += mp::abs(less) * (base + n * reach);
    }

    const Question& q_;
    std::vector<Side> sides_;
    std::vector<Real> factorial_;
    Real value_ = 0, magnitude_ = 0;
};

/// True if `digits` digits were enough for a double; `result` then holds it, else the best there is.
template <unsigned digits>
bool found(const Question& question, InactiveProbability& result) {
    Sum<Digits<digits>> sum(question);
    sum.evaluate();
    const auto error = sum.error();
    const double value = std::clamp(sum.value().template convert_to<double>(), 0.0, 1.0);
    constexpr double smallest = std::numeric_limits<double>::min(), epsilon = std::numeric_limits<double>::epsilon();
    const double bound = std::min(1.0, error.template convert_to<double>());
    // Conversion to double rounds once; weights and biases are given in double, which is the model.
    result = {value < smallest ? 0 : value, bound + value * epsilon + smallest, ProbabilityMethod::ExactSum};
    return error <= smallest || error * 1e17 <= sum.value();
}

}  // namespace

std::optional<InactiveProbability> uniform_sum_probability(const Law& weight, const Law& bias, const std::vector<BoxSides>& box,
                                                           double level, bool strict) {
    if (weight.kind != LawKind::Uniform || (bias.kind != LawKind::Uniform && bias.kind != LawKind::Zero))
        throw Defect("uniform_sum_probability: needs uniform weights and a uniform or zero bias");
    std::int64_t dimension = 0;
    for (const BoxSides& side : box) dimension += side.count;
    const Question question{weight, bias, box, static_cast<unsigned>(dimension), level, strict};
    constexpr double most_terms = 2e5;
    if (box.size() > 1 && Sum<Digits<100>>(question).terms() > most_terms) return std::nullopt;
    InactiveProbability result{0, 1, ProbabilityMethod::ExactSum};
    if (!found<100>(question, result) && !found<400>(question, result) && !found<1600>(question, result))
        (void)found<4800>(question, result);
    return result;
}

}  // namespace limrisk
