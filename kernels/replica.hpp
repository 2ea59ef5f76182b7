// What is known of one replica between its checks, and its record at the end: scalar bookkeeping. docs/numerics.md section 10.
#pragma once
#include "cell.hpp"
#include "check_steps.hpp"
#include "elementary.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Whether some trials may end before their last check without diverging. Then every check measures all that a last one does.
constexpr bool ends_early(const Cell& cell) {
    return cell.stop_risk > 0 || cell.stop_gradient > 0 || cell.stop_converged || cell.stop_inactive || cell.stop_kinks;
}

constexpr double finite_or_infinity(double x) { return x <= RealTraits<double>::largest ? x : RealTraits<double>::infinity; }

/// The checks of a window, taken one after the other.
struct Tail {
    double minimum, maximum, sum, first, last;  ///< of the risks
    double first_logs, last_logs;               ///< sums of the logarithms over the first and the last half
    double moved_square;                        ///< largest square of a distance from the parameters at the first check
    bool rose;                                  ///< a risk was above the one before, by more than rounding

    /// The smallest normal double stands for the logarithm of 0.
    static double log_of(double risk) {
        constexpr double tiny = RealTraits<double>::smallest_normal;
        return log(risk < tiny ? tiny : risk);
    }

    /// Risk number `index` of `count`, and the square of the distance from the parameters at number 0.
    void add(double risk, double moved, std::int64_t index, std::int64_t count) {
        if (index == 0) {
            minimum = maximum = first = last = risk;
            sum = first_logs = last_logs = moved_square = 0;
            rose = false;
        }
        minimum = risk < minimum ? risk : minimum;
        maximum = risk > maximum ? risk : maximum;
        rose = rose || risk > last * (1 + 1e-9);
        last = risk;
        sum += risk;
        const std::int64_t half = count / 2;
        const double logarithm = log_of(risk);
        if (index < half) first_logs += logarithm;
        if (index >= count - half) last_logs += logarithm;
        moved_square = index > 0 && moved > moved_square ? moved : moved_square;
    }
    double mean(std::int64_t count) const { return sum / static_cast<double>(count); }
    double displacement() const { return sqrt(moved_square); }

    /// Whether the risk still falls: from check to check, or from half to half by more than a third of its spread, on a log scale.
    bool falls(std::int64_t count) const {
        const std::int64_t checks = count / 2;
        const auto half = static_cast<double>(checks);
        return (!rose && last < first * (1 - 1e-9)) || 3 * (first_logs / half - last_logs / half) > log_of(maximum) - log_of(minimum);
    }
};

/// What a verdict looks at beside the tail.
struct VerdictScales {
    double tolerance, risk_scale, zero_risk, training_gradient_norm, parameter_norm;
};

/// Verdict of a replica that neither diverged nor was stopped: budget, converged or oscillating.
///   count  checks of the tail
inline Verdict tail_verdict(const Tail& tail, std::int64_t count, const VerdictScales& scales) {
    if (count == 1) return Verdict::Budget;  // one check shows no movement
    const double size = 1 + scales.parameter_norm, mean = tail.mean(count);
    const bool zero = tail.maximum <= scales.zero_risk;
    const bool flat = tail.maximum - tail.minimum <= scales.tolerance * mean &&
                      scales.training_gradient_norm * size <= sqrt(scales.tolerance * mean) * sqrt(scales.risk_scale);
    if (tail.displacement() <= scales.tolerance * size && (zero || flat)) return Verdict::Converged;
    return tail.falls(count) ? Verdict::Budget : Verdict::Oscillating;
}

/// Risk and squares of norms, in double.
template <class V>
struct Measures {
    V risk, gradient_square, parameter_square;
    V training_square;  ///< of the gradient of the risk that is trained on; the last check only, or all if ends_early()
    V moved_square;     ///< distance from the parameters at the first check of the window; later checks of it only

    /// Those of one replica, whose number `of` finds among those of several.
    template <class Of>
    LIMRISK_INLINE Measures<double> one(Of of) {
        return {of(risk), of(gradient_square), of(parameter_square), of(training_square), of(moved_square)};
    }
};

/// Numbers of neurons per state.
template <class V>
struct StateCounts {
    V inactive, constant, linear, inactive_on_data, died, revived, frozen_constant;

