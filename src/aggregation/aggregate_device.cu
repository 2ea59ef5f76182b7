// Aggregation on a GPU: Thrust's CUDA system, whose sorts and reductions are CUB's.
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>

#include <string>

#include "aggregation/aggregate_device.hpp"
#include "aggregation/aggregate_thrust.hpp"
#include "limrisk/error.hpp"

namespace limrisk {

Aggregate aggregate_on_device(const TrialRecord* device_records, std::int64_t count, std::int64_t first_trial, CUstream_st* stream) {
    try {
        return aggregation::aggregate_with(thrust::cuda::par.on(stream), device_records, count, first_trial);
    } catch (const thrust::system_error& error) {
        throw DeviceError("aggregation of " + std::to_string(count) + " trials on the GPU: " + error.what());
    } catch (const std::bad_alloc&) {
        throw DeviceError("aggregation of " + std::to_string(count) + " trials on the GPU: not enough memory on the device");
    }
}

}  // namespace limrisk
