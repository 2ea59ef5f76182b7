// Exact binomial tests of discordant pairs; ranges and ranks for the intervals.
#include "statistics/paired_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"

namespace limrisk {
namespace {

/// The number of smallest values that a median lies above with probability at least 1 - tail: the largest r with P(Bin(n, 1/2) < r) <=
/// tail.
std::int64_t median_rank(std::int64_t count, double tail) {
    std::int64_t low = 0, high = count / 2 + 1;
    while (high - low > 1) {
        const std::int64_t middle = low + (high - low) / 2;
        (binomial_at_most(middle - 1, count, 0.5) <= tail ? low : high) = middle;
    }
    return low;
}

}  // namespace

ShareComparison compare_shares(std::int64_t only_first, std::int64_t only_second, std::int64_t pairs, double confidence) {
    const std::int64_t discordant = only_first + only_second;
    if (only_first < 0 || only_second < 0 || discordant > pairs || !(confidence > 0 && confidence < 1))
        throw Defect("compare_shares: needs counts of 0 or more that fit into the pairs, and a confidence between 0 and 1");
    const double each = (1 + confidence) / 2;
    const Interval disagreement = clopper_pearson(discordant, pairs, each), towards_first = clopper_pearson(only_first, discordant, each);
    const double low = 2 * towards_first.low - 1, high = 2 * towards_first.high - 1;
    ShareComparison comparison{pairs, only_first, only_second, 0, {}, binomial_test(only_first, discordant, 0.5)};
    if (pairs > 0) comparison.difference = static_cast<double>(only_first - only_second) / static_cast<double>(pairs);
    comparison.interval.low = low * (low < 0 ? disagreement.high : disagreement.low);
    comparison.interval.high = high * (high < 0 ? disagreement.low : disagreement.high);
    return comparison;
}

RiskComparison compare_risks(std::span<const double> first, std::span<const double> second, double confidence) {
    if (first.size() != second.size() || first.empty() || !(confidence > 0 && confidence < 1))
        throw Defect("compare_risks: needs as many risks of either cell, at least one, and a confidence between 0 and 1");
    constexpr double infinity = std::numeric_limits<double>::infinity();
    RiskComparison comparison{0, 0, 0, 0, {-infinity, infinity}, 1};
    std::vector<double> differences(first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        if (std::isnan(first[i]) || std::isnan(second[i])) throw Defect("compare_risks: a risk is NaN");
        differences[i] = first[i] == second[i] ? 0 : first[i] - second[i];  // also for two infinite ones
        ++(first[i] > second[i] ? comparison.first_larger : first[i] < second[i] ? comparison.second_larger : comparison.equal);
    }
    comparison.p_value = binomial_test(comparison.first_larger, comparison.first_larger + comparison.second_larger, 0.5);

    const auto smallest = [&](std::int64_t rank) {  // 1: the minimum
        const auto position = differences.begin() + (rank - 1);
        std::nth_element(differences.begin(), position, differences.end());
        return *position;
    };
    const auto count = static_cast<std::int64_t>(differences.size());
    comparison.median = smallest((count + 1) / 2);
    const std::int64_t rank = median_rank(count, (1 - confidence) / 2);
    if (rank > 0) comparison.interval = {smallest(rank), smallest(count + 1 - rank)};
    return comparison;
}

}  // namespace limrisk
