// Aggregates of trials against a scalar reference, in every split and order; bins against frexp; order statistics within their bounds.
#include "aggregation/aggregate.hpp"

#include <gmock/gmock.h>
#include <thrust/system/cpp/execution_policy.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "aggregation/aggregate_thrust.hpp"
#include "limrisk/error.hpp"
#include "store_fixture.hpp"
#include "tests/enum_values.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double smallest_subnormal = std::numeric_limits<double>::denorm_min();
constexpr double smallest_normal = std::numeric_limits<double>::min();
constexpr double largest = std::numeric_limits<double>::max();

/// The bin by arithmetic instead of bits.
std::int32_t reference_bin(double risk) {
    if (risk == 0) return 0;
    if (risk < 0) return -reference_bin(-risk);
    if (std::isinf(risk)) return infinite_risk_bin;
    int exponent = 0;
    const double fraction = std::frexp(risk, &exponent);  // 0.5 to 1
    if (exponent < -1021) return 1 + static_cast<std::int32_t>(std::floor(std::ldexp(risk, 1022 + risk_bin_digits)));
    return 1 + ((exponent + 1022) << risk_bin_digits) +
           static_cast<std::int32_t>(std::floor(std::ldexp(2 * fraction - 1, risk_bin_digits)));
}

/// The same statistics by maps and loops.
Aggregate reference_aggregate(const std::vector<TrialRecord>& records, std::int64_t first_trial) {
    Aggregate result;
    std::map<std::int32_t, std::int64_t> verdict, initial, frozen, final, most;
    const auto histogram = [](const std::map<std::int32_t, std::int64_t>& counts) {
        Histogram all;
        for (const auto& [key, count] : counts) {
            all.keys.push_back(key);
            all.counts.push_back(count);
        }
        return all;
    };
    const auto before = [](double a, double b) { return a < b || (a == b && std::signbit(a) && !std::signbit(b)); };
    const auto risks = [&](double TrialRecord::*field) {
        std::map<std::int32_t, std::int64_t> bins;
        RiskDistribution all;
        std::int64_t trial = first_trial;
        for (const TrialRecord& record : records) {
            ++bins[reference_bin(record.*field)];
            if (trial == first_trial || before(record.*field, all.minimum.risk)) all.minimum = {record.*field, trial};
            if (trial == first_trial || before(all.maximum.risk, record.*field)) all.maximum = {record.*field, trial};
            ++trial;
        }
        all.bins = histogram(bins);
        return all;
    };
    for (const TrialRecord& record : records) {
        ++result.trials;
        ++verdict[static_cast<std::int32_t>(record.verdict)];
        ++initial[record.inactive_initial];
        ++frozen[static_cast<std::int32_t>(frozen_initial(record))];
        ++final[record.inactive_final];
        ++most[record.inactive_maximum];
        result.died += record.died;
        result.revived += record.revived;
    }
    result.verdict = histogram(verdict);
    result.inactive_initial = histogram(initial);
    result.inactive_final = histogram(final);
    result.inactive_maximum = histogram(most);
    result.frozen_initial = histogram(frozen);
    result.final_risk = risks(&TrialRecord::final_risk);
    result.best_risk = risks(&TrialRecord::best_risk);
    result.tail_minimum = risks(&TrialRecord::tail_minimum);
    result.tail_mean = risks(&TrialRecord::tail_mean);
    return result;
}

/// Records as trials have them, with many ties, zeros, infinities and subnormal numbers among the risks.
std::vector<TrialRecord> trained_records(std::int64_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<TrialRecord> records(static_cast<std::size_t>(count));
    const auto risk = [&]() -> double {
        const double odd[] = {0.0, -0.0, infinity, smallest_subnormal, 1000 * smallest_subnormal, smallest_normal, 0.25, largest};
        if (random() % 8 == 0) return odd[random() % 8];
        if (random() % 4 == 0) return std::ldexp(1.0, -static_cast<int>(random() % 30));
        return std::exp(std::normal_distribution(-4.0, 3.0)(random));
    };
    for (TrialRecord& record : records) {
        record.final_risk = risk();
        record.best_risk = risk();
        record.tail_minimum = risk();
        record.tail_mean = risk();
        record.inactive_initial = static_cast<std::int32_t>(random() % 3 * (random() % 5));
        record.constant_initial = static_cast<std::int32_t>(random() % 3);
        record.inactive_final = static_cast<std::int32_t>(random() % 65537);
        record.inactive_maximum = static_cast<std::int32_t>(random() % 17);
        record.died = static_cast<std::int32_t>(random() % 2000000000);
        record.revived = static_cast<std::int32_t>(random() % 3);
        record.verdict = static_cast<Verdict>(random() % test::enum_count<Verdict>());
    }
    return records;
}

Aggregate aggregated(const std::vector<TrialRecord>& records, std::int64_t first_trial = 0) {
    return aggregate_records(records.data(), static_cast<std::int64_t>(records.size()), first_trial);
}

