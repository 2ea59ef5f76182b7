// How a trial that did not diverge ended, from its last checks. docs/numerics.md section 10.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "limrisk/trial_record.hpp"
#include "reference/elementary.hpp"
#include "reference/loss.hpp"

namespace limrisk::reference {

/// Sum in order from +0, divided by the count, of numbers[first .. first + count - 1].
inline double mean(const std::vector<double>& numbers, std::size_t first, std::size_t count) {
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum = sum + numbers[first + k];
    return sum / static_cast<double>(count);
}

/// The risk of the best constant in the sense of squares, or of 0 for a constant target, all residuals times `factor`; from the target
/// values and weights of the rule of the checks, and the variance of noise beside them.
inline double scale_risk(const std::vector<double>& targets, const std::vector<double>& weights, const Loss& loss, double factor,
                         double noise = 0) {
    double mass = 0, sum = 0, variance = 0;
    for (const double weight : weights) mass = mass + weight;
    for (std::size_t m = 0; m < targets.size(); ++m) sum = sum + weights[m] * targets[m];
    const double average = sum / mass;
    for (std::size_t m = 0; m < targets.size(); ++m) variance = variance + (weights[m] * (targets[m] - average)) * (targets[m] - average);
    variance = variance + noise;
    double square = variance + average * average;
    const bool zero = square == 0;
    if (zero) square = 1;
    const bool varies = variance > 1e-20 * square;
    if (loss.kind == LossKind::Squared) return varies ? variance : square;
    double risk = 0;
    for (std::size_t m = 0; m < targets.size(); ++m) {
        const double g = varies ? targets[m] - average : zero ? 1 : targets[m];
        risk = risk + weights[m] * loss_value(loss, factor * g);
    }
    return risk;
}

/// What risks are measured against.
inline double risk_scale(const std::vector<double>& targets, const std::vector<double>& weights, const Loss& loss = {}, double noise = 0) {
    return scale_risk(targets, weights, loss, 1, noise);
}

/// What counts as a risk of 0.
inline double zero_risk(const std::vector<double>& targets, const std::vector<double>& weights, const Loss& loss) {
    const double scale = scale_risk(targets, weights, loss, 1e-5);
    return loss.kind == LossKind::Squared ? 1e-10 * scale : scale;
}

/// The end of a trial.
struct Ending {
    std::vector<double> tail;  ///< rule risks of the last checks, in order
    double risk_scale = 0, displacement = 0, training_gradient_norm = 0, parameter_norm = 0, tolerance = 0;
    std::optional<double> zero_risk = {};  ///< of squares, if it is not given
};

inline bool stands_still(const Ending& end) {
    const double minimum = *std::min_element(end.tail.begin(), end.tail.end()),
                 maximum = *std::max_element(end.tail.begin(), end.tail.end());
    const double scale = 1 + end.parameter_norm;
    if (!(end.displacement <= end.tolerance * scale)) return false;
    if (maximum <= end.zero_risk.value_or(1e-10 * end.risk_scale)) return true;
    const double average = mean(end.tail, 0, end.tail.size());
    return maximum - minimum <= end.tolerance * average &&
           end.training_gradient_norm * scale <= std::sqrt(end.tolerance * average) * std::sqrt(end.risk_scale);
}

inline bool steps_down(const std::vector<double>& tail) {
    for (std::size_t t = 1; t < tail.size(); ++t)
        if (!(tail[t] <= tail[t - 1] * (1 + 1e-9))) return false;
    return tail.back() < tail.front() * (1 - 1e-9);
}

inline bool falls_in_mean(const std::vector<double>& tail) {
    std::vector<double> logs;
    for (const double risk : tail) logs.push_back(reference::log(std::max(risk, std::numeric_limits<double>::min())));
    const std::size_t half = logs.size() / 2;
    const double first = mean(logs, 0, half), last = mean(logs, logs.size() - half, half);
    return 3 * (first - last) > *std::max_element(logs.begin(), logs.end()) - *std::min_element(logs.begin(), logs.end());
}

inline Verdict verdict(const Ending& end) {
    if (end.tail.size() == 1) return Verdict::Budget;
    if (stands_still(end)) return Verdict::Converged;
    return steps_down(end.tail) || falls_in_mean(end.tail) ? Verdict::Budget : Verdict::Oscillating;
}

}  // namespace limrisk::reference
