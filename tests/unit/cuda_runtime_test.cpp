// The CUDA runtime on machines without a GPU: the words of its errors, why there is no device, what doctor says of devices, and the
// device code that was compiled.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/cuda_build.hpp"
#include "backend/cuda/cuda_runtime_message.hpp"
#include "backend/cuda/describe_devices.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

// --- the words of an error ---

TEST(CudaFailureMessage, NamesCallDeviceAndCudasWordsAndWhatToDo) {
    EXPECT_EQ(cuda_failure_message({"cudaMemcpyAsync(8 bytes to the host)", 3, "NVIDIA T4", "cudaErrorECCUncorrectable",
                                    "uncorrectable ECC error encountered"}),
              "CUDA device 3 (NVIDIA T4): cudaMemcpyAsync(8 bytes to the host) failed: uncorrectable ECC error encountered "
              "(cudaErrorECCUncorrectable); the device's memory is damaged: `nvidia-smi -q -d ECC` says more; use another device until "
              "this one is reset or replaced");
}

TEST(CudaFailureMessage, WithoutDeviceOrAdviceSaysWhatThereIs) {
    EXPECT_EQ(cuda_failure_message({"cudaSetDevice", -1, "", "cudaErrorNewlyInvented", "something new"}),
              "CUDA: cudaSetDevice failed: something new (cudaErrorNewlyInvented)");
    EXPECT_THAT(cuda_failure_message({"cudaSetDevice", 0, "", "e", "d"}), StartsWith("CUDA device 0: "));
}

TEST(CudaFailureMessage, AdviceFollowsTheErrorsName) {
    EXPECT_THAT(std::string(cuda_advice("cudaErrorIllegalAddress")), HasSubstr("compute-sanitizer"));
    EXPECT_THAT(std::string(cuda_advice("cudaErrorMemoryAllocation")), HasSubstr("nvidia-smi"));
    EXPECT_THAT(std::string(cuda_advice("cudaErrorLaunchTimeout")), HasSubstr("watchdog"));
    EXPECT_EQ(cuda_advice("cudaErrorInvalidValue"), "");
    EXPECT_EQ(cuda_advice(""), "");
}

// --- why there is no device ---

CudaStartup working() {
    CudaStartup startup;
    startup.runtime_version = 13000;
    startup.driver_version = 13010;
    startup.devices = 2;
    return startup;
}

CudaStartup failing(const char* name, const char* description = "in CUDA's words") {
    CudaStartup startup = working();
    startup.devices = 0;
    startup.error_name = name;
    startup.description = description;
    return startup;
}

TEST(WhyNoCudaDevice, NothingWhereThereIsOne) {
    EXPECT_EQ(why_no_cuda_device(working()), "");
    CudaStartup chosen = working();
    chosen.visible_devices = "0,1";
    EXPECT_EQ(why_no_cuda_device(chosen), "");
}

TEST(WhyNoCudaDevice, NoDriver) {
    CudaStartup startup = failing("cudaErrorInsufficientDriver");
    startup.driver_version = 0;
    EXPECT_THAT(why_no_cuda_device(startup), AllOf(StartsWith("there is no NVIDIA driver on this machine"), HasSubstr("580 or newer")));
    startup.runtime_version = 99000;
    EXPECT_THAT(why_no_cuda_device(startup), Not(HasSubstr("or newer")));
}

TEST(WhyNoCudaDevice, DriverTooOldNamesBothVersions) {
    CudaStartup startup = failing("cudaErrorInsufficientDriver");
    startup.driver_version = 12040;
    EXPECT_THAT(why_no_cuda_device(startup),
                AllOf(HasSubstr("driver is too old: it supports CUDA 12.4 and this program's runtime is CUDA 13.0"), HasSubstr("580")));
}

TEST(WhyNoCudaDevice, HiddenByTheEnvironment) {
    CudaStartup startup = failing("cudaErrorNoDevice");
    startup.visible_devices = "";
    EXPECT_THAT(why_no_cuda_device(startup), AllOf(HasSubstr("CUDA_VISIBLE_DEVICES is ''"), Not(HasSubstr("of this machine"))));
    startup.gpus_of_driver = 4;
    EXPECT_THAT(why_no_cuda_device(startup), HasSubstr("CUDA_VISIBLE_DEVICES is '' and hides the 4 of this machine; unset it"));
    startup.visible_devices = "7";
    startup.error_name.clear();  // a count of 0 without an error means the same
    EXPECT_THAT(why_no_cuda_device(startup), HasSubstr("CUDA_VISIBLE_DEVICES is '7'"));
}

TEST(WhyNoCudaDevice, NoDeviceAtAllIsNotBlamedOnTheEnvironment) {
    CudaStartup startup = failing("cudaErrorNoDevice");
    EXPECT_THAT(why_no_cuda_device(startup), AllOf(HasSubstr("an NVIDIA driver (CUDA 13.1) but no device"), HasSubstr("--gpus all")));
    startup.visible_devices = "0";
    startup.gpus_of_driver = 0;
    EXPECT_THAT(why_no_cuda_device(startup), AllOf(HasSubstr("it knows of none"), Not(HasSubstr("CUDA_VISIBLE_DEVICES"))));
}

