// Aggregation on a GPU: Thrust's CUDA system, whose sorts and reductions are CUB's.
#include <cuda_runtime.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>

#include "aggregation/aggregate_device.hpp"
#include "aggregation/aggregate_thrust.hpp"

namespace limrisk {
namespace {

void check(cudaError_t error, const char* call) {
    if (error != cudaSuccess) throw thrust::system_error(error, thrust::cuda_category(), call);
}

/// A stream of the current device. Its memory comes and goes in the order of the stream, for Thrust's temporary storage as well: cudaMalloc
/// and cudaFree would wait for the work of all streams.
struct DeviceStream {
    using value_type = char;
    cudaStream_t stream;

    auto policy() { return thrust::cuda::par(*this).on(stream); }
    char* allocate(std::ptrdiff_t bytes) {
        void* start = nullptr;
        const cudaError_t error = cudaMallocAsync(&start, static_cast<std::size_t>(bytes > 0 ? bytes : 1), stream);
        // Without memory, or on a device without memory pools, the host aggregates.
        if (error == cudaErrorMemoryAllocation || error == cudaErrorNotSupported) throw std::bad_alloc();
        check(error, "cudaMallocAsync");
        return static_cast<char*>(start);
    }
    void deallocate(char* start, std::size_t) { cudaFreeAsync(start, stream); }
    void copy_to_host(void* to, const void* from, std::size_t bytes) const {
        check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync");
        check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    }
};

}  // namespace

int aggregate_on_device(const TrialRecord* device_records, std::int64_t count, std::int64_t first_trial, void* stream,
                        Aggregate& aggregate) {
    try {
        DeviceStream device_stream{static_cast<cudaStream_t>(stream)};
        aggregate = aggregation::aggregate_with(device_stream, device_records, count, first_trial);
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
