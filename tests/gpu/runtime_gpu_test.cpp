// What runtime.hpp promises: memory, streams, events, modules, launches and selection. The same tests for the real runtime on a GPU
// (runtime_gpu_test) and for the emulated one (runtime_emulated_test), so that neither promises more than the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

#include "limrisk/error.hpp"
#if defined(LIMRISK_EMULATED_GPU)
#include "gpu/emulated_fixture.hpp"
#else
#include "gpu/gpu_fixture.hpp"
#endif

namespace limrisk::test {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::ThrowsMessage;

// The suite has a name of its own in each program, by which ctest tells them apart.
#if defined(LIMRISK_EMULATED_GPU)
#define LIMRISK_RUNTIME_TEST RuntimeOnEmulatedGpu
using Fixture = EmulatedGpuTest;
#else
#define LIMRISK_RUNTIME_TEST RuntimeOnGpu
using Fixture = GpuTest;
#endif

constexpr const char* device_text = R"(
#define LIMRISK_LANES cuda
#include "kernels/macros.hpp"
#include <cstdint>

extern __shared__ __align__(16) char limrisk_dynamic_shared[];

struct Arguments {
    std::int32_t* out;
    std::int64_t value, size;
};

LIMRISK_KERNEL(add, Arguments, 128) {
    const std::int64_t thread = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
    if (thread < arguments.size) arguments.out[thread] += std::int32_t(arguments.value);
}
// The block's sum of 0 .. size - 1, by way of that many numbers in shared memory.
LIMRISK_KERNEL(sum_in_shared_memory, Arguments, 128) {
    auto* numbers = reinterpret_cast<std::int32_t*>(limrisk_dynamic_shared);
    for (std::int64_t i = threadIdx.x; i < arguments.size; i += blockDim.x) numbers[i] = std::int32_t(i);
    __syncthreads();
    if (threadIdx.x == 0) {
        std::int32_t sum = 0;
        for (std::int64_t i = 0; i < arguments.size; ++i) sum += numbers[i];
        arguments.out[blockIdx.x] = sum;
    }
}
)";

struct Arguments {
    std::int32_t* out;
    std::int64_t value, size;
};

class LIMRISK_RUNTIME_TEST : public Fixture {
protected:
    void SetUp() override {
        Fixture::SetUp();
        if (!IsSkipped() && !HasFatalFailure()) stream = device->make_stream();
    }

    void TearDown() override {
        for (void* memory : allocated_) device->release(memory);
    }

    /// Memory of the device until the end of the test.
    template <class Value>
    Value* allocate(std::size_t count) {
        void* memory = device->allocate(count * sizeof(Value));
        if (!memory) throw DeviceError("the device has not the little memory that a test needs");
        allocated_.push_back(memory);
        return static_cast<Value*>(memory);
    }
    template <class Value>
    Value* upload(const std::vector<Value>& values) {
        Value* memory = allocate<Value>(values.size());
        stream->copy_to_device(memory, values.data(), values.size() * sizeof(Value));
        return memory;
    }
    template <class Value>
    std::vector<Value> download(const Value* memory, std::size_t count) {
        std::vector<Value> values(count);
        stream->copy_to_host(values.data(), memory, count * sizeof(Value));
        stream->synchronize();
        return values;
    }

    std::unique_ptr<cuda::Module> load() { return device->load(machine_code("runtime_gpu_test", device_text)); }

    std::unique_ptr<cuda::Stream> stream;

private:
    std::vector<void*> allocated_;
};

