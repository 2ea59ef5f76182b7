// The runtime, its devices and the programs that they load.
#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>

#include "emulated_module.hpp"
#include "limrisk/error.hpp"

namespace limrisk::test {
namespace {

class EmulatedModule final : public cuda::Module {
public:
    EmulatedModule(std::shared_ptr<EmulatedDeviceState> device, std::string_view machine_code) : device_(std::move(device)) {
        device_->enter(Call::Load);
        // A file of its own: the loader takes two of the same name, or the same file, for one.
        std::string path = (std::filesystem::temp_directory_path() / "limrisk-emulated-XXXXXX").string();
        const int file = mkstemp(path.data());
        if (file < 0) throw Error(ExitCode::InputOutput, fmt::format("cannot make a file like {}", path));
        std::size_t written = 0;
        while (written < machine_code.size()) {
            const ssize_t bytes = write(file, machine_code.data() + written, machine_code.size() - written);
            if (bytes <= 0) break;
            written += static_cast<std::size_t>(bytes);
        }
        close(file);
        library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        const std::string why = library_ ? "" : dlerror();
        unlink(path.c_str());
        if (!library_) device_->fail(Call::Load, fmt::format("device kernel image is invalid (cudaErrorInvalidKernelImage): {}", why));
        enter_ = reinterpret_cast<emulation::EnterProgram*>(dlsym(library_, "limrisk_emulated_program"));
        if (!enter_) {
            dlclose(library_);
            device_->fail(Call::Load, "device kernel image is invalid (cudaErrorInvalidKernelImage): not a program of HostCompiler");
        }
        ++device_->modules;
    }
    ~EmulatedModule() override {
        device_->finish_all_streams();
        --device_->modules;
        dlclose(library_);
    }
    EmulatedModule(const EmulatedModule&) = delete;
    EmulatedModule& operator=(const EmulatedModule&) = delete;

    const cuda::Kernel& kernel(const std::string& name, std::size_t shared_bytes) override {
        device_->enter(Call::FindKernel);
        const std::size_t most = std::min<std::size_t>(device_->properties.shared_bytes_per_block, emulation::dynamic_shared_bytes);
        if (shared_bytes > most)
            device_->misused(Call::FindKernel, fmt::format("{} for {} bytes of dynamic shared memory, of {}", name, shared_bytes, most));
        const void* description = dlsym(library_, (name + "_description").c_str());
        if (!description) device_->fail(Call::FindKernel, fmt::format("named symbol not found (cudaErrorSymbolNotFound): {}", name));
        EmulatedKernel& kernel = kernels_[name];
        kernel.name = name;
        kernel.device = device_.get();
        kernel.enter = enter_;
        kernel.description = *static_cast<const emulation::KernelDescription*>(description);
        kernel.shared_bytes = std::max(kernel.shared_bytes, shared_bytes);
        return kernel;
    }

private:
    std::shared_ptr<EmulatedDeviceState> device_;
    void* library_ = nullptr;
    emulation::EnterProgram* enter_ = nullptr;
    std::map<std::string, EmulatedKernel> kernels_;
};

class EmulatedDevice final : public cuda::Device {
public:
    explicit EmulatedDevice(std::shared_ptr<EmulatedDeviceState> state) : state_(std::move(state)) {}

    const cuda::DeviceProperties& properties() const override { return state_->properties; }

    std::size_t free_bytes() override {
        state_->enter(Call::FreeBytes);
        return state_->memory.free_bytes();
    }

    void* allocate(std::size_t bytes) override { return allocate(Call::Allocate, state_->memory, bytes); }
    void* allocate_host(std::size_t bytes) override { return allocate(Call::AllocateHost, state_->host_memory, bytes); }

    void release(void* device) noexcept override { release(Call::Release, state_->memory, device); }
    void release_host(void* host) noexcept override { release(Call::ReleaseHost, state_->host_memory, host); }

    std::unique_ptr<cuda::Stream> make_stream() override {
        state_->enter(Call::MakeStream);
        return make_emulated_stream(state_);
    }

    std::unique_ptr<cuda::Module> load(std::string_view machine_code) override {
        return std::make_unique<EmulatedModule>(state_, machine_code);
    }

private:
    void* allocate(Call call, GuardedMemory& memory, std::size_t bytes) {
        const auto fault = state_->enter(call);
        return fault ? nullptr : memory.allocate(bytes);
    }

    void release(Call call, GuardedMemory& memory, void* what) noexcept {
        state_->enter_quietly(call);
        if (!what) return;
        state_->finish_all_streams();
        memory.release(what);
    }

    std::shared_ptr<EmulatedDeviceState> state_;
};

}  // namespace

struct EmulatedRuntime::State {
    std::map<int, std::shared_ptr<EmulatedDeviceState>> devices;

    EmulatedDeviceState& device(int index) const { return *devices.at(index); }
};

EmulatedRuntime::EmulatedRuntime(EmulatedRuntimeOptions options) : state_(std::make_unique<State>()) {
    const EmulatedRuntimeOptions kept = std::move(options);
    for (const cuda::DeviceProperties& properties : kept.devices)
        state_->devices[properties.index] = std::make_shared<EmulatedDeviceState>(properties, kept);
}

EmulatedRuntime::~EmulatedRuntime() = default;

std::string EmulatedRuntime::version() const { return "emulated CUDA"; }

std::vector<cuda::DeviceProperties> EmulatedRuntime::devices() {
    std::vector<cuda::DeviceProperties> all;
    for (const auto& [index, device] : state_->devices) all.push_back(device->properties);
    return all;
}

std::unique_ptr<cuda::Device> EmulatedRuntime::open(int index) {
    const auto found = state_->devices.find(index);
    if (found == state_->devices.end())
        throw DeviceError(fmt::format("cudaSetDevice on device {}: invalid device ordinal (cudaErrorInvalidDevice)", index));
    found->second->enter(Call::Open);
    return std::make_unique<EmulatedDevice>(found->second);
}

void EmulatedRuntime::inject(const Fault& fault) { state_->device(fault.device).inject(fault); }

std::int64_t EmulatedRuntime::calls(int device, Call call) const { return state_->device(device).calls(call); }

EmulatedUsage EmulatedRuntime::usage(int device) const { return state_->device(device).usage(); }

cuda::DeviceProperties emulated_device(int index, std::size_t memory_bytes) {
    cuda::DeviceProperties properties;
    properties.index = index;
    properties.name = "Emulated GPU";
    properties.compute_capability = 90;
    properties.multiprocessors = 2;
    properties.clock_hz = 1e9;
    properties.memory_bytes = memory_bytes;
    properties.shared_bytes_per_block = 227 * 1024;
    properties.shared_bytes_per_multiprocessor = 228 * 1024;
    properties.registers_per_multiprocessor = 65536;
    properties.threads_per_multiprocessor = 2048;
    return properties;
}

}  // namespace limrisk::test
