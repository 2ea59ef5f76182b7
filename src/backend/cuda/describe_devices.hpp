// What `limrisk doctor` says of the CUDA devices.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "backend/cuda/nvrtc_library.hpp"
#include "backend/cuda/runtime.hpp"

namespace limrisk::cuda {

/// A line of a report: what it is about ("device 0"; empty: the same as the line before) and what was found.
using ReportLine = std::pair<std::string, std::string>;

/// One line per device: what it is, and "usable" or why not. A device is opened to see that it can be.
///   architectures  those that NVRTC compiles for, empty if there is no NVRTC
std::vector<ReportLine> describe_devices(Runtime& runtime, const std::vector<int>& architectures);

/// All that doctor says of CUDA: the runtime and its devices or why there are none, NVRTC, the cache of compiled kernels.
std::vector<ReportLine> describe_cuda(const NvrtcSearch& search = NvrtcSearch::from_environment());

}  // namespace limrisk::cuda
