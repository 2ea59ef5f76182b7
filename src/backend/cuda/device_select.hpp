// CUB's DeviceSelect behind plain C++, so that only device_select.cu needs nvcc.
#pragma once
#include <cstddef>
#include <cstdint>

namespace limrisk::cuda {

/// The arguments of Stream::select (runtime.hpp): which of the list's entries have a flag that is not 0. All pointers are to the device.
struct SelectArguments {
    const std::int32_t* list = nullptr;      ///< [*count]; nothing behind it is read
    const std::int64_t* count = nullptr;     ///< one number
    std::int64_t capacity = 0;               ///< upper bound of *count, below 2^31
    const std::uint8_t* flags = nullptr;     ///< [largest list entry + 1]
    std::int32_t* selected = nullptr;        ///< [capacity], apart from list
    std::int64_t* selected_count = nullptr;  ///< one number
};

/// Enqueues the selection on `stream` (a cudaStream_t) of the current device and returns CUDA's error code, 0 if there was none. With
/// `temporary` null it only stores the bytes of temporary storage that the selection needs, and enqueues nothing.
int enqueue_select(void* temporary, std::size_t& temporary_bytes, const SelectArguments& arguments, void* stream);

}  // namespace limrisk::cuda
