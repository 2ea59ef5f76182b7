// The statistics of many trials of one cell in a size that does not grow with them: counts, sparse histograms, sums and extremes.
// All of it is integers and exact extremes, so any split into parts and any order of merging gives the same bits.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "aggregation/risk_bins.hpp"
#include "limrisk/trial_record.hpp"

namespace limrisk {

/// How many trials have which integer: keys ascend strictly, no count is 0.
struct Histogram {
    std::vector<std::int32_t> keys;
    std::vector<std::int64_t> counts;

    std::int64_t count_of(std::int32_t key) const;  ///< 0 if absent
    bool operator==(const Histogram&) const = default;
};

/// A risk and the first trial that has it.
struct Extreme {
    double risk = 0;
    std::int64_t trial = -1;
    bool operator==(const Extreme& other) const { return bits_of(risk) == bits_of(other.risk) && trial == other.trial; }
};

struct RiskDistribution {
    Histogram bins;  ///< keys: risk_bin
    Extreme minimum, maximum;
    bool operator==(const RiskDistribution&) const = default;
};

/// Of no trials: all empty, extremes of trial -1.
struct Aggregate {
    std::int64_t trials = 0;
    Histogram verdict, inactive_initial, frozen_initial, inactive_final, inactive_maximum;
    std::int64_t died = 0, revived = 0;
    RiskDistribution final_risk, best_risk, tail_minimum, tail_mean;
    bool operator==(const Aggregate&) const = default;
};

/// The limiting risks, as limiting_risk() of a record.
inline const RiskDistribution& limiting_risks(const Aggregate& aggregate) { return aggregate.tail_mean; }

/// Where a statistic stands in an Aggregate, and from which field of a record it comes.
template <class Statistic>
struct AggregateField {
    using Member = Statistic Aggregate::*;
    const char* name;
    Member member;
    std::size_t offset;  ///< in TrialRecord: of an int32 for counts and sums, of a double for risks
};

/// A histogram counts an int32 of the records, or the sum of two.
template <>
struct AggregateField<Histogram> {
    const char* name;
    Histogram Aggregate::*member;
    std::size_t offset, second = none;
    static constexpr std::size_t none = ~std::size_t{0};
};

/// What a histogram counts of a record.
struct CountedInteger {
    std::size_t offset, second;
    LIMRISK_HOST_DEVICE std::int32_t operator()(const TrialRecord& record) const {
        const auto at = [&](std::size_t place) {
            std::int32_t value;
            std::memcpy(&value, reinterpret_cast<const char*>(&record) + place, sizeof value);
            return std::int64_t{value};
        };
        return static_cast<std::int32_t>(second == AggregateField<Histogram>::none ? at(offset) : at(offset) + at(second));
    }
};

inline constexpr std::array<AggregateField<Histogram>, 5> count_fields{{
    {"verdict", &Aggregate::verdict, offsetof(TrialRecord, verdict)},
    {"inactive_initial", &Aggregate::inactive_initial, offsetof(TrialRecord, inactive_initial)},
    {"frozen_initial", &Aggregate::frozen_initial, offsetof(TrialRecord, inactive_initial), offsetof(TrialRecord, constant_initial)},
    {"inactive_final", &Aggregate::inactive_final, offsetof(TrialRecord, inactive_final)},
    {"inactive_maximum", &Aggregate::inactive_maximum, offsetof(TrialRecord, inactive_maximum)},
}};
inline constexpr std::array<AggregateField<std::int64_t>, 2> sum_fields{{
    {"died", &Aggregate::died, offsetof(TrialRecord, died)},
    {"revived", &Aggregate::revived, offsetof(TrialRecord, revived)},
}};
inline constexpr std::array<AggregateField<RiskDistribution>, 4> risk_fields{{
    {"final_risk", &Aggregate::final_risk, offsetof(TrialRecord, final_risk)},
    {"best_risk", &Aggregate::best_risk, offsetof(TrialRecord, best_risk)},
    {"tail_minimum", &Aggregate::tail_minimum, offsetof(TrialRecord, tail_minimum)},
    {"tail_mean", &Aggregate::tail_mean, offsetof(TrialRecord, tail_mean)},
}};

/// The trials first_trial .. first_trial + count - 1, their records in this machine's memory. One thread.
Aggregate aggregate_records(const TrialRecord* records, std::int64_t count, std::int64_t first_trial);

/// Both together. They must not have a trial in common.
Aggregate merge(const Aggregate& a, const Aggregate& b);

/// Bounds of the order statistic of this rank, 1 .. trials: the value lies in the closed interval. Both ends are the value itself for the
/// first and the last rank; else they differ by less than 2^-10 of the lower one, for normal numbers.
RiskRange order_statistic(const RiskDistribution& risks, std::int64_t rank);

/// Why the parts of an aggregate of the trials first_trial .. first_trial + trials - 1 cannot belong together; empty if they can.
std::string aggregate_problem(const Aggregate& aggregate, std::int64_t first_trial);

/// How an aggregate shows that it is not of this trial's record, or empty: its histograms must count the trial, its extremes enclose it.
std::string contradiction(const Aggregate& aggregate, std::int64_t trial, const TrialRecord& record);

}  // namespace limrisk
