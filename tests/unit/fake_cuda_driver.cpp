// A libcuda.so.1 that only says which version it is and why it has no device, for the start of the real CUDA runtime on a machine
// without a GPU: FAKE_DRIVER_VERSION (12040 for CUDA 12.4), FAKE_DRIVER_ERROR (what cuInit returns, a CUresult).
#include <cstdlib>
#include <cstring>

namespace {

int setting(const char* name, int otherwise) {
    const char* value = std::getenv(name);
    return value ? std::atoi(value) : otherwise;
}

int not_supported() { return 801; }

}  // namespace

extern "C" {

int cuInit(unsigned) { return setting("FAKE_DRIVER_ERROR", 0); }

int cuDriverGetVersion(int* version) {
    *version = setting("FAKE_DRIVER_VERSION", 13000);
    return 0;
}

int cuGetProcAddress_v2(const char* symbol, void** function, int, unsigned long long, int* status) {
    if (status) *status = 0;
    if (std::strcmp(symbol, "cuInit") == 0)
        *function = reinterpret_cast<void*>(cuInit);
    else if (std::strcmp(symbol, "cuDriverGetVersion") == 0)
        *function = reinterpret_cast<void*>(cuDriverGetVersion);
    else if (std::strncmp(symbol, "cuGetProcAddress", 16) == 0)
        *function = reinterpret_cast<void*>(cuGetProcAddress_v2);
    else
        *function = reinterpret_cast<void*>(not_supported);
    return 0;
}

int cuGetProcAddress(const char* symbol, void** function, int version, unsigned long long flags) {
    return cuGetProcAddress_v2(symbol, function, version, flags, nullptr);
}

int cuGetExportTable(const void** table, const void*) {
    *table = nullptr;
    return 1;
}
}
