// Philox as device code, cuRAND's where it is in the build, against Random123's known answers.
#include <gtest/gtest.h>

#include <array>

#if defined(LIMRISK_EMULATED_GPU)
#include "gpu/emulated_fixture.hpp"
#else
#include "gpu/gpu_fixture.hpp"
#endif
#include "reference/philox_known_answers.hpp"

namespace limrisk::test {
namespace {

#if defined(LIMRISK_EMULATED_GPU)
#define LIMRISK_PHILOX_TEST PhiloxOnEmulatedGpu
class LIMRISK_PHILOX_TEST : public EmulatedGpuTest {};
#else
#define LIMRISK_PHILOX_TEST PhiloxOnGpu
class LIMRISK_PHILOX_TEST : public GpuTest {};
#endif

constexpr const char* device_text = R"(
#define LIMRISK_LANES cuda
#include "kernels/philox.hpp"

struct Arguments {
    std::uint32_t counter[4];
    std::uint64_t key;
    std::uint32_t* words;
};

LIMRISK_KERNEL(draw, Arguments, 32) {
    limrisk::kernels::WordPack words[4];
    for (int i = 0; i < 4; ++i) words[i].part[0] = arguments.counter[i];
    limrisk::kernels::philox(words, arguments.key);
    for (int i = 0; i < 4; ++i) arguments.words[4 * threadIdx.x + i] = words[i].part[0];
}
)";

struct Arguments {
    std::array<std::uint32_t, 4> counter;
    std::uint64_t key;
    std::uint32_t* words;  ///< [32][4]
};

TEST_F(LIMRISK_PHILOX_TEST, GivesTheKnownAnswersInEveryLane) {
    const auto stream = device->make_stream();
    const auto module = device->load(machine_code("philox_gpu_test", device_text));
    auto* words = static_cast<std::uint32_t*>(device->allocate(32 * 4 * 4));
    ASSERT_NE(words, nullptr);
    for (const PhiloxAnswer& answer : philox_known_answers) {
        Arguments arguments{answer.counter, answer.key_word(), words};
        stream->launch(module->kernel("draw", 0), 1, 32, 0, &arguments);
        std::array<std::array<std::uint32_t, 4>, 32> drawn{};
        stream->copy_to_host(drawn.data(), words, sizeof drawn);
        stream->synchronize();
        for (const auto& lane : drawn) EXPECT_EQ(lane, answer.output);
    }
    device->release(words);
}

}  // namespace
}  // namespace limrisk::test
