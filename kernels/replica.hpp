// What is known of one replica between its checks, and its record at the end: scalar bookkeeping. docs/numerics.md section 10.
#pragma once
#include "cell.hpp"
#include "elementary.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Step of check k; checks <= 2^16 and steps < 2^40, so nothing overflows.
constexpr std::int64_t check_step(const Cell& cell, std::int64_t check) { return check * cell.steps / cell.checks; }

constexpr bool is_tail(const Cell& cell, std::int64_t check) { return check > cell.checks - cell.tail; }

/// First check of the tail: displacement is measured from there.
constexpr std::int64_t first_tail_check(const Cell& cell) { return cell.checks - cell.tail + 1; }

constexpr double finite_or_infinity(double x) { return x <= RealTraits<double>::largest ? x : RealTraits<double>::infinity; }

/// Risks of the tail checks, one after the other.
struct Tail {
    double minimum, maximum, sum, first_half, last_half;

    /// Risk number `index` of `count`.
    void add(double risk, std::int64_t index, std::int64_t count) {
        if (index == 0) {
            minimum = maximum = risk;
            sum = first_half = last_half = 0;
        }
        minimum = risk < minimum ? risk : minimum;
        maximum = risk > maximum ? risk : maximum;
        sum += risk;
        const std::int64_t half = count / 2;
        if (index < half) first_half += risk;
        if (index >= count - half) last_half += risk;
    }
    double mean(std::int64_t count) const { return sum / static_cast<double>(count); }
};

/// Verdict of a replica that did not diverge: 0 budget, 1 converged, 2 oscillating.
///   count  risks of the tail
inline int tail_verdict(const Tail& tail, std::int64_t count, double displacement, double parameter_norm, double tolerance) {
    if (count == 1) return 0;  // one check shows no trend
    const double spread = tail.maximum - tail.minimum;
    if (spread <= tolerance * tail.mean(count) && displacement <= tolerance * (1 + parameter_norm)) return 1;
    const std::int64_t half_count = count / 2;
    const auto half = static_cast<double>(half_count);
    return 3 * abs(tail.first_half / half - tail.last_half / half) > spread ? 0 : 2;
}

/// What a check measures of one replica. Norms are squared.
struct CheckValues {
    double risk, gradient_square, parameter_square;
    std::int32_t inactive, constant, linear, inactive_on_data, died, revived;
};

/// What is known of one replica between checks. A fresh one is all zero.
struct Replica {
    bool diverged;
    std::int64_t nonfinite_step, best_step;
    double initial_risk, best_risk, risk, gradient_norm, parameter_norm;
    Tail tail;
    std::int32_t inactive_initial, inactive, inactive_maximum, died, revived, inactive_on_data, constant, linear;

    /// The present values; nothing that looks back.
    void take(const CheckValues& values) {
        risk = values.risk;
        gradient_norm = sqrt(values.gradient_square);
        parameter_norm = sqrt(values.parameter_square);
        inactive = values.inactive;
        constant = values.constant;
        linear = values.linear;
        inactive_on_data = values.inactive_on_data;
    }

    /// Takes note of check number `index`. True: the parameters are the best so far.
    bool check(const Cell& cell, std::int64_t index, const CheckValues& values) {
        const bool finite = values.risk <= RealTraits<double>::largest && values.parameter_square <= RealTraits<double>::largest;
        if (!diverged && !finite) {
            diverged = true;
            nonfinite_step = check_step(cell, index);
        }
        take(values);
        if (index == 0) {
            initial_risk = risk;
            inactive_initial = inactive;
        } else {
            died += values.died;
            revived += values.revived;
        }
        if (inactive > inactive_maximum) inactive_maximum = inactive;
        if (is_tail(cell, index)) tail.add(risk, index - first_tail_check(cell), cell.tail);
        const bool improved = index == 0 || (!diverged && risk < best_risk);
        if (improved) {
            best_risk = risk;
            best_step = check_step(cell, index);
        }
        return improved;
    }

    std::int32_t kinked(const Cell& cell) const { return static_cast<std::int32_t>(cell.width) - inactive - constant - linear; }

    /// The public record of check number `index`, which was the last.
    template <class Check>
    Check check_record(const Cell& cell, std::int64_t index) const {
        return record_at<Check>(cell, check_step(cell, index));
    }

    /// The same of the present values, which are those of `step`.
    template <class Check>
    Check record_at(const Cell& cell, std::int64_t step) const {
        return {step,
                finite_or_infinity(risk),
                finite_or_infinity(gradient_norm),
                finite_or_infinity(parameter_norm),
                inactive,
                constant,
                linear,
                kinked(cell),
                inactive_on_data};
    }

    /// The public record of the trial after its last check.
    template <class Record>
    Record record(const Cell& cell, double final_risk, double accurate_best_risk, double displacement, std::uint64_t fingerprint) const {
        const auto unless_diverged = [&](double x) { return diverged ? RealTraits<double>::infinity : finite_or_infinity(x); };
        Record record{};
        record.verdict = static_cast<decltype(record.verdict)>(
            diverged ? 3 : tail_verdict(tail, cell.tail, displacement, parameter_norm, cell.tolerance));
        record.nonfinite_step = nonfinite_step;
        record.initial_risk = finite_or_infinity(initial_risk);
        record.final_risk = unless_diverged(final_risk);
        record.best_risk = finite_or_infinity(accurate_best_risk);
        record.best_step = best_step;
        record.tail_minimum = unless_diverged(tail.minimum);
        record.tail_mean = unless_diverged(tail.mean(cell.tail));
        record.tail_maximum = unless_diverged(tail.maximum);
        record.gradient_norm = unless_diverged(gradient_norm);
        record.parameter_norm = finite_or_infinity(parameter_norm);
        record.displacement = unless_diverged(displacement);
        record.inactive_initial = inactive_initial;
        record.inactive_final = inactive;
        record.inactive_maximum = inactive_maximum;
        record.died = died;
        record.revived = revived;
        record.inactive_on_data = inactive_on_data;
        record.constant = constant;
        record.linear = linear;
        record.kinked = kinked(cell);
        record.fingerprint = fingerprint;
        return record;
    }
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
