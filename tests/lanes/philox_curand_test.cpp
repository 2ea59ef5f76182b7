// Philox against cuRAND's host generator: the stream that the device's Philox header function gives, without a device.
#include <curand.h>
#include <gtest/gtest.h>

#include "lanes_probe.hpp"

namespace limrisk::test {
namespace {

TEST(Philox, CurandHostGenerator) {
    for (const std::uint64_t seed : {0ull, 1ull, 0x123456789ABCDEFull, ~0ull}) {
        curandGenerator_t generator = nullptr;
        ASSERT_EQ(curandCreateGeneratorHost(&generator, CURAND_RNG_PSEUDO_PHILOX4_32_10), CURAND_STATUS_SUCCESS);
        ASSERT_EQ(curandSetPseudoRandomGeneratorSeed(generator, seed), CURAND_STATUS_SUCCESS);
        std::uint32_t expected[32][4];
        ASSERT_EQ(curandGenerate(generator, expected[0], 128), CURAND_STATUS_SUCCESS);
        ASSERT_EQ(curandDestroyGenerator(generator), CURAND_STATUS_SUCCESS);
        for (const LanesProbe& probe : available_probes()) {
            std::uint32_t counter[4][32] = {}, out[4][32];
            for (std::uint32_t i = 0; i < 32; ++i) counter[2][i] = i;
            probe.philox(seed, counter[0], out[0]);
            for (int i = 0; i < 32; ++i)
                for (int w = 0; w < 4; ++w) EXPECT_EQ(out[w][i], expected[i][w]) << probe.name << " call " << i << " word " << w;
        }
    }
}

}  // namespace
}  // namespace limrisk::test
