// An emulated CUDA machine for tests: the host's compiler in the place of NVRTC, threads of the host's memory and processor in the place
// of a GPU. The whole CUDA backend runs on it, with the very text of kernels/ that a GPU gets.
//
//   auto runtime = std::make_shared<EmulatedRuntime>(EmulatedRuntimeOptions{.devices = {emulated_device(0), emulated_device(1)}});
//   auto backend = cuda::make_cuda_backend(runtime, std::make_shared<HostCompiler>(), {.cache = &emulated_program_cache()});
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/cuda/compile_job.hpp"
#include "backend/cuda/cubin_cache.hpp"
#include "backend/cuda/runtime.hpp"

namespace limrisk::test {

/// The host's C++ compiler as a device compiler: a job becomes a shared object for EmulatedRuntime. It sees the job's source and
/// headers and nothing else, as NVRTC does; device_shim.hpp stands for what NVRTC predefines.
class HostCompiler final : public cuda::Compiler {
public:
    HostCompiler();

    std::string identity() const override;
    std::vector<std::string> fixed_options() const override;
    /// @throws Defect with the compiler's messages if the source does not compile, if a function is declared and nowhere defined, or
    /// for name expressions, which it cannot translate.
    cuda::CompiledProgram compile(const cuda::CompileJob& job) const override;

private:
    std::string interface_, shim_;  // device_interface.hpp, device_shim.hpp
    std::string identity_;
};

/// Programs of the tests, kept in the build directory from run to run.
cuda::CubinCache& emulated_program_cache();

/// A small GPU of compute capability 9.0 with little memory.
cuda::DeviceProperties emulated_device(int index, std::size_t memory_bytes = std::size_t{256} << 20);

/// The calls of a runtime that are counted and can be made to fail, each with the CUDA function that the real runtime calls.
enum class Call {
    Open,          ///< cudaSetDevice
    FreeBytes,     ///< cudaMemGetInfo
    Allocate,      ///< cudaMalloc
    AllocateHost,  ///< cudaMallocHost
    Release,       ///< cudaFree; cannot fail
    ReleaseHost,   ///< cudaFreeHost; cannot fail
    MakeStream,    ///< cudaStreamCreateWithFlags
    Load,          ///< cudaLibraryLoadData
    FindKernel,    ///< cudaLibraryGetKernel
    CopyToDevice,  ///< cudaMemcpyAsync
    CopyToHost,    ///< cudaMemcpyAsync
    FillZero,      ///< cudaMemsetAsync
    Launch,        ///< cudaLaunchKernel
    Select,        ///< cub::DeviceSelect::Flagged
    Record,        ///< cudaEventRecord
    Done,          ///< cudaEventQuery
    Wait,          ///< cudaEventSynchronize
    Elapsed,       ///< cudaEventElapsedTime
    Synchronize,   ///< cudaStreamSynchronize
    Aggregate,     ///< aggregate_on_device
};
inline constexpr int call_kinds = 20;

/// One failure to come.
struct Fault {
    enum class Effect {
        Error,          ///< the call throws
        ErrorInStream,  ///< the call (of a stream) succeeds, its work fails: whatever waits for it throws
        OutOfMemory,    ///< Allocate, AllocateHost: null; Aggregate: nullopt
    };
    int device = 0;
    Call call = Call::Launch;
    int occurrence = 1;  ///< 1: the next such call from the injection on
    Effect effect = Effect::Error;
    bool sticky = true;  ///< every later call on the device fails in the same way, as after an illegal access on a GPU
    std::string error = "an illegal memory access was encountered (cudaErrorIllegalAddress)";
};

struct EmulatedRuntimeOptions {
    std::vector<cuda::DeviceProperties> devices = {emulated_device(0)};
    /// Work waits in its stream until the host waits for it or asks whether it is done (each question does one piece), so that a host
    /// that does not wait reads poison. false: work is done at once.
    bool deferred = true;
    int host_threads = 1;  ///< that run the blocks of one launch
    /// Seconds of the device that a launch takes, for tests of the pace; without it, what it took.
    std::function<double(const std::string& kernel, std::int64_t blocks)> launch_seconds;
    /// Told before each call, from the thread that calls: tests stop a run or inject faults here.
    std::function<void(int device, Call call)> on_call;
};

/// What is allocated and alive.
struct EmulatedUsage {
    std::size_t device_bytes = 0, peak_device_bytes = 0;  ///< of allocations, each rounded up to 512 bytes
    std::size_t device_allocations = 0, host_allocations = 0, streams = 0, events = 0, modules = 0;
    bool nothing_left() const { return device_allocations + host_allocations + streams + events + modules == 0; }
};

/// Devices made of the host. Mistakes that a GPU leaves undefined are errors here:
/// - Memory is full of 0xFF bytes when it is allocated, and so is shared memory when a block begins: what was never written is a NaN.
/// - Each allocation ends at a page that cannot be touched, and memory of a device can be touched only while the device works: an
///   overrun, a use after release and a host that reads device memory end the program, with a line on stderr that says where.
/// - Copies must lie within one allocation of the device, and the host's end in memory of the host.
/// - Lanes of a warp, or warps of a block, that do not all meet at the same shuffle or barrier: a Defect, whoever waits.
class EmulatedRuntime final : public cuda::Runtime {
public:
    explicit EmulatedRuntime(EmulatedRuntimeOptions options = {});
    ~EmulatedRuntime() override;

    std::string version() const override;
    std::vector<cuda::DeviceProperties> devices() override;
    std::unique_ptr<cuda::Device> open(int index) override;

    /// May be called at any time from any thread.
    void inject(const Fault& fault);
    /// Calls of that kind on that device so far.
    std::int64_t calls(int device, Call call) const;
    EmulatedUsage usage(int device) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace limrisk::test
