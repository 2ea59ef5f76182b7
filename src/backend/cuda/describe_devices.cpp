// What `limrisk doctor` says of the CUDA devices.
#include "backend/cuda/describe_devices.hpp"

#include <fmt/format.h>

#include <optional>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/cuda_build.hpp"
#include "backend/cuda/describe_nvrtc.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

std::string gibibytes(std::size_t bytes) { return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30)); }

/// "usable, 78.9 GiB free, kernels compiled for sm_90", or why it is not.
std::string usability(Runtime& runtime, const DeviceProperties& device, const std::vector<int>& architectures) {
    const std::optional<int> architecture = best_architecture(architectures, device.compute_capability);
    if (architectures.empty()) return "not usable: there is no NVRTC to compile its kernels";
    if (!architecture)
        return fmt::format("not usable: NVRTC compiles for no architecture of compute capability {}.x, only for sm_{} to sm_{}",
                           device.compute_capability / 10, architectures.front(), architectures.back());
    try {
        return fmt::format("usable, {} free, kernels compiled for sm_{}", gibibytes(runtime.open(device.index)->free_bytes()),
                           *architecture);
    } catch (const DeviceError& error) {
        return fmt::format("not usable: {}", error.what());
    }
}

}  // namespace

std::vector<ReportLine> describe_devices(Runtime& runtime, const std::vector<int>& architectures) {
    std::vector<ReportLine> lines;
    for (const DeviceProperties& device : runtime.devices())
        lines.emplace_back(fmt::format("device {}", device.index),
                           fmt::format("{}, compute capability {}.{}, {} multiprocessors at {:.2f} GHz, {}; {}", device.name,
                                       device.compute_capability / 10, device.compute_capability % 10, device.multiprocessors,
                                       1e-9 * device.clock_hz, gibibytes(device.memory_bytes), usability(runtime, device, architectures)));
    return lines;
}

std::vector<ReportLine> describe_cuda(const NvrtcSearch& search) {
    const CudaBuild build = cuda_build();
    if (!build.present) return {{"cuda", fmt::format("not in this build: {}", build.absent)}};
    std::vector<ReportLine> lines{{"cuda", fmt::format("in this build: {}", build.toolkit)}};
    try {
        const std::shared_ptr<Runtime> runtime = make_cuda_runtime();
        lines.emplace_back("", runtime->version());
        const auto nvrtc = Nvrtc::load(search);
        const auto* loaded = std::get_if<Nvrtc>(&nvrtc);
        for (ReportLine& line : describe_devices(*runtime, loaded ? loaded->architectures() : std::vector<int>()))
            lines.push_back(std::move(line));
    } catch (const DeviceError& error) {
        lines.emplace_back("", fmt::format("not usable: {}", error.what()));
    }
    const char* name = "nvrtc";
    for (const std::string& line : describe_nvrtc(search)) lines.emplace_back(std::exchange(name, ""), line);
    return lines;
}

}  // namespace limrisk::cuda
