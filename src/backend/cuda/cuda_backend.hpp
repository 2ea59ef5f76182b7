// The CUDA backend: the kernels of kernels/ on NVIDIA GPUs, compiled for each cell when the program runs.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cuda/compile_job.hpp"
#include "backend/cuda/cubin_cache.hpp"
#include "backend/cuda/runtime.hpp"

namespace limrisk::cuda {

struct CudaBackendOptions {
    std::vector<int> devices;      ///< as CUDA numbers them; empty: all
    CubinCache* cache = nullptr;   ///< none: every program is compiled
    std::size_t memory_limit = 0;  ///< bytes per device; 0: what is free. Tests set others: no stored bit depends on it.
    double launch_seconds = 0.05;  ///< aim for the device time of one submission
};

/// `runtime` and `compiler` stay in use for the life of the backend.
/// @throws DeviceError for a device that is not there or that the compiler does not know.
std::unique_ptr<Backend> make_cuda_backend(std::shared_ptr<Runtime> runtime, std::shared_ptr<const Compiler> compiler,
                                           const CudaBackendOptions& options);

/// The same with this machine's runtime and NVRTC. @throws DeviceError that says why there is none.
std::unique_ptr<Backend> make_cuda_backend(const CudaBackendOptions& options);

/// This machine's CUDA runtime. @throws DeviceError: built without a CUDA toolkit, no driver, driver too old, no device, all hidden.
std::shared_ptr<Runtime> make_cuda_runtime();

}  // namespace limrisk::cuda
