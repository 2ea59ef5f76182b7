// The fixture of gpu_fixture.hpp on the emulated GPU: the same tests run on both.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "emulation.hpp"
#include "loaded_program.hpp"

namespace limrisk::test {

class EmulatedGpuTest : public testing::Test {
protected:
    static std::string machine_code(const std::string& name, const std::string& source) { return emulated_machine_code(name, source); }

    std::shared_ptr<cuda::Runtime> runtime = std::make_shared<EmulatedRuntime>();
    std::unique_ptr<cuda::Device> device = runtime->open(0);
};

}  // namespace limrisk::test
