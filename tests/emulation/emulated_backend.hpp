// The CUDA backend on an emulated GPU, and the small cell whose programs its tests share.
#pragma once
#include "backend/cuda/cuda_backend.hpp"
#include "emulation.hpp"

namespace limrisk::test {

/// `memory_limit`: bytes per device, 0: what is free
inline std::unique_ptr<Backend> emulated_backend(const std::shared_ptr<EmulatedRuntime>& runtime, std::size_t memory_limit = 0) {
    cuda::CudaBackendOptions options;
    options.cache = &emulated_program_cache();
    options.memory_limit = memory_limit;
    return cuda::make_cuda_backend(runtime, std::make_shared<HostCompiler>(), options);
}

inline CellConfig small_cell() {
    CellConfig config;
    config.width = 3;
    config.batch = 5;
    config.steps = 40;
    config.checks = 8;
    config.tail = 3;
    config.target = "x1^2 + 2*x1";
    config.evaluation = {8, 8};
    config.learning_rate = {0.02, 0};
    return config;
}

}  // namespace limrisk::test
