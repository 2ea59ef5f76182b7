// Makes the list of headers of a device compilation from the embedded files.
#include <deque>
#include <string>
#include <vector>

#include "backend/cuda/source_text.hpp"

namespace limrisk::cuda {
namespace {

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }
/// "nv/target" of "device_include/nv/target".
std::string_view below_folder(std::string_view path) { return path.substr(path.find('/') + 1); }

std::vector<SourceText> gather() {
    static std::deque<std::string> forwards;  // owns the texts made here; a deque, since views of its elements are kept
    std::vector<SourceText> headers;
    for (const SourceText& header : standard_headers()) headers.push_back({below_folder(header.name), header.text});
#if defined(LIMRISK_CURAND_HEADERS)
    for (const SourceText& header : curand_headers()) headers.push_back({below_folder(header.name), header.text});
#endif
    for (const SourceText& header : public_headers()) headers.push_back(header);
    for (const SourceText& header : kernel_headers()) {
        headers.push_back(header);
        forwards.push_back("#pragma once\n#include \"" + std::string(header.name) + "\"\n");
        headers.push_back({base_name(header.name), forwards.back()});
    }
    return headers;
}

}  // namespace

std::span<const SourceText> device_headers() {
    static const std::vector<SourceText> headers = gather();
    return headers;
}

}  // namespace limrisk::cuda
