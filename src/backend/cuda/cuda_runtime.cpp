// The CUDA runtime behind runtime.hpp. CUDA's choice of a device is per thread and objects here are used from several, so each function
// first makes its device the thread's.
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include "aggregation/aggregate_device.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/cuda_runtime_message.hpp"
#include "backend/cuda/device_select.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

/// Shared memory per block that needs no opting in, on every device.
constexpr std::size_t shared_bytes_without_opting_in = 48 * 1024;

[[noreturn]] void fail(cudaError_t error, const std::string& call, int device, const std::string& device_name) {
    throw DeviceError(cuda_failure_message({call, device, device_name, cudaGetErrorName(error), cudaGetErrorString(error)}));
}

/// A device as calls and messages name it.
struct Place {
    int index = -1;
    std::string name;

    void check(cudaError_t error, const char* call) const {
        if (error != cudaSuccess) report(error, call);
    }

    /// Throws the error of a call, after taking it out of CUDA's memory of it: CUB would find it there and take it for its own.
    [[noreturn]] void report(cudaError_t error, const std::string& call) const {
        cudaGetLastError();
        fail(error, call, index, name);
    }

    void make_current() const { check(cudaSetDevice(index), "cudaSetDevice"); }
};

class CudaEvent final : public Event {
public:
    /// An event in `stream`, whose device is current.
    CudaEvent(Place place, cudaStream_t stream) : place_(std::move(place)) {
        // A thread that waits sleeps: the processors belong to the other workers.
        place_.check(cudaEventCreateWithFlags(&event_, cudaEventBlockingSync), "cudaEventCreateWithFlags");
        if (const cudaError_t error = cudaEventRecord(event_, stream); error != cudaSuccess) {
            cudaEventDestroy(event_);
            place_.report(error, "cudaEventRecord");
        }
    }
    ~CudaEvent() override { cudaEventDestroy(event_); }
    CudaEvent(const CudaEvent&) = delete;
    CudaEvent& operator=(const CudaEvent&) = delete;

    bool done() override {
        place_.make_current();
        const cudaError_t state = cudaEventQuery(event_);
        if (state == cudaErrorNotReady) {
            cudaGetLastError();
            return false;
        }
        place_.check(state, "cudaEventQuery");
        return true;
    }

    void wait() override {
        place_.make_current();
        place_.check(cudaEventSynchronize(event_), "cudaEventSynchronize");
    }

    double seconds_since(Event& earlier) override {
        const auto* begin = dynamic_cast<const CudaEvent*>(&earlier);
        if (!begin) throw Defect("an event of another runtime was given to seconds_since");
        place_.make_current();
        float milliseconds = 0;
        place_.check(cudaEventElapsedTime(&milliseconds, begin->event_, event_), "cudaEventElapsedTime");
        return 1e-3 * static_cast<double>(milliseconds);
    }

private:
    Place place_;
    cudaEvent_t event_ = nullptr;
};

struct CudaKernel final : Kernel {
    std::string name;
    cudaKernel_t handle = nullptr;
    std::size_t shared_bytes = shared_bytes_without_opting_in;  ///< dynamic shared memory that a launch may ask for
};

class CudaModule final : public Module {
public:
    CudaModule(Place place, std::size_t most_shared_bytes, std::string_view machine_code)
        : place_(std::move(place)), most_shared_bytes_(most_shared_bytes) {
        // CUDA is told no length: it believes what it is given.
        if (!machine_code.starts_with("\x7f"
                                      "ELF"))
            throw Defect("what is to be loaded on a device is no ELF image");
        place_.make_current();
        place_.check(cudaLibraryLoadData(&library_, machine_code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0), "cudaLibraryLoadData");
    }
    ~CudaModule() override { cudaLibraryUnload(library_); }
    CudaModule(const CudaModule&) = delete;
    CudaModule& operator=(const CudaModule&) = delete;

