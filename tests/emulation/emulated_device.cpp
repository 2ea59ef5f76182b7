// Bookkeeping of an emulated device.
#include "emulated_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "limrisk/error.hpp"

namespace limrisk::test {
namespace {

const char* function_name(Call call) {
    static constexpr std::array<const char*, call_kinds> names{"cudaSetDevice",
                                                               "cudaMemGetInfo",
                                                               "cudaMalloc",
                                                               "cudaMallocHost",
                                                               "cudaFree",
                                                               "cudaFreeHost",
                                                               "cudaStreamCreateWithFlags",
                                                               "cudaLibraryLoadData",
                                                               "cudaLibraryGetKernel",
                                                               "cudaMemcpyAsync",
                                                               "cudaMemcpyAsync",
                                                               "cudaMemsetAsync",
                                                               "cudaLaunchKernel",
                                                               "cub::DeviceSelect::Flagged",
                                                               "cudaEventRecord",
                                                               "cudaEventQuery",
                                                               "cudaEventSynchronize",
                                                               "cudaEventElapsedTime",
                                                               "cudaStreamSynchronize",
                                                               "aggregate_on_device"};
    return names[static_cast<std::size_t>(call)];
}

}  // namespace

EmulatedDeviceState::EmulatedDeviceState(cuda::DeviceProperties of_device, const EmulatedRuntimeOptions& of_runtime)
    : properties(std::move(of_device)),
      options(of_runtime),
      memory(fmt::format("device {}", properties.index), properties.memory_bytes, true),
      host_memory(fmt::format("the host for device {}", properties.index), std::size_t{1} << 40, false) {}

std::optional<Fault> EmulatedDeviceState::enter(Call call) {
    if (options.on_call) options.on_call(properties.index, call);
    const std::lock_guard lock(mutex_);
    ++calls_[static_cast<std::size_t>(call)];
    if (defect_) std::rethrow_exception(defect_);
    if (broken_) fail(call, *broken_);
    for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
        if (fault->call != call || --fault->occurrence > 0) continue;
        Fault due = std::move(*fault);
        faults_.erase(fault);
        if (due.effect != Fault::Effect::Error) return due;
        if (due.sticky) broken_ = due.error;
        fail(call, due.error);
    }
    return std::nullopt;
}

void EmulatedDeviceState::enter_quietly(Call call) noexcept {
    if (options.on_call) options.on_call(properties.index, call);
    const std::lock_guard lock(mutex_);
    ++calls_[static_cast<std::size_t>(call)];
}

void EmulatedDeviceState::break_with(std::exception_ptr defect) {
    const std::lock_guard lock(mutex_);
    if (!defect_) defect_ = std::move(defect);
}

void EmulatedDeviceState::break_with(const std::string& error) {
    const std::lock_guard lock(mutex_);
    if (!broken_) broken_ = error;
}

void EmulatedDeviceState::throw_defect() const {
    const std::lock_guard lock(mutex_);
    if (defect_) std::rethrow_exception(defect_);
}

void EmulatedDeviceState::throw_broken(Call call) const {
    const std::lock_guard lock(mutex_);
    if (broken_) fail(call, *broken_);
}

bool EmulatedDeviceState::broken() const {
    const std::lock_guard lock(mutex_);
    return broken_ || defect_;
}

void EmulatedDeviceState::fail(Call call, const std::string& error) const {
    throw DeviceError(fmt::format("{} on device {} ({}): {}", function_name(call), properties.index, properties.name, error));
}

void EmulatedDeviceState::misused(Call call, const std::string& how) const {
    throw Defect(fmt::format("emulated {} on device {}: {}", function_name(call), properties.index, how));
}

void EmulatedDeviceState::inject(const Fault& fault) {
    const bool allocates = fault.call == Call::Allocate || fault.call == Call::AllocateHost || fault.call == Call::Aggregate;
    const bool queued = fault.call >= Call::CopyToDevice && fault.call <= Call::Record;
    if (fault.occurrence < 1 || fault.call == Call::Release || fault.call == Call::ReleaseHost ||
        (fault.effect == Fault::Effect::OutOfMemory && !allocates) || (fault.effect == Fault::Effect::ErrorInStream && !queued))
        throw Defect(fmt::format("emulated {} cannot fail in that way", function_name(fault.call)));
    const std::lock_guard lock(mutex_);
    faults_.push_back(fault);
}

std::int64_t EmulatedDeviceState::calls(Call call) const {
    const std::lock_guard lock(mutex_);
    return calls_[static_cast<std::size_t>(call)];
}

EmulatedUsage EmulatedDeviceState::usage() const {
    return {memory.used_bytes(), memory.peak_bytes(), memory.allocations(), host_memory.allocations(), streams, events, modules};
}

double EmulatedDeviceState::clock() const {
    const std::lock_guard lock(mutex_);
    return clock_;
}

void EmulatedDeviceState::advance_clock(double seconds) {
    const std::lock_guard lock(mutex_);
    clock_ += seconds;
}

void EmulatedDeviceState::add(EmulatedStreamQueue* queue) {
    const std::lock_guard lock(queues_mutex_);
    queues_.insert(queue);
}

void EmulatedDeviceState::remove(EmulatedStreamQueue* queue) {
    const std::lock_guard lock(queues_mutex_);
    queues_.erase(queue);
}

void EmulatedDeviceState::finish_all_streams() noexcept {
    const std::lock_guard lock(queues_mutex_);
    for (EmulatedStreamQueue* queue : queues_) queue->finish_quietly();
}

}  // namespace limrisk::test
