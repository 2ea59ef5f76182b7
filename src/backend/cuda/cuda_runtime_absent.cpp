// Stands in for cuda_runtime.cpp in a build without a CUDA toolkit.
#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/cuda_build.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {

std::shared_ptr<Runtime> make_cuda_runtime() {
    throw DeviceError("the CUDA backend is not in this build of limrisk: " + std::string(cuda_build().absent) +
                      "; docs/building.md says what a build with it needs");
}

}  // namespace limrisk::cuda