    const Kernel& kernel(const std::string& name, std::size_t shared_bytes) override {
        const std::lock_guard lock(mutex_);
        place_.make_current();
        CudaKernel& kernel = kernels_[name];
        if (!kernel.handle) {
            kernel.name = name;
            if (const cudaError_t error = cudaLibraryGetKernel(&kernel.handle, library_, name.c_str()); error != cudaSuccess)
                place_.report(error, fmt::format("cudaLibraryGetKernel({})", name));
        }
        if (shared_bytes > kernel.shared_bytes) opt_in(kernel, shared_bytes);
        return kernel;
    }

private:
    void opt_in(CudaKernel& kernel, std::size_t shared_bytes) {
        if (shared_bytes > most_shared_bytes_)
            throw DeviceError(
                fmt::format("CUDA device {} ({}): kernel {} needs {} bytes of shared memory per block and the device has at most {}",
                            place_.index, place_.name, kernel.name, shared_bytes, most_shared_bytes_));
        const cudaError_t error = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel.handle),
                                                       cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
        if (error != cudaSuccess)
            place_.report(error, fmt::format("cudaFuncSetAttribute({}, {} bytes of shared memory)", kernel.name, shared_bytes));
        kernel.shared_bytes = shared_bytes;
    }

    Place place_;
    std::size_t most_shared_bytes_;
    cudaLibrary_t library_ = nullptr;
    std::mutex mutex_;                           // guards kernels_
    std::map<std::string, CudaKernel> kernels_;  // a map, since references to its elements are handed out
};

class CudaStream final : public Stream {
public:
    explicit CudaStream(Place place) : place_(std::move(place)) {
        place_.make_current();
        place_.check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    }
    ~CudaStream() override {
        // Errors are of no more use here: those of the work were thrown where it was waited for.
        cudaSetDevice(place_.index);
        cudaFree(select_storage_);  // waits for the device
        cudaStreamDestroy(stream_);
        cudaGetLastError();
    }
    CudaStream(const CudaStream&) = delete;
    CudaStream& operator=(const CudaStream&) = delete;

    void copy_to_device(void* device, const void* host, std::size_t bytes) override {
        copy(device, host, bytes, cudaMemcpyHostToDevice, "to the device");
    }

    void copy_to_host(void* host, const void* device, std::size_t bytes) override {
        copy(host, device, bytes, cudaMemcpyDeviceToHost, "to the host");
    }

    void fill_zero(void* device, std::size_t bytes) override {
        place_.make_current();
        if (const cudaError_t error = cudaMemsetAsync(device, 0, bytes, stream_); error != cudaSuccess)
            place_.report(error, fmt::format("cudaMemsetAsync({} bytes)", bytes));
    }

    void launch(const Kernel& kernel, std::int64_t blocks, int threads, std::size_t shared_bytes, const void* arguments) override {
        const auto* known = dynamic_cast<const CudaKernel*>(&kernel);
        if (!known) throw Defect("a kernel of another runtime was given to launch");
        const auto described = [&] {
            return fmt::format("cudaLaunchKernel({}, {} blocks of {} threads with {} bytes of shared memory)", known->name, blocks, threads,
                               shared_bytes);
        };
        // The least that every device allows in x; beyond it the conversion below would launch another number.
        if (blocks < 1 || blocks > std::numeric_limits<std::int32_t>::max())
            throw Defect(described() + ": 1 to 2^31 - 1 blocks can be launched");
        place_.make_current();
        void* parameters[] = {const_cast<void*>(arguments)};
        const cudaError_t error = cudaLaunchKernel(reinterpret_cast<const void*>(known->handle), dim3(static_cast<unsigned>(blocks)),
                                                   dim3(static_cast<unsigned>(threads)), parameters, shared_bytes, stream_);
        if (error != cudaSuccess) place_.report(error, described());
    }

    void select(const std::int32_t* list, const std::int64_t* count, std::int64_t capacity, const std::uint8_t* flags,
                std::int32_t* selected, std::int64_t* selected_count) override {
        if (capacity < 0 || capacity > std::numeric_limits<std::int32_t>::max())
            throw Defect(fmt::format("select: a list of int32 was said to have up to {} entries", capacity));
        place_.make_current();
        // One item at least, so that CUB writes the count even then.
        const SelectArguments arguments{list, count, std::max<std::int64_t>(capacity, 1), flags, selected, selected_count};
        std::size_t needed = 0;
        check_select(enqueue_select(nullptr, needed, arguments, stream_), capacity);
        if (needed > select_storage_bytes_) grow_select_storage(needed);
        check_select(enqueue_select(select_storage_, select_storage_bytes_, arguments, stream_), capacity);
    }