TEST_F(LIMRISK_RUNTIME_TEST, DevicesAreDescribed) {
    EXPECT_THAT(runtime->version(), HasSubstr("CUDA"));
    const std::vector<cuda::DeviceProperties> devices = runtime->devices();
    ASSERT_FALSE(devices.empty());
    for (std::size_t i = 0; i < devices.size(); ++i) {
        EXPECT_EQ(devices[i].index, static_cast<int>(i));
        EXPECT_FALSE(devices[i].name.empty());
        EXPECT_GE(devices[i].compute_capability, 75);
        EXPECT_GT(devices[i].multiprocessors, 0);
        EXPECT_GT(devices[i].clock_hz, 1e8);
        EXPECT_LT(devices[i].clock_hz, 1e10);
        EXPECT_GE(devices[i].shared_bytes_per_block, 48u << 10);
        EXPECT_GE(devices[i].shared_bytes_per_multiprocessor, devices[i].shared_bytes_per_block);
        EXPECT_GE(devices[i].registers_per_multiprocessor, 65536);
        EXPECT_GE(devices[i].threads_per_multiprocessor, 1024);
    }
    EXPECT_EQ(device->properties().name, devices[0].name);
    EXPECT_LE(device->free_bytes(), devices[0].memory_bytes);
    EXPECT_THROW(runtime->open(static_cast<int>(devices.size())), DeviceError);
    EXPECT_THROW(runtime->open(-1), DeviceError);
}

TEST_F(LIMRISK_RUNTIME_TEST, CopiesThereAndBack) {
    for (const std::size_t count : {1, 4097, 1 << 20}) {
        std::vector<std::int32_t> numbers(count);
        std::iota(numbers.begin(), numbers.end(), -5);
        auto* memory = upload(numbers);
        EXPECT_EQ(download(memory, count), numbers);
        stream->fill_zero(memory + count / 2, (count - count / 2) * 4);
        std::fill(numbers.begin() + static_cast<std::ptrdiff_t>(count / 2), numbers.end(), 0);
        EXPECT_EQ(download(memory, count), numbers);
    }
}

TEST_F(LIMRISK_RUNTIME_TEST, CopiesFromMemoryOfTheHostThatNeedNotWait) {
    constexpr std::size_t count = 1 << 18;
    auto* host = static_cast<std::int32_t*>(device->allocate_host(2 * count * 4));
    ASSERT_NE(host, nullptr);
    std::iota(host, host + count, 7);
    auto* memory = allocate<std::int32_t>(count);
    stream->copy_to_device(memory, host, count * 4);
    stream->copy_to_host(host + count, memory, count * 4);
    stream->record()->wait();
    EXPECT_TRUE(std::equal(host, host + count, host + count));
    device->release_host(host);
    device->release_host(nullptr);
}

TEST_F(LIMRISK_RUNTIME_TEST, TooMuchMemoryIsNullAndDoesNoHarm) {
    const std::size_t much = 2 * device->properties().memory_bytes;
    EXPECT_EQ(device->allocate(much), nullptr);
    EXPECT_EQ(device->allocate(std::size_t{1} << 60), nullptr);
    device->release(nullptr);
    // A refusal must not come up again as the error of what follows: neither a launch nor CUB's own checks.
    const auto module = load();
    auto* numbers = upload(std::vector<std::int32_t>(128, 1));
    const Arguments arguments{numbers, 1, 128};
    stream->launch(module->kernel("add", 0), 1, 128, 0, &arguments);
    auto* list = upload(std::vector<std::int32_t>{2, 0, 1});
    auto* count = upload(std::vector<std::int64_t>{3});
    auto* flags = upload(std::vector<std::uint8_t>{1, 0, 1});
    EXPECT_EQ(device->allocate(much), nullptr);
    auto* selected = allocate<std::int32_t>(3);
    stream->select(list, count, 3, flags, selected, allocate<std::int64_t>(1));
    EXPECT_THAT(download(selected, 2), testing::ElementsAre(2, 0));
    EXPECT_THAT(download(numbers, 128), Each(2));
}

TEST_F(LIMRISK_RUNTIME_TEST, LaunchesInOrderWithTheArgumentsOfTheCall) {
    const auto module = load();
    constexpr std::int64_t size = 100003;
    auto* numbers = upload(std::vector<std::int32_t>(size, 5));
    for (const std::int64_t value : {1, 10, 100, 1000}) {
        const Arguments arguments{numbers, value, size};  // gone before the kernel runs
        stream->launch(module->kernel("add", 0), (size + 127) / 128, 128, 0, &arguments);
    }
    EXPECT_THAT(download(numbers, size), Each(1116));
}

