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

/// `count` objects in page-locked memory of the host, not initialized. @throws DeviceError if the host has not that much.
template <class T>
class PinnedArray {
public:
    PinnedArray(Device& device, std::size_t count) : device_(&device), start_(device.allocate_host(count * sizeof(T))), count_(count) {
        if (!start_) throw_no_host_memory(count * sizeof(T));
    }
    PinnedArray(PinnedArray&& other) noexcept
        : device_(other.device_), start_(std::exchange(other.start_, nullptr)), count_(other.count_) {}
    PinnedArray& operator=(PinnedArray&&) = delete;
    ~PinnedArray() {
        if (start_) device_->release_host(start_);
    }

    T* data() const { return static_cast<T*>(start_); }
    T& operator[](std::size_t i) const { return data()[i]; }
    std::size_t size() const { return count_; }

private:
    Device* device_;
    void* start_;
    std::size_t count_;
};

}  // namespace limrisk::cuda
