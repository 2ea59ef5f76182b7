// The words of the CUDA runtime's errors.
#include "backend/cuda/cuda_runtime_message.hpp"

#include <fmt/format.h>

namespace limrisk::cuda {
namespace {

struct Advice {
    std::string_view error_name, advice;
};

constexpr std::string_view defective_kernel =
    "a kernel did what it must not; finished blocks are kept. Please report it with the command line and what "
    "`compute-sanitizer --tool memcheck` says of it; the CPU backend computes the same bits";
constexpr std::string_view damaged_memory =
    "the device's memory is damaged: `nvidia-smi -q -d ECC` says more; use another device until this one is reset or replaced";
constexpr std::string_view update_driver = "install a newer NVIDIA driver";

constexpr Advice advices[] = {
    {"cudaErrorIllegalAddress", defective_kernel},
    {"cudaErrorMisalignedAddress", defective_kernel},
    {"cudaErrorInvalidAddressSpace", defective_kernel},
    {"cudaErrorInvalidPc", defective_kernel},
    {"cudaErrorIllegalInstruction", defective_kernel},
    {"cudaErrorHardwareStackError", defective_kernel},
    {"cudaErrorLaunchFailure", defective_kernel},
    {"cudaErrorAssert", defective_kernel},
    {"cudaErrorECCUncorrectable", damaged_memory},
    {"cudaErrorNvlinkUncorrectable", "a link between devices is damaged: `nvidia-smi nvlink -e` says more; use other devices"},
    {"cudaErrorLaunchTimeout", "the display's watchdog ended a kernel; use a device that drives no display"},
    {"cudaErrorMemoryAllocation", "`nvidia-smi` shows which programs hold the device's memory"},
    {"cudaErrorLaunchOutOfResources", "the kernel needs more registers or shared memory than the device has"},
    {"cudaErrorNoKernelImageForDevice", "there is no machine code for the architecture of this device in the program"},
    {"cudaErrorDevicesUnavailable",
     "another process has the device for itself, or its compute mode prohibits all use: `nvidia-smi -q -d COMPUTE`"},
    {"cudaErrorInsufficientDriver", update_driver},
    {"cudaErrorCallRequiresNewerDriver", update_driver},
    {"cudaErrorUnsupportedPtxVersion", update_driver},
    {"cudaErrorSystemDriverMismatch", "the driver was updated while the system ran: load its kernel module again, or restart the machine"},
    {"cudaErrorSystemNotReady", "a service of the driver is not running; on machines with NVSwitch start nvidia-fabricmanager"},
    {"cudaErrorCompatNotSupportedOnDevice", "take the folder of the cuda-compat package out of LD_LIBRARY_PATH, or update the driver"},
    {"cudaErrorStubLibrary", "the toolkit's `stubs` folder is on LD_LIBRARY_PATH and hides the driver's libcuda.so.1: take it out"},
    {"cudaErrorOperatingSystem", "may this user open /dev/nvidia*? A container needs to be given the devices"},
    {"cudaErrorUnknown", "after a suspend the driver may need its module nvidia_uvm loaded again; `dmesg` says more"},
};

/// First Linux driver for the runtimes of a major version (CUDA's release notes, "minor version compatibility"); 0 if not known here.
int first_driver_of(int runtime_major) {
    switch (runtime_major) {
        case 12:
            return 525;
        case 13:
            return 580;
        default:
            return 0;
    }
}

/// " (on Linux 580 or newer)".
std::string driver_needed(int runtime_version) {
    const int first = first_driver_of(runtime_version / 1000);
    return first == 0 ? "" : fmt::format(" (on Linux: {} or newer)", first);
}

std::string no_device(const CudaStartup& startup) {
    const bool none = startup.gpus_of_driver == 0;
    if (startup.visible_devices && !none)
        return fmt::format(
            "no CUDA device is left for this process: CUDA_VISIBLE_DEVICES is '{}'{}; unset it or name devices that there are, "
            "for example CUDA_VISIBLE_DEVICES=0",
            *startup.visible_devices,
            startup.gpus_of_driver ? fmt::format(" and hides the {} of this machine", *startup.gpus_of_driver) : "");
    return fmt::format(
        "there is an NVIDIA driver (CUDA {}) but no device that it can use{}; `nvidia-smi` lists what it sees, and a container needs "
        "to be given the devices (docker run --gpus all)",
        cuda_version_text(startup.driver_version), none ? ": it knows of none" : "");
}

}  // namespace

std::string cuda_version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

std::string_view cuda_advice(std::string_view error_name) {
    for (const Advice& known : advices)
        if (known.error_name == error_name) return known.advice;
    return "";
}

std::string cuda_failure_message(const CudaFailure& failure) {
    std::string text = "CUDA";
    if (failure.device >= 0) text += fmt::format(" device {}", failure.device);
    if (!failure.device_name.empty()) text += fmt::format(" ({})", failure.device_name);
    text += fmt::format(": {} failed: {} ({})", failure.call, failure.description, failure.error_name);
    if (const std::string_view advice = cuda_advice(failure.error_name); !advice.empty()) text += fmt::format("; {}", advice);
    return text;
}

std::string why_no_cuda_device(const CudaStartup& startup) {
    const std::string needed = driver_needed(startup.runtime_version);
    const bool insufficient = startup.error_name == "cudaErrorInsufficientDriver";
    if (startup.driver_version == 0 && (insufficient || startup.error_name.empty()))
        return fmt::format(
            "there is no NVIDIA driver on this machine: the loader finds no usable libcuda.so.1; where there is an NVIDIA GPU, install "
            "its driver{}, and give a container the devices (docker run --gpus all)",
            needed);
    if (insufficient)
        return fmt::format(
            "the NVIDIA driver is too old: it supports CUDA {} and this program's runtime is CUDA {}; install a driver for CUDA {} or "
            "newer{}, or build limrisk with an older CUDA toolkit",
            cuda_version_text(startup.driver_version), cuda_version_text(startup.runtime_version),
            cuda_version_text(startup.runtime_version), needed);
    if (startup.error_name == "cudaErrorNoDevice" || (startup.error_name.empty() && startup.devices == 0)) return no_device(startup);
    if (startup.error_name.empty()) return "";
    std::string text = cuda_failure_message({"cudaGetDeviceCount", -1, "", startup.error_name, startup.description});
    if (startup.visible_devices) text += fmt::format(" (CUDA_VISIBLE_DEVICES is '{}')", *startup.visible_devices);
    return text;
}

}  // namespace limrisk::cuda
