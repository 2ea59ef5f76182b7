// Ends of the interval: roots of the mixture martingale by Newton's method in the log-odds.
#include "statistics/confidence_sequence.hpp"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

/// Where log_mixture_ratio is `level`: right of the observed share for side = 1, left of it for side = -1.
double end_of_interval(std::int64_t successes, std::int64_t trials, double level, double side) {
    const double n = static_cast<double>(trials), hits = static_cast<double>(successes);
    // In t = log(p / (1 - p)) the logarithm of the martingale is convex, with slope n p - S: from outside the root Newton's method comes
    // nearer with every step, and from inside its first step leads outside.
    const double smoothed = (hits + 0.5) / (n + 1), curvature = n * smoothed * (1 - smoothed);
    const double share = successes > 0 && successes < trials ? hits / n : smoothed;
    double t = std::log(share / (1 - share)) + side * std::sqrt(2 * (level + 1 + 0.5 * std::log(n)) / curvature);
    double inner = std::log(share / (1 - share));  // nearer to the share than t
    for (int iteration = 0; iteration < 100; ++iteration) {
        const double p = 1 / (1 + std::exp(-t)), excess = log_mixture_ratio(p, successes, trials) - level;
        if (excess == std::numeric_limits<double>::infinity()) {  // the density underflows: too far out
            t = 0.5 * (t + inner);
            continue;
        }
        if (excess < 0) inner = t;
        const double step = -excess / (n * p - hits);
        t += step;
        if (std::abs(step) <= 1e-15 * (1 + std::abs(t))) break;
    }
    return 1 / (1 + std::exp(-t));
}

}  // namespace

double log_mixture_ratio(double p, std::int64_t successes, std::int64_t trials) {
    if (trials == 0) return 0;
    if ((p <= 0 && successes > 0) || (p >= 1 && successes < trials)) return std::numeric_limits<double>::infinity();
    p = std::clamp(p, std::numeric_limits<double>::min(), 1 - 0x1p-53);  // at 0 or 1 itself the formula below is 0 times infinity
    // With f the density of Beta(S + 1/2, n - S + 1/2) the ratio is 1 / (pi sqrt(p (1-p)) f(p)).
    const double density =
        boost::math::ibeta_derivative(static_cast<double>(successes) + 0.5, static_cast<double>(trials - successes) + 0.5, p);
    return -std::log(std::numbers::pi * std::sqrt(p * (1 - p)) * density);
}

Interval confidence_sequence(std::int64_t successes, std::int64_t trials, double confidence) {
    if (successes < 0 || successes > trials || !(confidence > 0 && confidence < 1))
        throw Defect("confidence_sequence: needs 0 <= successes <= trials and a confidence between 0 and 1");
    const double level = -std::log1p(-confidence);
    Interval interval{0, 1};
    if (successes > 0) interval.low = end_of_interval(successes, trials, level, -1);
    if (successes < trials) interval.high = end_of_interval(successes, trials, level, 1);
    return interval;
}

}  // namespace limrisk
