// What `limrisk doctor` says of run-time compilation.
#include "backend/cuda/describe_nvrtc.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backend/cuda/nvrtc.hpp"

namespace limrisk::cuda {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

std::string describe_cache(const CubinCache& cache) {
    if (const std::string why = cache.why_unusable(); !why.empty())
        return fmt::format("cache of compiled kernels: none ({}); kernels are compiled at every start", why);
    const CubinCache::Usage usage = cache.usage();
    constexpr double mebibyte = 1 << 20;
    return fmt::format("cache of compiled kernels: {}, {} programs, {:.1f} of {:.0f} MiB", cache.directory().string(), usage.programs,
                       static_cast<double>(usage.bytes) / mebibyte, static_cast<double>(cache.limit_bytes()) / mebibyte);
}

}  // namespace

std::vector<std::string> describe_nvrtc(const NvrtcSearch& search, const CubinCache& cache) {
    const auto loaded = Nvrtc::load(search);
    std::vector<std::string> lines;
    if (const auto* nvrtc = std::get_if<Nvrtc>(&loaded)) {
        lines.push_back(fmt::format("NVRTC {}.{}: {}", nvrtc->version().major, nvrtc->version().minor, nvrtc->path().string()));
        lines.push_back(fmt::format("compiles for sm_{}", fmt::join(nvrtc->architectures(), ", sm_")));
    } else {
        lines = lines_of(std::get<std::string>(loaded));
    }
    std::size_t bytes = 0;
    for (const SourceText& header : kernel_headers()) bytes += header.text.size();
    lines.push_back(fmt::format("embedded kernel sources: {} headers, {} bytes", kernel_headers().size(), bytes));
    lines.push_back(describe_cache(cache));
    return lines;
}

}  // namespace limrisk::cuda
