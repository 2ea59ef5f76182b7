// Does the emulation run kernels as a GPU would, and does it see what a GPU leaves undefined?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <span>

#include "limrisk/error.hpp"
#include "loaded_program.hpp"

namespace limrisk::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* source = R"(
#define LIMRISK_LANES cuda
#include "kernels/macros.hpp"
#include <cstdint>

extern __shared__ __align__(16) char limrisk_dynamic_shared[];

struct Arguments {
    std::int32_t* out;
    std::int32_t value, size;
};

LIMRISK_KERNEL(number_threads, Arguments, 1024) {
    arguments.out[blockIdx.x * blockDim.x + threadIdx.x] = arguments.value * blockIdx.x + threadIdx.x + gridDim.x;
}
LIMRISK_KERNEL(shuffles, Arguments, 128) {
    const int thread = blockIdx.x * blockDim.x + threadIdx.x;
    int* out = arguments.out + 6 * thread;
    out[0] = __shfl_sync(0xFFFFFFFFu, thread, arguments.value, arguments.size);
    out[1] = __shfl_xor_sync(0xFFFFFFFFu, thread, arguments.value, arguments.size);
    out[2] = __shfl_up_sync(0xFFFFFFFFu, thread, arguments.value, arguments.size);
    out[3] = __shfl_down_sync(0xFFFFFFFFu, thread, arguments.value, arguments.size);
    out[4] = __ballot_sync(0xFFFFFFFFu, thread % 3 == 0);
    out[5] = __reduce_add_sync(0xFFFFFFFFu, thread);
}
LIMRISK_KERNEL(reverse_block, Arguments, 1024) {
    auto* shared = reinterpret_cast<std::int32_t*>(limrisk_dynamic_shared);
    const int thread = threadIdx.x, last = blockDim.x - 1;
    for (int round = 0; round < 3; ++round) {
        shared[thread] = arguments.out[blockIdx.x * blockDim.x + thread];
        __syncthreads();
        arguments.out[blockIdx.x * blockDim.x + thread] = shared[last - thread];
        __syncthreads();
    }
}
LIMRISK_KERNEL(half_a_warp_shuffles, Arguments, 128) {
    if (threadIdx.x % 32 < 16) arguments.out[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFu, arguments.value, 1);
}
LIMRISK_KERNEL(two_shuffles_meet, Arguments, 128) {
    arguments.out[threadIdx.x] = threadIdx.x % 2 ? __shfl_xor_sync(0xFFFFFFFFu, arguments.value, 1) : __shfl_sync(0xFFFFFFFFu, arguments.value, 0);
}
LIMRISK_KERNEL(float_meets_double, Arguments, 128) {
    arguments.out[threadIdx.x] =
        threadIdx.x % 2 ? __shfl_xor_sync(0xFFFFFFFFu, 1.0, 1) : __shfl_xor_sync(0xFFFFFFFFu, 1.0f, 1);
}
LIMRISK_KERNEL(one_more_shuffle, Arguments, 128) {
    for (int i = 0; i < (threadIdx.x == 77 ? 4 : 3); ++i) arguments.out[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFu, arguments.value, 1);
}
LIMRISK_KERNEL(a_warp_misses_the_barrier, Arguments, 128) {
    if (threadIdx.x >= 32) __syncthreads();
}
LIMRISK_KERNEL(partial_mask, Arguments, 128) {
    arguments.out[threadIdx.x] = __shfl_xor_sync(0xFFFFu, arguments.value, 1);
}
LIMRISK_KERNEL(neighbour_without_barrier, Arguments, 32) {
    auto* shared = reinterpret_cast<std::int32_t*>(limrisk_dynamic_shared);
    for (int i = 0; i < arguments.size; ++i) {
        shared[threadIdx.x] = i;
        arguments.out[i * 32 + threadIdx.x] = shared[threadIdx.x ^ 1];
        __syncwarp();
    }
}
LIMRISK_KERNEL(write_shared, Arguments, 32) {
    limrisk_dynamic_shared[arguments.size + threadIdx.x] = 1;
}
LIMRISK_KERNEL(read_shared, Arguments, 32) {
    arguments.out[threadIdx.x] = reinterpret_cast<const std::int32_t*>(limrisk_dynamic_shared)[threadIdx.x];
}
LIMRISK_KERNEL(write_at, Arguments, 32) {
    if (threadIdx.x == 0) arguments.out[arguments.size] = arguments.value;
}
LIMRISK_KERNEL(count_up, Arguments, 128) {
    atomicAdd(arguments.out, arguments.value);
}
)";

struct Arguments {
    std::int32_t* out;
    std::int32_t value = 0, size = 0;
};