TEST(WhyNoCudaDevice, EverythingElseInCudasWords) {
    CudaStartup startup = failing("cudaErrorSystemNotReady", "system not yet initialized");
    EXPECT_THAT(why_no_cuda_device(startup),
                AllOf(HasSubstr("cudaGetDeviceCount failed: system not yet initialized (cudaErrorSystemNotReady)"),
                      HasSubstr("nvidia-fabricmanager"), Not(HasSubstr("CUDA_VISIBLE_DEVICES"))));
    startup.visible_devices = "GPU-1234";
    EXPECT_THAT(why_no_cuda_device(startup), EndsWith("(CUDA_VISIBLE_DEVICES is 'GPU-1234')"));
}

TEST(CudaVersionText, IsMajorAndMinor) {
    EXPECT_EQ(cuda_version_text(13000), "13.0");
    EXPECT_EQ(cuda_version_text(12080), "12.8");
    EXPECT_EQ(cuda_version_text(11020), "11.2");
}

// --- what doctor says of devices ---

class DeviceOfTest final : public Device {
public:
    const DeviceProperties& properties() const override { return properties_; }
    std::size_t free_bytes() override { return std::size_t{3} << 30; }
    void* allocate(std::size_t) override { return nullptr; }
    void* allocate_host(std::size_t) override { return nullptr; }
    void release(void*) noexcept override {}
    void release_host(void*) noexcept override {}
    std::unique_ptr<Stream> make_stream() override { return nullptr; }
    std::unique_ptr<Module> load(std::string_view) override { return nullptr; }

private:
    DeviceProperties properties_;
};

/// Device 1 cannot be opened.
class RuntimeOfTest final : public Runtime {
public:
    std::string version() const override { return "CUDA runtime 13.0, driver 13.0"; }
    std::vector<DeviceProperties> devices() override {
        return {{0, "NVIDIA A10", 86, 72, 1.695e9, std::size_t{24} << 30, 0, 0, 0, 0},
                {1, "NVIDIA H100", 90, 132, 1.98e9, std::size_t{80} << 30, 0, 0, 0, 0},
                {2, "NVIDIA Later", 142, 10, 3e9, std::size_t{1} << 30, 0, 0, 0, 0}};
    }
    std::unique_ptr<Device> open(int index) override {
        if (index == 1) throw DeviceError("CUDA device 1 (NVIDIA H100): cudaSetDevice failed: busy (cudaErrorDevicesUnavailable)");
        return std::make_unique<DeviceOfTest>();
    }
};

TEST(DescribeDevices, OneLineEachWithWhatItIsAndWhetherItCanBeUsed) {
    RuntimeOfTest runtime;
    EXPECT_THAT(
        describe_devices(runtime, {75, 80, 90}),
        ElementsAre(Pair("device 0",
                         "NVIDIA A10, compute capability 8.6, 72 multiprocessors at 1.70 GHz, 24.0 GiB; usable, 3.0 GiB free, kernels "
                         "compiled for sm_80"),
                    Pair("device 1", EndsWith("80.0 GiB; not usable: CUDA device 1 (NVIDIA H100): cudaSetDevice failed: busy "
                                              "(cudaErrorDevicesUnavailable)")),
                    Pair("device 2", EndsWith("; not usable: NVRTC compiles for no architecture of compute capability 14.x, only for "
                                              "sm_75 to sm_90"))));
}

TEST(DescribeDevices, WithoutNvrtcNoneIsUsable) {
    RuntimeOfTest runtime;
    for (const ReportLine& line : describe_devices(runtime, {})) EXPECT_THAT(line.second, HasSubstr("not usable: there is no NVRTC"));
}

TEST(DescribeCuda, SaysWhetherItIsInTheBuildAndNamesThePlacesWithoutNvrtc) {
    NvrtcSearch search;
    search.directories = {"/nonexistent/lib64"};
    const std::vector<ReportLine> lines = describe_cuda(search);
    ASSERT_THAT(lines, Not(IsEmpty()));
    EXPECT_EQ(lines[0].first, "cuda");
    if (!cuda_build().present) {
        EXPECT_THAT(lines, ElementsAre(Pair("cuda", "not in this build: " + std::string(cuda_build().absent))));
        return;
    }
    EXPECT_THAT(lines[0].second, HasSubstr("in this build: CUDA "));
    EXPECT_THAT(lines, testing::Contains(Pair("nvrtc", testing::_)));
    EXPECT_THAT(lines, testing::Contains(Pair("", HasSubstr("/nonexistent/lib64"))));
}

// --- the real runtime ---