    std::optional<Aggregate> aggregate(const TrialRecord* records, std::int64_t count, std::int64_t first_trial) override {
        place_.make_current();
        Aggregate result;
        const int error = aggregate_on_device(records, count, first_trial, stream_, result);
        if (error == cudaErrorMemoryAllocation) return std::nullopt;
        if (error != cudaSuccess) place_.report(static_cast<cudaError_t>(error), fmt::format("aggregation of {} trials", count));
        return result;
    }

    std::unique_ptr<Event> record() override {
        place_.make_current();
        return std::make_unique<CudaEvent>(place_, stream_);
    }

    // Through an event, since cudaStreamSynchronize would keep a processor busy meanwhile.
    void synchronize() override { record()->wait(); }

private:
    void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, const char* direction) {
        place_.make_current();
        if (const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, stream_); error != cudaSuccess)
            place_.report(error, fmt::format("cudaMemcpyAsync({} bytes {})", bytes, direction));
    }

    void check_select(int error, std::int64_t capacity) const {
        if (error != cudaSuccess)
            place_.report(static_cast<cudaError_t>(error), fmt::format("cub::DeviceSelect::Flagged({} entries)", capacity));
    }

    /// cudaFree waits until no work uses the old storage.
    void grow_select_storage(std::size_t bytes) {
        place_.check(cudaFree(std::exchange(select_storage_, nullptr)), "cudaFree");
        select_storage_bytes_ = 0;
        if (const cudaError_t error = cudaMalloc(&select_storage_, bytes); error != cudaSuccess)
            place_.report(error, fmt::format("cudaMalloc({} bytes for cub::DeviceSelect)", bytes));
        select_storage_bytes_ = bytes;
    }

    Place place_;
    cudaStream_t stream_ = nullptr;
    void* select_storage_ = nullptr;
    std::size_t select_storage_bytes_ = 0;
};

class CudaDevice final : public Device {
public:
    explicit CudaDevice(DeviceProperties properties) : properties_(std::move(properties)), place_{properties_.index, properties_.name} {
        place_.make_current();
        free_bytes();  // makes the context, so that a device that cannot be used says so here
    }

    const DeviceProperties& properties() const override { return properties_; }

    std::size_t free_bytes() override {
        place_.make_current();
        std::size_t free = 0, total = 0;
        place_.check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
        return free;
    }

    void* allocate(std::size_t bytes) override {
        place_.make_current();
        void* memory = nullptr;
        // Of zero bytes CUDA gives a null pointer, which would read as a failure.
        const cudaError_t error = cudaMalloc(&memory, std::max<std::size_t>(bytes, 1));
        return allocated(memory, error, "cudaMalloc", bytes);
    }

    void* allocate_host(std::size_t bytes) override {
        place_.make_current();
        void* memory = nullptr;
        const cudaError_t error = cudaHostAlloc(&memory, std::max<std::size_t>(bytes, 1), cudaHostAllocPortable);
        return allocated(memory, error, "cudaHostAlloc", bytes);
    }

    // After an error that ended the context these fail as well, and the memory is gone with it: nothing to tell.
    void release(void* device) noexcept override {
        if (!device) return;
        cudaSetDevice(place_.index);
        cudaFree(device);
        cudaGetLastError();
    }

    void release_host(void* host) noexcept override {
        if (!host) return;
        cudaSetDevice(place_.index);
        cudaFreeHost(host);
        cudaGetLastError();
    }

    std::unique_ptr<Stream> make_stream() override { return std::make_unique<CudaStream>(place_); }

