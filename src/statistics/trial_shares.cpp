// The interval of the sum is as long as the sum of the intervals (Bonferroni), so what is shared out is not the variance of the sum, as in
// Neyman's allocation, but the lengths.
#include "statistics/trial_shares.hpp"

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

/// Of Wilson's interval for a share q of n trials: as long as that of Clopper and Pearson up to terms of 1/n, and of the order of 1/n where
/// q is 0. The square of the normal quantile stands for confidences from 97.5 %, two strata, to 99.4 %, eight.
double expected_length(double q, double n) {
    constexpr double square = 6;
    return 2 * std::sqrt(square * q * (1 - q) / n + square * square / (4 * n * n)) / (1 + square / n);
}

}  // namespace

std::vector<std::int64_t> trial_shares(const std::vector<PilotedStratum>& strata, std::int64_t trials) {
    constexpr std::int64_t portions = 4096;
    const auto count = static_cast<std::int64_t>(strata.size());
    if (count == 0 || trials < count) throw Defect("trial_shares: fewer trials than strata");
    struct Part {
        double weight, share;
        std::int64_t trials;
    };
    std::vector<Part> parts;
    for (const PilotedStratum& stratum : strata) {
        if (!(stratum.probability >= 0) || stratum.reached < 0 || stratum.reached > stratum.trials)
            throw Defect("trial_shares: a pilot whose counts do not fit");
        // Between 0 and 1 also where no trial of the pilot reached, or all did.
        const double share = (static_cast<double>(stratum.reached) + 0.5) / (static_cast<double>(stratum.trials) + 1);
        parts.push_back({stratum.probability, share, 1});
    }
    // Relative to the largest, since all may be tiny; the last digits of a probability may differ between machines.
    const double largest =
        std::max_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.weight < b.weight; })->weight;
    for (Part& part : parts) part.weight = largest > 0 ? static_cast<double>(static_cast<float>(part.weight / largest)) : 1;
    // Each portion goes where it shortens the sum most: lengths are convex, so this is the best division into such portions.
    std::int64_t left = trials - count;
    for (const std::int64_t portion = std::max<std::int64_t>(1, left / portions); left > 0;) {
        const std::int64_t next = std::min(portion, left);
        const auto gain = [&](const Part& part) {
            const auto now = static_cast<double>(part.trials);
            return part.weight * (expected_length(part.share, now) - expected_length(part.share, now + static_cast<double>(next)));
        };
        Part* best = &parts.front();
        for (Part& part : parts)
            if (gain(part) > gain(*best)) best = &part;
        best->trials += next;
        left -= next;
    }
    std::vector<std::int64_t> shares;
    for (const Part& part : parts) shares.push_back(part.trials);
    return shares;
}

}  // namespace limrisk
