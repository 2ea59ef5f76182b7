// What this build of limrisk has of CUDA, decided when it was configured (cmake/cuda.cmake).
#pragma once
#include <string_view>

namespace limrisk::cuda {

struct CudaBuild {
    bool present = false;      ///< whether the CUDA backend is in the build
    std::string_view toolkit;  ///< "CUDA 13.0, machine code for sm_75, sm_80"; empty without it
    std::string_view absent;   ///< why it is not in the build; empty if it is
};

CudaBuild cuda_build();

}  // namespace limrisk::cuda
