// Tests that need a GPU. Without one they are skipped; with LIMRISK_REQUIRE_GPU=1 they fail and say why there is none.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <variant>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "limrisk/error.hpp"

namespace limrisk::test {

/// This machine's CUDA runtime and NVRTC, and its first device opened.
class GpuTest : public testing::Test {
protected:
    void SetUp() override {
        const std::string why = start();
        if (why.empty()) return;
        const char* required = std::getenv("LIMRISK_REQUIRE_GPU");
        if (required && std::string(required) == "1") FAIL() << "LIMRISK_REQUIRE_GPU=1, but: " << why;
        GTEST_SKIP() << why;
    }

    /// What NVRTC makes of a source for the device. `name` is for messages.
    std::string machine_code(const std::string& name, const std::string& source) const {
        cuda::CompileJob job;
        job.name = name;
        job.source = source;
        job.architecture = architecture;
        return compiler->compile(job).cubin;
    }

    std::shared_ptr<cuda::Runtime> runtime;
    std::shared_ptr<const cuda::Nvrtc> compiler;
    std::unique_ptr<cuda::Device> device;
    std::string architecture;  ///< of the device, as NVRTC names it: "sm_90"

private:
    /// Empty, or why there is no device to test on.
    std::string start() {
        try {
            runtime = cuda::make_cuda_runtime();
            device = runtime->open(0);
        } catch (const DeviceError& error) {
            return error.what();
        }
        auto loaded = cuda::Nvrtc::load();
        if (const auto* missing = std::get_if<std::string>(&loaded)) return *missing;
        compiler = std::make_shared<const cuda::Nvrtc>(std::move(std::get<cuda::Nvrtc>(loaded)));
        const std::optional<int> best = compiler->architecture_for(device->properties().compute_capability);
        if (!best) return "NVRTC does not know the architecture of " + device->properties().name;
        architecture = "sm_" + std::to_string(*best);
        return "";
    }
};

}  // namespace limrisk::test
