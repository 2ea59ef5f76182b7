// Merging, reading and checking aggregates; see aggregate.hpp.
#include "aggregation/aggregate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Histogram merge(const Histogram& a, const Histogram& b) {
    Histogram sum;
    sum.keys.reserve(a.keys.size() + b.keys.size());
    sum.counts.reserve(a.keys.size() + b.keys.size());
    std::size_t i = 0, j = 0;
    while (i < a.keys.size() || j < b.keys.size()) {
        const bool from_a = j == b.keys.size() || (i < a.keys.size() && a.keys[i] <= b.keys[j]);
        const bool from_b = i == a.keys.size() || (j < b.keys.size() && b.keys[j] <= a.keys[i]);
        sum.keys.push_back(from_a ? a.keys[i] : b.keys[j]);
        sum.counts.push_back((from_a ? a.counts[i] : 0) + (from_b ? b.counts[j] : 0));
        i += from_a ? 1 : 0;
        j += from_b ? 1 : 0;
    }
    return sum;
}

/// The smaller risk (the larger if not `smallest`); of equal ones the first trial.
Extreme more_extreme(const Extreme& a, const Extreme& b, bool smallest) {
    const std::uint64_t order_a = order_of(a.risk), order_b = order_of(b.risk);
    if (order_a == order_b) return a.trial < b.trial ? a : b;
    return (order_a < order_b) == smallest ? a : b;
}

bool ascending(const Histogram& histogram) {
    return std::adjacent_find(histogram.keys.begin(), histogram.keys.end(), std::greater_equal<>()) == histogram.keys.end();
}

/// Empty if the histogram is one of `trials` trials.
std::string problem_of(const Histogram& histogram, std::int64_t trials) {
    if (histogram.keys.size() != histogram.counts.size()) return "has not as many counts as keys";
    if (!ascending(histogram)) return "has keys out of order";
    std::int64_t left = trials;
    for (const std::int64_t count : histogram.counts) {
        if (count < 1 || count > left) return fmt::format("does not count {} trials", trials);
        left -= count;
    }
    return left == 0 ? "" : fmt::format("counts {} of {} trials", trials - left, trials);
}

std::string problem_of(const RiskDistribution& risks, std::int64_t first_trial, std::int64_t trials) {
    std::string problem = problem_of(risks.bins, trials);
    if (!problem.empty() || trials == 0) return problem;
    for (const auto& [extreme, bin] : {std::pair{risks.minimum, risks.bins.keys.front()}, {risks.maximum, risks.bins.keys.back()}}) {
        if (extreme.trial < first_trial || extreme.trial >= first_trial + trials)
            return fmt::format("has an extreme at trial {}", extreme.trial);
        if (risk_bin(extreme.risk) != bin) return fmt::format("has the extreme {}, which is not in its outermost bin", extreme.risk);
    }
    return "";
}

template <class Value>
Value field_at(const TrialRecord& record, std::size_t offset) {
    Value value;
    std::memcpy(&value, reinterpret_cast<const char*>(&record) + offset, sizeof value);
    return value;
}

}  // namespace

RiskRange risk_bin_range(std::int32_t bin) {
    if (bin == 0) return {0, 0};
    if (bin < 0) {
        const RiskRange mirrored = risk_bin_range(-bin);
        return {-mirrored.high, -mirrored.low};
    }
    if (bin >= infinite_risk_bin) return {infinity, infinity};
    const auto first = static_cast<std::uint64_t>(bin - 1) << risk_bin_shift;
    const auto last = (static_cast<std::uint64_t>(bin) << risk_bin_shift) - 1;
    return {std::bit_cast<double>(std::max<std::uint64_t>(first, 1)), std::bit_cast<double>(last)};
}

std::int64_t Histogram::count_of(std::int32_t key) const {
    const auto found = std::lower_bound(keys.begin(), keys.end(), key);
    return found == keys.end() || *found != key ? 0 : counts[static_cast<std::size_t>(found - keys.begin())];
}

Aggregate merge(const Aggregate& a, const Aggregate& b) {
    if (a.trials == 0) return b;
    if (b.trials == 0) return a;
    Aggregate sum;
    sum.trials = a.trials + b.trials;
    for (const auto& field : count_fields) sum.*field.member = merge(a.*field.member, b.*field.member);
    for (const auto& field : sum_fields) sum.*field.member = a.*field.member + b.*field.member;
    for (const auto& field : risk_fields) {
        const RiskDistribution &left = a.*field.member, &right = b.*field.member;
        sum.*field.member = {merge(left.bins, right.bins), more_extreme(left.minimum, right.minimum, true),
                             more_extreme(left.maximum, right.maximum, false)};
    }
    return sum;
}

RiskRange order_statistic(const RiskDistribution& risks, std::int64_t rank) {
    const std::int64_t trials = std::accumulate(risks.bins.counts.begin(), risks.bins.counts.end(), std::int64_t{0});
    if (rank < 1 || rank > trials) throw Defect(fmt::format("rank {} of {} trials", rank, trials));
    if (rank == 1) return {risks.minimum.risk, risks.minimum.risk};
    if (rank == trials) return {risks.maximum.risk, risks.maximum.risk};
    std::size_t k = 0;
    for (std::int64_t below = risks.bins.counts[0]; below < rank; below += risks.bins.counts[k]) ++k;
    const RiskRange bin = risk_bin_range(risks.bins.keys[k]);
    return {std::max(bin.low, risks.minimum.risk), std::min(bin.high, risks.maximum.risk)};
}

std::string aggregate_problem(const Aggregate& aggregate, std::int64_t first_trial) {
    const auto told = [](const char* name, const std::string& problem) { return fmt::format("the aggregate of {} {}", name, problem); };
    for (const auto& field : count_fields) {
        if (const std::string problem = problem_of(aggregate.*field.member, aggregate.trials); !problem.empty())
            return told(field.name, problem);
    }
    for (const auto& field : risk_fields) {
        if (const std::string problem = problem_of(aggregate.*field.member, first_trial, aggregate.trials); !problem.empty())
            return told(field.name, problem);
    }
    for (const std::int32_t verdict : aggregate.verdict.keys) {
        if (verdict < 0 || verdict > static_cast<int>(Verdict::Stopped))
            return told("verdict", fmt::format("counts a verdict of {}, which does not exist", verdict));
    }
    return "";
}

std::string contradiction(const Aggregate& aggregate, std::int64_t trial, const TrialRecord& record) {
    for (const auto& field : count_fields) {
        const std::int32_t value = CountedInteger{field.offset, field.second}(record);
        if ((aggregate.*field.member).count_of(value) == 0) return fmt::format("{} {} is counted in no trial", field.name, value);
    }
    for (const auto& field : risk_fields) {
        const RiskDistribution& risks = aggregate.*field.member;
        const Extreme mine{field_at<double>(record, field.offset), trial};
        if (risks.bins.count_of(risk_bin(mine.risk)) == 0) return fmt::format("no trial has a {} near {}", field.name, mine.risk);
        for (const bool smallest : {true, false}) {
            const Extreme& extreme = smallest ? risks.minimum : risks.maximum;
            if (!(more_extreme(mine, extreme, smallest) == extreme) || (extreme.trial == trial && !(mine == extreme))) {
                return fmt::format("{} is {}, although the {} is {} at trial {}", field.name, mine.risk, smallest ? "minimum" : "maximum",
                                   extreme.risk, extreme.trial);
            }
        }
    }
    return "";
}

}  // namespace limrisk
