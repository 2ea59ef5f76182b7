// Aggregation of records in a device's memory: by Thrust on a GPU, and what the emulated one promises in its place, give the aggregate of
// the CPU to the bit.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#if defined(LIMRISK_EMULATED_GPU)
#include "gpu/emulated_fixture.hpp"
#else
#include "gpu/gpu_fixture.hpp"
#endif
#include "tests/enum_values.hpp"

namespace limrisk::test {
namespace {

#if defined(LIMRISK_EMULATED_GPU)
#define LIMRISK_AGGREGATE_TEST AggregateOnEmulatedGpu
using Fixture = EmulatedGpuTest;
#else
#define LIMRISK_AGGREGATE_TEST AggregateOnGpu
using Fixture = GpuTest;
#endif

class LIMRISK_AGGREGATE_TEST : public Fixture {};

/// Risks of all sizes with many ties, zeros, infinities and subnormal numbers; counts with few and with many values.
std::vector<TrialRecord> odd_records(std::int64_t count) {
    std::mt19937_64 random(static_cast<std::uint64_t>(count));
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto risk = [&]() -> double {
        const double odd[] = {0.0, -0.0, infinity, 5e-324, 1e-310, 0.25, -1.0, std::numeric_limits<double>::max()};
        return random() % 4 == 0 ? odd[random() % 8] : std::exp(std::normal_distribution(-4.0, 9.0)(random));
    };
    std::vector<TrialRecord> records(static_cast<std::size_t>(count));
    for (TrialRecord& record : records) {
        record.final_risk = risk();
        record.best_risk = risk();
        record.tail_minimum = risk();
        record.tail_mean = risk();
        record.inactive_initial = static_cast<std::int32_t>(random() % 3);
        record.constant_initial = static_cast<std::int32_t>(random() % 2);
        record.inactive_final = static_cast<std::int32_t>(random() % 70000);
        record.inactive_maximum = static_cast<std::int32_t>(random());
        record.died = static_cast<std::int32_t>(random() % 2000000000);
        record.revived = static_cast<std::int32_t>(random() % 5);
        record.verdict = static_cast<Verdict>(random() % test::enum_count<Verdict>());
    }
    return records;
}

TEST_F(LIMRISK_AGGREGATE_TEST, IsThatOfTheCpu) {
    const auto stream = device->make_stream();
    for (const std::int64_t count : {1, 2, 31, 33, 1000, 4097, 300001}) {
        const std::vector<TrialRecord> records = odd_records(count);
        const std::size_t bytes = records.size() * sizeof(TrialRecord);
        void* const there = device->allocate(bytes);
        ASSERT_NE(there, nullptr);
        stream->copy_to_device(there, records.data(), bytes);
        const std::int64_t first_trial = 1000 * count;
        const std::optional<Aggregate> aggregate = stream->aggregate(static_cast<const TrialRecord*>(there), count, first_trial);
        ASSERT_TRUE(aggregate.has_value());
        EXPECT_TRUE(*aggregate == aggregate_records(records.data(), count, first_trial)) << count << " trials";
        EXPECT_EQ(aggregate_problem(*aggregate, first_trial), "");
        device->release(there);
    }
}

}  // namespace
}  // namespace limrisk::test
