// Aggregation of records in the memory of a GPU behind plain C++, so that only aggregate_device.cu needs nvcc. Builds with a toolkit have
// it.
#pragma once
#include "aggregation/aggregate.hpp"

namespace limrisk {

/// aggregate_records for records in the memory of the current device, bit for bit the same. Runs behind what `stream` (a cudaStream_t)
/// holds and waits for its end. Returns CUDA's error code, 0 if there was none; that of missing memory if there are not about 30 bytes per
/// record.
int aggregate_on_device(const TrialRecord* device_records, std::int64_t count, std::int64_t first_trial, void* stream,
                        Aggregate& aggregate);

}  // namespace limrisk