    LIMRISK_INLINE void add(const StateCounts& other) {
        inactive = inactive + other.inactive;
        constant = constant + other.constant;
        linear = linear + other.linear;
        inactive_on_data = inactive_on_data + other.inactive_on_data;
        died = died + other.died;
        revived = revived + other.revived;
        frozen_constant = frozen_constant + other.frozen_constant;
    }
    /// Calls `body` with each number.
    template <class Body>
    LIMRISK_INLINE void each(Body body) {
        body(inactive);
        body(constant);
        body(linear);
        body(inactive_on_data);
        body(died);
        body(revived);
        body(frozen_constant);
    }
    /// As of Measures.
    template <class Of>
    LIMRISK_INLINE StateCounts<std::int32_t> one(Of of) {
        const auto count = [&](V& number) LIMRISK_INLINE_LAMBDA { return static_cast<std::int32_t>(of(number)); };
        return {count(inactive), count(constant), count(linear),         count(inactive_on_data),
                count(died),     count(revived),  count(frozen_constant)};
    }
};

/// What a check measures of one replica.
struct CheckValues : Measures<double>, StateCounts<std::int32_t> {
    std::int32_t kinks_crossed = 0;  ///< neurons that have crossed so far
    double kink_displacement = 0;    ///< the largest at this check
};

/// What is evaluated of one replica after its last check.
struct FinalValues {
    double final_risk, best_risk;  ///< of the last and of the best iterate
    std::uint64_t fingerprint;
    // Of the average of its iterates, where there is one.
    double average_risk;
    StateCounts<std::int32_t> of_average;
    // On the points that are held out, where there are some: of the last and of the best iterate, and of the average, if there is one.
    double validation_risk, best_validation_risk, average_validation_risk;
};

/// What is known of one replica between checks. A fresh one is all zero.
struct Replica {
    bool diverged;
    Verdict ended;  ///< of a trial that has ended before the last check without diverging, else Budget
    std::int64_t nonfinite_step, best_step, last_step;
    double initial_risk, best_risk, risk, gradient_norm, training_gradient_norm, parameter_norm;
    Tail tail;  ///< of the present window, or of the check at which it was stopped
    std::int32_t inactive_initial, constant_initial, inactive, inactive_maximum, died, revived, inactive_on_data, constant, linear;
    // Of a rate that adapts, from check 0 on.
    std::int32_t checks_without_fall;
    double smallest_risk;  ///< by which falls are judged
    double rate_factor;    ///< what the rate of the schedule is multiplied by
    // Of a cell that follows kinks, over the checks before it diverged.
    double kink_displacement;
    std::int32_t kinks_crossed;

    bool has_ended_early() const { return ended != Verdict::Budget; }
    /// Whether it is to be trained on.
    bool running() const { return !diverged && !has_ended_early(); }

    /// Whether a check that measures this sees a trial that has diverged: it may be the last of the trial.
    bool diverges_by(const Measures<double>& values) const {
        return diverged || !(values.risk <= RealTraits<double>::largest && values.parameter_square <= RealTraits<double>::largest);
    }
    void diverge(std::int64_t step) {
        diverged = true;
        nonfinite_step = step;
    }

    /// The present values; nothing that looks back.
    void take(const CheckValues& values) {
        risk = values.risk;
        gradient_norm = sqrt(values.gradient_square);
        training_gradient_norm = sqrt(values.training_square);
        parameter_norm = sqrt(values.parameter_square);
        inactive = values.inactive;
        constant = values.constant;
        linear = values.linear;
        inactive_on_data = values.inactive_on_data;
    }

    /// Takes note of check number `index`, unless it has ended before. True: the parameters are the best so far.
    bool check(const Cell& cell, std::int64_t index, const CheckValues& values) {
        if (has_ended_early()) return false;
        if (!diverged && diverges_by(values)) diverge(check_step(cell, index));
        take(values);
        if (!diverged) {
            kinks_crossed = values.kinks_crossed;
            if (kink_displacement < values.kink_displacement) kink_displacement = values.kink_displacement;
        }
        if (index == 0) {
            initial_risk = risk;
            inactive_initial = inactive;
            constant_initial = values.frozen_constant;
        } else {
            died += values.died;
            revived += values.revived;
        }
        if (inactive > inactive_maximum) inactive_maximum = inactive;
        if (in_window(cell, index)) tail.add(risk, values.moved_square, place_in_window(cell, index), cell.tail);
        const bool improved = index == 0 || (!diverged && risk < best_risk);
        if (improved) {
            best_risk = risk;
            best_step = check_step(cell, index);
        }
        last_step = check_step(cell, index);
        if (!diverged && index < cell.checks) judge(cell, index);
        return improved;
    }