TEST_F(LIMRISK_RUNTIME_TEST, SharedMemoryBeyondWhatNeedsNoOptingIn) {
    const auto module = load();
    const std::size_t most = device->properties().shared_bytes_per_block;
    auto* sums = allocate<std::int32_t>(3);
    for (const std::size_t bytes : {std::size_t{64}, most, std::size_t{48} << 10}) {
        const std::int64_t size = static_cast<std::int64_t>(bytes / 4);
        const Arguments arguments{sums, 0, size};
        stream->launch(module->kernel("sum_in_shared_memory", bytes), 3, 128, bytes, &arguments);
        EXPECT_THAT(download(sums, 3), Each(static_cast<std::int32_t>(size * (size - 1) / 2))) << bytes << " bytes";
    }
}

TEST_F(LIMRISK_RUNTIME_TEST, MistakesAreErrorsThatNameThem) {
    const auto module = load();
    EXPECT_THAT([&] { module->kernel("no_such_kernel", 0); }, ThrowsMessage<DeviceError>(HasSubstr("cudaLibraryGetKernel")));
    EXPECT_THROW(module->kernel("add", device->properties().shared_bytes_per_block + 1), Error);
    EXPECT_THROW(device->load("this is no machine code"), Error);
    // None of it has hurt the device.
    auto* numbers = upload(std::vector<std::int32_t>(1, 41));
    const Arguments arguments{numbers, 1, 1};
    stream->launch(module->kernel("add", 0), 1, 32, 0, &arguments);
    EXPECT_THAT(download(numbers, 1), Each(42));
}

TEST_F(LIMRISK_RUNTIME_TEST, EventsTellWhatIsDoneAndTheTimeBetween) {
    const auto module = load();
    constexpr std::int64_t size = 1 << 16;
    auto* numbers = upload(std::vector<std::int32_t>(size, 0));
    const auto begin = stream->record();
    const Arguments arguments{numbers, 1, size};
    for (int i = 0; i < 20; ++i) stream->launch(module->kernel("add", 0), size / 128, 128, 0, &arguments);
    const auto end = stream->record();
    end->wait();
    EXPECT_TRUE(end->done());
    EXPECT_TRUE(begin->done());
    const double seconds = end->seconds_since(*begin);
    EXPECT_GT(seconds, 0);
    EXPECT_LT(seconds, 60);
    EXPECT_EQ(end->seconds_since(*end), 0);
    const auto later = stream->record();
    while (!later->done()) std::this_thread::yield();
    EXPECT_THAT(download(numbers, size), Each(20));
}

TEST_F(LIMRISK_RUNTIME_TEST, SelectsTheFlaggedInTheirOrder) {
    std::mt19937 engine(20261121);
    // Growing and shrinking, so that the stream's storage is replaced and kept.
    for (const std::int64_t count : {0, 1, 77, 300001, 5000, 2}) {
        const std::size_t entries = static_cast<std::size_t>(count);
        std::vector<std::int32_t> list(entries);
        std::iota(list.begin(), list.end(), 3);
        std::shuffle(list.begin(), list.end(), engine);
        std::vector<std::uint8_t> flags(entries + 3);
        for (std::uint8_t& flag : flags) flag = static_cast<std::uint8_t>(engine() % 3 == 0 ? 0 : engine() % 256);
        std::vector<std::int32_t> expected;
        for (const std::int32_t entry : list)
            if (flags[static_cast<std::size_t>(entry)] != 0) expected.push_back(entry);
        auto* flag_memory = upload(flags);
        auto* count_memory = upload(std::vector<std::int64_t>{count});
        auto* selected_count = allocate<std::int64_t>(1);
        for (const std::int64_t capacity : {count, count + 1, 2 * count + 1000}) {
            // Behind the end are entries that have no flag: looking for one would be an illegal access.
            std::vector<std::int32_t> padded = list;
            padded.resize(static_cast<std::size_t>(capacity), std::numeric_limits<std::int32_t>::max());
            auto* list_memory = upload(padded);
            auto* selected = upload(std::vector<std::int32_t>(static_cast<std::size_t>(capacity), -1));
            stream->select(list_memory, count_memory, capacity, flag_memory, selected, selected_count);
            ASSERT_THAT(download(selected_count, 1), Each(static_cast<std::int64_t>(expected.size()))) << count << " of " << capacity;
            ASSERT_EQ(download(selected, expected.size()), expected) << count << " of " << capacity;
        }
    }
}

