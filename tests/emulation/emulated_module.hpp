// A shared object of HostCompiler in the place of a cubin.
#pragma once
#include <memory>
#include <string>

#include "backend/cuda/runtime.hpp"
#include "device_interface.hpp"
#include "emulated_device.hpp"

namespace limrisk::test {

struct EmulatedKernel final : cuda::Kernel {
    std::string name;
    const EmulatedDeviceState* device = nullptr;
    emulation::EnterProgram* enter = nullptr;
    emulation::KernelDescription description{};
    std::size_t shared_bytes = 0;  ///< the most that it was made ready for
};

}  // namespace limrisk::test