class EmulatedKernel : public testing::Test, protected LoadedProgram {
protected:
    EmulatedKernel() : LoadedProgram("emulated_kernel_test", source) {}

    std::string error_of(const std::string& kernel, std::int64_t blocks, int threads, const Arguments& arguments,
                         std::size_t shared_bytes = 0) {
        launch(kernel, blocks, threads, arguments, shared_bytes);
        try {
            stream->synchronize();
        } catch (const Defect& defect) {
            return defect.what();
        }
        return "none";
    }
};

TEST_F(EmulatedKernel, KnowsItsIndices) {
    auto* out = allocate<std::int32_t>(3 * 40);
    launch("number_threads", 3, 40, Arguments{out, 1000});
    const auto found = download(out, 3 * 40);
    for (int block = 0; block < 3; ++block)
        for (int thread = 0; thread < 40; ++thread)
            EXPECT_EQ(found[static_cast<std::size_t>(block * 40 + thread)], 1000 * block + thread + 3);
}

TEST_F(EmulatedKernel, ShufflesAsTheGuideSays) {
    for (const int width : {1, 2, 8, 32})
        for (const int distance : {0, 1, 2, 5, 31}) {
            auto* out = allocate<std::int32_t>(2 * 64 * 6);
            launch("shuffles", 2, 64, Arguments{out, distance, width});
            const auto found = download(out, 2 * 64 * 6);
            for (int thread = 0; thread < 128; ++thread) {
                const int warp = thread / 32 * 32, lane = thread % 32, first = lane / width * width;
                unsigned ballot = 0;
                for (int i = 0; i < 32; ++i) ballot |= static_cast<unsigned>((warp + i) % 3 == 0) << i;
                EXPECT_THAT(
                    std::span(found).subspan(static_cast<std::size_t>(6 * thread), 6),
                    ElementsAre(warp + first + distance % width, warp + ((lane ^ distance) < first + width ? lane ^ distance : lane),
                                warp + (lane - distance >= first ? lane - distance : lane),
                                warp + (lane + distance < first + width ? lane + distance : lane), static_cast<int>(ballot),
                                32 * warp + 31 * 16))
                    << "thread " << thread << " width " << width << " distance " << distance;
            }
        }
}

TEST_F(EmulatedKernel, WarpsMeetAtBlockBarriers) {
    std::vector<std::int32_t> numbers(3 * 200);
    std::iota(numbers.begin(), numbers.end(), 0);
    auto* out = upload(numbers);
    launch("reverse_block", 3, 200, Arguments{out}, 200 * sizeof(std::int32_t));
    for (auto block = numbers.begin(); block != numbers.end(); block += 200) std::reverse(block, block + 200);
    EXPECT_EQ(download(out, numbers.size()), numbers);
}

TEST_F(EmulatedKernel, BlocksOnSeveralHostThreads) {
    EmulatedRuntimeOptions options;
    options.host_threads = 3;
    LoadedProgram several("emulated_kernel_test", source, options);
    auto* out = several.upload(std::vector<std::int32_t>{0});
    several.launch("count_up", 100, 96, Arguments{out, 2});
    EXPECT_THAT(several.download(out, 1), ElementsAre(100 * 96 * 2));
}

TEST_F(EmulatedKernel, DivergenceIsSeen) {
    const Arguments arguments{allocate<std::int32_t>(128), 1};
    EXPECT_THAT(error_of("half_a_warp_shuffles", 1, 64, arguments),
                AllOf(HasSubstr("half_a_warp_shuffles, block 0, warp 0: lanes of a warp diverged at a shuffle"),
                      HasSubstr("lanes 0-15 at __shfl_xor_sync of 4 bytes, width 32, lanes 16-31 returned")));
}

TEST_F(EmulatedKernel, OtherShufflesAtOnceAreSeen) {
    const Arguments arguments{allocate<std::int32_t>(128), 1};
    EXPECT_THAT(error_of("two_shuffles_meet", 1, 32, arguments),
                AllOf(HasSubstr("lanes of a warp diverged at a shuffle"), HasSubstr("lane 1 at __shfl_xor_sync")));
}

TEST_F(EmulatedKernel, OtherTypesAtOnceAreSeen) {
    const Arguments arguments{allocate<std::int32_t>(128), 1};
    EXPECT_THAT(error_of("float_meets_double", 1, 32, arguments), HasSubstr("lanes of a warp diverged at a shuffle"));
}