TEST(Aggregate, IsThatOfTheScalarReference) {
    unsigned seed = 0;
    for (const std::int64_t count : {1, 2, 31, 32, 33, 1000, 20001}) {
        const std::vector<TrialRecord> records = trained_records(count, ++seed);
        const Aggregate aggregate = aggregated(records, 1000 * seed);
        EXPECT_EQ(aggregate, reference_aggregate(records, 1000 * seed)) << count << " trials";
        EXPECT_EQ(aggregate_problem(aggregate, 1000 * seed), "");
    }
    EXPECT_EQ(aggregated({}), Aggregate{});
    // Every bit pattern that a record may hold, negative integers and risks included.
    const std::vector<TrialRecord> odd = records_of({1, 0, 5000});
    EXPECT_EQ(aggregated(odd), reference_aggregate(odd, 0));
}

TEST(Aggregate, IsTheSameForEverySplitAndEveryOrder) {
    constexpr std::int64_t count = 3000, first_trial = 77;
    const std::vector<TrialRecord> records = trained_records(count, 11);
    const Aggregate whole = aggregated(records, first_trial);
    std::mt19937 random(12);
    for (int round = 0; round < 40; ++round) {
        std::vector<std::int64_t> cuts{0, count};
        for (auto k = random() % 20; k > 0; --k) cuts.push_back(static_cast<std::int64_t>(random() % (count + 1)));  // with empty parts
        std::sort(cuts.begin(), cuts.end());
        std::vector<Aggregate> parts;
        for (std::size_t k = 1; k < cuts.size(); ++k)
            parts.push_back(aggregate_records(&records[0] + cuts[k - 1], cuts[k] - cuts[k - 1], first_trial + cuts[k - 1]));
        std::shuffle(parts.begin(), parts.end(), random);
        // Any tree: two random parts are joined, in either order, until one is left.
        while (parts.size() > 1) {
            const std::size_t k = random() % (parts.size() - 1), other = parts.size() - 1;
            parts[k] = random() % 2 == 0 ? merge(parts[k], parts[other]) : merge(parts[other], parts[k]);
            parts.pop_back();
        }
        ASSERT_EQ(parts.front(), whole) << "cuts " << ::testing::PrintToString(cuts);
    }
}

TEST(Aggregate, ExtremesOfEqualRisksAreOfTheFirstTrial) {
    std::vector<TrialRecord> records(10);
    for (TrialRecord& record : records) record.tail_minimum = 2;
    records[6].tail_minimum = records[3].tail_minimum = 1;
    records[8].tail_minimum = records[4].tail_minimum = infinity;
    const RiskDistribution risks = aggregated(records, 100).tail_minimum;
    EXPECT_EQ(risks.minimum, (Extreme{1, 103}));
    EXPECT_EQ(risks.maximum, (Extreme{infinity, 104}));
}

TEST(RiskBins, AreAFunctionOfTheValueAlone) {
    std::mt19937_64 bits(3);
    for (int k = 0; k < 200000; ++k) {
        const std::uint64_t word = bits();
        double value = 0;
        std::memcpy(&value, &word, sizeof value);
        if (std::isnan(value)) continue;
        const std::int32_t bin = risk_bin(value);
        ASSERT_EQ(bin, reference_bin(value)) << value;
        const RiskRange range = risk_bin_range(bin);
        ASSERT_TRUE(range.low <= value && value <= range.high) << value;
        if (std::abs(value) >= smallest_normal && !std::isinf(value)) {
            ASSERT_LT(std::abs(range.high - range.low), std::ldexp(std::min(std::abs(range.low), std::abs(range.high)), -10)) << value;
        }
    }
}

TEST(RiskBins, MeetWithoutGapsAndKeepWhatIsSpecialApart) {
    for (std::int32_t bin = 1; bin < infinite_risk_bin; bin += bin < 3000 || bin > infinite_risk_bin - 3000 ? 1 : 997) {
        const RiskRange range = risk_bin_range(bin);
        ASSERT_EQ(risk_bin(range.low), bin);
        ASSERT_EQ(risk_bin(range.high), bin);
        ASSERT_EQ(std::nextafter(range.high, infinity), risk_bin_range(bin + 1).low) << bin;
        ASSERT_EQ(risk_bin(-range.high), -bin);
        ASSERT_EQ(risk_bin_range(-bin), (RiskRange{-range.high, -range.low}));
    }
    EXPECT_EQ(risk_bin_range(0), (RiskRange{0, 0}));
    EXPECT_EQ(risk_bin_range(1).low, smallest_subnormal);
    EXPECT_EQ(risk_bin_range(infinite_risk_bin), (RiskRange{infinity, infinity}));
    EXPECT_EQ(risk_bin(largest), infinite_risk_bin - 1);
    EXPECT_EQ(risk_bin(0.0), 0);
    EXPECT_EQ(risk_bin(-0.0), 0);
    EXPECT_NE(risk_bin(smallest_normal), risk_bin(std::nextafter(smallest_normal, 0)));
}

