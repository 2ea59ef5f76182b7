// The device's part of Stream::select: CUB's DeviceSelect::Flagged over a list whose length only the device knows.
#include <cuda_runtime.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>

#include <cub/device/device_select.cuh>

#include "backend/cuda/device_select.hpp"

namespace limrisk::cuda {
namespace {

/// The list entry at a position; 0 behind the end, where nothing may be read.
struct EntryAt {
    const std::int32_t* list;
    const std::int64_t* count;
    __device__ std::int32_t operator()(std::int32_t position) const { return position < *count ? list[position] : 0; }
};

/// Whether the list entry at a position is wanted; behind the end none is.
struct FlagAt {
    const std::int32_t* list;
    const std::int64_t* count;
    const std::uint8_t* flags;
    __device__ bool operator()(std::int32_t position) const { return position < *count && flags[list[position]] != 0; }
};

}  // namespace

int enqueue_select(void* temporary, std::size_t& temporary_bytes, const SelectArguments& a, void* stream) {
    const thrust::counting_iterator<std::int32_t> positions(0);
    return cub::DeviceSelect::Flagged(temporary, temporary_bytes, thrust::make_transform_iterator(positions, EntryAt{a.list, a.count}),
                                      thrust::make_transform_iterator(positions, FlagAt{a.list, a.count, a.flags}), a.selected,
                                      a.selected_count, static_cast<std::int32_t>(a.capacity), static_cast<cudaStream_t>(stream));
}

}  // namespace limrisk::cuda