TEST_F(EmulatedKernel, ALaneThatGoesOnIsSeen) {
    const Arguments arguments{allocate<std::int32_t>(128), 1};
    EXPECT_THAT(error_of("one_more_shuffle", 1, 96, arguments),
                AllOf(HasSubstr("warp 2: lanes of a warp diverged"), HasSubstr("lanes 0-12 returned, lane 13 at __shfl_xor_sync")));
    EXPECT_THROW(stream->synchronize(), Defect) << "and stays";
}

TEST_F(EmulatedKernel, APartialWarpIsSeen) {
    EXPECT_THAT(error_of("shuffles", 1, 40, {allocate<std::int32_t>(40 * 6), 1, 32}),
                AllOf(HasSubstr("warp 1: lanes of a warp diverged"), HasSubstr("lanes 8-31 do not exist")));
}

TEST_F(EmulatedKernel, APartialMaskIsSeen) {
    const Arguments arguments{allocate<std::int32_t>(128), 1};
    EXPECT_THAT(error_of("partial_mask", 1, 32, arguments), HasSubstr("with mask 0xffff"));
}

TEST_F(EmulatedKernel, AWarpThatMissesABarrierIsSeen) {
    EXPECT_THAT(error_of("a_warp_misses_the_barrier", 1, 96, {}), HasSubstr("the threads of a block diverged at a barrier: 1 of 3 warps"));
}

/// Lanes run in another order each time, so what a kernel reads without a barrier is not what a friendly order would give.
TEST_F(EmulatedKernel, AMissingBarrierChangesTheNumbers) {
    constexpr int rounds = 20;
    auto* out = allocate<std::int32_t>(32 * rounds);
    launch("neighbour_without_barrier", 1, 32, Arguments{out, 0, rounds}, 128);
    int stale = 0;
    const auto found = download(out, 32 * rounds);
    for (std::size_t i = 0; i < found.size(); ++i) stale += found[i] != static_cast<std::int32_t>(i / 32);
    EXPECT_GT(stale, rounds * 8);
}

TEST_F(EmulatedKernel, SharedMemoryIsPoisonedAndFenced) {
    auto* out = allocate<std::int32_t>(32);
    launch("read_shared", 2, 32, Arguments{out}, 128);
    EXPECT_THAT(download(out, 32), Each(-1));
    EXPECT_EQ(error_of("write_shared", 2, 32, {nullptr, 0, 96}, 128), "none");
    EXPECT_THAT(error_of("write_shared", 2, 32, {nullptr, 0, 97}, 128), HasSubstr("wrote beyond its 128 bytes of dynamic shared memory"));
}

TEST_F(EmulatedKernel, LaunchesThatAGpuRefusesAreDefects) {
    auto* out = allocate<std::int32_t>(256);
    EXPECT_THROW(launch("half_a_warp_shuffles", 1, 129, Arguments{out}), Defect) << "above its launch bound";
    EXPECT_THROW(launch("half_a_warp_shuffles", 0, 128, Arguments{out}), Defect);
    EXPECT_THROW(module->kernel("half_a_warp_shuffles", 228 * 1024), Defect);
    const cuda::Kernel& kernel = module->kernel("number_threads", 1000);
    const Arguments arguments{out};
    EXPECT_THROW(stream->launch(kernel, 1, 32, 1001, &arguments), Defect) << "not made ready for so much";
    stream->launch(kernel, 1, 32, 1000, &arguments);
    EXPECT_THROW(module->kernel("no_such_kernel", 0), DeviceError);
}

class EmulatedKernelDeath : public EmulatedKernel {
protected:
    EmulatedKernelDeath() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(EmulatedKernelDeath, OverrunsEndTheProgram) {
    auto* out = allocate<std::int32_t>(100);
    const auto write_at = [&](std::int32_t place) {
        launch("write_at", 1, 32, Arguments{out, 1, place});
        stream->synchronize();
        device->release(out);
    };
    EXPECT_EXIT((write_at(99), std::exit(0)), testing::ExitedWithCode(0), "");
    EXPECT_DEATH(write_at(100), "offset 400 of an allocation of 400 bytes of device 0, which ends before");
    EXPECT_DEATH(write_at(-1), "an allocation of 400 bytes of device 0 was overrun at its beginning");
}

TEST_F(EmulatedKernelDeath, HostsThatReadTheDeviceEnd) {
    auto* out = upload(std::vector<std::int32_t>{1, 2, 3});
    EXPECT_DEATH(std::exit(out[2]), "offset 8 of an allocation of 12 bytes of device 0, which may be touched only by");
    device->release(out);
    EXPECT_DEATH(std::exit(out[2]), "offset 8 of an allocation of 12 bytes of device 0, which was released");
}

}  // namespace
}  // namespace limrisk::test
