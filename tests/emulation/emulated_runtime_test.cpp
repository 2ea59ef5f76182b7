// Memory, streams, selection and ordered failures of the emulated runtime.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <thread>

#include "limrisk/error.hpp"
#include "loaded_program.hpp"

namespace limrisk::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* device_text = R"(
#define LIMRISK_LANES cuda
#include "kernels/macros.hpp"
struct Arguments {
    int* out;
    int value;
};
LIMRISK_KERNEL(add, Arguments, 32) { arguments.out[threadIdx.x] += arguments.value; }
LIMRISK_KERNEL(diverge, Arguments, 32) { if (threadIdx.x) __syncwarp(); }
)";

struct Arguments {
    std::int32_t* out;
    std::int32_t value;
};

/// Memory of the host that copies need not wait for, until the end of the scope.
struct HostMemory {
    HostMemory(cuda::Device& of, std::size_t count) : device(of), numbers(static_cast<std::int32_t*>(of.allocate_host(4 * count))) {}
    ~HostMemory() { device.release_host(numbers); }
    HostMemory(const HostMemory&) = delete;
    HostMemory& operator=(const HostMemory&) = delete;
    cuda::Device& device;
    std::int32_t* numbers;
};

EmulatedRuntimeOptions with_devices(std::vector<cuda::DeviceProperties> devices) {
    EmulatedRuntimeOptions options;
    options.devices = std::move(devices);
    return options;
}

std::string launch_error(LoadedProgram& program, std::int32_t* out) {
    try {
        program.launch("add", 1, 32, Arguments{out, 1});
    } catch (const DeviceError& error) {
        return error.what();
    }
    return "none";
}

TEST(EmulatedRuntime, DevicesAreWhatWasAskedFor) {
    EmulatedRuntime runtime(with_devices({emulated_device(3, 1 << 20), emulated_device(1)}));
    const auto devices = runtime.devices();
    ASSERT_EQ(devices.size(), 2u);
    EXPECT_EQ(devices[0].index, 1);
    EXPECT_EQ(devices[1].memory_bytes, std::size_t{1} << 20);
    EXPECT_EQ(runtime.open(3)->free_bytes(), std::size_t{1} << 20);
    EXPECT_THROW(runtime.open(0), DeviceError);
}

TEST(EmulatedRuntime, MemoryIsCountedAndEnds) {
    EmulatedRuntime runtime(with_devices({emulated_device(0, 10 * 512)}));
    const auto device = runtime.open(0);
    void* first = device->allocate(4 * 512 + 1);
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(device->free_bytes(), 5u * 512);
    EXPECT_EQ(device->allocate(5 * 512 + 1), nullptr);
    EXPECT_EQ(device->allocate(~std::size_t{0}), nullptr);
    void* second = device->allocate(5 * 512);
    ASSERT_NE(second, nullptr);
    device->release(first);
    device->release(nullptr);
    EXPECT_EQ(runtime.usage(0).device_bytes, 5u * 512);
    EXPECT_EQ(runtime.usage(0).peak_device_bytes, 10u * 512);
    EXPECT_FALSE(runtime.usage(0).nothing_left());
    device->release(second);
    EXPECT_TRUE(runtime.usage(0).nothing_left());
}

TEST(EmulatedRuntime, EverythingThatLivesIsCounted) {
    EmulatedRuntime runtime;
    {
        const auto device = runtime.open(0);
        const auto stream = device->make_stream();
        const auto event = stream->record();
        const auto module = device->load(emulated_machine_code("emulated_runtime_test", device_text));
        const HostMemory host(*device, 1);
        const EmulatedUsage usage = runtime.usage(0);
        EXPECT_EQ(usage.streams, 1u);
        EXPECT_EQ(usage.events, 1u);
        EXPECT_EQ(usage.modules, 1u);
        EXPECT_EQ(usage.host_allocations, 1u);
    }
    EXPECT_TRUE(runtime.usage(0).nothing_left());
}

