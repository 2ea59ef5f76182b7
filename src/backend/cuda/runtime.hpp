// What the CUDA backend asks of a CUDA runtime, apart from CUDA itself: the real one (cuda_runtime.cpp) and the emulated one of the
// tests stand behind it. Every function throws DeviceError, which names the call, the device and CUDA's own words, unless it says
// otherwise.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/aggregate.hpp"

namespace limrisk::cuda {

/// What a device is and how much of everything it has.
struct DeviceProperties {
    int index = 0;  ///< as CUDA numbers the devices that it shows to this process
    std::string name;
    int compute_capability = 0;  ///< 90 for 9.0
    int multiprocessors = 0;
    double clock_hz = 0;  ///< highest clock of the multiprocessors
    std::size_t memory_bytes = 0;
    std::size_t shared_bytes_per_block = 0;  ///< most dynamic shared memory that a block may opt in to
    std::size_t shared_bytes_per_multiprocessor = 0;
    int registers_per_multiprocessor = 0;
    int threads_per_multiprocessor = 0;
};

/// A kernel of a loaded module. Lives as long as the module.
class Kernel {
public:
    virtual ~Kernel() = default;
};

/// Machine code on a device.
class Module {
public:
    virtual ~Module() = default;
    /// The kernel of that (unmangled, extern "C") name, ready for `shared_bytes` of dynamic shared memory per block.
    virtual const Kernel& kernel(const std::string& name, std::size_t shared_bytes) = 0;
};

/// A point in a stream.
class Event {
public:
    virtual ~Event() = default;
    /// All that the stream was given before the event is done. Throws the error of whatever failed there.
    virtual bool done() = 0;
    virtual void wait() = 0;
    /// Seconds of the device between `earlier` and this event; both must be done.
    virtual double seconds_since(Event& earlier) = 0;
};

/// Work of a device, in order. Used by one thread.
class Stream {
public:
    virtual ~Stream() = default;
    virtual void copy_to_device(void* device, const void* host, std::size_t bytes) = 0;
    virtual void copy_to_host(void* host, const void* device, std::size_t bytes) = 0;
    virtual void fill_zero(void* device, std::size_t bytes) = 0;
    /// `arguments`: the one parameter of the kernel, copied before the call returns.
    virtual void launch(const Kernel& kernel, std::int64_t blocks, int threads, std::size_t shared_bytes, const void* arguments) = 0;
    /// CUB's DeviceSelect::Flagged: the list entries whose flag is not 0, in their order.
    ///   list   [*count] int32;  flags  [..] uint8, indexed by list entry (not by position)
    ///   selected  [capacity] int32, not the same as list;  selected_count  one int64;  all on the device
    ///   capacity  upper bound of *count, known on the host;  count  one int64 on the device
    virtual void select(const std::int32_t* list, const std::int64_t* count, std::int64_t capacity, const std::uint8_t* flags,
                        std::int32_t* selected, std::int64_t* selected_count) = 0;
    /// The aggregate of records [count] on the device, of the trials from first_trial on; waits for it. Nullopt if the device has not the
    /// memory that it takes.
    virtual std::optional<Aggregate> aggregate(const TrialRecord* records, std::int64_t count, std::int64_t first_trial) = 0;
    virtual std::unique_ptr<Event> record() = 0;
    /// Waits for everything.
    virtual void synchronize() = 0;
};

/// One device, used by any number of threads.
class Device {
public:
    virtual ~Device() = default;
    virtual const DeviceProperties& properties() const = 0;
    virtual std::size_t free_bytes() = 0;
    /// Null if the device has not that much memory; every other failure throws.
    virtual void* allocate(std::size_t bytes) = 0;
    /// Memory of the host that copies run from and to without waiting; null if there is not that much.
    virtual void* allocate_host(std::size_t bytes) = 0;
    /// Never throw; null is fine.
    virtual void release(void* device) noexcept = 0;
    virtual void release_host(void* host) noexcept = 0;
    virtual std::unique_ptr<Stream> make_stream() = 0;
    virtual std::unique_ptr<Module> load(std::string_view machine_code) = 0;
};

class Runtime {
public:
    virtual ~Runtime() = default;
    /// "CUDA runtime 13.0, driver 13.0".
    virtual std::string version() const = 0;
    /// The devices that this process may use, ascending.
    virtual std::vector<DeviceProperties> devices() = 0;
    virtual std::unique_ptr<Device> open(int index) = 0;
};

}  // namespace limrisk::cuda
