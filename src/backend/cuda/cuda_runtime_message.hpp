// The words of the CUDA runtime's errors, apart from CUDA itself, so that they are tested on any machine.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace limrisk::cuda {

/// A call of the CUDA runtime that failed. An error of an earlier, asynchronous call may only come up here.
struct CudaFailure {
    std::string call;         ///< "cudaMemcpyAsync"
    int device = -1;          ///< -1: no device in particular
    std::string device_name;  ///< "NVIDIA H100"; may be empty
    std::string error_name;   ///< CUDA's, "cudaErrorIllegalAddress"
    std::string description;  ///< CUDA's, "an illegal memory access was encountered"
};

/// "CUDA device 0 (NVIDIA H100): cudaMemcpyAsync failed: an illegal memory access was encountered (cudaErrorIllegalAddress); what to do".
std::string cuda_failure_message(const CudaFailure& failure);

/// What a user can do about an error of that name; empty if nothing better is known than CUDA's own description.
std::string_view cuda_advice(std::string_view error_name);

/// What the CUDA runtime and the system say before any device is touched.
struct CudaStartup {
    int runtime_version = 0;                     ///< 13000 for 13.0: the runtime in this program
    int driver_version = 0;                      ///< newest runtime that the driver supports; 0: no driver library
    int devices = 0;                             ///< that this process sees
    std::string error_name, description;         ///< of counting them; empty: no error
    std::optional<std::string> visible_devices;  ///< CUDA_VISIBLE_DEVICES, if it is set
    std::optional<int> gpus_of_driver;           ///< that the kernel's driver knows of, visible or not, if it says
};

/// Why this process can use no CUDA device, and what would help; empty if it can.
std::string why_no_cuda_device(const CudaStartup& startup);

/// "13.0" for 13000.
std::string cuda_version_text(int version);

}  // namespace limrisk::cuda