TEST(EmulatedRuntime, FreshMemoryIsPoison) {
    LoadedProgram program("emulated_runtime_test", device_text);
    EXPECT_THAT(program.download(program.allocate<std::int32_t>(100), 100), Each(-1));
}

TEST(EmulatedRuntime, WorkIsDoneInOrder) {
    for (const bool deferred : {true, false}) {
        EmulatedRuntimeOptions options;
        options.deferred = deferred;
        LoadedProgram program("emulated_runtime_test", device_text, options);
        auto* numbers = program.allocate<std::int32_t>(32);
        program.stream->fill_zero(numbers, 32 * 4);
        for (int value : {1, 10, 100}) program.launch("add", 1, 32, Arguments{numbers, value});  // arguments die at once
        EXPECT_THAT(program.download(numbers, 32), Each(111));
    }
}

TEST(EmulatedRuntime, WorkWaitsForTheHostThatWaits) {
    LoadedProgram program("emulated_runtime_test", device_text);
    auto* numbers = program.upload(std::vector<std::int32_t>(32, 5));
    const HostMemory host(*program.device, 32);
    program.launch("add", 1, 32, Arguments{numbers, 2});
    program.stream->copy_to_host(host.numbers, numbers, 32 * 4);
    const auto event = program.stream->record();
    EXPECT_EQ(host.numbers[0], -1) << "poison until somebody waits";
    EXPECT_FALSE(event->done());
    EXPECT_EQ(host.numbers[0], -1);
    EXPECT_FALSE(event->done());
    EXPECT_EQ(host.numbers[0], 7);
    EXPECT_TRUE(event->done());
    EXPECT_TRUE(event->done());
}

TEST(EmulatedRuntime, ReleasingMemoryWaitsForAllWork) {
    LoadedProgram program("emulated_runtime_test", device_text);
    const HostMemory host(*program.device, 32);
    auto* numbers = program.upload(std::vector<std::int32_t>(32, 5));
    program.stream->copy_to_host(host.numbers, numbers, 32 * 4);
    program.device->release(numbers);
    EXPECT_EQ(host.numbers[31], 5);
}

TEST(EmulatedRuntime, EventsTellTheTimeOfTheDevice) {
    EmulatedRuntimeOptions options;
    options.launch_seconds = [](const std::string& kernel, std::int64_t blocks) {
        return kernel == "add" ? 0.25 * static_cast<double>(blocks) : 0.0;
    };
    LoadedProgram program("emulated_runtime_test", device_text, options);
    auto* numbers = program.upload(std::vector<std::int32_t>(32, 5));
    const auto begin = program.stream->record();
    program.launch("add", 3, 32, Arguments{numbers, 1});
    const auto end = program.stream->record();
    EXPECT_THROW(end->seconds_since(*begin), Defect) << "neither is done";
    end->wait();
    EXPECT_DOUBLE_EQ(end->seconds_since(*begin), 0.75);
}

TEST(EmulatedRuntime, CopiesMustLieInOneAllocation) {
    LoadedProgram program("emulated_runtime_test", device_text);
    auto* numbers = program.allocate<std::int32_t>(32);
    const HostMemory host(*program.device, 32);
    std::vector<std::int32_t> plain(64);
    program.stream->copy_to_device(numbers + 31, plain.data(), 4);
    EXPECT_THROW(program.stream->copy_to_device(numbers + 31, plain.data(), 8), Defect);
    EXPECT_THROW(program.stream->copy_to_device(plain.data(), plain.data(), 4), Defect) << "no memory of the device";
    EXPECT_THROW(program.stream->copy_to_host(numbers, numbers, 4), Defect) << "no memory of the host";
    EXPECT_THROW(program.stream->copy_to_host(host.numbers + 1, numbers, 32 * 4), Defect);
    EXPECT_THROW(program.stream->fill_zero(numbers, 33 * 4), Defect);
}

