// Aggregation where the records are: on the emulated GPU, behind the CUDA backend.
#include <gtest/gtest.h>

#include "emulated_backend.hpp"
#include "limrisk/error.hpp"

namespace limrisk::test {
namespace {

/// Aggregated on the device, in several pieces: that of the CPU's records, which are not copied; on the host where memory lacks.
TEST(EmulatedAggregation, IsThatOfTheRecords) {
    const CellPlan plan(small_cell());
    WorkStatus status;
    const std::optional<BlockResult> truth = make_cpu_backend(1)->run({&plan, 5, 300}, status);
    ASSERT_TRUE(truth.has_value());
    const Aggregate right = aggregate_records(truth->records.data(), 300, 5);
    for (const bool out_of_memory : {false, true}) {
        const auto runtime = std::make_shared<EmulatedRuntime>();
        const auto backend = emulated_backend(runtime, std::size_t{200} << 10);
        if (out_of_memory) runtime->inject({.call = Call::Aggregate, .effect = Fault::Effect::OutOfMemory, .sticky = false});
        const std::optional<BlockResult> result = backend->run({&plan, 5, 300}, status, {.aggregate = true});
        ASSERT_TRUE(result && result->aggregate);
        EXPECT_TRUE(*result->aggregate == right);
        EXPECT_TRUE(result->records.empty());
        EXPECT_GT(runtime->calls(0, Call::Aggregate), 1) << "in one piece";
    }
    const auto runtime = std::make_shared<EmulatedRuntime>();
    const auto backend = emulated_backend(runtime, 0);
    runtime->inject({.call = Call::Aggregate});
    EXPECT_THROW(backend->run({&plan, 5, 9}, status, {.aggregate = true}), DeviceError);
}

}  // namespace
}  // namespace limrisk::test
