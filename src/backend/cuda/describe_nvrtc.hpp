// What `limrisk doctor` says of run-time compilation.
#pragma once
#include <string>
#include <vector>

#include "backend/cuda/cubin_cache.hpp"
#include "backend/cuda/nvrtc_library.hpp"

namespace limrisk::cuda {

/// One fact per line: which NVRTC was loaded and what it compiles for, or every place where there was none; the embedded sources; the
/// cache of compiled kernels. Creates nothing.
std::vector<std::string> describe_nvrtc(const NvrtcSearch& search = NvrtcSearch::from_environment(),
                                        const CubinCache& cache = CubinCache());

}  // namespace limrisk::cuda