TEST_F(LIMRISK_RUNTIME_TEST, EntriesBehindTheEndAreNotSelected) {
    auto* list = upload(std::vector<std::int32_t>{4, 1, 3, 0, 2});
    auto* count = upload(std::vector<std::int64_t>{2});
    auto* flags = upload(std::vector<std::uint8_t>{1, 1, 1, 1, 1});
    auto* selected = upload(std::vector<std::int32_t>(5, -1));
    auto* selected_count = allocate<std::int64_t>(1);
    stream->select(list, count, 5, flags, selected, selected_count);
    EXPECT_THAT(download(selected_count, 1), Each(2));
    EXPECT_THAT(download(selected, 2), testing::ElementsAre(4, 1));
}

TEST_F(LIMRISK_RUNTIME_TEST, ThreadsShareADevice) {
    const auto module = load();
    constexpr std::int64_t size = 5000;
    std::vector<std::vector<std::int32_t>> results(3);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < results.size(); ++t)
        threads.emplace_back([&, t] {
            const auto own = device->make_stream();
            auto* numbers = static_cast<std::int32_t*>(device->allocate(size * 4));
            own->fill_zero(numbers, size * 4);
            for (int i = 0; i < 50; ++i) {
                const Arguments arguments{numbers, static_cast<std::int64_t>(t) + 1, size};
                own->launch(module->kernel("add", 0), (size + 127) / 128, 128, 0, &arguments);
            }
            results[t].resize(size);
            own->copy_to_host(results[t].data(), numbers, size * 4);
            own->synchronize();
            device->release(numbers);
        });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t t = 0; t < results.size(); ++t) EXPECT_THAT(results[t], Each(50 * (static_cast<int>(t) + 1)));
}

#if !defined(LIMRISK_EMULATED_GPU)
/// Writes where nothing is, and says on stderr what came of it. Ends the process: its context is beyond use.
void access_what_is_not_there(cuda::Device& device, cuda::Stream& stream, const std::string& code) {
    std::string first, second;
    try {
        const auto module = device.load(code);
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an address where nothing is
        const Arguments arguments{reinterpret_cast<std::int32_t*>(std::uintptr_t{64}), 1, 128};
        stream.launch(module->kernel("add", 0), 1, 128, 0, &arguments);
        stream.synchronize();
    } catch (const DeviceError& error) {
        first = error.what();
    }
    try {
        device.free_bytes();
    } catch (const DeviceError& error) {
        second = error.what();
    }
    std::fprintf(stderr, "first: %s\nsecond: %s\n", first.c_str(), second.c_str());
    std::_Exit(0);
}

TEST_F(LIMRISK_RUNTIME_TEST, AnIllegalAccessIsOneClearMessage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const std::string code = machine_code("runtime_gpu_test", device_text);
    EXPECT_EXIT(
        access_what_is_not_there(*device, *stream, code), testing::ExitedWithCode(0),
        testing::AllOf(HasSubstr("first: CUDA device 0 (" + device->properties().name + "): "),
                       HasSubstr("an illegal memory access was encountered (cudaErrorIllegalAddress); a kernel did what it must not"),
                       HasSubstr("second: CUDA device 0 (")));
}
#endif

}  // namespace
}  // namespace limrisk::test