    std::unique_ptr<Module> load(std::string_view machine_code) override {
        return std::make_unique<CudaModule>(place_, properties_.shared_bytes_per_block, machine_code);
    }

private:
    void* allocated(void* memory, cudaError_t error, const char* call, std::size_t bytes) const {
        if (error == cudaSuccess) return memory;
        if (error != cudaErrorMemoryAllocation) place_.report(error, fmt::format("{}({} bytes)", call, bytes));
        cudaGetLastError();
        return nullptr;
    }

    DeviceProperties properties_;
    Place place_;
};

DeviceProperties properties_of(int index) {
    Place place{index, ""};
    cudaDeviceProp described{};
    place.check(cudaGetDeviceProperties(&described, index), "cudaGetDeviceProperties");
    place.name = described.name;
    const auto attribute = [&](cudaDeviceAttr which) {
        int value = 0;
        place.check(cudaDeviceGetAttribute(&value, which, index), "cudaDeviceGetAttribute");
        return value;
    };
    DeviceProperties properties;
    properties.index = index;
    properties.name = place.name;
    properties.compute_capability = 10 * attribute(cudaDevAttrComputeCapabilityMajor) + attribute(cudaDevAttrComputeCapabilityMinor);
    properties.multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
    properties.clock_hz = 1e3 * attribute(cudaDevAttrClockRate);
    properties.memory_bytes = described.totalGlobalMem;
    properties.shared_bytes_per_block = static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
    properties.shared_bytes_per_multiprocessor = static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor));
    properties.registers_per_multiprocessor = attribute(cudaDevAttrMaxRegistersPerMultiprocessor);
    properties.threads_per_multiprocessor = attribute(cudaDevAttrMaxThreadsPerMultiProcessor);
    return properties;
}

/// GPUs that the driver in the kernel knows of, hidden or not.
std::optional<int> gpus_of_driver() {
    std::error_code error;
    int count = 0;
    for (std::filesystem::directory_iterator entry("/proc/driver/nvidia/gpus", error), end; !error && entry != end; entry.increment(error))
        ++count;
    return error ? std::nullopt : std::optional<int>(count);
}

CudaStartup start_up() {
    CudaStartup startup;
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) startup.visible_devices = visible;
    startup.gpus_of_driver = gpus_of_driver();
    cudaError_t error = cudaRuntimeGetVersion(&startup.runtime_version);
    if (error == cudaSuccess) error = cudaDriverGetVersion(&startup.driver_version);
    if (error == cudaSuccess) error = cudaGetDeviceCount(&startup.devices);
    if (error != cudaSuccess) {
        cudaGetLastError();
        startup.error_name = cudaGetErrorName(error);
        startup.description = cudaGetErrorString(error);
    }
    return startup;
}

class CudaRuntime final : public Runtime {
public:
    explicit CudaRuntime(CudaStartup startup) : startup_(std::move(startup)) {}

    std::string version() const override {
        return fmt::format("CUDA runtime {}, driver {}", cuda_version_text(startup_.runtime_version),
                           cuda_version_text(startup_.driver_version));
    }

    std::vector<DeviceProperties> devices() override {
        std::vector<DeviceProperties> devices;
        for (int index = 0; index < startup_.devices; ++index) devices.push_back(properties_of(index));
        return devices;
    }

    std::unique_ptr<Device> open(int index) override {
        if (index < 0 || index >= startup_.devices)
            throw DeviceError(
                fmt::format("there is no CUDA device {}: this process sees {}{}", index,
                            startup_.devices == 1 ? "device 0 only" : fmt::format("devices 0 to {}", startup_.devices - 1),
                            startup_.visible_devices ? fmt::format(" (CUDA_VISIBLE_DEVICES is '{}')", *startup_.visible_devices) : ""));
        return std::make_unique<CudaDevice>(properties_of(index));
    }

private:
    CudaStartup startup_;
};

}  // namespace

std::shared_ptr<Runtime> make_cuda_runtime() {
    CudaStartup startup = start_up();
    if (const std::string why = why_no_cuda_device(startup); !why.empty()) throw DeviceError(why);
    return std::make_shared<CudaRuntime>(std::move(startup));
}

}  // namespace limrisk::cuda
