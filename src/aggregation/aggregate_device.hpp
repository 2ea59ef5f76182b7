// Aggregation of records that lie in the memory of a GPU. Builds with a CUDA toolkit have it.
#pragma once
#include "aggregation/aggregate.hpp"

struct CUstream_st;

namespace limrisk {

/// aggregate_records for records in the memory of the current device, bit for bit the same. Runs behind what `stream` holds and returns
/// when it is done. Throws DeviceError: the device's error, or no memory for 16 bytes per record and the sort.
Aggregate aggregate_on_device(const TrialRecord* device_records, std::int64_t count, std::int64_t first_trial, CUstream_st* stream);

}  // namespace limrisk