/// Variables of the environment, as they were again at the end.
class Environment {
public:
    explicit Environment(const std::vector<std::pair<std::string, std::string>>& variables) {
        for (const auto& [name, value] : variables) {
            const char* before = std::getenv(name.c_str());
            before_.emplace_back(name, before ? std::optional<std::string>(before) : std::nullopt);
            setenv(name.c_str(), value.c_str(), 1);
        }
    }
    ~Environment() {
        for (const auto& [name, value] : before_)
            if (value)
                setenv(name.c_str(), value->c_str(), 1);
            else
                unsetenv(name.c_str());
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

private:
    std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

/// Why make_cuda_runtime has none, asked in a process of its own: runtime and loader read the environment only once.
void expect_why(const std::vector<std::pair<std::string, std::string>>& variables, const testing::Matcher<const std::string&>& why) {
    const Environment environment(variables);
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            try {
                std::fputs(make_cuda_runtime()->version().c_str(), stderr);
            } catch (const DeviceError& error) {
                std::fputs(error.what(), stderr);
                std::exit(static_cast<int>(error.code()));
            }
            std::exit(0);
        },
        testing::ExitedWithCode(69), why);
}

class RealCudaRuntimeTest : public testing::Test {
protected:
    void SetUp() override {
        if (!cuda_build().present) GTEST_SKIP() << "the CUDA runtime is not in this build: " << cuda_build().absent;
    }
};

TEST(AbsentCudaRuntime, SaysWhyItIsNotInTheBuild) {
    if (cuda_build().present) GTEST_SKIP() << "the CUDA runtime is in this build";
    expect_why({}, AllOf(HasSubstr("not in this build"), HasSubstr(std::string(cuda_build().absent)), HasSubstr("docs/building.md")));
}

TEST_F(RealCudaRuntimeTest, StartsWithoutADriver) {
    if (dlopen("libcuda.so.1", RTLD_NOW)) GTEST_SKIP() << "this machine has an NVIDIA driver";
    expect_why({}, StartsWith("there is no NVIDIA driver on this machine"));
    // Nothing is hidden where there is nothing.
    expect_why({{"CUDA_VISIBLE_DEVICES", ""}}, AllOf(StartsWith("there is no NVIDIA driver"), Not(HasSubstr("CUDA_VISIBLE_DEVICES"))));
}

#if defined(LIMRISK_FAKE_DRIVER)
TEST_F(RealCudaRuntimeTest, TellsWhatAnUnusableDriverSays) {
    const std::pair<std::string, std::string> driver{"LD_LIBRARY_PATH", LIMRISK_FAKE_DRIVER};
    expect_why({driver, {"FAKE_DRIVER_VERSION", "11080"}}, HasSubstr("the NVIDIA driver is too old: it supports CUDA 11.8"));
    expect_why({driver, {"FAKE_DRIVER_VERSION", "99000"}, {"FAKE_DRIVER_ERROR", "100"}, {"CUDA_VISIBLE_DEVICES", "7"}},
               HasSubstr("CUDA_VISIBLE_DEVICES is '7'"));
    expect_why({driver, {"FAKE_DRIVER_VERSION", "99000"}, {"FAKE_DRIVER_ERROR", "803"}},
               AllOf(HasSubstr("(cudaErrorSystemDriverMismatch)"), HasSubstr("restart the machine")));
}
#endif

// --- the device code ---

#if defined(LIMRISK_DEVICE_OBJECT)
/// The architectures of the machine code ("sm_90") and PTX ("compute_75") in an object. The containers' layout is not documented;
/// cuobjdump --list-elf --list-ptx says the same of the objects of CUDA 13.0.
std::multiset<std::string> device_code_of(const std::string& object) {
    struct Container {
        std::uint32_t magic;
        std::uint16_t version, header_bytes;
        std::uint64_t bytes;
    } container;
    struct Image {
        std::uint16_t kind, version;
        std::uint32_t header_bytes;
        std::uint64_t bytes;
        std::uint32_t unknown[3], architecture;
    } image;
    std::multiset<std::string> found;
    for (std::size_t at = object.find("\x50\xed\x55\xba"); at != std::string::npos; at = object.find("\x50\xed\x55\xba", at)) {
        std::memcpy(&container, object.data() + at, sizeof container);
        at += container.header_bytes;
        for (const std::size_t end = at + container.bytes; at < end; at += image.header_bytes + image.bytes) {
            std::memcpy(&image, object.data() + at, sizeof image);
            found.insert((image.kind == 1 ? "compute_" : "sm_") + std::to_string(image.architecture));
        }
    }
    return found;
}

TEST(DeviceCode, IsThereForEachArchitectureAndNoOther) {
    std::ifstream file(LIMRISK_DEVICE_OBJECT, std::ios::binary);
    const std::string object(std::istreambuf_iterator<char>(file), {});
    ASSERT_FALSE(object.empty()) << LIMRISK_DEVICE_OBJECT;
    std::istringstream list(LIMRISK_DEVICE_CODE);
    const std::multiset<std::string> wanted(std::istream_iterator<std::string>(list), {});
    ASSERT_FALSE(wanted.empty());
    EXPECT_EQ(device_code_of(object), wanted);
}
#endif

}  // namespace
}  // namespace limrisk::cuda
