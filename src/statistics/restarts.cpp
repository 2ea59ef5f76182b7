// Order statistics of independent values; see restarts.hpp.
#include "statistics/restarts.hpp"

#include <cmath>

#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"

namespace limrisk {

double probability_of_some(double p, std::int64_t restarts) {
    if (!(p >= 0 && p <= 1) || restarts < 1) throw Defect("probability_of_some: needs a probability, and at least one restart");
    return -std::expm1(static_cast<double>(restarts) * std::log1p(-p));
}

double mean_of_smallest(std::span<const double> sorted, std::int64_t restarts) {
    const auto n = static_cast<std::int64_t>(sorted.size());
    if (restarts < 1 || restarts > n) throw Defect("mean_of_smallest: needs at least as many values as restarts");
    double weight = static_cast<double>(restarts) / static_cast<double>(n), mean = 0;
    for (std::int64_t i = 0; i <= n - restarts; ++i) {
        // A weight that is too small for a double still makes an infinite value count.
        mean += std::isinf(sorted[static_cast<std::size_t>(i)]) ? sorted[static_cast<std::size_t>(i)]
                                                                : weight * sorted[static_cast<std::size_t>(i)];
        if (i < n - restarts) weight *= static_cast<double>(n - restarts - i) / static_cast<double>(n - 1 - i);
    }
    return mean;
}

double least_mean_of_smallest(std::span<const double> sorted, std::int64_t restarts, double confidence) {
    if (sorted.empty() || restarts < 1 || !(confidence >= 0.5 && confidence < 1))
        throw Defect("least_mean_of_smallest: needs a value, a restart, and a confidence of at least 1/2");
    const auto n = static_cast<double>(sorted.size());
    const double excess = std::sqrt(-std::log1p(-confidence) / (2 * n));
    double mean = 0, last = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const double above = 1 - static_cast<double>(i) / n - excess;
        if (above <= 1e-12) break;  // rounding
        // A factor that is too small for a double still makes an infinite value count.
        if (std::isinf(sorted[i])) return sorted[i];
        mean += (sorted[i] - last) * std::pow(above, static_cast<double>(restarts));
        last = sorted[i];
    }
    return mean;
}

double share_of_median(std::int64_t restarts) { return -std::expm1(-std::log(2.0) / static_cast<double>(restarts)); }

RankInterval quantile_ranks(double share, std::int64_t n, double confidence) {
    if (n < 1 || !(share > 0 && share < 1) || !(confidence > 0 && confidence < 1))
        throw Defect("quantile_ranks: needs a value, and a share and a confidence between 0 and 1");
    const double tail = (1 - confidence) / 2;
    // The largest rank with P(Bin(n, share) < rank) <= tail.
    const auto rank_below = [&](double probability) {
        std::int64_t low = 0, high = n + 1;
        while (high - low > 1) {
            const std::int64_t middle = low + (high - low) / 2;
            (binomial_at_most(middle - 1, n, probability) <= tail ? low : high) = middle;
        }
        return low;
    };
    // From the other side the same: P(Bin(n, share) >= rank) = P(Bin(n, 1 - share) <= n - rank).
    return {rank_below(share), n + 1 - rank_below(1 - share)};
}

}  // namespace limrisk
