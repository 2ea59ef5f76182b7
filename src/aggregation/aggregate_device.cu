// Aggregation on a GPU: Thrust's CUDA system, whose sorts and reductions are CUB's.
#include <cuda_runtime.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>

#include "aggregation/aggregate_device.hpp"
#include "aggregation/aggregate_thrust.hpp"

namespace limrisk {

int aggregate_on_device(const TrialRecord* device_records, std::int64_t count, std::int64_t first_trial, void* stream,
                        Aggregate& aggregate) {
    try {
        const auto policy = thrust::cuda::par.on(static_cast<cudaStream_t>(stream));
        aggregate = aggregation::aggregate_with(policy, device_records, count, first_trial);
        return cudaSuccess;
    } catch (const thrust::system_error& error) {
        return error.code().value();
    } catch (const std::bad_alloc&) {
        // Thrust says only this of every failed allocation; another error of the device shows again in the next call.
        cudaGetLastError();
        return cudaErrorMemoryAllocation;
    }
}

}  // namespace limrisk