TEST(EmulatedRuntime, SelectsTheFlaggedInTheirOrder) {
    LoadedProgram program("emulated_runtime_test", device_text);
    std::mt19937 engine(1);
    for (const std::int64_t count : {0, 1, 77, 100}) {
        std::vector<std::int32_t> list(100);
        std::iota(list.begin(), list.end(), 3);
        std::shuffle(list.begin(), list.end(), engine);
        std::vector<std::uint8_t> flags(103);
        std::vector<std::int32_t> expected;
        for (std::size_t i = 0; i < flags.size(); ++i) flags[i] = i % 3 == 0 ? static_cast<std::uint8_t>(i % 200) : 0;
        for (std::int64_t i = 0; i < count; ++i)
            if (const std::int32_t entry = list[static_cast<std::size_t>(i)]; flags[static_cast<std::size_t>(entry)] != 0)
                expected.push_back(entry);
        auto* selected = program.allocate<std::int32_t>(100);
        auto* selected_count = program.allocate<std::int64_t>(1);
        program.stream->select(program.upload(list), program.upload(std::vector<std::int64_t>{count}), 100, program.upload(flags), selected,
                               selected_count);
        ASSERT_THAT(program.download(selected_count, 1), ElementsAre(static_cast<std::int64_t>(expected.size())));
        EXPECT_EQ(program.download(selected, expected.size()), expected);
        EXPECT_THROW(program.stream->select(selected, selected_count, 100, nullptr, selected, selected_count), Defect) << "in place";
    }
    auto* list = program.upload(std::vector<std::int32_t>(3));
    program.stream->select(list, program.upload(std::vector<std::int64_t>{4}), 3, nullptr, program.allocate<std::int32_t>(3),
                           program.allocate<std::int64_t>(1));
    EXPECT_THROW(program.stream->synchronize(), Defect) << "more entries than announced";
}

TEST(EmulatedRuntime, ForeignMachineCodeIsRefused) {
    const auto device = EmulatedRuntime().open(0);
    EXPECT_THAT([&] { device->load("\177ELF and so on"); },
                ThrowsMessage<DeviceError>(HasSubstr("cudaLibraryLoadData on device 0 (Emulated GPU): device kernel image is invalid")));
}

TEST(EmulatedRuntime, TwoProgramsWithTheSameNamesDoNotMeet) {
    const std::string text = R"(
#define LIMRISK_LANES cuda
#include "kernels/macros.hpp"
struct Arguments { int* out; int value; };
struct Spec { static constexpr int values[2] = {NUMBER, NUMBER + 1}; };
inline int counter = NUMBER;
LIMRISK_KERNEL(tell, Arguments, 32) { arguments.out[threadIdx.x] = Spec::values[arguments.value % 2] + 10 * counter; }
)";
    LoadedProgram first("first", "#define NUMBER 1\n" + text);
    LoadedProgram second("second", "#define NUMBER 5\n" + text);
    for (const auto& [program, expected] : {std::pair{&first, 12}, {&second, 56}}) {
        auto* out = program->allocate<std::int32_t>(32);
        program->launch("tell", 1, 32, Arguments{out, 1});
        EXPECT_THAT(program->download(out, 32), Each(expected));
    }
}

TEST(EmulatedFault, TheNthCallFailsAndAllAfterIt) {
    LoadedProgram program("emulated_runtime_test", device_text, with_devices({emulated_device(0), emulated_device(1)}));
    auto* numbers = program.upload(std::vector<std::int32_t>(32));
    program.launch("add", 1, 32, Arguments{numbers, 1});
    Fault fault;
    fault.occurrence = 2;
    program.runtime.inject(fault);
    EXPECT_EQ(launch_error(program, numbers), "none");
    EXPECT_EQ(launch_error(program, numbers),
              "cudaLaunchKernel on device 0 (Emulated GPU): an illegal memory access was encountered (cudaErrorIllegalAddress)");
    EXPECT_THAT([&] { program.device->free_bytes(); }, ThrowsMessage<DeviceError>(HasSubstr("cudaMemGetInfo on device 0")));
    EXPECT_THROW(program.stream->synchronize(), DeviceError);
    EXPECT_EQ(program.runtime.calls(0, Call::Launch), 3);
    program.device->release(numbers);
    EXPECT_EQ(program.runtime.usage(0).device_allocations, 0u);
    EXPECT_NO_THROW(program.runtime.open(1)->make_stream()) << "the other device works";
}