    /// Ends the trial if the cell says so, after check number `index`, which is not the last.
    void judge(const Cell& cell, std::int64_t index) {
        const bool whole = cell.stop_converged && in_window(cell, index) && left_in_window(cell, index) == 0;
        if (whole && tail_verdict(tail, cell.tail, scales(cell)) == Verdict::Converged) {
            ended = Verdict::Converged;
        } else if (risk < cell.stop_risk || gradient_norm < cell.stop_gradient || (cell.stop_inactive && inactive == cell.width) ||
                   (cell.stop_kinks && kinks_crossed > 0)) {
            stop();
        }
    }

    /// Ends the trial at the check that it has just made.
    void stop() {
        ended = Verdict::Stopped;
        tail.add(risk, 0, 0, 1);
    }

    /// Lowers the learning rate if the risk has not fallen, after check number `index`. True: a better one is to be searched for instead.
    bool adapt(const LearningRate& rate, std::int64_t index) {
        if (index == 0) rate_factor = 1;
        if (index == 0 || risk < smallest_risk * (1 - rate.threshold)) {
            smallest_risk = risk;
            checks_without_fall = 0;
            return index == 0 && rate.searches();
        }
        if (++checks_without_fall < rate.every) return false;
        checks_without_fall = 0;
        if (!rate.searches()) rate_factor = tried_factor(rate, rate.rates / 2 + 1);
        return rate.searches();
    }

    /// Number k of the factors around the present one, number rates / 2, that a search tries.
    double tried_factor(const LearningRate& rate, std::int64_t k) const {
        const double least = rate.last / rate.initial;
        double factor = rate_factor;
        for (std::int64_t i = k; i < rate.rates / 2; ++i) factor /= rate.factor;
        for (std::int64_t i = rate.rates / 2; i < k; ++i) factor *= rate.factor;
        return factor > least ? factor : least;
    }

    VerdictScales scales(const Cell& cell) const {
        return {cell.tolerance, cell.risk_scale, cell.zero_risk, training_gradient_norm, parameter_norm};
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
    ///   averages, validates  whether there is an average of the iterates, whether there are points held out
    template <class Record>
    Record record(const Cell& cell, const FinalValues& values, bool averages, bool validates) const {
        const auto unless_diverged = [&](double x) { return diverged ? RealTraits<double>::infinity : finite_or_infinity(x); };
        Record record{};
        record.verdict = diverged ? Verdict::Diverged : has_ended_early() ? ended : tail_verdict(tail, cell.tail, scales(cell));
        record.nonfinite_step = nonfinite_step;
        record.last_step = diverged ? nonfinite_step : last_step;
        record.initial_risk = finite_or_infinity(initial_risk);
        record.final_risk = unless_diverged(values.final_risk);
        record.best_risk = finite_or_infinity(values.best_risk);
        record.best_step = best_step;
        record.tail_minimum = unless_diverged(tail.minimum);
        record.tail_mean = unless_diverged(tail.mean(ended == Verdict::Stopped ? 1 : cell.tail));
        record.tail_maximum = unless_diverged(tail.maximum);
        record.gradient_norm = unless_diverged(gradient_norm);
        record.training_gradient_norm = unless_diverged(training_gradient_norm);
        record.parameter_norm = finite_or_infinity(parameter_norm);
        record.displacement = unless_diverged(tail.displacement());
        record.inactive_initial = inactive_initial;
        record.constant_initial = constant_initial;
        record.inactive_final = inactive;
        record.inactive_maximum = inactive_maximum;
        record.died = died;
        record.revived = revived;
        record.inactive_on_data = inactive_on_data;
        record.constant = constant;
        record.linear = linear;
        record.kinked = kinked(cell);
        record.fingerprint = values.fingerprint;
        if (cell.follows_kinks) {
            record.kinks_crossed = kinks_crossed;
            record.kink_displacement = kink_displacement;
        }
        if (averages) {
            const StateCounts<std::int32_t>& counts = values.of_average;
            record.average_risk = unless_diverged(values.average_risk);
            record.average_inactive = counts.inactive;
            record.average_constant = counts.constant;
            record.average_linear = counts.linear;
            record.average_kinked = static_cast<std::int32_t>(cell.width) - counts.inactive - counts.constant - counts.linear;
            record.average_inactive_on_data = counts.inactive_on_data;
        } else {
            take_iterate_as_average(record);
        }
        if (validates) {
            record.validation_risk = unless_diverged(values.validation_risk);
            record.best_validation_risk = finite_or_infinity(values.best_validation_risk);
            if (averages) record.average_validation_risk = unless_diverged(values.average_validation_risk);
        }
        return record;
    }
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