TEST(Aggregate, OrderStatisticsLieWithinTheirBounds) {
    const std::vector<TrialRecord> records = trained_records(2000, 9);
    const RiskDistribution risks = aggregated(records).final_risk;
    std::vector<double> sorted;
    for (const TrialRecord& record : records) sorted.push_back(record.final_risk);
    std::sort(sorted.begin(), sorted.end());
    for (std::int64_t rank = 1; rank <= 2000; ++rank) {
        const double value = sorted[static_cast<std::size_t>(rank - 1)];
        const RiskRange bounds = order_statistic(risks, rank);
        ASSERT_TRUE(bounds.low <= value && value <= bounds.high) << "rank " << rank << ": " << value;
        if (value >= smallest_normal && value < infinity) {
            ASSERT_LT(bounds.high - bounds.low, std::ldexp(bounds.low, -10)) << rank;
        }
    }
    EXPECT_EQ(order_statistic(risks, 1), (RiskRange{sorted.front(), sorted.front()}));
    EXPECT_EQ(order_statistic(risks, 2000), (RiskRange{sorted.back(), sorted.back()}));
    for (const std::int64_t rank : {0, 2001}) EXPECT_THROW(order_statistic(risks, rank), Defect);
}

TEST(Aggregate, DamageAndForeignTrialsShow) {
    const std::vector<TrialRecord> records = trained_records(500, 21);
    const Aggregate sound = aggregated(records, 10);
    const auto problem = [&](const auto& change) {
        Aggregate damaged = sound;
        change(damaged);
        return aggregate_problem(damaged, 10);
    };
    EXPECT_THAT(problem([](Aggregate& a) { ++a.trials; }), HasSubstr("verdict counts 500 of 501"));
    EXPECT_THAT(problem([](Aggregate& a) { std::swap(a.inactive_final.keys[0], a.inactive_final.keys[1]); }), HasSubstr("out of order"));
    EXPECT_THAT(problem([](Aggregate& a) { a.inactive_maximum.counts[0] = -1; }), HasSubstr("does not count"));
    EXPECT_THAT(problem([](Aggregate& a) { a.best_risk.bins.counts.pop_back(); }), HasSubstr("as many counts as keys"));
    EXPECT_THAT(problem([](Aggregate& a) { a.tail_minimum.minimum.trial = 9; }), HasSubstr("extreme at trial 9"));
    EXPECT_THAT(problem([](Aggregate& a) { a.final_risk.maximum.risk = 1; }), HasSubstr("outermost bin"));
    EXPECT_THAT(problem([](Aggregate& a) { a.verdict.keys.back() = 5; }), HasSubstr("verdict of 5"));

    for (std::int64_t k = 0; k < 500; ++k) EXPECT_EQ(contradiction(sound, 10 + k, records[static_cast<std::size_t>(k)]), "");
    TrialRecord other = records[7];
    other.inactive_maximum = 99;
    EXPECT_THAT(contradiction(sound, 17, other), HasSubstr("inactive_maximum 99"));
    other = records[7];
    other.tail_minimum = 1e-300;
    EXPECT_THAT(contradiction(sound, 17, other), HasSubstr("no trial has a tail_minimum near 1e-300"));
    other = records[7];
    other.final_risk = sound.final_risk.maximum.risk;
    EXPECT_THAT(contradiction(sound, 0, other), HasSubstr("although the maximum is inf"));
}

/// Memory of its own, for Thrust's temporary storage as well, with its count of all that is asked of it.
struct CountingSystem {
    using value_type = char;
    auto policy() { return thrust::cpp::par(*this); }
    char* allocate(std::ptrdiff_t bytes) {
        ++allocations;
        held += 1;
        return static_cast<char*>(::operator new(static_cast<std::size_t>(bytes)));
    }
    void deallocate(char* start, std::size_t) {
        held -= 1;
        ::operator delete(start);
    }
    void copy_to_host(void* to, const void* from, std::size_t bytes) {
        ++copies;
        std::memcpy(to, from, bytes);
    }
    int allocations = 0, held = 0, copies = 0;
};

/// What a GPU runs: histograms come back by the system's own copies, two each; its memory is asked for as often however many records there
/// are, and given back.
TEST(Aggregation, AsksItsSystemForAllThatItNeeds) {
    int allocations = 0;
    for (const std::int64_t count : {50, 5000}) {
        const std::vector<TrialRecord> records = trained_records(count, 3);
        CountingSystem system;
        const Aggregate aggregate = aggregation::aggregate_with(system, records.data(), count, 7);
        EXPECT_TRUE(aggregate == reference_aggregate(records, 7));
        EXPECT_EQ(system.held, 0);
        EXPECT_EQ(system.copies, 2 * static_cast<int>(std::size(count_fields) + std::size(risk_fields)));
        if (allocations > 0) {
            EXPECT_EQ(system.allocations, allocations);
        }
        allocations = system.allocations;
    }
    EXPECT_GE(allocations, 3);
}

}  // namespace
}  // namespace limrisk::testing
