// Memory of a device and page-locked memory of the host, owned.
#pragma once
#include <cstddef>
#include <utility>

#include "backend/cuda/runtime.hpp"

namespace limrisk::cuda {

/// Bytes of device memory; empty if the device had not that much.
class DeviceMemory {
public:
    DeviceMemory() = default;
    DeviceMemory(Device& device, std::size_t bytes) : device_(&device), start_(device.allocate(bytes)), bytes_(start_ ? bytes : 0) {}
    DeviceMemory(DeviceMemory&& other) noexcept
        : device_(other.device_), start_(std::exchange(other.start_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    DeviceMemory& operator=(DeviceMemory&& other) noexcept {
        std::swap(device_, other.device_);
        std::swap(start_, other.start_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~DeviceMemory() {
        if (start_) device_->release(start_);
    }

    char* start() const { return static_cast<char*>(start_); }
    std::size_t bytes() const { return bytes_; }

private:
    Device* device_ = nullptr;
    void* start_ = nullptr;
    std::size_t bytes_ = 0;
};

[[noreturn]] void throw_no_host_memory(std::size_t bytes);

/// Objects in page-locked memory of the host. Grows to the largest request and is kept: to allocate and to release such memory can wait for
/// all work of the device, also that of others.
template <class T>
class PinnedArray {
public:
    explicit PinnedArray(Device& device) : device_(&device) {}
    PinnedArray(const PinnedArray&) = delete;
    PinnedArray& operator=(const PinnedArray&) = delete;
    ~PinnedArray() {
        if (start_) device_->release_host(start_);
    }

    /// At least `count` objects, not initialized; what was there before is lost. @throws DeviceError if the host has not that much.
    T* at_least(std::size_t count) {
        if (count <= count_ && start_) return start_;
        if (start_) device_->release_host(std::exchange(start_, nullptr));
        count_ = 0;
        start_ = static_cast<T*>(device_->allocate_host(count * sizeof(T)));
        if (!start_) throw_no_host_memory(count * sizeof(T));
        count_ = count;
        return start_;
    }

private:
    Device* device_;
    T* start_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace limrisk::cuda