TEST(EmulatedFault, OneCallAlone) {
    LoadedProgram program("emulated_runtime_test", device_text);
    auto* numbers = program.upload(std::vector<std::int32_t>(32));
    Fault fault;
    fault.sticky = false;
    fault.error = "too many resources requested for launch (cudaErrorLaunchOutOfResources)";
    program.runtime.inject(fault);
    EXPECT_THAT(launch_error(program, numbers), HasSubstr("cudaErrorLaunchOutOfResources"));
    EXPECT_EQ(launch_error(program, numbers), "none");
    EXPECT_THAT(program.download(numbers, 32), Each(1));
}

TEST(EmulatedFault, WorkThatFailsIsReportedByWhoWaits) {
    for (const bool deferred : {true, false})
        for (const bool sticky : {true, false}) {
            EmulatedRuntimeOptions options;
            options.deferred = deferred;
            LoadedProgram program("emulated_runtime_test", device_text, options);
            auto* numbers = program.upload(std::vector<std::int32_t>(32));
            Fault fault;
            fault.effect = Fault::Effect::ErrorInStream;
            fault.sticky = sticky;
            program.runtime.inject(fault);
            EXPECT_EQ(launch_error(program, numbers), "none");
            if (deferred || !sticky) {
                const auto event = program.stream->record();
                EXPECT_THAT([&] { event->wait(); }, ThrowsMessage<DeviceError>(HasSubstr("cudaEventSynchronize on device 0")));
            }
            if (sticky) {
                EXPECT_THROW(program.stream->record(), DeviceError);
            } else {
                EXPECT_THAT(program.download(numbers, 32), Each(0)) << "its work was not done";
            }
        }
}

TEST(EmulatedFault, MemoryRunsOut) {
    EmulatedRuntime runtime;
    const auto device = runtime.open(0);
    Fault fault;
    fault.call = Call::Allocate;
    fault.occurrence = 2;
    fault.effect = Fault::Effect::OutOfMemory;
    runtime.inject(fault);
    void* first = device->allocate(100);
    EXPECT_NE(first, nullptr);
    EXPECT_EQ(device->allocate(100), nullptr);
    void* third = device->allocate(100);
    EXPECT_NE(third, nullptr);
    device->release(first);
    device->release(third);
    fault.call = Call::Launch;
    EXPECT_THROW(runtime.inject(fault), Defect) << "a launch cannot fail in that way";
}

TEST(EmulatedFault, ObserversHearOfEachCall) {
    EmulatedRuntimeOptions options;
    EmulatedRuntime* observed = nullptr;
    int launches = 0;
    options.on_call = [&](int device, Call call) {
        if (call == Call::Launch && ++launches == 3) {
            Fault fault;
            fault.device = device;
            fault.call = Call::CopyToHost;
            observed->inject(fault);
        }
    };
    LoadedProgram program("emulated_runtime_test", device_text, options);
    observed = &program.runtime;
    auto* numbers = program.upload(std::vector<std::int32_t>(32));
    for (int i = 0; i < 3; ++i) {
        EXPECT_NO_THROW(program.download(numbers, 32));
        program.launch("add", 1, 32, Arguments{numbers, 1});
    }
    EXPECT_THROW(program.download(numbers, 32), DeviceError);
}

TEST(EmulatedFault, ADefectOfAKernelReachesEveryThreadThatWaits) {
    LoadedProgram program("emulated_runtime_test", device_text);
    program.launch("diverge", 1, 32, Arguments{nullptr, 0});
    EXPECT_THROW(program.stream->synchronize(), Defect);
    std::thread([&] { EXPECT_THROW(program.device->make_stream(), Defect); }).join();
}

}  // namespace
}  // namespace limrisk::test
